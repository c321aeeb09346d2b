//! `erlang:system_info/1`: what the node is built of and what limits it.

use beamline_term::{Atom, Term};

use super::badarg;
use crate::functions::Raise;
use crate::node::Inner;

/// What we call ourselves where a release of OTP is asked for: tools want a number, and we follow this one's manners.
pub(super) const OTP_RELEASE: &str = "27";

/// Where there is no limit but memory, or no such thing, tools still divide by the limit.
const NO_LIMIT: u64 = u32::MAX as u64;

/// One item.
pub(super) fn item(node: &Inner, item: &Term) -> Result<Term, Raise> {
    let name = match (item, item.as_tuple()) {
        (Term::Atom(name), _) => name,
        (_, Some([Term::Atom(name), _])) if *name == "wordsize" => name,
        _ => return Err(badarg()),
    };
    known(node, name).ok_or_else(badarg)
}

fn known(node: &Inner, item: &Atom) -> Option<Term> {
    let processors = || std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    Some(match item.as_str() {
        "system_version" => {
            Term::charlist(concat!("Beamline ", env!("CARGO_PKG_VERSION"), " (a Rust node; not Erlang/OTP)\n"))
        }
        "otp_release" => Term::charlist(OTP_RELEASE),
        "version" => Term::charlist(env!("CARGO_PKG_VERSION")),
        "machine" => Term::charlist("BEAMLINE"),
        "system_architecture" => Term::charlist(std::env::consts::ARCH),
        "wordsize" => size_of::<usize>().into(),
        "process_count" => node.processes.count().into(),
        "port_count" => node.slots.all().len().into(),
        "process_limit" | "port_limit" | "ets_limit" | "atom_limit" => NO_LIMIT.into(),
        // Workers of the runtime are what schedulers are on the BEAM.
        "schedulers" | "schedulers_online" => node.runtime().metrics().num_workers().into(),
        "logical_processors" | "logical_processors_online" | "logical_processors_available" => processors().into(),
        "dirty_cpu_schedulers" | "dirty_io_schedulers" | "thread_pool_size" | "ets_count" | "atom_count" => 0.into(),
        "kernel_poll" | "smp_support" | "threads" => true.into(),
        "multi_scheduling" => Term::atom("enabled"),
        "creation" => node.numbers.origin().creation().get().into(),
        "dist_buf_busy_limit" => node.settings.limits.queue_bytes.into(),
        "start_time" => 0.into(),
        _ => return None,
    })
}
