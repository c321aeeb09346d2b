//! The processes of a node: the first of many by some order, and one in detail.
//!
//! A node with a hundred thousand processes streams all of them, as it does to Erlang's own observer: [`stream`] receives,
//! [`top`] keeps the few that are wanted while they pass.

mod detail;
mod plain;
mod stream;
mod top;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::identity::{Identity, Kind};
use super::trouble::Trouble;

pub(crate) use detail::{Detail, Related, Reveals, detail, parse, reveal};

/// The longest list of processes that is given.
pub(crate) const MOST: usize = 1000;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    #[default]
    Memory,
    Reductions,
    Queue,
    Pid,
    Name,
    Current,
}

impl Sort {
    /// As it stands in addresses.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Sort::Memory => "memory",
            Sort::Reductions => "reductions",
            Sort::Queue => "queue",
            Sort::Pid => "pid",
            Sort::Name => "name",
            Sort::Current => "current",
        }
    }
}

/// Which processes are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    /// Only those whose pid, name or current function has this in it, whatever the case; empty for all.
    pub(crate) search: String,
    pub(crate) limit: usize,
}

/// A process in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// As its own node prints it.
    pub(crate) pid: String,
    /// Its registered name, its label, or the function that it began with.
    pub(crate) name: String,
    /// Bytes.
    pub(crate) memory: u64,
    /// Of a Rust process: messages that it has handled.
    pub(crate) reductions: u64,
    /// Messages that wait for it.
    pub(crate) queue: u64,
    /// Where it is.
    pub(crate) current: String,
}

/// The processes that were found.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Listing {
    pub(crate) rows: Vec<Row>,
    /// How many the node has.
    pub(crate) total: usize,
    /// How many of them the search fits, as far as they were asked about.
    pub(crate) matched: usize,
    /// How many of them were not asked about, since there are too many for a node that has to be asked about each.
    pub(crate) unasked: usize,
    /// What is missing, and how to get it.
    pub(crate) note: Option<&'static str>,
}

/// Lists the processes of a node.
pub(crate) async fn list(ask: &Ask<'_>, identity: &Identity, query: &Query) -> Result<Listing, Trouble> {
    let mut top = top::Top::new(query);
    let streamed = match identity.has_observer {
        true => stream::all(ask, top).await,
        false => Err(Trouble::Missing { node: ask.peer().clone(), question: stream::QUESTION.to_owned() }),
    };
    match (streamed, identity.kind) {
        (Err(Trouble::Missing { .. }), Kind::Rust) => {
            top = top::Top::new(query);
            plain::one_by_one(ask, &mut top, plain::MOST).await?;
        }
        (Err(Trouble::Missing { .. }), _) => {
            top = top::Top::new(query);
            plain::all(ask, &mut top, plain::MOST).await?;
        }
        (streamed, _) => return Ok(streamed?.finish(None)),
    }
    Ok(top.finish(identity.without_observer()))
}
