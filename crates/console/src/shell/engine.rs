//! Who evaluates what is typed: the node that is looked at if it has Elixir, else this process.

use beamline_elixir::Limits;
use beamline_elixir::complete::cursor;
use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_remsh::{Outcome, Prompt, Reach, known};
use beamline_term::Inspect;
use std::sync::Arc;
use std::time::Duration;

use super::screen::{Screen, Written};
use crate::elixir::{ElixirSession, Reply};
use crate::io_server;
use crate::kind::Kind;

pub(crate) enum Engine {
    Here(Box<Prompt>),
    /// With a prompt that only completes, for nodes that cannot.
    There(Box<ElixirSession>, Box<Prompt>),
}

/// What is to be done after an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    Value(String),
    Failed(String),
    Silent,
    Clear,
    /// The node has gone.
    Lost,
}

/// A word to complete with: the text from `start` on becomes `text`.
pub(crate) struct Completion {
    pub(crate) start: usize,
    pub(crate) text: String,
    pub(crate) shown: String,
}

impl Engine {
    /// At the node itself, or at a peer, which is asked what it is.
    pub(crate) async fn start(
        node: &Node,
        peer: Option<&NodeName>,
        screen: &Arc<Screen>,
        time: Duration,
    ) -> Result<(Engine, Kind), CallError> {
        let device: Arc<Screen> = Arc::clone(screen);
        let leader = io_server::serve(node, device);
        let here = |reach| Box::new(Prompt::new(node, reach, Limits::default()).led_by(leader.clone()));
        let Some(peer) = peer.filter(|peer| *peer != node.name()) else {
            return Ok((Engine::Here(here(Reach::Own)), Kind::Rust));
        };
        let kind = Kind::of(node, peer, time).await?;
        let other = here(Reach::Other(peer.clone()));
        let Kind::Elixir(_) = kind else { return Ok((Engine::Here(other), kind)) };
        let session = ElixirSession::start(node, peer, leader, screen.colours(), time).await?;
        Ok((Engine::There(Box::new(session), other), kind))
    }

    pub(crate) fn target(&self) -> &NodeName {
        match self {
            Engine::Here(prompt) => prompt.target(),
            Engine::There(session, _) => session.peer(),
        }
    }

    pub(crate) fn counter(&self) -> usize {
        match self {
            Engine::Here(prompt) => prompt.counter(),
            Engine::There(session, _) => session.counter(),
        }
    }

    pub(crate) async fn evaluate(&mut self, text: &str, screen: &Arc<Screen>) -> After {
        match self {
            Engine::Here(prompt) => match prompt.evaluate(text, &mut Written(screen)).await {
                Outcome::Value(value) => After::Value(Inspect::new(&value).width(screen.width()).to_string()),
                Outcome::Failed { told, .. } => After::Failed(told),
                Outcome::Clear => After::Clear,
                _ => After::Silent,
            },
            Engine::There(session, _) => match text.trim().trim_end_matches("()") {
                "clear" => After::Clear,
                "respawn" => {
                    session.respawn();
                    After::Silent
                }
                _ => match session.evaluate(&continued(text), screen.width()).await {
                    Reply::Value(text) => After::Value(text),
                    Reply::Failed(told) => After::Failed(told),
                    Reply::Silent => After::Silent,
                    Reply::Ended(reason) => After::Failed(ended(&reason)),
                    Reply::Lost => After::Lost,
                },
            },
        }
    }

    /// Gives up what runs; its future has been dropped.
    pub(crate) async fn interrupt(&mut self) -> After {
        match self {
            Engine::Here(prompt) => {
                prompt.give_up();
                After::Failed("** interrupted; the variables are as they were before".into())
            }
            Engine::There(session, _) => match session.interrupt().await {
                Reply::Lost => After::Lost,
                Reply::Ended(reason) => After::Failed(ended(&reason)),
                // It was done in the same moment.
                Reply::Value(text) => After::Value(text),
                Reply::Failed(told) => After::Failed(told),
                Reply::Silent => After::Silent,
            },
        }
    }

    /// What could stand at the end of a text.
    pub(crate) async fn complete(&self, before: &str) -> Vec<Completion> {
        let cursor = cursor(before);
        match self {
            Engine::Here(prompt) => by_exports(prompt, before).await,
            Engine::There(session, completes) => {
                let typed = before.get(cursor.start..).unwrap_or_default();
                let mut found = Vec::new();
                if let Some((insert, hints)) = session.expand(before).await {
                    if !insert.is_empty() {
                        let text = format!("{typed}{insert}");
                        found.push(Completion { start: cursor.start, shown: text.clone(), text });
                    }
                    let stem = typed.rfind(['.', ':']).map_or("", |at| &typed[..=at]);
                    for hint in hints.into_iter().filter(|_| insert.is_empty()) {
                        let name = hint.split('/').next().unwrap_or(&hint);
                        found.push(Completion { start: cursor.start, text: format!("{stem}{name}"), shown: hint });
                    }
                } else {
                    found = by_exports(completes, before).await;
                }
                let names = session.names().into_iter().filter(|name| !typed.is_empty() && name.starts_with(typed));
                found.extend(names.map(|name| Completion { start: cursor.start, shown: name.clone(), text: name }));
                found
            }
        }
    }
}

/// From what the language has and the node exports.
async fn by_exports(prompt: &Prompt, before: &str) -> Vec<Completion> {
    let cursor = cursor(before);
    let known = known(prompt, &cursor.place).await;
    let found = prompt.session().complete(before, &known).into_iter();
    found.map(|found| Completion { start: cursor.start, text: found.text, shown: found.shown }).collect()
}

fn ended(reason: &str) -> String {
    format!("** (EXIT) the evaluation was ended: {reason}; the variables are as they were before")
}

/// A line that begins with `|>` goes on with the last value.
fn continued(text: &str) -> String {
    let start = text.trim_start();
    if start.starts_with("|>") { format!("v() {start}") } else { text.to_owned() }
}
