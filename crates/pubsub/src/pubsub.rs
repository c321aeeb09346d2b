//! A PubSub on one node: its processes in `pg`, and broadcasting.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use beamline_node::{NameTaken, Node, Pg, PgError, Process, SendError};
use beamline_proto::NodeName;
use beamline_term::codec::Decoder;
use beamline_term::{Atom, Binary, DecodeError, Pid, Term, atom};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::topics::Topics;

/// The scope in which the adapter's processes find each other.
const SCOPE: Atom = atom("Elixir.Phoenix.PubSub");

/// Who hands a message to its subscribers in Elixir, unless told otherwise: each gets it as it is.
const DISPATCHER: Atom = atom("Elixir.Phoenix.PubSub");

/// A PubSub of this node. Clones are the same one; when the last is dropped, and its subscriptions, it leaves the cluster's.
#[derive(Debug, Clone)]
pub struct PubSub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    node: Node,
    scope: Pg,
    /// The groups over which to broadcast, each with its name registered here.
    groups: Vec<Atom>,
    workers: Vec<Pid>,
    topics: Arc<Topics>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for worker in &self.workers {
            self.node.exit(worker, atom("kill"));
        }
    }
}

/// A message as it was broadcast.
#[derive(Debug, Clone)]
pub struct Broadcast {
    topic: Arc<str>,
    /// The encoded term, without version byte.
    message: Bytes,
    dispatcher: Term,
}

impl Broadcast {
    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The module that would hand it out in Elixir: `Phoenix.PubSub`, or for instance `Phoenix.Channel.Server` for the
    /// broadcasts of channels.
    pub fn dispatcher(&self) -> &Term {
        &self.dispatcher
    }

    /// The message as a term.
    ///
    /// # Errors
    /// What was sent is no term.
    pub fn term(&self) -> Result<Term, DecodeError> {
        Decoder::new(&self.message).term()
    }

    /// The message as a value of a type.
    ///
    /// # Errors
    /// It does not fit the type.
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, beamline_term::serde::Error> {
        beamline_term::serde::read(&mut Decoder::new(&self.message))
    }

    /// `{forward_to_local, Topic, Message, Dispatcher}`
    fn parse(encoded: &Bytes) -> Option<Broadcast> {
        let mut decoder = Decoder::new(encoded);
        if decoder.tuple_header().ok()? != 4 || decoder.atom().ok()? != "forward_to_local" {
            return None;
        }
        let topic = decoder.binary().ok()?;
        let message = decoder.skip().ok()?;
        let dispatcher = decoder.term().ok()?;
        Some(Broadcast { topic: std::str::from_utf8(&topic).ok()?.into(), message, dispatcher })
    }
}

