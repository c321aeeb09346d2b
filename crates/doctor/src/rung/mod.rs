//! The rungs, from the first to the last: which there are, and which need which. One file each.

pub(crate) mod config;
pub(crate) mod cookie;
pub(crate) mod dns;
pub(crate) mod epmd;
pub(crate) mod handshake;
pub(crate) mod mesh;
pub(crate) mod name;
pub(crate) mod strategy;
pub(crate) mod tcp;

use std::net::{IpAddr, SocketAddr};

use beamline_node::{Cookie, Node, NodeName};
use tokio::time::Instant;

use crate::wire::Proof;
use crate::{Finding, Options, Weight};

/// A step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rung {
    /// What is set up on this machine.
    Config,
    /// The node's name.
    Name,
    /// From the host in it to addresses.
    Dns,
    /// From the name to a port.
    Epmd,
    /// To that port.
    Tcp,
    /// What the node there says of itself.
    Handshake,
    /// Whether it takes our cookie.
    Cookie,
    /// Whether the nodes are connected with each other.
    Mesh,
    /// Whether discovery finds them.
    Strategy,
}

impl Rung {
    /// All, from the first to the last.
    pub const ALL: [Rung; 9] = [
        Rung::Config,
        Rung::Name,
        Rung::Dns,
        Rung::Epmd,
        Rung::Tcp,
        Rung::Handshake,
        Rung::Cookie,
        Rung::Mesh,
        Rung::Strategy,
    ];

    /// What it is called, in reports and in `--only` and `--skip`.
    pub const fn name(self) -> &'static str {
        match self {
            Rung::Config => "config",
            Rung::Name => "name",
            Rung::Dns => "dns",
            Rung::Epmd => "epmd",
            Rung::Tcp => "tcp",
            Rung::Handshake => "handshake",
            Rung::Cookie => "cookie",
            Rung::Mesh => "mesh",
            Rung::Strategy => "strategy",
        }
    }

    /// The rung without which it cannot be climbed.
    pub const fn before(self) -> Option<Rung> {
        match self {
            // Discovery can be asked without reaching the node; a node that cannot be reached may be one it does not find.
            Rung::Config | Rung::Name | Rung::Strategy => None,
            Rung::Dns => Some(Rung::Name),
            Rung::Epmd => Some(Rung::Dns),
            Rung::Tcp => Some(Rung::Epmd),
            Rung::Handshake => Some(Rung::Tcp),
            Rung::Cookie => Some(Rung::Handshake),
            Rung::Mesh => Some(Rung::Cookie),
        }
    }

    /// Whether it cannot be climbed without that one, or looks at what that one found.
    pub fn needs(self, other: Rung) -> bool {
        if self == Rung::Strategy {
            return other != Rung::Strategy;
        }
        let mut before = self.before();
        while let Some(rung) = before {
            if rung == other {
                return true;
            }
            before = rung.before();
        }
        false
    }
}

/// What a rung found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Vec<Finding>,
    pub(crate) facts: Vec<String>,
    /// There was nothing to look at.
    pub(crate) empty: bool,
}

impl Outcome {
    pub(crate) fn fact(mut self, text: impl Into<String>) -> Outcome {
        self.facts.push(text.into());
        self
    }

    pub(crate) fn empty() -> Outcome {
        Outcome { empty: true, ..Outcome::default() }
    }

    pub(crate) fn is_fatal(&self) -> bool {
        self.findings.iter().any(|finding| finding.weight == Weight::Error)
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Outcome {
        Outcome { findings: vec![finding], ..Outcome::default() }
    }
}

/// What the rungs below have found, for those above.
pub(crate) struct Visit<'a> {
    pub(crate) options: &'a Options,
    pub(crate) target: &'a NodeName,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: Option<u16>,
    /// Whether epmd told the port.
    pub(crate) registered: bool,
    /// Where the node answered.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) proof: Option<Proof>,
    /// The cookie that the node takes.
    pub(crate) cookie: Option<Cookie>,
    pub(crate) guest: Option<Node>,
    /// How many other nodes the node is connected with.
    pub(crate) company: usize,
    pub(crate) begin: Instant,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(options: &'a Options, target: &'a NodeName) -> Visit<'a> {
        Visit {
            options,
            target,
            addresses: Vec::new(),
            port: None,
            registered: false,
            address: None,
            proof: None,
            cookie: None,
            guest: None,
            company: 0,
            begin: Instant::now(),
        }
    }
}

/// Whether an address is one of this machine: a socket can be bound to it.
pub(crate) fn is_here(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_needs_those_below() {
        assert!(Rung::Mesh.needs(Rung::Name) && Rung::Cookie.needs(Rung::Handshake));
        assert!(!Rung::Name.needs(Rung::Config) && !Rung::Dns.needs(Rung::Tcp));
        for (place, rung) in Rung::ALL.into_iter().enumerate() {
            let before = rung.before().map(|before| Rung::ALL.iter().position(|other| *other == before));
            assert!(before.is_none_or(|before| before < Some(place)), "{rung:?}");
        }
    }
}
