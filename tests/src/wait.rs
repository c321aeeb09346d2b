//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

/// How long a test waits for what should happen in far less.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Asks again and again until the answer is `Ok`; panics with the last `Err`
/// when the deadline has passed. Gives the time it took.
#[track_caller]
pub fn wait_until<E: std::fmt::Display>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Result<(), E>,
) -> Duration {
    let begin = Instant::now();
    loop {
        match condition() {
            Ok(()) => return begin.elapsed(),
            Err(state) if begin.elapsed() > limit => {
                panic!("not within {limit:?}: {what}; at last: {state}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
