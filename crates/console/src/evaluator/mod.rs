//! Evaluation at a node: texts in contexts that build on each other, several beside each other if need be. The shell has one
//! context, which builds on itself; a notebook has one for each cell.
//!
//! An Elixir node evaluates by itself (`there`). For others it is done here (`here`), and each call that is not of the language
//! is one call to the node; an Erlang node evaluates Erlang itself.

mod erlang;
mod here;
mod table;
mod there;

use std::sync::Arc;
use std::time::Duration;

use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_term::Pid;
use tokio::sync::oneshot;

use crate::io_server::{self, AsBinaries, Device};
use crate::kind::Kind;
use here::Here;
pub(crate) use here::Written;
pub use table::Table;
use there::There;

/// A context: what the texts so far have bound. The caller numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context(pub u64);

/// Texts of one lane are evaluated one after the other, by one process where there are processes. The caller numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub u64);

/// In what a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// Elixir.
    Elixir,
    /// Erlang expressions. They see Elixir's variables with a capital letter, `count` as `Count`, and bind such ones. A Rust node
    /// evaluates none.
    Erlang,
}

/// A text that is to be evaluated, and how.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The text.
    pub code: &'a str,
    /// In what it is written.
    pub language: Language,
    /// What stack traces call it.
    pub file: &'a str,
    /// The number of its first line. If values are recalled, `v(line)` gives this one's.
    pub line: usize,
    /// How many columns its value may take.
    pub width: usize,
    /// How many rows of a table are wanted, at most; none if no table is.
    pub rows: usize,
    /// In which lane.
    pub lane: Lane,
    /// What its context is to be called. If it fails there is no such context, unless it is the one that it builds on.
    pub context: Context,
    /// The context on which it builds; without one, or if there is none of that number, it knows nothing.
    pub above: Option<Context>,
}

/// What came of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evaluated {
    /// A value.
    Value {
        /// As `inspect` shows it.
        text: String,
        /// The same as a table, if one was asked for and it is a list of like maps or keyword lists.
        table: Option<Table>,
    },
    /// A value that is not shown.
    Silent,
    /// The screen is to be cleared.
    Clear,
    /// It failed.
    Failed {
        /// In the language's words, the stack included.
        told: String,
        /// The line of the text that failed.
        line: Option<usize>,
    },
    /// The process that evaluated it was ended: why.
    Ended(String),
    /// The node, or the connection to it, has gone, and all contexts with it.
    Lost,
}

/// A word to complete with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is completed begins here, in bytes of the text.
    pub start: usize,
    /// What it becomes.
    pub text: String,
    /// What a list shows.
    pub shown: String,
}

/// What an [`Evaluator`] does besides.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Style {
    /// Whether values have colours.
    pub colours: bool,
    /// Whether `v()` gives values of before, which keeps them alive.
    pub recalls: bool,
}

/// Evaluates texts at a node. A clone is the same one.
#[derive(Clone)]
pub struct Evaluator {
    node: Node,
    kind: Kind,
    target: NodeName,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Here(Arc<Here>),
    There(Arc<There>, Arc<Here>),
}

/// Where what is printed goes, and whoever prints there: a group leader on our node, ended when this is dropped.
pub struct Outlet {
    device: Arc<dyn Device>,
    leader: Pid,
    as_binaries: AsBinaries,
    _end: oneshot::Sender<()>,
}

impl Outlet {
    /// On that device.
    pub fn new(node: &Node, device: Arc<dyn Device>) -> Outlet {
        let (end, ended) = oneshot::channel();
        let as_binaries = AsBinaries::new();
        let leader = io_server::serve(node, Arc::clone(&device), as_binaries.clone(), ended);
        Outlet { leader, device, as_binaries, _end: end }
    }

    /// Its pid, for calls that it is to lead.
    pub(crate) fn leader(&self) -> &Pid {
        &self.leader
    }

    /// The device.
    pub fn device(&self) -> &Arc<dyn Device> {
        &self.device
    }
}

impl Evaluator {
    /// At a peer, which is asked what it is, or at the node itself.
    ///
    /// # Errors
    /// The peer cannot be reached within the time.
    pub async fn start(
        node: &Node,
        target: &NodeName,
        style: Style,
        outlet: &Outlet,
        time: Duration,
    ) -> Result<Evaluator, CallError> {
        let here = || Arc::new(Here::new(node, target));
        let (kind, way) = if target == node.name() {
            (Kind::Rust, Way::Here(here()))
        } else {
            match Kind::of(node, target, time).await? {
                kind @ Kind::Elixir(_) => {
                    let there = There::start(node, target, &style, &outlet.leader, time).await?;
                    (kind, Way::There(Arc::new(there), here()))
                }
                kind => (kind, Way::Here(here())),
            }
        };
        Ok(Evaluator { node: node.clone(), kind, target: target.clone(), way })
    }

    /// What the node is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The node.
    pub fn target(&self) -> &NodeName {
        &self.target
    }

    /// Evaluates a text; what it prints goes to the outlet. It ends early by [`Evaluator::interrupt`]. Dropping the future may
    /// leave it running.
    pub async fn evaluate(&self, text: &Text<'_>, outlet: &Outlet) -> Evaluated {
        // `io:get_line` gives a list of characters in Erlang's own shell, and a binary in Elixir's.
        outlet.as_binaries.set(text.language == Language::Elixir);
        match &self.way {
            Way::There(there, _) => there.evaluate(text, &outlet.leader).await,
            Way::Here(here) if text.language == Language::Erlang => match self.kind {
                Kind::Erlang => here.erlang(text, outlet).await,
                _ => Evaluated::Failed {
                    told: format!("{} evaluates no Erlang: it is a Rust node. Write it as Elixir", self.target),
                    line: None,
                },
            },
            Way::Here(here) => here.evaluate(text, outlet).await,
        }
    }

    /// Ends what runs in a lane. The evaluation gives [`Evaluated::Ended`], unless it was done in the same moment, or
    /// [`Evaluated::Lost`] if the node does not say within some seconds that it has ended.
    pub async fn interrupt(&self, lane: Lane) {
        match &self.way {
            Way::There(there, _) => there.interrupt(lane).await,
            Way::Here(here) => here.interrupt(lane),
        }
    }

    /// Forgets contexts.
    pub async fn forget(&self, contexts: &[Context]) {
        match &self.way {
            Way::There(there, _) => there.forget(contexts).await,
            Way::Here(here) => here.forget(contexts),
        }
    }

    /// Waits until the node, or the connection to it, is gone; for ever at the node itself.
    pub async fn lost(&self) {
        match &self.way {
            Way::There(there, _) => there.lost().await,
            Way::Here(_) if self.target == *self.node.name() => std::future::pending().await,
            Way::Here(_) => here::down(&self.node, &self.target).await,
        }
    }

    /// What could stand at the end of a text in a context.
    pub async fn complete(&self, context: Option<Context>, before: &str) -> Vec<Completion> {
        match &self.way {
            Way::There(there, here) => match there.complete(context, before).await {
                Some(found) => found,
                None => {
                    let mut found = here.complete(None, before).await;
                    found.extend(there.variables(context, before));
                    found
                }
            },
            Way::Here(here) => here.complete(context, before).await,
        }
    }
}
