//! Who evaluates what is typed: the node that is looked at if it has Elixir, else this process.

use std::sync::Arc;
use std::time::Duration;

use beamline_node::{CallError, Node};
use beamline_proto::NodeName;

use super::screen::Screen;
use crate::evaluator::{Completion, Context, Evaluated, Evaluator, Lane, Language, Outlet, Style, Text};
use crate::kind::Kind;

/// A shell has one context, which each entry builds on.
const CONTEXT: Context = Context(0);
const LANE: Lane = Lane(0);

pub(crate) struct Engine {
    evaluator: Evaluator,
    outlet: Outlet,
    counter: usize,
}

impl Engine {
    /// At the node itself, or at a peer, which is asked what it is.
    pub(crate) async fn start(
        node: &Node,
        peer: Option<&NodeName>,
        screen: &Arc<Screen>,
        time: Duration,
    ) -> Result<Engine, CallError> {
        let device: Arc<Screen> = Arc::clone(screen);
        let outlet = Outlet::new(node, device);
        let style = Style { colours: screen.colours(), recalls: true };
        let evaluator = Evaluator::start(node, peer.unwrap_or(node.name()), style, &outlet, time).await?;
        Ok(Engine { evaluator, outlet, counter: 1 })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.evaluator.kind()
    }

    pub(crate) fn target(&self) -> &NodeName {
        self.evaluator.target()
    }

    /// The number of the next entry.
    pub(crate) fn counter(&self) -> usize {
        self.counter
    }

    /// Evaluates an entry, until `interrupted`.
    pub(crate) async fn evaluate(
        &mut self,
        code: &str,
        screen: &Screen,
        interrupted: impl Future<Output = ()>,
    ) -> Evaluated {
        match code.trim().trim_end_matches("()") {
            "clear" => return Evaluated::Clear,
            "respawn" => {
                self.evaluator.forget(&[CONTEXT]).await;
                self.counter = 1;
                return Evaluated::Silent;
            }
            _ => {}
        }
        let (file, line, width) = ("iex", self.counter, screen.width());
        let (language, lane, context, above) = (Language::Elixir, LANE, CONTEXT, Some(CONTEXT));
        let text = Text { code, language, file, line, width, rows: 0, lane, context, above };
        let mut evaluation = std::pin::pin!(self.evaluator.evaluate(&text, &self.outlet));
        let evaluated = tokio::select! {
            biased;
            () = interrupted => {
                self.evaluator.interrupt(LANE).await;
                evaluation.as_mut().await
            }
            evaluated = &mut evaluation => evaluated,
        };
        self.counter += 1;
        evaluated
    }

    /// What could stand at the end of a text.
    pub(crate) async fn complete(&self, before: &str) -> Vec<Completion> {
        self.evaluator.complete(Some(CONTEXT), before).await
    }
}
