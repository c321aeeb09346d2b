//! A node of an Erlang or Elixir cluster.
//!
//! ```no_run
//! use beamline_node::{Module, Node};
//! use beamline_term::{Atom, atom};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::builder("app_a@127.0.0.1")
//!     .cookie("secret")
//!     .module(Module::new("Elixir.AppA").function("hello", || async { Ok(atom("world")) }))
//!     .start()
//!     .await?;
//! let peer = "app_b@127.0.0.1".parse()?;
//! let reply: Atom = node.call(&peer, ("Elixir.AppB", "hello"), ()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The way of a call from a peer: `connection::reader` takes frames off the socket, `connection::dispatch` sends each signal
//! where it belongs, `service::spawn` runs `erpc` requests through [`Module`]s, and the answer goes into the connection's
//! queue. This crate does no discovery, speaks no HTTP and evaluates no code.

mod auto_connect;
mod builder;
mod builtin;
mod call;
mod cause;
mod config;
mod connection;
mod cookies;
mod destination;
#[cfg(feature = "dns")]
pub mod dns;
pub mod epmd;
mod erpc;
mod error;
mod events;
mod functions;
mod gen_server;
pub mod metrics;
mod node;
mod patience;
mod process;
mod reference;
mod remote_spawn;
mod request;
mod resolver;
mod service;
mod stopped;
mod supervisor;
mod timer;
pub mod transport;
mod waiting;

pub use auto_connect::AutoConnect;
pub use beamline_proto::pg::Members;
pub use beamline_proto::{Cookie, NodeName};
pub use builder::{Listen, NodeBuilder};
pub use call::Call;
pub use cause::{Cause, ConnectError, Side, Step};
pub use config::Limits;
pub use destination::Destination;
pub use epmd::Epmd;
pub use error::{CallError, SendError, StartError};
pub use events::{DownReason, Events, NodeEvent};
pub use functions::{Access, Function, FunctionName, Kind, Module, Origin, Raise};
pub use gen_server::{Answer, Caller, GenServer, MultiCall, Next, Replies, Server, StartServer, StartServerError};
pub use node::{Node, NodeSet};
pub use process::{AliasKind, Down, Exit, Mark, Message, MonitorOptions, NameTaken, Process, ProcessInfo};
pub use remote_spawn::{SpawnOn, Spawned};
pub use request::Request;
pub use resolver::{Family, HostResolver, Resolver, Route, SystemResolver};
pub use service::global::{Global, GlobalSendError, Lock, LockError, NameChanges, RegisterError, Resolve};
pub use service::pg::{Change, GroupWatch, Pg, PgError, PgName};
pub use stopped::StopReason;
pub use supervisor::{
    ChildCounts, ChildInfo, ChildSpec, ChildState, Restart, Shutdown, Strategy, Supervisor, SupervisorError,
    SupervisorHandle,
};
pub use timer::Timer;
