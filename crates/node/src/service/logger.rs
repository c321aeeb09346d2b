//! `logger_proxy`: what processes that we started on other nodes log there is sent back to us.

use beamline_term::Term;
use tracing::{error, info};

use crate::process::Process;

pub(super) fn handle(_: &Process, message: Term) {
    if let Some([tag, level, rest @ ..]) = message.as_tuple()
        && tag.is_atom("log")
    {
        let text = rest.iter().take(2).map(Term::to_string).collect::<Vec<_>>().join(" ");
        match level.as_atom().map(beamline_term::Atom::as_str) {
            Some("error" | "critical" | "alert" | "emergency") => error!(target: "beamline::remote", "{text}"),
            _ => info!(target: "beamline::remote", "{text}"),
        }
    }
}
