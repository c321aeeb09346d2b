//! `erlang:process_info/1,2`: what the node knows of a process, in the items of the BEAM.
//!
//! Never its messages, which are nobody's but its own, and never a dictionary, which it has not: both are shown as empty, so
//! that a tool that asks for them shows the rest. What only the BEAM has (heaps, reductions, tracing) is zero, empty or off;
//! `reductions` are the messages that the process has taken.

use beamline_term::{Pid, Term, atom};

use super::badarg;
use crate::destination::Destination;
use crate::functions::{FunctionName, Raise};
use crate::node::Inner;
use crate::process::ProcessInfo;

/// What `process_info/1` shows.
const USUAL: [&str; 17] = [
    "current_function",
    "initial_call",
    "status",
    "message_queue_len",
    "links",
    "dictionary",
    "trap_exit",
    "error_handler",
    "priority",
    "group_leader",
    "total_heap_size",
    "heap_size",
    "stack_size",
    "reductions",
    "garbage_collection",
    "suspending",
    "parent",
];

fn of(node: &Inner, pid: &Pid) -> Result<Option<ProcessInfo>, Raise> {
    if pid.node() != node.name.as_atom() {
        return Err(badarg());
    }
    Ok(node.cell(pid).and_then(|cell| cell.info()))
}

/// `process_info(Pid)`: the usual items, or `undefined` for a process that has ended.
pub(super) fn usual(node: &Inner, pid: &Pid) -> Result<Term, Raise> {
    let Some(info) = of(node, pid)? else { return Ok(Term::atom("undefined")) };
    let name = info.name.clone().map(|name| (atom("registered_name"), name).into());
    let items = USUAL.iter().filter_map(|item| Some((atom(item), value(&info, &Term::atom(item))?).into()));
    Ok(Term::list(name.into_iter().chain(items)))
}

/// `process_info(Pid, Item | Items)`: `{Item, Value}`, or a list of such in the order of the question. `registered_name`
/// alone is `[]` for a process without a name.
pub(super) fn items(node: &Inner, pid: &Pid, items: &Term) -> Result<Term, Raise> {
    let info = of(node, pid)?;
    let answer =
        |info: &ProcessInfo, item: &Term| value(info, item).ok_or_else(badarg).map(|value| (item.clone(), value));
    let asked: Vec<Term> = match items.as_list() {
        Some(items) => items.to_vec(),
        None => vec![items.clone()],
    };
    let Some(info) = info else {
        return if asked.iter().all(is_item) { Ok(Term::atom("undefined")) } else { Err(badarg()) };
    };
    if items.as_list().is_some() {
        let answers = asked.iter().map(|item| answer(&info, item).map(Term::from)).collect::<Result<Vec<_>, _>>();
        return answers.map(Term::list);
    }
    let (item, value) = answer(&info, items)?;
    let is_nameless = item.is_atom("registered_name") && info.name.is_none();
    Ok(if is_nameless { Term::nil() } else { (item, value).into() })
}

fn is_item(item: &Term) -> bool {
    matches!(item, Term::Atom(_)) || matches!(item.as_tuple(), Some([kind, _]) if kind.is_atom("dictionary"))
}

/// `{Module, Function, Arity}`
pub(super) fn mfa((name, arity): &(FunctionName, usize)) -> Term {
    (name.module.clone(), name.function.clone(), *arity).into()
}

fn value(info: &ProcessInfo, item: &Term) -> Option<Term> {
    if matches!(item.as_tuple(), Some([kind, _]) if kind.is_atom("dictionary")) {
        return Some(Term::atom("undefined"));
    }
    let pids = |pids: &[Pid]| Term::list(pids.iter().map(|pid| pid.clone().into()));
    let words = || Term::from(info.memory / size_of::<usize>());
    Some(match item.as_atom()?.as_str() {
        "registered_name" => info.name.clone().map_or_else(Term::nil, Term::from),
        // What it stands in at this moment only the compiler knew.
        "initial_call" | "current_function" => mfa(&info.initial_call),
        "current_location" => located(&info.initial_call),
        "current_stacktrace" => Term::list([located(&info.initial_call)]),
        "status" => Term::atom(if info.message_queue_len > 0 { "runnable" } else { "waiting" }),
        "message_queue_len" => info.message_queue_len.into(),
        "links" => pids(&info.links),
        "monitors" => Term::list(info.monitors.iter().map(|watched| (atom("process"), place(watched)).into())),
        "monitored_by" => pids(&info.monitored_by),
        "trap_exit" => info.trap_exit.into(),
        "group_leader" => info.group_leader.clone().into(),
        "parent" => info.parent.clone().into(),
        "memory" => info.memory.into(),
        "total_heap_size" | "heap_size" => words(),
        "reductions" => info.handled.into(),
        "priority" => Term::atom("normal"),
        "messages" | "dictionary" | "binary" | "suspending" | "sequential_trace_token" | "garbage_collection_info" => {
            Term::nil()
        }
        "stack_size" | "catchlevel" | "trace" | "min_heap_size" | "min_bin_vheap_size" => 0.into(),
        "last_calls" | "async_dist" => false.into(),
        "error_handler" | "label" => Term::atom("undefined"),
        "message_queue_data" => Term::atom("off_heap"),
        "backtrace" => "".into(),
        "garbage_collection" => Term::list(
            ["min_bin_vheap_size", "min_heap_size", "fullsweep_after", "minor_gcs"].map(|item| (atom(item), 0).into()),
        ),
        _ => return None,
    })
}

fn located((name, arity): &(FunctionName, usize)) -> Term {
    (name.module.clone(), name.function.clone(), *arity, Term::nil()).into()
}

/// A pid, or `{Name, Node}`.
fn place(watched: &Destination) -> Term {
    match watched {
        Destination::Pid(pid) => pid.clone().into(),
        Destination::Name(name) => name.clone().into(),
        Destination::Remote(name, node) => (name.clone(), node.to_atom()).into(),
        Destination::Alias(alias) => alias.clone().into(),
    }
}
