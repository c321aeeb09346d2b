//! epmd, the daemon that tells on which port a node of a host listens: using one, being one.
//!
//! - [`client`]: registering, looking up, listing; each with a deadline;
//! - [`server`]: the daemon itself, for a task of this process or for a program of its own;
//! - [`registration`]: what a running node holds: it stays registered, through restarts of the daemon, and in the
//!   manner of [`Epmd`] sees to it that there is a daemon at all.
//!
//! The protocol is `beamline_proto::epmd`. A node registers only with the epmd of its own host, never with one elsewhere.
//! Environment variables are read by [`Epmd::from_env`] only.

pub mod client;
pub mod error;
pub mod registration;
pub mod server;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

pub use beamline_proto::epmd::{DEFAULT_PORT, Listed, Name, NameError, NodeInfo, NodeType};
pub use client::{Client, lookup};
pub use error::EpmdError;
pub use registration::{Registrant, Registration, register};
pub use server::{Server, ServerOptions};

/// Which epmd a node uses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Epmd {
    /// The one that runs on this host; if none does, start one. The default.
    Auto(Auto),
    /// The one at this address, which must run already.
    External(SocketAddr),
    /// None is needed, since every peer listens on a port known beforehand (`-erl_epmd_port`). If one runs on this
    /// port of the host, the node registers with it; if not, no matter.
    IfRunning {
        /// The daemon's port.
        port: u16,
    },
    /// None at all: the node is not registered anywhere.
    None,
}

/// How [`Epmd::Auto`] finds or starts a daemon.
///
/// First the one that listens on the port is used. Else the system's `epmd -daemon` is started, if there is one. Else
/// this process serves, for all nodes of the host, and when it ends another Beamline node takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Auto {
    /// The daemon's port; [`DEFAULT_PORT`] unless set. All nodes that shall meet must use the same.
    pub port: u16,
    /// The addresses on which a daemon that is started listens, beside loopback. `None`: all of the host if the node's
    /// name is one that other hosts can reach, else loopback only.
    pub addresses: Option<Vec<IpAddr>>,
    /// The system's daemon.
    pub daemon: Daemon,
}

/// Whether [`Epmd::Auto`] may start the system's daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Daemon {
    /// The `epmd` on the `PATH`, if any.
    OnPath,
    /// This program.
    Program(PathBuf),
    /// Never: serve from this process.
    Never,
}

impl Default for Auto {
    fn default() -> Self {
        Self { port: DEFAULT_PORT, addresses: None, daemon: Daemon::OnPath }
    }
}

impl Auto {
    /// The usual, on this port.
    pub fn on_port(port: u16) -> Self {
        Self { port, ..Self::default() }
    }
}

impl Default for Epmd {
    fn default() -> Self {
        Self::Auto(Auto::default())
    }
}

impl Epmd {
    /// [`Epmd::Auto`] with `ERL_EPMD_PORT` and `ERL_EPMD_ADDRESS` as Erlang's programs read them. Values that make no
    /// sense count as not set.
    pub fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok();
        Self::Auto(Auto {
            port: variable("ERL_EPMD_PORT").and_then(|port| port.trim().parse().ok()).unwrap_or(DEFAULT_PORT),
            addresses: variable("ERL_EPMD_ADDRESS").and_then(|list| parse_addresses(&list).ok()),
            daemon: Daemon::OnPath,
        })
    }

    /// [`Epmd::Auto`] on this port.
    pub fn on_port(port: u16) -> Self {
        Self::Auto(Auto::on_port(port))
    }

    /// The port at which peers' daemons are asked too, since all hosts of a cluster use the same; `None` if nothing is
    /// to be looked up.
    pub fn lookup_port(&self) -> Option<u16> {
        match self {
            Self::Auto(auto) => Some(auto.port),
            Self::External(address) => Some(address.port()),
            Self::IfRunning { .. } | Self::None => None,
        }
    }
}

/// Reads a comma list of addresses, as `-address` and `ERL_EPMD_ADDRESS` have it.
pub fn parse_addresses(list: &str) -> Result<Vec<IpAddr>, std::net::AddrParseError> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

/// The daemon of this host.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_address_lists() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(parse_addresses("127.0.0.2, ::1,"), Ok(vec![ip("127.0.0.2"), ip("::1")]));
        assert_eq!(parse_addresses(""), Ok(vec![]));
        assert!(parse_addresses("localhost").is_err());
    }

    #[test]
    fn no_look_ups_where_the_port_is_known() {
        assert_eq!(Epmd::on_port(5).lookup_port(), Some(5));
        assert_eq!(Epmd::External(local(6)).lookup_port(), Some(6));
        assert_eq!(Epmd::IfRunning { port: 7 }.lookup_port(), None);
    }
}
