//! `observer_backend:fetch_stats/2`: the Load tab.

use std::time::Duration;

use beamline_term::{Term, atom};

use super::super::memory::Memory;
use super::super::statistics;
use crate::functions::Raise;
use crate::process::Process;

/// More often than this is not told, whoever asks.
const LEAST: Duration = Duration::from_millis(50);

/// `fetch_stats(Pid, Milliseconds)`: sends `{stats, 1, SchedulerTimes, Io, Memory}` again and again. Any message ends it, and so
/// does the end of the receiver.
pub(super) async fn fetch(mut me: Process, arguments: Vec<Term>) -> Result<Term, Raise> {
    let [Term::Pid(to), time] = arguments.as_slice() else { return Err(Raise::arguments()) };
    let time = Duration::from_millis(time.as_u64().ok_or_else(Raise::arguments)?).max(LEAST);
    me.monitor(to);
    while me.receive_within(time).await.is_none() {
        let node = &me.node;
        let memory = Term::list(Memory::of(node).to_list());
        let stats: Term =
            (atom("stats"), 1, statistics::scheduler_wall_time(node), statistics::io(node), memory).into();
        if me.send(to, &stats).await.is_err() {
            break;
        }
    }
    Ok(Term::atom("ok"))
}
