//! The processes that peers expect on every node, each under its registered name.

pub(crate) mod global;
mod io;
mod keep;
#[cfg(test)]
mod listening;
mod logger;
mod net_kernel;
pub(crate) mod pg;
mod rex;
mod running;
pub(crate) mod spawn;

use std::sync::Arc;

use beamline_term::Term;

use self::keep::Service;
use crate::node::Inner;
use crate::process::Process;

/// Starts them all.
pub(crate) fn start(node: &Arc<Inner>, inputs: global::Inputs) {
    let service = |name, run| Service { name, pid: None, run };
    // The group leader of what we call on other nodes: it always is the same pid.
    let user = Service { pid: Some(node.caller.clone()), ..service("user", |me| Box::pin(serve(me, io::handle))) };
    user.keep(node);
    service("net_kernel", |me| Box::pin(serve(me, net_kernel::handle))).keep(node);
    service("rex", |me| Box::pin(rex::run(me))).keep(node);
    service("logger_proxy", |me| Box::pin(serve(me, logger::handle))).keep(node);
    global::start(node, inputs);
}

/// Runs a service: each message is handled without waiting. What is no term is dropped.
async fn serve(mut me: Process, handle: fn(&Process, Term)) {
    while let Some(message) = me.receive().await {
        if let Ok(term) = message.term() {
            handle(&me, term);
        }
    }
}
