//! Processes of nodes that lack `observer_backend`, by the plain functions that every node has.

use beamline_term::codec::encode;
use beamline_term::{ExportFun, Pid, Term, atom};
use bytes::Bytes;
use futures_util::future::join_all;

use super::super::ask::Ask;
use super::super::read::Props;
use super::super::trouble::Trouble;
use super::top::{Raw, Top};

/// So many processes are asked about in one call.
const CHUNK: usize = 1000;

/// So many at most: each costs its node some microseconds, and some hundred bytes to ask.
pub(super) const MOST: usize = 50_000;

/// So many questions are under way at a time.
const TOGETHER: usize = 100;

const ITEMS: [&str; 6] =
    ["registered_name", "initial_call", "memory", "reductions", "message_queue_len", "current_function"];

/// The processes of a node, `most` at most; the top hears how many more there are.
async fn first(ask: &Ask<'_>, top: &mut Top, most: usize) -> Result<Vec<Term>, Trouble> {
    let processes = ask.call("erlang", "processes", ()).await?;
    let mut processes = processes.as_list().ok_or_else(|| ask.strange("erlang:processes"))?.to_vec();
    top.leave_out(processes.len().saturating_sub(most));
    processes.truncate(most);
    Ok(processes)
}

/// The first processes of a BEAM node: `lists:zipwith(fun erlang:process_info/2, Pids, Items)` asks about many in one call.
pub(super) async fn all(ask: &Ask<'_>, top: &mut Top, most: usize) -> Result<(), Trouble> {
    let processes = first(ask, top, most).await?;
    let items = Term::list(ITEMS.map(Term::atom));
    let info = Term::from(ExportFun { module: atom("erlang"), function: atom("process_info"), arity: 2 });
    for pids in processes.chunks(CHUNK) {
        let items = Term::list(std::iter::repeat_n(items.clone(), pids.len()));
        let arguments = (info.clone(), Term::list(pids.iter().cloned()), items);
        let answer = ask.call("lists", "zipwith", arguments).await?;
        let answers = answer.as_list().ok_or_else(|| ask.strange("lists:zipwith"))?;
        for (pid, answer) in pids.iter().zip(answers.iter()) {
            if let Some((pid, props)) = pid.as_pid().zip(Props::of(&answer)) {
                top.offer(raw(pid, &props));
            }
        }
    }
    Ok(())
}

fn raw(pid: &Pid, props: &Props) -> Raw {
    let number = |key| props.number(key).unwrap_or_default();
    let named = props.get("registered_name").filter(|name| name.as_atom().is_some());
    Raw {
        pid: pid.clone(),
        memory: number("memory"),
        reductions: number("reductions"),
        queue: number("message_queue_len"),
        name: encoded(named.or_else(|| props.get("initial_call"))),
        current: encoded(props.get("current_function")),
    }
}

/// The first processes of a Rust node, which has no `lists`: one question each, many at a time.
pub(super) async fn one_by_one(ask: &Ask<'_>, top: &mut Top, most: usize) -> Result<(), Trouble> {
    let processes = first(ask, top, most).await?;
    let items = Term::list(ITEMS.map(Term::atom));
    for pids in processes.chunks(TOGETHER) {
        let questions = pids.iter().map(|pid| ask.call("erlang", "process_info", (pid, &items)));
        for (pid, answer) in pids.iter().zip(join_all(questions).await) {
            if let Some((pid, props)) = pid.as_pid().zip(Props::of(&answer?)) {
                top.offer(raw(pid, &props));
            }
        }
    }
    Ok(())
}

fn encoded(term: Option<&Term>) -> Bytes {
    let mut out = Vec::new();
    match term {
        Some(term) => encode::term(&mut out, term),
        None => encode::nil(&mut out),
    }
    out.into()
}
