//! Room for what is queued toward a peer, in bytes. While nobody waits for it, it is a number under the queue's own lock, and
//! costs nothing beside that; who has to wait stands in a line, and goes in the order of asking.

use std::sync::Arc;

use tokio::sync::Semaphore;

#[derive(Debug)]
pub(super) struct Room {
    size: usize,
    /// What nobody has taken, while nobody waits.
    free: usize,
    /// How many wait. What becomes free is theirs first.
    waiting: usize,
    line: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new(size: usize) -> Room {
        Room { size, free: size, waiting: 0, line: Arc::new(Semaphore::new(0)) }
    }

    /// Takes so much, unless there is less, or others wait.
    pub(super) fn take(&mut self, amount: usize) -> bool {
        let is_free = self.waiting == 0 && amount <= self.free;
        if is_free {
            self.free -= amount;
        }
        is_free
    }

    pub(super) fn give_back(&mut self, amount: usize) {
        if self.waiting == 0 {
            self.free += amount;
        } else if amount > 0 {
            self.line.add_permits(amount);
        }
    }

    /// Gives the line in which to wait; [`Room::leave`] must follow. Whoever has got what was asked for keeps it by forgetting
    /// the permit.
    pub(super) fn queue_up(&mut self) -> Arc<Semaphore> {
        self.waiting += 1;
        self.line.add_permits(std::mem::take(&mut self.free));
        Arc::clone(&self.line)
    }

    /// Somebody waits no more.
    pub(super) fn leave(&mut self) {
        self.waiting -= 1;
        if self.waiting == 0 {
            self.free += self.line.forget_permits(usize::MAX);
        }
    }

    /// Tells all who wait that there will be none.
    pub(super) fn close(&mut self) {
        self.line.close();
    }

    /// How much is taken.
    pub(super) fn taken(&self) -> usize {
        self.size.saturating_sub(self.free + self.line.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits in the line as a task would.
    async fn wait(line: Arc<Semaphore>, amount: u32) -> usize {
        let permit = line.acquire_many(amount).await.expect("it is open");
        permit.forget();
        amount as usize
    }

    #[tokio::test]
    async fn who_waits_goes_first_and_nothing_is_lost() {
        let mut room = Room::new(100);
        assert!(room.take(70) && !room.take(40) && room.taken() == 70);
        let all = tokio::spawn(wait(room.queue_up(), 100));
        tokio::task::yield_now().await;
        let few = tokio::spawn(wait(room.queue_up(), 10));
        tokio::task::yield_now().await;
        assert!(!room.take(1), "others were here before");
        room.give_back(30);
        tokio::task::yield_now().await;
        assert!(!all.is_finished() && !few.is_finished(), "the second waits for the first");
        room.give_back(40);
        assert_eq!(all.await.unwrap(), 100);
        room.leave();
        assert!(!room.take(0), "one waits still");
        room.give_back(100);
        assert_eq!(few.await.unwrap(), 10);
        room.leave();
        assert_eq!(room.taken(), 10);
        assert!(room.take(90) && !room.take(1));
        room.give_back(100);
        assert_eq!(room.taken(), 0);
        // Who gives up leaves what there was.
        assert!(room.take(60));
        let given_up = tokio::spawn(wait(room.queue_up(), 50));
        tokio::task::yield_now().await;
        given_up.abort();
        assert!(given_up.await.is_err());
        room.leave();
        assert!(room.taken() == 60 && room.take(40));
    }
}
