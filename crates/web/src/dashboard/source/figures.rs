//! What is read of every node again and again: few and cheap questions, all at once.

use beamline_proto::NodeName;
use beamline_term::{Term, atom};
use serde::Serialize;

use super::ask::{Ask, optional};
use super::read::{Props, nodes};
use super::topology::Topology;
use super::trouble::Trouble;

/// So many peers of a node are looked at.
pub(crate) const PEERS: usize = 1024;

/// Memory by class, in bytes. A class that a node does not tell is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) processes: u64,
    pub(crate) binary: u64,
    pub(crate) code: u64,
    pub(crate) ets: u64,
    pub(crate) atom: u64,
}

impl Memory {
    pub(super) fn of(term: &Term) -> Option<Memory> {
        Memory::of_props(&Props::of(term)?)
    }

    pub(super) fn of_props(props: &Props) -> Option<Memory> {
        let of = |class| props.number(class).unwrap_or_default();
        Some(Memory {
            total: props.number("total")?,
            processes: of("processes"),
            binary: of("binary"),
            code: of("code"),
            ets: of("ets"),
            atom: of("atom"),
        })
    }

    /// What is in none of the classes.
    pub(crate) fn other(&self) -> u64 {
        let classes = self.processes + self.binary + self.code + self.ets + self.atom;
        self.total.saturating_sub(classes)
    }
}

/// The figures of one moment. `None` is what the node does not tell.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) memory: Option<Memory>,
    /// Bytes that came in and went out since the start.
    pub(crate) io: Option<(u64, u64)>,
    /// Processes that are ready and wait for a scheduler.
    pub(crate) run_queue: Option<u64>,
    pub(crate) processes: Option<u64>,
}

/// All that one sample brings.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) figures: Figures,
    pub(crate) visible: Vec<NodeName>,
    pub(crate) hidden: Vec<NodeName>,
    /// How it finds its peers, if it is a Rust node that tells.
    pub(crate) topologies: Vec<Topology>,
}

/// Asks the node. `topologies` says whether it may have any.
pub(crate) async fn sample(ask: &Ask<'_>, topologies: bool) -> Result<Sample, Trouble> {
    let (memory, io, run_queue, processes, visible, hidden, status) = tokio::join!(
        ask.call("erlang", "memory", ()),
        ask.call("erlang", "statistics", (atom("io"),)),
        ask.call("erlang", "statistics", (atom("run_queue"),)),
        ask.system_info("process_count"),
        ask.call("erlang", "nodes", ()),
        ask.call("erlang", "nodes", (atom("hidden"),)),
        async {
            match topologies {
                true => optional(ask.call(beamline_cluster::MODULE, "status", ()).await),
                false => Ok(None),
            }
        },
    );
    let visible = nodes(&visible?, PEERS).ok_or_else(|| ask.strange("erlang:nodes"))?;
    let number = |answer: Result<Term, Trouble>| optional(answer).map(|term| term.and_then(|term| term.as_u64()));
    Ok(Sample {
        figures: Figures {
            memory: optional(memory)?.as_ref().and_then(Memory::of),
            io: optional(io)?.as_ref().and_then(io_of),
            run_queue: number(run_queue)?,
            processes: number(processes)?,
        },
        visible,
        hidden: optional(hidden)?.as_ref().and_then(|list| nodes(list, PEERS)).unwrap_or_default(),
        topologies: status?.as_ref().map(Topology::all).unwrap_or_default(),
    })
}

/// `{{input, In}, {output, Out}}`
pub(crate) fn io_of(term: &Term) -> Option<(u64, u64)> {
    let [input, output] = term.as_tuple()? else { return None };
    Some((input.as_tuple()?.get(1)?.as_u64()?, output.as_tuple()?.get(1)?.as_u64()?))
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn memory_and_io_as_nodes_tell_them() {
        let memory = Memory::of(&term!([{:total, 100}, {:processes, 40}, {:binary, 10}, {:ets, 5}])).unwrap();
        assert_eq!((memory.total, memory.processes, memory.other()), (100, 40, 45));
        assert_eq!(Memory::of(&term!(:notsup)), None);
        assert_eq!(io_of(&term!({{:input, 3}, {:output, 4}})), Some((3, 4)));
        assert_eq!(io_of(&term!({1, 2})), None);
    }
}
