//! `logger_proxy`: what processes that we started on other nodes log there is sent back to us.

use std::fmt::{self, Display};

use beamline_term::{Atom, Term};
use tracing::{error, info};

use crate::process::Process;

pub(super) fn handle(_: &Process, message: Term) {
    if let Some([tag, level, rest @ ..]) = message.as_tuple()
        && tag.is_atom("log")
    {
        log(level.as_atom(), &Words(rest));
    }
}

/// Logs what is written only if somebody listens.
fn log(level: Option<&Atom>, text: &dyn Display) {
    match level.map(Atom::as_str) {
        Some("error" | "critical" | "alert" | "emergency") => error!(target: "beamline::remote", "{text}"),
        _ => info!(target: "beamline::remote", "{text}"),
    }
}

/// The format and the arguments of an event, as they came.
struct Words<'a>(&'a [Term]);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.0.iter().take(2).enumerate() {
            write!(f, "{}{word}", if place > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::listening::{Listening, Unwanted};
    use super::*;
    use beamline_term::atom;

    #[test]
    fn nothing_is_written_that_nobody_hears() {
        let words = [Term::atom("format"), Term::from(1), Term::atom("meta")];
        let heard = Listening::to("beamline::remote", || {
            log(Some(&atom("error")), &Words(&words));
            log(Some(&atom("notice")), &Words(&words));
        });
        assert_eq!(heard, ["ERROR :format 1", "INFO :format 1"]);
        Listening::to("another", || {
            log(Some(&atom("error")), &Unwanted);
            log(Some(&atom("notice")), &Unwanted);
        });
    }
}
