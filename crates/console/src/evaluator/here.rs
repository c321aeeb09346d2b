//! Evaluation here, for nodes that do not do it themselves: each call that is not of the language is one call to the node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_elixir::Limits;
use beamline_elixir::complete::cursor;
use beamline_node::{Node, NodeEvent};
use beamline_proto::NodeName;
use beamline_remsh::{Line, Outcome, Output, Prompt, Reach, known};
use beamline_term::Inspect;
use tokio::sync::oneshot;

use super::{Completion, Context, Evaluated, Lane, Outlet, Table, Text};
use crate::io_server::Device;

/// So many bytes of a value are shown.
const LONGEST: usize = 200_000;

pub(super) struct Here {
    node: Node,
    reach: Reach,
    contexts: Mutex<HashMap<Context, Prompt>>,
    running: Mutex<HashMap<Lane, oneshot::Sender<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Here {
    pub(super) fn new(node: &Node, target: &NodeName) -> Here {
        let reach = if target == node.name() { Reach::Own } else { Reach::Other(target.clone()) };
        Here { node: node.clone(), reach, contexts: Mutex::default(), running: Mutex::default() }
    }

    /// A session as it is after a context.
    pub(super) fn prompt(&self, context: Option<Context>) -> Prompt {
        let known = context.and_then(|context| lock(&self.contexts).get(&context).cloned());
        let fresh = || Prompt::new(&self.node, self.reach.clone(), Limits::default());
        known.unwrap_or_else(fresh)
    }

    pub(super) async fn evaluate(&self, text: &Text<'_>, outlet: &Outlet) -> Evaluated {
        let mut prompt = self.prompt(text.above).led_by(outlet.leader.clone());
        prompt.number(text.line);
        let mut written = Written(&outlet.device);
        let outcome = match self.unless_ended(text.lane, prompt.evaluate(text.code, &mut written)).await {
            Some(outcome) => outcome,
            None => {
                self.keep(text, prompt, false);
                return Evaluated::Ended("it was interrupted".into());
            }
        };
        self.keep(text, prompt, !matches!(outcome, Outcome::Failed { .. }));
        match outcome {
            Outcome::Value(value) => {
                let mut shown = Inspect::new(&value).width(text.width).to_string();
                if shown.len() > LONGEST {
                    shown.truncate(shown.floor_char_boundary(LONGEST));
                    shown.push_str(" ...");
                }
                Evaluated::Value { text: shown, table: Table::of(&value, text.rows) }
            }
            Outcome::Failed { told, line, .. } => Evaluated::Failed { told, line: Some(text.line.max(1) - 1 + line) },
            Outcome::Clear => Evaluated::Clear,
            _ => Evaluated::Silent,
        }
    }

    /// Keeps what there is after a text. What failed leaves no context, unless it is the one that goes on.
    pub(super) fn keep(&self, text: &Text<'_>, prompt: Prompt, is_done: bool) {
        let mut contexts = lock(&self.contexts);
        if is_done || text.above == Some(text.context) {
            contexts.insert(text.context, prompt);
        } else {
            contexts.remove(&text.context);
        }
    }

    /// Runs something of a lane; none if it was interrupted.
    pub(super) async fn unless_ended<T>(&self, lane: Lane, run: impl Future<Output = T>) -> Option<T> {
        let (end, ended) = oneshot::channel();
        lock(&self.running).insert(lane, end);
        let done = tokio::select! {
            done = run => Some(done),
            Ok(()) = ended => None,
        };
        lock(&self.running).remove(&lane);
        done
    }

    pub(super) fn interrupt(&self, lane: Lane) {
        if let Some(end) = lock(&self.running).remove(&lane) {
            // It may be done in this moment.
            let _ = end.send(());
        }
    }

    pub(super) fn forget(&self, gone: &[Context]) {
        lock(&self.contexts).retain(|context, _| !gone.contains(context));
    }

    /// From what the language has and the node exports.
    pub(super) async fn complete(&self, context: Option<Context>, before: &str) -> Vec<Completion> {
        let (prompt, cursor) = (self.prompt(context), cursor(before));
        let known = known(&prompt, &cursor.place).await;
        let found = prompt.session().complete(before, &known).into_iter();
        found.map(|found| Completion { start: cursor.start, text: found.text, shown: found.shown }).collect()
    }
}

/// Waits until a peer is down.
pub(super) async fn down(node: &Node, peer: &NodeName) {
    let mut events = node.events();
    while node.is_connected(peer) {
        match events.recv().await {
            Some(NodeEvent::Down { node, .. }) if node == *peer => return,
            Some(_) => {}
            None => return,
        }
    }
}

/// What expressions that run here write and read.
pub(crate) struct Written<'a>(pub(crate) &'a Arc<dyn Device>);

impl Output for Written<'_> {
    async fn write(&mut self, text: &[u8]) {
        self.0.print(&String::from_utf8_lossy(text));
        let pressure = self.0.pressure();
        if !pressure.is_zero() {
            tokio::time::sleep(pressure).await;
        }
    }

    async fn read_line(&mut self, prompt: &str) -> Line {
        if !self.0.reads() {
            return Line::Refused;
        }
        Arc::clone(self.0).read_line(prompt.to_owned()).await.map_or(Line::End, Line::Text)
    }
}
