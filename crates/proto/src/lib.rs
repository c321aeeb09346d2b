//! The Erlang distribution protocol as pure state machines.
//!
//! Bytes and a time go in; events, bytes and deadlines come out. Nothing here opens a socket, reads a clock or knows an
//! async runtime, so every rule of the protocol can be tested by calling it.
//!
//! | module | what | OTP documentation |
//! | --- | --- | --- |
//! | [`name`] | node names and cookies | "Distributed Erlang" |
//! | [`epmd`] | who listens where | "Distribution Protocol", EPMD protocol |
//! | [`flags`] | what two nodes agree to speak | "Distribution Protocol", distribution flags |
//! | [`handshake`] | who is there, and do they know the cookie | "Distribution Protocol", handshake |
//! | [`frame`] | frames, ticks, headers and fragments | "Distribution Protocol", protocol between connected nodes |
//! | [`gossip`] | the heartbeats of libcluster's Gossip | none; libcluster's `Cluster.Strategy.Gossip` |
//! | [`global`] | names of the whole cluster, and locks over its nodes | module `global` |
//! | [`pg`] | groups of processes over all nodes | module `pg` |
//! | [`control`] | signals between processes | "Distribution Protocol", control messages |
//! | [`ties`] | links, monitors and aliases of a process | "Distribution Protocol", protocol for links; "Processes", signals |

pub mod control;
pub mod epmd;
pub mod flags;
pub mod frame;
pub mod global;
pub mod gossip;
pub mod handshake;
pub mod name;
pub mod pg;
pub mod ties;

pub use beamline_term::Creation;
pub use name::{Cookie, NameError, NodeName};
