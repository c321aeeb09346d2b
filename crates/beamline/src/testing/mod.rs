//! Clusters for tests: whole ones on this host, whose nodes are called, stopped, killed, paused and parted. Feature `testing`,
//! for `dev-dependencies`; on Unix.
//!
//! This is a `tests/cluster.rs`:
//!
//! ```
//! use std::time::Duration;
//!
//! use beamline::node::NodeBuilder;
//! use beamline::prelude::*;
//! use beamline::testing::{Error, LocalCluster};
//!
//! const DEADLINE: Duration = Duration::from_secs(20);
//!
//! # const _: &str = stringify! {
//! #[tokio::test]
//! # };
//! async fn the_others_go_on_without_one() -> Result<(), Error> {
//!     let hello = || Module::new("Elixir.AppA").function("hello", || async { Ok(atom("world")) });
//!     let start = move |builder: NodeBuilder| builder.module(hello()).start();
//!     let cluster = LocalCluster::builder().nodes("app_a", 3, start).start().await?;
//!     cluster.wait_until_connected(DEADLINE).await?;
//!
//!     cluster.kill("app_a3").await?;
//!     cluster.wait_until_lists("app_a1", ["app_a2"], DEADLINE).await?;
//!     let reply: Atom = cluster.call("app_a1", ("Elixir.AppA", "hello"), ()).await?;
//!     assert_eq!(reply, "world");
//!
//!     cluster.start_again("app_a3").await?;
//!     cluster.wait_until_connected(DEADLINE).await
//! }
//! # #[tokio::main]
//! # async fn main() -> Result<(), Error> { the_others_go_on_without_one().await }
//! ```
//!
//! # Nodes
//! They are in this process ([`LocalCluster::start`], [`Builder::nodes`]) or programs ([`LocalCluster::programs`],
//! [`Builder::programs`]): quick to write, or the very thing that is deployed. Programs of any kind, also of Elixir, will do if they
//! take `--name`, `--cookie` and `ERL_EPMD_PORT`. One cluster may have both.
//!
//! Names are `BASE1@127.0.0.1`, `BASE2@127.0.0.1` and on. The cookie and all ports are of this cluster alone, so tests may run
//! beside each other. What a program listens on beside that, such as a page, is for the test to choose.
//!
//! # What may happen to them
//!
//! | | a program | a node of this process |
//! | --- | --- | --- |
//! | [`stop`](LocalCluster::stop) | SIGTERM; must end well | [`Node::stop`](crate::node::Node::stop) |
//! | [`kill`](LocalCluster::kill) | SIGKILL | its connections are cut, then it is dropped |
//! | [`pause`](LocalCluster::pause), [`resume`](LocalCluster::resume) | SIGSTOP, SIGCONT | nothing passes to and from it |
//! | [`partition`](LocalCluster::partition), [`heal`](LocalCluster::heal) | the relays between two are closed | the same |
//! | [`start_again`](LocalCluster::start_again) | run again | the closure is called again |
//!
//! A partition works on programs as on other nodes because each has an epmd of its own, which names every other at the port of a
//! relay that serves that pair. A program that asks no epmd (`-erl_epmd_port`, a resolver of its own) goes past it.
//!
//! # When a test fails
//! Waits have a deadline, and their error says what was seen last. What programs write is kept, and shown when the cluster
//! is dropped in a panic or after it has given an error. All nodes end with the cluster. If the test's process itself is
//! killed, its programs live on unless whoever kills it kills its process group, as cargo-nextest does.

mod builder;
mod cluster;
mod error;
mod life;
mod member;
mod network;
mod program;
mod started;
mod wait;
mod which;

pub use builder::Builder;
pub use cluster::LocalCluster;
pub use error::{BoxError, Error};
pub use program::Program;
pub use started::Started;
pub use which::Which;
