//! How long one call may take. Almost all are answered long before that, so a call with a long timeout registers no timer of
//! its own: once it only waits for its answer, the table of [waiting](crate::waiting) calls, which is looked through now and
//! then, tells it that its time is over.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::metrics::Since;

/// A timeout of this and more may be noticed a little late.
pub(crate) const LONG: Duration = Duration::from_secs(1);

/// Until when a call that has begun then may last, for a table that sees to it; `None` if the time is too short, or longer
/// than can be told.
pub(crate) fn deadline(began: Instant, after: Duration) -> Option<Instant> {
    if after < LONG { None } else { began.checked_add(after) }
}

/// The time of one call, which begins when this is made.
pub(crate) struct Patience {
    began: Instant,
    after: Duration,
    /// Whether somebody else sees to the deadline.
    handed_over: AtomicBool,
}

impl Patience {
    pub(crate) fn new(after: Duration) -> Patience {
        Patience { began: Instant::now(), after, handed_over: AtomicBool::new(false) }
    }

    /// Until when, for a table that sees to it, as [`deadline`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        deadline(self.began, self.after)
    }

    /// The call is in a table that was told the [deadline](Patience::deadline), and from now on waits for nothing else.
    pub(crate) fn hand_over(&self) {
        self.handed_over.store(self.deadline().is_some(), Ordering::Relaxed);
    }

    /// How long it has taken when that is asked for.
    pub(crate) fn since(&self) -> Since {
        Since(self.began)
    }

    /// What a future gives, or `None` when the time is over. A timer is set only if the future has to wait for something
    /// without having been handed over.
    pub(crate) async fn bound<T>(&self, mut work: impl Future<Output = T> + Unpin) -> Option<T> {
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|context| {
            if let Poll::Ready(done) = Pin::new(&mut work).poll(context) {
                return Poll::Ready(Some(done));
            }
            // Who had to wait before has less time left than the table counts on.
            if timer.is_none() && self.handed_over.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            let Some(end) = self.began.checked_add(self.after) else { return Poll::Pending };
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
            timer.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_in_time_unless_another_sees_to_it() {
        let began = Instant::now();
        for after in [Duration::from_millis(30), Duration::from_secs(5)] {
            assert_eq!(Patience::new(after).bound(pending::<()>()).await, None);
        }
        let spent = began.elapsed();
        assert!(spent >= Duration::from_millis(5030) && spent < Duration::from_millis(5050), "{spent:?}");
        let patience = Patience::new(Duration::from_secs(5));
        let handed = patience.bound(Box::pin(async {
            patience.hand_over();
            tokio::time::sleep(Duration::from_secs(60)).await;
        }));
        assert_eq!(handed.await, Some(()));
        let short = Patience::new(Duration::from_millis(30));
        short.hand_over();
        assert_eq!(short.bound(pending::<()>()).await, None, "nobody else sees to a short time");
        assert_eq!(Patience::new(Duration::MAX).deadline(), None);
    }
}
