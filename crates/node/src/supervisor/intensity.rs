//! How many restarts are too many.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Allows so many restarts within a time.
#[derive(Debug)]
pub(super) struct Intensity {
    restarts: usize,
    within: Duration,
    made: VecDeque<Instant>,
}

impl Intensity {
    pub(super) fn new(restarts: usize, within: Duration) -> Intensity {
        Intensity { restarts, within, made: VecDeque::new() }
    }

    /// Notes a restart; false if it is one too many.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        self.made.retain(|made| now.duration_since(*made) <= self.within);
        self.made.push_back(now);
        self.made.len() <= self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_restarts_within_the_time_count() {
        let start = Instant::now();
        // Restarts allowed, and within how many seconds; when they happen, and at which it is one too many.
        let table: &[(usize, u64, &[u64], Option<usize>)] = &[
            (0, 5, &[0], Some(0)),
            (1, 5, &[0, 6, 12, 18], None),
            (1, 5, &[0, 5], Some(1)),
            (3, 5, &[0, 1, 2, 3], Some(3)),
            (3, 5, &[0, 1, 2, 6, 7, 8], None),
            (3, 5, &[0, 1, 2, 6, 7, 7], Some(5)),
        ];
        for (restarts, within, times, wanted) in table {
            let mut intensity = Intensity::new(*restarts, Duration::from_secs(*within));
            let refused = times.iter().position(|at| !intensity.allows(start + Duration::from_secs(*at)));
            assert_eq!(refused, *wanted, "{restarts} in {within} s at {times:?}");
        }
    }
}
