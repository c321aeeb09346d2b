//! How many calls of peers run, however they came: as spawn requests or through `rex`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::metrics::Counted;
use crate::node::Inner;

/// Counts a call as running until it is dropped.
pub(super) struct Running {
    node: Arc<Inner>,
    _counted: Counted,
}

impl Running {
    /// Whether one more may run. Those that ask at the same moment may all hear that it may.
    pub(super) fn is_allowed(node: &Inner) -> bool {
        node.running_calls.load(Ordering::Relaxed) < node.settings.limits.running_calls
    }

    pub(super) fn begin(node: &Arc<Inner>) -> Running {
        node.running_calls.fetch_add(1, Ordering::Relaxed);
        Running { node: Arc::clone(node), _counted: Counted::one(&node.metrics.running_calls) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.running_calls.fetch_sub(1, Ordering::Relaxed);
    }
}
