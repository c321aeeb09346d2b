//! The subscriptions of this node: for each topic, who hears it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tokio::sync::broadcast;

use crate::{Broadcast, PubSub};

/// How many messages of a topic wait for a subscriber that does not read, before it misses the oldest.
const WAITING: usize = 1024;

/// `None` once the node has stopped.
#[derive(Debug)]
pub(crate) struct Topics(RwLock<Option<HashMap<String, broadcast::Sender<Broadcast>>>>);

impl Topics {
    pub(crate) fn new() -> Topics {
        Topics(RwLock::new(Some(HashMap::new())))
    }

    /// Hears a topic, through a new sender if nobody else does; its messages end at once if all is closed.
    pub(crate) fn receiver(&self, topic: &str) -> broadcast::Receiver<Broadcast> {
        let mut topics = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || broadcast::Sender::new(WAITING);
        match topics.as_mut() {
            Some(topics) => topics.entry(topic.to_owned()).or_insert_with(fresh).subscribe(),
            None => fresh().subscribe(),
        }
    }

    /// Hands a message to all who hear its topic.
    pub(crate) fn deliver(&self, message: &Broadcast) {
        let topics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = topics.as_ref().and_then(|topics| topics.get(message.topic())) {
            // Nobody listens any more: as if there had been no topic.
            let _ = sender.send(message.clone());
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, HashMap::len)
    }

    /// Ends all subscriptions.
    pub(crate) fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn forget(&self, topic: &str) {
        let mut topics = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(topics) = topics.as_mut()
            && topics.get(topic).is_some_and(|sender| sender.receiver_count() == 0)
        {
            topics.remove(topic);
        }
    }
}

/// The messages of one topic, from the moment of subscribing. Dropping it ends the subscription.
///
/// Up to 1024 messages wait for who does not read; of more, the oldest are lost to it, and [`Subscription::missed`] says how
/// many.
#[derive(Debug)]
pub struct Subscription {
    /// Keeps it going.
    pubsub: PubSub,
    topic: String,
    messages: Option<broadcast::Receiver<Broadcast>>,
    missed: u64,
}

impl PubSub {
    /// Hears a topic from now on.
    pub fn subscribe(&self, topic: impl Into<String>) -> Subscription {
        let topic = topic.into();
        let messages = Some(self.table().receiver(&topic));
        Subscription { pubsub: self.clone(), topic, messages, missed: 0 }
    }
}

impl Subscription {
    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The next message. `None` when the node has stopped.
    pub async fn next(&mut self) -> Option<Broadcast> {
        let messages = self.messages.as_mut()?;
        loop {
            match messages.recv().await {
                Ok(message) => return Some(message),
                Err(broadcast::error::RecvError::Lagged(count)) => self.missed += count,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// How many messages were lost to this subscription because they were not read in time.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // First the receiver, so that the topic sees that nobody is left.
        self.messages = None;
        self.pubsub.table().forget(&self.topic);
    }
}
