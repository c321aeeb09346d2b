//! `observer_backend:sys_info/0`: the System, Memory Allocators and Load tabs.

use beamline_term::{Term, atom, term};

use super::super::memory::Memory;
use super::super::{statistics, system_info};
use crate::node::Inner;

/// In the order of OTP's.
pub(super) fn all(node: &Inner) -> Term {
    let memory = Memory::of(node);
    let (input, output) = statistics::io_bytes(node);
    let told = |items: &[&'static str]| -> Vec<Term> {
        let value = |item| system_info::item(node, &Term::atom(item)).unwrap_or_else(|_| Term::atom("undefined"));
        items.iter().map(|item| (atom(item), value(item)).into()).collect()
    };
    let mut info: Vec<Term> = vec![
        (atom("uptime"), statistics::uptime(node).as_millis() as u64).into(),
        (atom("run_queue"), statistics::run_queue(node)).into(),
        (atom("io_input"), input).into(),
        (atom("io_output"), output).into(),
    ];
    info.extend(told(&["logical_processors", "logical_processors_online", "logical_processors_available"]));
    info.extend(told(&["schedulers", "schedulers_online"]));
    info.push((atom("schedulers_available"), node.runtime().metrics().num_workers()).into());
    info.extend(told(&["otp_release", "version", "system_architecture", "kernel_poll", "smp_support", "threads"]));
    info.extend(told(&["thread_pool_size"]));
    info.extend(["wordsize_internal", "wordsize_external"].map(|item| (atom(item), size_of::<usize>()).into()));
    info.push((atom("alloc_info"), allocators(&memory)).into());
    info.extend(told(&["process_count", "atom_limit", "atom_count", "process_limit", "process_count"]));
    info.extend(told(&["port_limit", "port_count", "ets_limit", "ets_count", "dist_buf_busy_limit"]));
    info.extend(memory.to_list());
    Term::list(info)
}

/// What the program has, in the shape of the BEAM's allocators: that of processes, and the rest. Observer divides by what an
/// allocator holds, so none may be empty.
fn allocators(memory: &Memory) -> Term {
    let allocator = |name: &'static str, bytes: u64| {
        let bytes = bytes.max(1);
        let name = || Term::atom(name);
        term!({name(), [{:instance, 0, [
            {:mbcs, [{:blocks, [{name(), [{:size, bytes, bytes, bytes}]}]}, {:carriers_size, bytes, bytes, bytes}]},
            {:sbcs, [{:blocks, []}, {:carriers_size, 0, 0, 0}]},
        ]}]})
    };
    let rest = memory.total.saturating_sub(memory.processes);
    Term::list([allocator("eheap_alloc", memory.processes), allocator("sys_alloc", rest)])
}

/// `observer_backend:socket_info/0`: sockets of the module `socket`, of which there are none here.
pub(super) fn sockets() -> Term {
    const COUNTS: [&str; 13] = [
        "num_monitors",
        "num_cnt_bits",
        "num_dinet",
        "num_dinet6",
        "num_dlocal",
        "num_pip",
        "num_psctp",
        "num_ptcp",
        "num_pudp",
        "num_sockets",
        "num_tdgrams",
        "num_tseqpkgs",
        "num_tstreams",
    ];
    let most: Term = (atom("iov_max"), 1024).into();
    Term::list([most].into_iter().chain(COUNTS.map(|count| (atom(count), 0).into())))
}
