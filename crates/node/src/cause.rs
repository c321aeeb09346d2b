//! Why a connection failed. Every failure says one of these, so that a user knows what to try next.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::flags::Flags;
use beamline_proto::handshake::HandshakeError;

use crate::epmd::EpmdError;

/// Which side did not accept the other's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We did not accept the peer's.
    Ours,
    /// The peer did not accept ours.
    Theirs,
}

/// A step on the way to a connection, which has a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// From the host's name to its addresses.
    Resolving,
    /// The question to epmd.
    Epmd,
    /// To the node's port.
    Connecting,
    /// What the transport has of a handshake, TLS for one.
    Transport,
    /// The handshake of two nodes.
    Handshake,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Resolving => "resolving the host",
            Step::Epmd => "asking epmd",
            Step::Connecting => "connecting to its port",
            Step::Transport => "waiting for the transport's own handshake",
            Step::Handshake => "waiting for the peer's part of the handshake",
        })
    }
}

/// Why a connection failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Cause {
    /// The host part of the name has no address.
    NotResolvable {
        /// The host.
        host: String,
        /// What the resolver said.
        source: Arc<io::Error>,
    },
    /// No epmd answers there, or what answers is not epmd.
    EpmdUnreachable(EpmdError),
    /// epmd answers but does not know the node; these it knows.
    NotRegistered {
        /// The names that are registered.
        registered: Vec<String>,
    },
    /// Nothing listens on the node's port.
    PortRefused {
        /// Where it should listen.
        address: SocketAddr,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// No answer in time.
    TimedOut {
        /// What was waited for.
        step: Step,
        /// How long.
        after: Duration,
    },
    /// Another node has our name, or ours and the peer's attempts meet again and again.
    NameClash,
    /// The node that answers at that address has another name.
    OtherName {
        /// Its name.
        found: String,
    },
    /// The node that answers has the same name, with a short host where the name that was dialed has a long one, or the
    /// other way round. Such nodes do not meet.
    NameKind {
        /// Its name.
        found: NodeName,
    },
    /// One of us lacks flags that the other demands; they are empty when the peer does not say which.
    Flags {
        /// What is missing.
        missing: Flags,
        /// Who lacks it.
        side: Side,
    },
    /// The cookies differ.
    Cookie {
        /// Who noticed.
        side: Side,
    },
    /// Whatever answers does not speak the distribution protocol.
    NotErlang {
        /// What it did.
        what: String,
    },
    /// A node without a name asked the peer for one, and it gives none: it is older than OTP 23.
    NoNameGiven,
    /// This node connects only when it is told to ([`AutoConnect::Never`](crate::AutoConnect)), and is not connected with the
    /// peer.
    NotConnected,
    /// There was a connection, and this node makes it again only when it is told to ([`AutoConnect::Once`](crate::AutoConnect)).
    Barred,
    /// The connection broke during the handshake.
    Broken(Arc<io::Error>),
    /// The node was stopped meanwhile.
    Stopped,
    /// The node is not allowed to connect to itself.
    Itself,
}

impl Cause {
    /// Its code, which stays the same from release to release: for logs, metrics and `beamline doctor --explain CODE`.
    ///
    /// | code | cause | code | cause |
    /// | --- | --- | --- | --- |
    /// | `BL101` | [`Itself`](Cause::Itself) | `BL403` | [`Broken`](Cause::Broken) |
    /// | `BL102` | [`Stopped`](Cause::Stopped) | `BL405` | either of those, when there is no way to the host |
    /// | `BL201` | [`NotResolvable`](Cause::NotResolvable) | `BL501` | [`Cookie`](Cause::Cookie) |
    /// | `BL202` | [`NameKind`](Cause::NameKind) | `BL502` | [`Flags`](Cause::Flags) |
    /// | `BL203` | [`Step::Resolving`] timed out | `BL503` | [`NameClash`](Cause::NameClash) |
    /// | `BL301` | [`EpmdUnreachable`](Cause::EpmdUnreachable) | `BL504` | [`OtherName`](Cause::OtherName) |
    /// | `BL302` | [`NotRegistered`](Cause::NotRegistered) | `BL505` | [`NotErlang`](Cause::NotErlang) |
    /// | `BL305` | [`Step::Epmd`] timed out | `BL506` | [`NoNameGiven`](Cause::NoNameGiven) |
    /// | `BL306` | what answers is not epmd | `BL507` | [`Step::Handshake`] timed out |
    /// | `BL401` | [`PortRefused`](Cause::PortRefused) | `BL601` | [`NotConnected`](Cause::NotConnected) |
    /// | `BL402` | [`Step::Connecting`] timed out | `BL604` | [`Barred`](Cause::Barred) |
    pub fn code(&self) -> &'static str {
        let no_way =
            |error: &io::Error| matches!(error.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable);
        match self {
            Cause::Itself => "BL101",
            Cause::Stopped => "BL102",
            Cause::NotResolvable { .. } => "BL201",
            Cause::NameKind { .. } => "BL202",
            Cause::EpmdUnreachable(EpmdError::Unreachable { source, .. }) if no_way(source) => "BL405",
            Cause::EpmdUnreachable(EpmdError::NotEpmd { .. } | EpmdError::Closed { .. }) => "BL306",
            Cause::EpmdUnreachable(_) => "BL301",
            Cause::NotRegistered { .. } => "BL302",
            Cause::PortRefused { source, .. } if no_way(source) => "BL405",
            Cause::PortRefused { .. } => "BL401",
            Cause::TimedOut { step, .. } => match step {
                Step::Resolving => "BL203",
                Step::Epmd => "BL305",
                Step::Connecting => "BL402",
                Step::Transport | Step::Handshake => "BL507",
            },
            Cause::Broken(_) => "BL403",
            Cause::Cookie { .. } => "BL501",
            Cause::Flags { .. } => "BL502",
            Cause::NameClash => "BL503",
            Cause::OtherName { .. } => "BL504",
            Cause::NotErlang { .. } => "BL505",
            Cause::NoNameGiven => "BL506",
            Cause::NotConnected => "BL601",
            Cause::Barred => "BL604",
        }
    }

    /// The cause with its code and the command that finds out more about it, on one line, for a log. `peer` is the node.
    pub(crate) fn told(&self, peer: impl fmt::Display) -> String {
        format!("{self} ({}); run: beamline doctor {peer}", self.code())
    }
}

