//! `user`: the group leader of functions that we call on other nodes. What they print is logged; reading gives the end.

use beamline_term::{Term, atom};
use tracing::info;

use crate::process::Process;

pub(super) fn handle(me: &Process, message: Term) {
    let Some([tag, Term::Pid(from), reply_as, request]) = message.as_tuple() else { return };
    if !tag.is_atom("io_request") {
        return;
    }
    let answer = answer(request);
    me.node.tell(from.clone(), (atom("io_reply"), reply_as.clone(), answer));
}

fn answer(request: &Term) -> Term {
    let Some(elements) = request.as_tuple() else { return (atom("error"), atom("request")).into() };
    let kind = elements.first().and_then(Term::as_atom).map_or("", beamline_term::Atom::as_str);
    match kind {
        "put_chars" => {
            if let Some(text) = elements.last().and_then(text) {
                info!(target: "beamline::output", "{}", text.trim_end());
            }
            Term::atom("ok")
        }
        "setopts" => Term::atom("ok"),
        "requests" => match elements.get(1).and_then(Term::as_list) {
            Some(list) => list.iter().map(|request| answer(&request)).last().unwrap_or_else(|| Term::atom("ok")),
            None => (atom("error"), atom("request")).into(),
        },
        "get_line" | "get_chars" | "get_until" => Term::atom("eof"),
        _ => (atom("error"), atom("enotsup")).into(),
    }
}

fn text(characters: &Term) -> Option<String> {
    match characters {
        Term::Binary(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Term::List(list) => list.to_text(),
        _ => None,
    }
}
