//! A chat over a topic, for any number of nodes in Rust and Elixir.
//!
//! ```sh
//! cargo run -p beamline-pubsub --example chat -- rust@127.0.0.1 secret
//! ```
//!
//! and, in a Mix project with `{:phoenix_pubsub, "~> 2.1"}` among its dependencies,
//!
//! ```elixir
//! $ iex --name elixir@127.0.0.1 --cookie secret -S mix
//! iex> {:ok, _} = Supervisor.start_link([{Phoenix.PubSub, name: Chat}], strategy: :one_for_one)
//! iex> Node.connect(:"rust@127.0.0.1")
//! iex> Phoenix.PubSub.subscribe(Chat, "room")
//! iex> Phoenix.PubSub.broadcast(Chat, "room", {node(), "hello from Elixir"})
//! iex> flush()
//! ```
//!
//! What is typed here, a line each, is broadcast; a third argument names a node to connect with first.

use beamline_node::Node;
use beamline_pubsub::PubSub;
use beamline_term::Term;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, cookie, peers @ ..] = arguments.as_slice() else {
        return Err("usage: chat NAME@HOST COOKIE [PEER@HOST]".into());
    };
    let node = Node::builder(name).cookie(cookie.as_str()).start().await?;
    for peer in peers {
        node.connect(&peer.parse()?).await?;
    }
    let pubsub = PubSub::new(&node, "Chat").await?;
    let mut room = pubsub.subscribe("room");
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            message = room.next() => match message {
                Some(message) => println!("{}", message.term()?),
                None => return Ok(()),
            },
            line = lines.next_line() => match line? {
                Some(line) => pubsub.broadcast("room", &(Term::from(node.name()), line)).await?,
                None => return Ok(()),
            },
        }
    }
}
