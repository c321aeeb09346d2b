//! What a node says of itself as a whole: limits, memory, schedulers, allocators.

use std::collections::BTreeMap;

use beamline_term::Term;
use serde::Serialize;

use super::ask::{Ask, optional};
use super::figures::Memory;
use super::read::Props;
use super::trouble::Trouble;

/// Something that a node has only so much of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Limited {
    pub(crate) what: &'static str,
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

/// A node as a whole.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct System {
    pub(crate) limits: Vec<Limited>,
    pub(crate) memory: Option<Memory>,
    /// Processes that are ready and wait for a scheduler.
    pub(crate) run_queue: Option<u64>,
    /// Bytes since the start.
    pub(crate) io_in: Option<u64>,
    pub(crate) io_out: Option<u64>,
    pub(crate) logical_processors: Option<u64>,
    pub(crate) schedulers_online: Option<u64>,
    pub(crate) threads_for_io: Option<u64>,
    /// Bytes in a word.
    pub(crate) word: Option<u64>,
    /// Bytes that may wait for a peer before senders to it are suspended.
    pub(crate) distribution_buffer: Option<u64>,
    pub(crate) allocators: Vec<Allocator>,
}

/// An allocator of a BEAM node. Blocks are what is in use; carriers are what was taken from the system for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Allocator {
    pub(crate) name: String,
    /// Bytes.
    pub(crate) blocks: u64,
    pub(crate) carriers: u64,
    /// The most that carriers of its instances have taken, each by itself, since the node's start.
    pub(crate) most_carriers: u64,
}

/// Asks the node; by single questions where it lacks `observer_backend`.
pub(crate) async fn system(ask: &Ask<'_>) -> Result<System, Trouble> {
    match optional(ask.call("observer_backend", "sys_info", ()).await)?.as_ref().and_then(Props::of) {
        Some(info) => Ok(of(&info)),
        None => plainly(ask).await,
    }
}

fn of(info: &Props) -> System {
    let kinds = [
        ("processes", "process_count", "process_limit"),
        ("ports", "port_count", "port_limit"),
        ("atoms", "atom_count", "atom_limit"),
        ("tables", "ets_count", "ets_limit"),
    ];
    let limits = kinds
        .into_iter()
        .filter_map(|(what, used, limit)| Some(Limited { what, used: info.number(used)?, limit: info.number(limit)? }));
    System {
        limits: limits.collect(),
        memory: Memory::of_props(info),
        run_queue: info.number("run_queue"),
        io_in: info.number("io_input"),
        io_out: info.number("io_output"),
        logical_processors: info.number("logical_processors"),
        schedulers_online: info.number("schedulers_online"),
        threads_for_io: info.number("thread_pool_size"),
        word: info.number("wordsize_internal"),
        distribution_buffer: info.number("dist_buf_busy_limit"),
        allocators: allocators(&info.props("alloc_info")),
    }
}

async fn plainly(ask: &Ask<'_>) -> Result<System, Trouble> {
    let number = async |item| Ok(optional(ask.system_info(item).await)?.and_then(|term| term.as_u64()));
    let limited = async |what, used, limit| {
        let (used, limit) = tokio::join!(number(used), number(limit));
        Ok(used?.zip(limit?).map(|(used, limit)| Limited { what, used, limit }))
    };
    let (processes, ports, atoms, tables, memory, processors, online, word, buffer) = tokio::join!(
        limited("processes", "process_count", "process_limit"),
        limited("ports", "port_count", "port_limit"),
        limited("atoms", "atom_count", "atom_limit"),
        limited("tables", "ets_count", "ets_limit"),
        ask.call("erlang", "memory", ()),
        number("logical_processors"),
        number("schedulers_online"),
        number("wordsize"),
        number("dist_buf_busy_limit"),
    );
    Ok(System {
        limits: [processes?, ports?, atoms?, tables?].into_iter().flatten().collect(),
        memory: optional(memory)?.as_ref().and_then(Memory::of),
        logical_processors: processors?,
        schedulers_online: online?,
        word: word?,
        distribution_buffer: buffer?,
        ..System::default()
    })
}

/// `[{Type, [{instance, N, [{mbcs, [{blocks, _}, {carriers_size, ..}]}, ..]}]}]`, summed by type.
fn allocators(info: &Props) -> Vec<Allocator> {
    let mut sums: BTreeMap<&str, Allocator> = BTreeMap::new();
    for (name, instances) in info.iter() {
        let name = name.as_str();
        let sum = sums.entry(name).or_insert_with(|| Allocator {
            name: super::read::cut(name.to_owned(), 40),
            blocks: 0,
            carriers: 0,
            most_carriers: 0,
        });
        for instance in instances.as_list().into_iter().flat_map(|list| list.iter()) {
            let Some([_, _, carriers]) = instance.as_tuple() else { continue };
            let Some(carriers) = Props::of(carriers) else { continue };
            for kind in ["mbcs", "mbcs_pool", "sbcs"] {
                let of = carriers.props(kind);
                for (_, sizes) in of.props("blocks").iter() {
                    sum.blocks = sum.blocks.saturating_add(size(sizes));
                }
                if let Some((now, most)) = whole(carriers.get(kind)) {
                    sum.carriers = sum.carriers.saturating_add(now);
                    sum.most_carriers = sum.most_carriers.saturating_add(most);
                }
            }
        }
    }
    let mut all: Vec<Allocator> = sums.into_values().collect();
    all.sort_by(|a, b| b.carriers.cmp(&a.carriers).then_with(|| a.name.cmp(&b.name)));
    all
}

/// `[{size, Current, _, _}]`
fn size(sizes: &Term) -> u64 {
    let list = sizes.as_list().into_iter().flat_map(|list| list.iter());
    list.filter_map(|it| it.as_tuple().filter(|it| it[0].is_atom("size"))?.get(1)?.as_u64()).sum()
}

/// `{carriers_size, Current, Max, MaxEver}`, or in a pool `{carriers_size, Current}`.
fn whole(carriers: Option<&Term>) -> Option<(u64, u64)> {
    let list = carriers?.as_list()?;
    list.iter().find_map(|it| {
        let parts = it.as_tuple().filter(|it| it[0].is_atom("carriers_size"))?;
        let now = parts.get(1)?.as_u64()?;
        Some((now, parts.get(3).and_then(Term::as_u64).unwrap_or(now)))
    })
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn allocators_are_summed() {
        let info = term!([
            {:eheap_alloc, [
                {:instance, 0, [
                    {:mbcs, [{:blocks, [{:eheap_alloc, [{:size, 100, 110, 120}]}]}, {:carriers_size, 1000, 1000, 3000}]},
                    {:sbcs, [{:blocks, []}, {:carriers_size, 0, 0, 500}]}
                ]},
                {:instance, 1, [
                    {:mbcs, [{:blocks, [{:eheap_alloc, [{:size, 50, 50, 50}]}]}, {:carriers_size, 200, 200, 200}]},
                    {:mbcs_pool, [{:blocks, []}, {:carriers_size, 30}]}
                ]}
            ]},
            {:junk, :false}
        ]);
        let all = allocators(&Props::of(&info).unwrap());
        let heap = Allocator { name: "eheap_alloc".to_owned(), blocks: 150, carriers: 1230, most_carriers: 3730 };
        assert_eq!(all[0], heap);
    }
}
