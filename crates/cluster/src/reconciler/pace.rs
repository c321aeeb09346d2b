//! How fast a topology may dial: pauses for a name, a budget for all names together.

use std::time::Duration;

use rand::{RngExt, rngs::StdRng};

/// The pause after the first failed dial of a name; it doubles with each further one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The pause after a node did not accept our cookie, or we not its: it belongs to another cluster.
pub const FOREIGN_PAUSE: Duration = Duration::from_secs(60);
/// How many dials may be started in quick succession before [`DIALS_PER_SECOND`] holds.
pub const BURST: u32 = 128;
/// How many dials may be started a second in the long run.
pub const DIALS_PER_SECOND: u32 = 64;

/// The next pause after one that did not help.
pub(super) fn longer(pause: Duration) -> Duration {
    (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

/// Somewhere between half of it and all of it, so that nodes that lost each other at once do not dial at once.
pub(super) fn jittered(random: &mut StdRng, pause: Duration) -> Duration {
    pause.mul_f64(random.random_range(0.5..=1.0))
}

/// How many dials may still be started. Times are those since the topology's start.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    at: Duration,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: f64::from(BURST), at: Duration::ZERO }
    }

    pub(super) fn spend(&mut self, now: Duration) -> bool {
        let earned = now.saturating_sub(self.at).as_secs_f64() * f64::from(DIALS_PER_SECOND);
        self.left = (self.left + earned).min(f64::from(BURST));
        self.at = now;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }

    /// When there is one more.
    pub(super) fn next(&self) -> Duration {
        self.at + Duration::from_secs(1) / DIALS_PER_SECOND
    }
}
