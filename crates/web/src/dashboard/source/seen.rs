//! What was seen of processes that may have ended since, so that an address of one stays good. Bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::process::Detail;

/// So many processes, each of some kilobytes.
const MOST: usize = 256;

/// The last that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<VecDeque<(String, Detail, SystemTime)>>);

impl Seen {
    /// Remembers a process as it is now. The key names it and the run of its node.
    pub(crate) fn note(&self, key: String, detail: &Detail) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|(before, ..)| *before != key);
        if seen.len() == MOST {
            seen.pop_front();
        }
        seen.push_back((key, detail.clone(), SystemTime::now()));
    }

    /// What was seen last, and when.
    pub(crate) fn last(&self, key: &str) -> Option<(Detail, SystemTime)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|(known, ..)| known == key).map(|(_, detail, at)| (detail.clone(), *at))
    }
}
