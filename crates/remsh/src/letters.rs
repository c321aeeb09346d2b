//! The process that is `self()` at a prompt: what is sent to it is kept until `flush()` shows it, as in IEx.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use beamline_node::{Message, Node};
use beamline_term::{Pid, Term};
use tokio::sync::oneshot;

/// So many messages are kept, and so many bytes of them; what comes after that is only counted.
const KEPT: usize = 1000;
const KEPT_BYTES: usize = 8 << 20;

/// The messages of a prompt. Its process ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Letters {
    pid: Pid,
    kept: Arc<Mutex<Kept>>,
    _open: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Message>,
    bytes: usize,
    /// How many there was no room for.
    lost: usize,
}

impl Kept {
    fn add(&mut self, message: Message) {
        if self.messages.len() >= KEPT || self.bytes + message.len() > KEPT_BYTES {
            self.lost += 1;
            return;
        }
        self.bytes += message.len();
        self.messages.push_back(message);
    }
}

impl Letters {
    pub(crate) fn start(node: &Node) -> Letters {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (open, mut closed) = oneshot::channel();
        let letters = Arc::clone(&kept);
        let pid = node.spawn(move |mut me| async move {
            loop {
                tokio::select! {
                    message = me.receive() => match message {
                        Some(message) => letters.lock().unwrap_or_else(PoisonError::into_inner).add(message),
                        None => return,
                    },
                    _ = &mut closed => return,
                }
            }
        });
        Letters { pid, kept, _open: open }
    }

    pub(crate) fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Takes out what has come, and how many more there was no room for.
    pub(crate) fn take(&self) -> (Vec<Term>, usize) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        // What cannot be read cannot be shown.
        (kept.messages.iter().filter_map(|message| message.term().ok()).collect(), kept.lost)
    }
}
