//! Answers to requests of this node: of those most are wanted by a call, which needs no more of them than who waits and for
//! what. So they are read just that far, and where they are, without building names of processes that nobody looks at.

use beamline_term::Origin;
use beamline_term::codec::{encode, tag};

/// What a signal to the maker of a reference of this node says.
pub(crate) struct Answer {
    /// The words of the reference.
    pub(crate) words: [u32; 3],
    /// Where the reason begins with which a process has ended; `None` if one was started.
    pub(crate) reason: Option<usize>,
}

/// References of a node, as they are encoded up to their words.
#[derive(Debug)]
pub(crate) struct Own(Vec<u8>);

impl Own {
    pub(crate) fn of(origin: &Origin) -> Own {
        let mut out = vec![tag::NEWER_REFERENCE, 0, 3];
        encode::atom(&mut out, origin.node());
        out.extend_from_slice(&origin.creation().get().to_be_bytes());
        Own(out)
    }

    /// How long a reference is.
    pub(crate) fn length(&self) -> usize {
        self.0.len() + 12
    }

    /// What an answer says that stands in a frame behind its header, in the form in which connections with headers have it.
    /// `None` for other signals, also for those that are not as they should be.
    pub(crate) fn answer(&self, body: &[u8]) -> Option<Answer> {
        if let Some(after) = body.strip_prefix(DOWN) {
            let (words, reason) = self.words(pid(pid(after)?)?)?;
            let start = (!reason.is_empty()).then(|| body.len() - reason.len());
            return Some(Answer { words, reason: Some(start?) });
        }
        let (words, after) = self.words(body.strip_prefix(STARTED)?)?;
        let [tag::SMALL_INTEGER, _, process @ ..] = pid(after)? else { return None };
        pid(process)?.is_empty().then_some(Answer { words, reason: None })
    }

    fn words<'a>(&self, from: &'a [u8]) -> Option<([u32; 3], &'a [u8])> {
        let (words, after) = from.strip_prefix(&*self.0)?.split_at_checked(12)?;
        let words = words.as_chunks().0.first_chunk()?;
        Some((words.map(u32::from_be_bytes), after))
    }
}

/// What follows a pid in the form of our time.
fn pid(from: &[u8]) -> Option<&[u8]> {
    let [tag::NEW_PID, tag::SMALL_ATOM_UTF8, length, after @ ..] = from else { return None };
    after.get(usize::from(*length) + 12..)
}

/// `MONITOR_EXIT`, with its reason behind it.
const DOWN: &[u8] = &[tag::SMALL_TUPLE, 4, tag::SMALL_INTEGER, 28];
/// `SPAWN_REPLY`.
const STARTED: &[u8] = &[tag::SMALL_TUPLE, 5, tag::SMALL_INTEGER, 31];
