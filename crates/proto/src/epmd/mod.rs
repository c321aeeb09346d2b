//! The protocol of epmd, the daemon that tells on which port a node of a host listens.
//!
//! Follows "EPMD Protocol" of the Erlang Distribution Protocol manual, and where the manual and the daemon disagree
//! (texts of DUMP, small creations, limits) the daemon of OTP 25 to 29.
//!
//! - [`request`]: what clients ask, both ways, and [`RequestParser`] for the bytes as they arrive;
//! - [`response`]: what the daemon answers, both ways;
//! - [`registry`]: the daemon's memory: names, creations, and the answer to every request.
//!
//! Nothing here opens a socket or reads a clock.

pub mod name;
pub mod registry;
pub mod request;
pub mod response;

pub use name::{Name, NameError};
pub use registry::{ConnectionId, Registry, Reply, Then};
pub use request::{NodeInfo, NodeType, Request, RequestError, RequestParser};
pub use response::{Alive, Listed, ResponseError};

/// The port of epmd unless `ERL_EPMD_PORT` says another.
pub const DEFAULT_PORT: u16 = 4369;

/// The highest and the lowest version of the distribution protocol that nodes of OTP 25 to 29 register with.
pub const DISTRIBUTION_VERSIONS: (u16, u16) = (6, 5);
