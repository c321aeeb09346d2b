//! What can go wrong with an epmd, told so that a user knows the next step.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use beamline_proto::epmd::{Name, ResponseError};

/// Why a question to epmd, or a registration, or serving failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EpmdError {
    /// No connection to the daemon.
    #[error("no epmd answers at {address} ({source}); is it running, and is the port open?")]
    Unreachable {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The daemon, or whatever listens there, did not answer in time.
    #[error("epmd at {address} did not answer within {after:?}")]
    TimedOut {
        /// The address.
        address: SocketAddr,
        /// The deadline that passed.
        after: Duration,
    },
    /// No node of this name is registered.
    #[error("epmd at {address} knows no node {name:?}; it knows {}", list(registered))]
    NotRegistered {
        /// The daemon that was asked.
        address: SocketAddr,
        /// The name that it does not know.
        name: Name,
        /// The names that it does know, the latest first.
        registered: Vec<Name>,
    },
    /// Another node has this name.
    #[error("the name {name:?} is taken at epmd {address}{}; choose another name or stop that node", by(*port))]
    NameTaken {
        /// The daemon that refused.
        address: SocketAddr,
        /// The name.
        name: Name,
        /// The port of the node that has it, if epmd told.
        port: Option<u16>,
    },
    /// Something answered that is no epmd.
    #[error(
        "port {} of {} is taken by a program that is not epmd ({source}); stop that program, \
         or give all nodes another epmd port (ERL_EPMD_PORT)",
        address.port(), address.ip()
    )]
    NotEpmd {
        /// The address.
        address: SocketAddr,
        /// What it answered.
        source: ResponseError,
    },
    /// The connection was closed before the answer was whole.
    #[error(
        "epmd at {address} closed the connection without an answer; if it is not epmd that listens there, \
             give all nodes another epmd port (ERL_EPMD_PORT)"
    )]
    Closed {
        /// The address.
        address: SocketAddr,
    },
    /// The daemon refused to end, since nodes are registered.
    #[error("epmd at {address} does not end while nodes are registered")]
    KillRefused {
        /// The address.
        address: SocketAddr,
    },
    /// Serving failed: the address cannot be listened on.
    #[error("cannot serve epmd at {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

fn list(names: &[Name]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}

fn by(port: Option<u16>) -> String {
    port.map(|port| format!(" by the node on port {port}")).unwrap_or_default()
}
