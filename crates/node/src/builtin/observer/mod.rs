//! What Erlang's `observer` and `etop` ask a node, on nodes whose program allows it
//! ([`NodeBuilder::observer`](crate::NodeBuilder::observer)). The calls and their shapes were observed of OTP 25, 27 and 29.
//!
//! It only tells, as the other modules do, but more: every process, every connection, twice a second for as long as
//! somebody looks. Nothing here shows a message, a state or a cookie.

mod applications;
mod appmon;
mod processes;
mod stats;
mod sys_info;
mod tree;

use std::pin::Pin;
use std::sync::{Arc, Weak};

use beamline_term::{Pid, Term, atom};

use super::{alive, ports, process_info, with};
use crate::functions::{Module, Origin, Raise};
use crate::node::Inner;
use crate::process::{Code, Process, Tie};

/// The modules that observer calls.
pub(crate) fn modules(node: &Weak<Inner>) -> Vec<Module> {
    vec![backend(node), appmon::module(node), applications::module(node), proc_lib(node), sys()]
}

fn backend(node: &Weak<Inner>) -> Module {
    Module::new("observer_backend")
        .function("vsn", || async { Ok((atom("ok"), Term::charlist(VERSION))) })
        .function("sys_info", with!(node, |inner| Ok(sys_info::all(&inner))))
        .process("fetch_stats", 2, in_process(node, stats::fetch))
        .process("procs_info", 1, in_process(node, processes::in_chunks))
        .process("etop_collect", 1, in_process(node, processes::for_etop))
        .function("get_port_list", with!(node, |inner| Ok(ports::list(&inner))))
        // Sockets are those of the connections, which are shown as ports.
        .function("socket_info", || async { Ok(sys_info::sockets()) })
        .function("get_socket_list", || async { Ok(Term::nil()) })
        // There are no tables.
        .function("get_table_list", |_kind: Term, _options: Term| async { Ok(Term::nil()) })
        .function("get_table", with!(node, |inner, to: Pid, _table: Term, _kind: Term| Ok(no_table(&inner, to))))
}

/// The version of `runtime_tools` whose manners these are.
const VERSION: &str = "2.1";

type Running = Pin<Box<dyn Future<Output = Result<Term, Raise>> + Send>>;

/// A function that runs in the process that was asked for.
fn in_process<F, Fut>(node: &Weak<Inner>, run: F) -> impl Fn(Origin, Vec<Term>) -> Running + Send + Sync + use<F, Fut>
where
    F: Fn(Process, Vec<Term>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Term, Raise>> + Send + 'static,
{
    let node = Weak::clone(node);
    move |origin, arguments| {
        let (node, run) = (Weak::clone(&node), run.clone());
        Box::pin(async move {
            let node = alive(&node)?;
            let cell = origin.process.and_then(|pid| node.cell(&pid));
            // Called through `rex`, which has no process for it.
            let cell = cell.ok_or_else(|| Raise::error(atom("notsup")))?;
            let process = Process::of(&node, &cell);
            drop(node);
            run(process, arguments).await
        })
    }
}

/// A table that is not there: a process that says that nothing follows.
fn no_table(node: &Arc<Inner>, to: Pid) -> Term {
    let code = Code::service("get_table");
    let (pid, _) = node.spawn_process(&node.caller_cell, Tie::None, code, |me| async move {
        let end: Term = (me.pid().clone(), atom("$end_of_table")).into();
        let _ = me.send(to, &end).await;
    });
    pid.into()
}

fn proc_lib(node: &Weak<Inner>) -> Module {
    Module::new("proc_lib")
        // What `proc_lib` says of a process that it did not start: observer then leaves its state alone.
        .function("translate_initial_call", |_pid: Term| async { Ok((atom("proc_lib"), atom("init_p"), 5)) })
        .function("get_label", |_pid: Pid| async { Ok(atom("undefined")) })
        .function(
            "initial_call",
            with!(node, |inner, pid: Pid| Ok(inner
                .cell(&pid)
                .map_or_else(|| Term::atom("false"), |cell| process_info::mfa(&cell.code.initial_call())))),
        )
}

/// The state of a process is its own. `sys:get_state` and its kin of other nodes ask the process itself, as messages.
fn sys() -> Module {
    let refuse = |pid: Pid, arguments: Term| async move {
        let call = Term::from((atom("sys"), atom("get_status"), Term::list([pid.into(), arguments])));
        Err::<Term, _>(Raise::exit((atom("timeout"), call)))
    };
    Module::new("sys").function("get_status", refuse).function("get_status", move |pid: Pid| refuse(pid, 5000.into()))
}
