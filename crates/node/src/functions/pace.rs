//! How long a function takes at its first poll, learned from its calls. One that answers at once, again and again, needs no
//! task: the reader may run it where it stands. So that no user's code holds up a connection, a function pays for the time
//! that it takes with the trust that it has earned: on average it holds the reader no longer than [`QUICK`] a call.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// A call that takes less is quick. Starting a task takes a tenth of it, waking one on another core more than all.
const QUICK: Duration = Duration::from_micros(20);
/// So many quick calls make a quick function.
const TRUST: i32 = 16;
/// What more of them earn at most: a call that was held up by the machine does not end the trust at once.
const MOST: i32 = 64;
/// What a call costs that has to wait for something.
const WAIT: i32 = 32;
/// However long a call took, after so many quick ones a function is tried again.
const LEAST: i32 = -1000;

/// What is known of one function.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicI32);

impl Pace {
    /// Whether it answers at once, as far as is known.
    pub(crate) fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= TRUST
    }

    /// Learns from a call whose first poll took so long: it `answered`, or had to wait.
    pub(crate) fn learn(&self, took: Duration, answered: bool) {
        let known = self.0.load(Ordering::Relaxed);
        let times = took.as_nanos() / QUICK.as_nanos();
        let cost = i32::try_from(times).unwrap_or(i32::MAX).saturating_add(if answered { 0 } else { WAIT });
        let now = if cost == 0 { (known + 1).min(MOST) } else { known.saturating_sub(cost).max(LEAST) };
        if now != known {
            self.0.store(now, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(calls: &[(i32, Duration, bool)]) -> bool {
        let pace = Pace::default();
        for (count, took, answered) in calls {
            (0..*count).for_each(|_| pace.learn(*took, *answered));
        }
        pace.is_quick()
    }

    #[test]
    fn trust_is_earned_and_spent() {
        let (quick, slow) = (Duration::from_micros(1), Duration::from_millis(1));
        assert!(!after(&[(TRUST - 1, quick, true)]));
        assert!(after(&[(TRUST, quick, true)]));
        assert!(!after(&[(1000, quick, true), (1, slow, true)]));
        assert!(after(&[(1000, quick, true), (1, 2 * QUICK, true)]), "once a little slow is forgiven");
        assert!(!after(&[(1000, quick, true), (2, quick, false)]), "who waits needs a task");
        assert!(after(&[(1, Duration::from_secs(3600), true), (1000 + TRUST, quick, true)]), "nobody is lost for ever");
    }
}
