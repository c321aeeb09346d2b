//! The connections of a listener: so many at most, and whoever has not entered makes place when there are more.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use super::Arrival;

pub(super) struct Crowd {
    limit: usize,
    next: u64,
    tasks: JoinSet<u64>,
    /// In the order of their coming.
    members: BTreeMap<u64, (Arc<Arrival>, AbortHandle)>,
}

impl Crowd {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, next: 0, tasks: JoinSet::new(), members: BTreeMap::new() }
    }

    /// Takes a connection in. If there are too many, the oldest of a stranger ends; if there is no stranger, this one does.
    pub(super) fn admit(&mut self, arrival: Arc<Arrival>, connection: impl Future<Output = ()> + Send + 'static) {
        if self.members.len() >= self.limit {
            let stranger =
                self.members.iter().find(|(_, (arrival, _))| arrival.is_stranger()).map(|(number, _)| *number);
            let Some((_, task)) = stranger.and_then(|number| self.members.remove(&number)) else { return };
            task.abort();
        }
        let number = self.next;
        self.next += 1;
        let task = self.tasks.spawn(async move {
            connection.await;
            number
        });
        self.members.insert(number, (arrival, task));
    }

    /// Waits for one connection to end, and forgets it.
    pub(super) async fn reap(&mut self) {
        match self.tasks.join_next().await {
            // One that was made to end has been forgotten already.
            Some(Err(_)) => {}
            Some(Ok(number)) => {
                self.members.remove(&number);
            }
            None => std::future::pending().await,
        }
    }

    /// Ends all: those that are not done within `grace` are cut off.
    pub(super) async fn end(mut self, grace: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(grace, all).await;
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::sync::oneshot;

    use super::*;

    fn arrival() -> Arc<Arrival> {
        let address = ([127, 0, 0, 1], 1).into();
        Arc::new(Arrival { local: address, peer: address, known: AtomicBool::new(false) })
    }

    /// A connection that lasts, and what tells that it has ended.
    fn lasting() -> (impl Future<Output = ()> + Send + 'static, oneshot::Receiver<()>) {
        let (held, ended) = oneshot::channel::<()>();
        let connection = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        (connection, ended)
    }

    #[tokio::test]
    async fn strangers_make_place_and_those_who_have_entered_stay() {
        let mut crowd = Crowd::new(2);
        let (known, stranger) = (arrival(), arrival());
        known.is_known();
        let (first, mut first_ended) = lasting();
        let (second, second_ended) = lasting();
        let (third, mut third_ended) = lasting();
        crowd.admit(known, first);
        crowd.admit(Arc::clone(&stranger), second);
        crowd.admit(arrival(), third);
        second_ended.await.unwrap_err();
        assert!(first_ended.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        assert!(third_ended.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        crowd.end(Duration::ZERO).await;
        first_ended.await.unwrap_err();
        third_ended.await.unwrap_err();
    }

    #[tokio::test]
    async fn where_all_have_entered_the_newest_is_turned_away() {
        let mut crowd = Crowd::new(1);
        let known = arrival();
        known.is_known();
        let (first, mut first_ended) = lasting();
        let (second, second_ended) = lasting();
        crowd.admit(known, first);
        crowd.admit(arrival(), second);
        second_ended.await.unwrap_err();
        assert!(first_ended.try_recv() == Err(oneshot::error::TryRecvError::Empty));
    }

    #[tokio::test]
    async fn one_that_ends_makes_place() {
        let mut crowd = Crowd::new(1);
        crowd.admit(arrival(), async {});
        crowd.reap().await;
        assert!(crowd.members.is_empty());
    }
}
