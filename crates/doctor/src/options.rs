//! What the doctor is told: by the program that runs it, which reads flags, files and the environment.

use std::time::Duration;

use beamline_cluster::Topologies;
use beamline_node::{Cookie, NodeName, epmd};

use crate::Selection;

/// A cookie, and where it came from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The place, in words: `the variable BEAMLINE_COOKIE`, `/home/me/.erlang.cookie`.
    pub place: String,
    /// What is there.
    pub cookie: Cookie,
    /// Whether others on this machine can see it, as on a command line.
    pub in_the_open: bool,
}

impl Source {
    /// The cookie of this place.
    pub fn new(place: impl Into<String>, cookie: Cookie) -> Source {
        Source { place: place.into(), cookie, in_the_open: false }
    }

    /// The same, where others can see it.
    pub fn in_the_open(self) -> Source {
        Source { in_the_open: true, ..self }
    }

    /// It as a report may show it: where it is from, its length, six digits of its hash.
    pub fn shown(&self) -> String {
        let (length, hash) = (self.cookie.len(), self.cookie.fingerprint());
        let plural = if length == 1 { "" } else { "s" };
        format!("{}: {length} byte{plural}, sha256 {hash}…", self.place)
    }
}

/// The cookies of this machine.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Cookies {
    /// The one that counts.
    pub used: Option<Source>,
    /// Whether that one was asked for by name. What other places have is then of no matter, unless it is rejected.
    pub chosen: bool,
    /// Why there is none, or why the one that would count is refused.
    pub refused: Option<String>,
    /// Those of places that come later, which do not count.
    pub ignored: Vec<Source>,
}

impl From<Source> for Cookies {
    fn from(used: Source) -> Cookies {
        Cookies { used: Some(used), ..Cookies::default() }
    }
}

/// How to look.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The cookies.
    pub cookies: Cookies,
    /// As which node to look: it is visited under this name, hidden, in place of that of a guest. Default none.
    pub own: Option<NodeName>,
    /// The port of epmd. Default 4369.
    pub epmd_port: u16,
    /// Every node listens on this port, and no epmd is asked. Default none.
    pub peer_port: Option<u16>,
    /// How the nodes of this machine find each other. Default not at all.
    pub topologies: Topologies,
    /// What is wrong with the file that has them. Default nothing.
    pub wrong_topologies: Option<String>,
    /// How long everything may take, for each node. A step has a quarter of it. Default 20 s.
    pub timeout: Duration,
    /// Which checks are wanted. Default all.
    pub selection: Selection,
}

impl Options {
    /// The usual, with these cookies.
    pub fn new(cookies: Cookies) -> Options {
        Options {
            cookies,
            own: None,
            epmd_port: epmd::DEFAULT_PORT,
            peer_port: None,
            topologies: Topologies::new(),
            wrong_topologies: None,
            timeout: Duration::from_secs(20),
            selection: Selection::default(),
        }
    }

    /// How long one step may take.
    pub(crate) fn step(&self) -> Duration {
        self.timeout / 4
    }
}
