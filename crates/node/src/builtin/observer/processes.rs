//! `observer_backend:procs_info/1` and `etop_collect/1`: the Processes tab, and `etop`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use beamline_term::{Pid, Term, atom};

use super::super::memory::Memory;
use super::super::{process_info, statistics};
use crate::functions::Raise;
use crate::process::{Cell, Process};

/// So many processes go into one message, as OTP does it.
const CHUNK: usize = 10_000;

/// `procs_info(Collector)`: sends `{procs_info, self(), Records}` until all processes are told, then ends.
pub(super) async fn in_chunks(me: Process, arguments: Vec<Term>) -> Result<Term, Raise> {
    let to = collector(&arguments)?;
    let cells = others(&me);
    // Of no processes there is a message too.
    for chunk in cells.chunks(CHUNK).chain(cells.is_empty().then_some(&[] as &[Arc<Cell>])) {
        let records = Term::list(chunk.iter().filter_map(|cell| record(cell)));
        let message: Term = (atom("procs_info"), me.pid().clone(), records).into();
        me.send(to, &message).await.map_err(|_| Raise::exit(atom("noconnection")))?;
    }
    Ok(Term::atom("ok"))
}

/// `etop_collect(Collector)`: sends `{self(), Info}`, the record `etop_info`.
pub(super) async fn for_etop(me: Process, arguments: Vec<Term>) -> Result<Term, Raise> {
    let to = collector(&arguments)?;
    let records: Vec<Term> = others(&me).iter().filter_map(|cell| record(cell)).collect();
    let node = &me.node;
    let info = Term::tuple([
        Term::atom("etop_info"),
        now(),
        records.len().into(),
        Term::atom("undefined"),
        statistics::scheduler_wall_time(node),
        statistics::run_queue(node).into(),
        Term::nil(),
        Term::list(Memory::of(node).to_list()),
        Term::list(records),
    ]);
    me.send(to, &Term::from((me.pid().clone(), info))).await.map_err(|_| Raise::exit(atom("noconnection")))?;
    Ok(Term::atom("ok"))
}

fn collector(arguments: &[Term]) -> Result<&Pid, Raise> {
    arguments.first().and_then(Term::as_pid).ok_or_else(Raise::arguments)
}

fn others(me: &Process) -> Vec<Arc<Cell>> {
    let mut cells = me.node.processes.in_order();
    cells.retain(|cell| cell.number != me.cell.number);
    cells
}

/// `{etop_proc_info, Pid, Memory, Reductions, Name | Mfa, Runtime, CurrentFunction, MessageQueueLength}`; `None` when it has
/// ended.
fn record(cell: &Cell) -> Option<Term> {
    let name = cell.name()?;
    let traffic = cell.traffic();
    let code = process_info::mfa(&cell.code.initial_call());
    Some(Term::tuple([
        Term::atom("etop_proc_info"),
        cell.pid.clone().into(),
        cell.memory().into(),
        traffic.handled.into(),
        name.map_or_else(|| code.clone(), Term::from),
        0.into(),
        code,
        traffic.waiting().into(),
    ]))
}

/// `{Megaseconds, Seconds, Microseconds}` since 1970.
fn now() -> Term {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_secs() / 1_000_000, now.as_secs() % 1_000_000, now.subsec_micros()).into()
}