/// The cause behind a failed handshake.
impl From<&HandshakeError> for Cause {
    fn from(error: &HandshakeError) -> Cause {
        match error {
            HandshakeError::Nok | HandshakeError::StillAlive => Cause::NameClash,
            HandshakeError::NotAllowed => Cause::Flags { missing: Flags::NONE, side: Side::Theirs },
            HandshakeError::Flags { missing } => Cause::Flags { missing: *missing, side: Side::Ours },
            HandshakeError::Name { dialed, found } => match found.parse::<NodeName>() {
                Ok(name) if name.alive() == dialed.alive() && name.is_long() != dialed.is_long() => {
                    Cause::NameKind { found: name }
                }
                _ => Cause::OtherName { found: found.clone() },
            },
            HandshakeError::Cookie => Cause::Cookie { side: Side::Ours },
            HandshakeError::Nameless => Cause::NoNameGiven,
            other => Cause::NotErlang { what: other.to_string() },
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NotResolvable { host, source } => {
                write!(f, "the host {host:?} has no address ({source}); check the name after the '@' and DNS")
            }
            Cause::EpmdUnreachable(error) => write!(f, "{error}"),
            Cause::NotRegistered { registered } if registered.is_empty() => {
                f.write_str("epmd on that host knows no node at all; is the node running, with this epmd?")
            }
            Cause::NotRegistered { registered } => {
                write!(f, "epmd on that host does not know it; registered are: {}", registered.join(", "))
            }
            Cause::PortRefused { address, source } => {
                write!(f, "nothing listens at {address} ({source}); has the node ended, or is the port blocked?")
            }
            Cause::TimedOut { step, after } => write!(f, "no answer within {after:?} while {step}"),
            Cause::NameClash => {
                f.write_str("refused by name clash: another connection or node with our name exists; use another name")
            }
            Cause::OtherName { found } => {
                write!(f, "the node at that address is called {found}; connect to it by that name")
            }
            Cause::NameKind { found } => {
                let (kind, other) = if found.is_long() { ("long", "short") } else { ("short", "long") };
                write!(f, "the node there has a {kind} name, {found}; nodes with long names and with short ones never meet, so \
                     give up the {other} one")
            }
            Cause::Flags { missing, side: Side::Ours } => {
                write!(f, "the peer is too old: it lacks the distribution flags {missing}")
            }
            Cause::Flags { missing, .. } if missing.is_empty() => f.write_str(
                "the peer does not allow us: we lack distribution flags that it demands, or it has a list of allowed nodes",
            ),
            Cause::Flags { missing, .. } => write!(f, "we lack the distribution flags {missing} that the peer demands"),
            Cause::Cookie { side: Side::Ours } => {
                f.write_str("the cookies differ: we rejected the peer's; give both nodes the same cookie")
            }
            Cause::Cookie { side: Side::Theirs } => {
                f.write_str("the cookies differ: the peer rejected ours; give both nodes the same cookie")
            }
            Cause::NotErlang { what } => write!(f, "what answers there is not an Erlang node: {what}"),
            Cause::NoNameGiven => f.write_str("the peer gives no names to nodes without one; start this node with a name"),
            Cause::NotConnected => f.write_str(
                "there is no connection, and this node makes none by itself (`dist_auto_connect never`); call `connect` first",
            ),
            Cause::Barred => f.write_str(
                "its connection was lost, and this node makes none again by itself (`dist_auto_connect once`); call `connect`",
            ),
            Cause::Broken(error) => write!(f, "the connection broke during the handshake ({error})"),
            Cause::Stopped => f.write_str("this node was stopped"),
            Cause::Itself => f.write_str("a node does not connect to itself"),
        }
    }
}

/// A connection that could not be made: to whom, and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot connect to {peer}: {}", cause.told(peer))]
pub struct ConnectError {
    /// The node that was to be reached.
    pub peer: NodeName,
    cause: Cause,
}

impl ConnectError {
    pub(crate) fn new(peer: NodeName, cause: Cause) -> ConnectError {
        ConnectError { peer, cause }
    }

    /// Why.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }
}
