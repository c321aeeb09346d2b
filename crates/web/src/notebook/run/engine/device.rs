//! Where a cell prints, and reads.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use beamline_console::{Device, Reading};
use tokio::time::Instant;

use super::Shared;
use super::question::ask;
use crate::notebook::run::outline::CellId;

/// What a cell may print at once, in bytes.
const BURST: f64 = 1024.0 * 1024.0;
/// And so many bytes a second from there on: a cell that floods waits, and leaves the connection to others.
const RATE: f64 = 1024.0 * 1024.0;
/// What each request costs beside its text.
const REQUEST: f64 = 100.0;

/// The terminal of a cell.
pub(super) struct CellDevice {
    shared: Weak<Shared>,
    cell: CellId,
    flow: Mutex<Flow>,
}

/// How much may be printed before whoever prints has to wait.
struct Flow {
    left: f64,
    at: Instant,
}

impl CellDevice {
    pub(super) fn new(shared: Weak<Shared>, cell: CellId) -> CellDevice {
        CellDevice { shared, cell, flow: Mutex::new(Flow { left: BURST, at: Instant::now() }) }
    }

    fn put(&self, text: &str) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.lock();
        state.print(self.cell, text);
        shared.tell(state);
    }
}

impl Device for CellDevice {
    fn print(&self, text: &str) {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        flow.left -= text.len() as f64 + REQUEST;
        drop(flow);
        self.put(text);
    }

    fn read_line(self: Arc<Self>, prompt: String) -> Reading {
        Box::pin(ask(self.shared.clone(), self.cell, prompt))
    }

    fn reads(&self) -> bool {
        let is_watched = self.shared.upgrade().is_some_and(|shared| shared.is_watched);
        if !is_watched {
            self.put(
                "this cell wants to read a line (IO.gets), and nobody is here to answer: put the text into the cell, \
                 or give it by --set\n",
            );
        }
        is_watched
    }

    fn pressure(&self) -> Duration {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(flow.at).as_secs_f64() * RATE;
        (flow.left, flow.at) = ((flow.left + gained).min(BURST), now);
        if flow.left >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64((-flow.left / RATE).min(1.0)) }
    }
}

/// Where what nobody has asked for is printed.
pub(super) struct Quiet;

impl Device for Quiet {
    fn print(&self, _text: &str) {}
}
