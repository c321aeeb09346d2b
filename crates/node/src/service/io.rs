//! `user`: the group leader of functions that we call on other nodes. What they print is logged; reading gives the end.

use std::fmt::{self, Display};

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
            if let Some(characters) = elements.last() {
                print(&Characters(characters));
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

/// Logs what is written only if somebody listens.
fn print(text: &dyn Display) {
    info!(target: "beamline::output", "{text}");
}

/// Characters as the I/O protocol has them, without the end of the line.
struct Characters<'a>(&'a Term);

impl Display for Characters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Term::Binary(bytes) => f.write_str(String::from_utf8_lossy(bytes).trim_end()),
            Term::List(list) => match list.to_text() {
                Some(text) => f.write_str(text.trim_end()),
                None => self.0.fmt(f),
            },
            other => other.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::listening::{Listening, Unwanted};
    use super::*;

    #[test]
    fn nothing_is_written_that_nobody_hears() {
        let put = |text: &str| (atom("put_chars"), atom("unicode"), text).into();
        let heard = Listening::to("beamline::output", || assert!(answer(&put("one\n")).is_atom("ok")));
        assert_eq!(heard, ["INFO one"]);
        Listening::to("another", || print(&Unwanted));
    }
}
