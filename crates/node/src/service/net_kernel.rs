//! `net_kernel`: answers `Node.ping` of others.

use beamline_term::{Term, atom};

use crate::process::Process;
use crate::request::Request;

pub(super) fn handle(me: &Process, message: Term) {
    let Ok(request) = Request::from_term(message) else { return };
    let answer: Term = match request.body.as_tuple() {
        Some([ask, _]) if ask.is_atom("is_auth") => atom("yes").into(),
        // The older ways to spawn, which nobody needs who has spawn requests.
        _ => (atom("error"), atom("badarg")).into(),
    };
    me.node.reply_at_once(&me.cell, &request.from, &request.tag, answer);
}
