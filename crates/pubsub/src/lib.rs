//! Phoenix.PubSub for Rust: topics that nodes in Rust and Elixir share.
//!
//! Speaks as the adapter `Phoenix.PubSub.PG2` of phoenix_pubsub 2 does: the processes of one PubSub on all nodes are a group of
//! the `pg` scope `Phoenix.PubSub`, and a broadcast is one message `{forward_to_local, Topic, Message, Dispatcher}` to each of
//! them. So a Rust node hears what a Phoenix application broadcasts, and is heard by its channels and LiveViews.
//!
//! ```no_run
//! use beamline_pubsub::PubSub;
//!
//! # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
//! // In Elixir: {Phoenix.PubSub, name: MyApp.PubSub}
//! let pubsub = PubSub::new(&node, "MyApp.PubSub").await?;
//! let mut orders = pubsub.subscribe("orders");
//! pubsub.broadcast("orders", &("placed", 17)).await?; // Phoenix.PubSub.broadcast(MyApp.PubSub, "orders", ...)
//! while let Some(message) = orders.next().await {
//!     let (what, number): (String, u64) = message.decode()?;
//!     println!("{what} {number}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What a message is, the applications agree on: a Rust tuple is a tuple in Elixir, a `&str` a binary, a struct a map with atom
//! keys. There is no presence here, and no delivery to nodes that are not connected, as in Phoenix.

mod pubsub;
mod topics;

pub use pubsub::{Broadcast, Builder, PubSub, PubSubError};
pub use topics::Subscription;
