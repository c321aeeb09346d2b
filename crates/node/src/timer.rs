//! Messages at a later time, as `erlang:send_after`.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::connection;
use crate::destination::Destination;
use crate::node::Inner;
use crate::process::Cell;

/// A message that is going to be sent. Dropping this does not cancel it.
#[derive(Debug)]
pub struct Timer {
    due: Instant,
    task: Option<AbortHandle>,
}

impl Timer {
    pub(crate) fn start(
        node: &Arc<Inner>,
        from: Arc<Cell>,
        time: Duration,
        to: Destination,
        message: &(impl Serialize + ?Sized),
    ) -> Timer {
        let due = Instant::now() + time;
        let message = match connection::payload(message) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a message for later cannot be written as a term; it is not sent");
                return Timer { due, task: None };
            }
        };
        let sender = Arc::clone(node);
        let task = node.spawn(async move {
            sleep_until(due).await;
            // Who cannot be reached gets nothing.
            let _ = sender.send_from(&from, to, message).await;
        });
        Timer { due, task: Some(task) }
    }

    /// How long until it is sent; `None` if it was, or was cancelled.
    pub fn remaining(&self) -> Option<Duration> {
        let pending = self.task.as_ref().is_some_and(|task| !task.is_finished());
        pending.then(|| self.due.saturating_duration_since(Instant::now()))
    }

    /// Cancels it. Gives the time that was left; `None` if the message was sent already.
    pub fn cancel(self) -> Option<Duration> {
        let left = self.remaining()?;
        self.task?.abort();
        Some(left)
    }
}
