//! The codes: one for each thing that can be wrong, the same in reports, in logs and in [`Cause::code`](beamline_node::Cause).
//!
//! A code stays what it is from release to release. The first digit is the part of the way: 1 what is set up here, 2 names,
//! 3 epmd, 4 the network, 5 the handshake, 6 the cluster. The texts of each are under `code/`.

mod network;
mod nodes;
mod setup;

use std::fmt::Write;

use crate::Rung;

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weight {
    /// Nodes stay apart.
    Error,
    /// They meet, or may; but it is not as it should be.
    Warning,
}

impl Weight {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Weight::Error => "error",
            Weight::Warning => "warning",
        }
    }
}

/// A thing that can be wrong.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// `BL501`.
    pub id: &'static str,
    /// Where on the ladder it shows.
    pub rung: Rung,
    /// How much it matters.
    pub weight: Weight,
    /// It in a few words.
    pub title: &'static str,
    /// What it means, and where it comes from.
    pub meaning: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

const fn error(id: &'static str, rung: Rung, title: &'static str, meaning: &'static str, cure: &'static str) -> Code {
    Code { id, rung, weight: Weight::Error, title, meaning, cure }
}

const fn warning(id: &'static str, rung: Rung, title: &'static str, meaning: &'static str, cure: &'static str) -> Code {
    Code { id, rung, weight: Weight::Warning, title, meaning, cure }
}

impl Code {
    /// For a cause that has come since: its text is all that is known of it.
    pub(crate) const UNKNOWN: Code =
        error("BL000", Rung::Handshake, "something else", "See the text of the report.", "See the text of the report.");

    /// All, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = &'static Code> {
        setup::CODES.iter().chain(network::CODES).chain(nodes::CODES)
    }

    /// The one of this id, however it is written.
    pub fn get(id: &str) -> Option<&'static Code> {
        Code::all().find(|code| code.id.eq_ignore_ascii_case(id.trim()))
    }

    /// The text of `--explain`.
    pub fn explain(&self) -> String {
        let (id, title, rung, weight) = (self.id, self.title, self.rung.name(), self.weight.name());
        format!("{id}  {title}  ({rung}, {weight})\n\n{}\n\nWhat to do: {}\n", self.meaning, self.cure)
    }

    /// All of them as the page of the documentation has them.
    pub fn markdown() -> String {
        let mut text = String::new();
        for rung in Rung::ALL {
            // Writing into a String does not fail.
            let _ = writeln!(text, "### {}\n", rung.name());
            for Code { id, weight, title, meaning, cure, .. } in Code::all().filter(|code| code.rung == rung) {
                let _ = writeln!(text, "**{id}** ({}): {title}. {meaning} *What to do:* {cure}\n", weight.name());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use std::time::Duration;

    use beamline_node::epmd::EpmdError;
    use beamline_node::{Cause, Side, Step};
    use beamline_proto::flags::Flags;

    use super::*;

    #[test]
    fn codes_are_in_order_and_say_something() {
        let ids: Vec<_> = Code::all().map(|code| code.id).collect();
        assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");
        for code in Code::all() {
            assert!(code.id.len() == 5 && code.title.len() > 8, "{}", code.id);
            assert!(code.meaning.ends_with('.') && code.cure.ends_with(['.', '?', ')']), "{}", code.id);
            assert!(!code.title.ends_with('.'), "{}", code.id);
        }
    }

    #[test]
    fn every_cause_has_one() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let io = |kind: io::ErrorKind| Arc::new(io::Error::from(kind));
        let refused = |kind| EpmdError::Unreachable { address, source: io(kind) };
        let name = || "a@b".parse().unwrap();
        let late = |step| Cause::TimedOut { step, after: Duration::ZERO };
        for cause in [
            Cause::NotResolvable { host: "h".to_owned(), source: io(io::ErrorKind::NotFound) },
            Cause::EpmdUnreachable(refused(io::ErrorKind::ConnectionRefused)),
            Cause::EpmdUnreachable(refused(io::ErrorKind::HostUnreachable)),
            Cause::EpmdUnreachable(EpmdError::Closed { address }),
            Cause::NotRegistered { registered: Vec::new() },
            Cause::PortRefused { address, source: io(io::ErrorKind::ConnectionRefused) },
            late(Step::Resolving),
            late(Step::Epmd),
            late(Step::Connecting),
            late(Step::Transport),
            late(Step::Handshake),
            Cause::NameClash,
            Cause::OtherName { found: "x".to_owned() },
            Cause::NameKind { found: name() },
            Cause::Flags { missing: Flags::NONE, side: Side::Ours },
            Cause::Cookie { side: Side::Ours },
            Cause::NotErlang { what: "x".to_owned() },
            Cause::NoNameGiven,
            Cause::NotConnected,
            Cause::Barred,
            Cause::Broken(io(io::ErrorKind::BrokenPipe)),
            Cause::Stopped,
            Cause::Itself,
        ] {
            assert!(Code::get(cause.code()).is_some(), "{}: {cause}", cause.code());
        }
    }

    #[test]
    fn the_page_has_them_all() {
        let page = include_str!("../../../docs/doctor.md");
        assert!(
            page.contains(&Code::markdown()),
            "docs/doctor.md is not what Code::markdown() gives:\n{}",
            Code::markdown()
        );
    }
}
