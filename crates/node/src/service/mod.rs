//! The processes that peers expect on every node, each under its registered name.

pub(crate) mod global;
mod io;
mod logger;
mod net_kernel;
pub(crate) mod pg;
mod rex;
mod running;
pub(crate) mod spawn;

use std::sync::Arc;

use beamline_term::{Atom, Term};

use crate::node::Inner;
use crate::process::{Birth, Cell, Code, Process};

/// Starts them all.
pub(crate) fn start(node: &Arc<Inner>, inputs: global::Inputs) {
    let user = node.insert_cell(node.caller.clone(), Birth::of(&node.caller_cell, Code::service("user")));
    named(node, "user", &user);
    serve(node, user, io::handle);
    serve_as(node, "net_kernel", net_kernel::handle);
    let cell = node.service_cell("rex");
    named(node, "rex", &cell);
    let process = Process::of(node, &cell);
    process.trap_exit(true);
    node.run(cell, rex::run(process));
    serve_as(node, "logger_proxy", logger::handle);
    global::start(node, inputs);
}

fn named(node: &Inner, name: &'static str, cell: &Arc<Cell>) {
    if let Err(error) = node.processes.register(&Atom::from_static(name), cell) {
        tracing::error!(%error, "a service has no name");
    }
}

fn serve_as(node: &Arc<Inner>, name: &'static str, handle: fn(&Process, Term)) {
    let cell = node.service_cell(name);
    named(node, name, &cell);
    serve(node, cell, handle);
}

/// Runs a service: each message is handled without waiting. What is no term is dropped.
fn serve(node: &Arc<Inner>, cell: Arc<Cell>, handle: fn(&Process, Term)) {
    let mut process = Process::of(node, &cell);
    process.trap_exit(true);
    node.run(cell, async move {
        while let Some(message) = process.receive().await {
            if let Ok(term) = message.term() {
                handle(&process, term);
            }
        }
    });
}
