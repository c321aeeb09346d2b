//! System messages, as the module `sys` sends them. Code and state are never replaced.

use beamline_term::{Term, atom};

use super::{Caller, Next};
use crate::process::{Message, Process};

pub(super) fn is_system(message: &Message) -> bool {
    message.is_tagged("system", 3)
}

/// Answers one.
pub(super) fn handle<R>(
    me: &Process,
    state: Option<Term>,
    caller: Caller<R>,
    request: &Term,
    suspended: &mut bool,
) -> Next {
    let mut next = Next::Wait;
    let answer = match (request.as_atom().map(beamline_term::Atom::as_str), request.as_tuple()) {
        (Some("get_state"), _) => match state {
            Some(state) if caller.is_of_otp_25() => state,
            Some(state) => (atom("ok"), state).into(),
            None => (atom("error"), atom("private")).into(),
        },
        (Some("get_status"), _) => status(me, state, *suspended),
        (Some("suspend"), _) => {
            *suspended = true;
            Term::atom("ok")
        }
        (Some("resume"), _) => {
            *suspended = false;
            Term::atom("ok")
        }
        (_, Some([command, reason])) if command.is_atom("terminate") => {
            next = Next::Stop(reason.clone());
            Term::atom("ok")
        }
        _ => (atom("error"), Term::from((atom("unknown_system_msg"), request.clone()))).into(),
    };
    caller.reply_term(&answer);
    next
}

/// `{status, Pid, {module, Module}, [Dictionary, running | suspended, Parent, Debug, Misc]}`
fn status(me: &Process, state: Option<Term>, suspended: bool) -> Term {
    let running = Term::atom(if suspended { "suspended" } else { "running" });
    let parent = me.parent().unwrap_or(me.pid()).clone();
    let misc = state.unwrap_or_else(Term::nil);
    let items = Term::list([Term::nil(), running, parent.into(), Term::nil(), misc]);
    (atom("status"), me.pid().clone(), Term::from((atom("module"), atom("beamline_server"))), items).into()
}