/// Why a PubSub was not started, or a message not broadcast.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PubSubError {
    /// The name makes no atom: it has more than 255 characters.
    #[error("a PubSub cannot be called {name}: with what is appended it has more than the 255 characters of an atom")]
    Name {
        /// The name.
        name: String,
    },
    /// A process of this node has the name that the adapter's process needs.
    #[error("the name {name} belongs to {pid:?} on this node; is the PubSub running already?")]
    Taken {
        /// The name.
        name: Atom,
        /// Who has it.
        pid: Pid,
    },
    /// The scope `Phoenix.PubSub` cannot run.
    #[error(transparent)]
    Scope(#[from] PgError),
    /// A node could not be sent to. Others have got the message.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The message could not be written as a term.
    #[error("the message cannot be sent: {0}")]
    Message(#[from] beamline_term::serde::Error),
}

/// Sets up a [`PubSub`].
#[derive(Debug)]
pub struct Builder {
    node: Node,
    name: String,
    adapter: Option<String>,
    pool_size: usize,
}

impl Builder {
    /// The adapter's name, if the Elixir side gives it one: `adapter_name` of its options. Default is the PubSub's name and
    /// `.Adapter`, as Phoenix has it.
    pub fn adapter(mut self, name: impl Into<String>) -> Builder {
        self.adapter = Some(name.into());
        self
    }

    /// How many processes take in what others broadcast: `pool_size` of the Elixir side's options, which all nodes should
    /// share. Default 1.
    pub fn pool_size(mut self, count: usize) -> Builder {
        self.pool_size = count.max(1);
        self
    }

    /// Starts it: its processes join the scope.
    ///
    /// # Errors
    /// A name is taken on this node.
    pub async fn start(self) -> Result<PubSub, PubSubError> {
        let adapter = elixir(&self.adapter.unwrap_or_else(|| format!("{}.Adapter", self.name)));
        let groups = (1..=self.pool_size).map(|number| {
            // The first has the bare name, as when there was only one.
            let name = if number == 1 { adapter.clone() } else { format!("{adapter}_{number}") };
            Atom::new(&name).map_err(|_| PubSubError::Name { name })
        });
        let groups: Vec<Atom> = groups.collect::<Result<_, _>>()?;
        let scope = self.node.pg(SCOPE)?;
        let topics = Arc::new(Topics::new());
        let mut inner = Inner { node: self.node, scope, groups, workers: Vec::new(), topics };
        for group in inner.groups.clone() {
            let topics = Arc::clone(&inner.topics);
            let worker = inner.node.spawn(|me| work(me, topics));
            inner.workers.push(worker.clone());
            if let Err(error) = inner.node.register(group.as_str(), &worker) {
                let NameTaken::Taken { pid, .. } = error else {
                    return Err(PubSubError::Name { name: group.to_string() });
                };
                return Err(PubSubError::Taken { name: group, pid });
            }
            inner.scope.join(group, &[worker]).await;
        }
        Ok(PubSub { inner: Arc::new(inner) })
    }
}

/// A module's name as the atom that it is: `MyApp.PubSub` is `Elixir.MyApp.PubSub`.
fn elixir(name: &str) -> String {
    match name.starts_with("Elixir.") || !name.starts_with(|first: char| first.is_ascii_uppercase()) {
        true => name.to_owned(),
        false => format!("Elixir.{name}"),
    }
}

/// Takes in what others broadcast. What is not of the protocol is ignored, as Phoenix does.
async fn work(mut me: Process, topics: Arc<Topics>) {
    // Also when the task is dropped because the node stops.
    let topics = CloseAtEnd(topics);
    while let Some(message) = me.receive().await {
        match Broadcast::parse(message.encoded()) {
            Some(broadcast) => topics.0.deliver(&broadcast),
            None => tracing::debug!(bytes = message.len(), "a PubSub's process got a message that is no broadcast"),
        }
    }
}

struct CloseAtEnd(Arc<Topics>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl PubSub {
    /// Starts the PubSub of this name, `MyApp.PubSub`, with Phoenix's defaults.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn new(node: &Node, name: impl Into<String>) -> Result<PubSub, PubSubError> {
        PubSub::builder(node, name).start().await
    }

    /// Sets one up with options.
    pub fn builder(node: &Node, name: impl Into<String>) -> Builder {
        Builder { node: node.clone(), name: name.into(), adapter: None, pool_size: 1 }
    }

    /// Sends a message to all subscribers of a topic, on this node and all others. It has been taken for each node when this
    /// returns; a node that reads slowly is waited for.
    ///
    /// # Errors
    /// The message is no term, or a connection was lost; other nodes have got it then.
    pub async fn broadcast(&self, topic: &str, message: &impl Serialize) -> Result<(), PubSubError> {
        self.broadcast_by(topic, message, &DISPATCHER).await
    }

    /// As [`broadcast`](PubSub::broadcast), handed out in Elixir by this module, which has `dispatch/3`.
    ///
    /// # Errors
    /// As `broadcast`.
    pub async fn broadcast_by(
        &self,
        topic: &str,
        message: &impl Serialize,
        dispatcher: &Atom,
    ) -> Result<(), PubSubError> {
        let message = forward(topic, message, dispatcher)?;
        self.deliver(&message);
        let mut failed = None;
        for pid in self.inner.scope.members(&self.group(topic).clone().into()).remote() {
            failed = self.inner.node.send(pid, &message).await.err().or(failed);
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Sends a message to the subscribers of a topic on one node.
    ///
    /// # Errors
    /// As [`broadcast`](PubSub::broadcast).
    pub async fn direct_broadcast(
        &self,
        node: &NodeName,
        topic: &str,
        message: &impl Serialize,
    ) -> Result<(), PubSubError> {
        let message = forward(topic, message, &DISPATCHER)?;
        if node == self.inner.node.name() {
            self.deliver(&message);
            return Ok(());
        }
        Ok(self.inner.node.send((self.group(topic).clone(), node), &message).await?)
    }

    /// Sends a message to the subscribers of a topic on this node alone.
    ///
    /// # Errors
    /// The message is no term.
    pub fn local_broadcast(&self, topic: &str, message: &impl Serialize) -> Result<(), PubSubError> {
        self.deliver(&forward(topic, message, &DISPATCHER)?);
        Ok(())
    }

    pub(crate) fn table(&self) -> &Topics {
        &self.inner.topics
    }

    /// How many topics have subscribers on this node.
    pub fn topics(&self) -> usize {
        self.inner.topics.count()
    }

    /// One topic's messages always take the same way, so they stay in order.
    fn group(&self, topic: &str) -> &Atom {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        &self.inner.groups[(hasher.finish() % self.inner.groups.len() as u64) as usize]
    }

    fn deliver(&self, message: &Term) {
        let mut encoded = Vec::new();
        beamline_term::codec::encode::term(&mut encoded, message);
        if let Some(broadcast) = Broadcast::parse(&encoded.into()) {
            self.inner.topics.deliver(&broadcast);
        }
    }
}

fn forward(topic: &str, message: &impl Serialize, dispatcher: &Atom) -> Result<Term, PubSubError> {
    let message = beamline_term::serde::to_term(message)?;
    Ok(Term::from((atom("forward_to_local"), Binary::from(topic), message, dispatcher.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_elixir_modules() {
        assert_eq!(elixir("MyApp.PubSub"), "Elixir.MyApp.PubSub");
        assert_eq!(elixir("Elixir.MyApp.PubSub"), "Elixir.MyApp.PubSub");
        assert_eq!(elixir("my_pubsub"), "my_pubsub");
    }

    #[test]
    fn only_broadcasts_are_read_as_such() {
        let parse = |term: Term| {
            let mut encoded = Vec::new();
            beamline_term::codec::encode::term(&mut encoded, &term);
            Broadcast::parse(&encoded.into())
        };
        let good = parse(forward("t", &("a", 1), &DISPATCHER).expect("a term")).expect("a broadcast");
        assert_eq!((good.topic(), good.decode::<(String, i64)>().expect("a pair")), ("t", ("a".to_owned(), 1)));
        assert_eq!(good.dispatcher(), &DISPATCHER.into());
        for odd in [
            Term::from(1),
            (atom("forward_to_local"), "t", 1).into(),
            (atom("other"), "t", 1, 2).into(),
            (atom("forward_to_local"), Term::binary(vec![0xff_u8]), 1, 2).into(),
        ] {
            assert!(parse(odd).is_none());
        }
    }
}
