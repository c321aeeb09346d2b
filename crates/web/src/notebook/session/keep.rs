//! Saving, by itself and when it is asked for, and what others do to the file meanwhile: their text is never written over
//! unless somebody says so.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::file::{self, FileError, Read};
use super::{Notebook, Session};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Somebody else has changed the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    /// What it says now; none if it is gone or no notebook.
    pub(crate) text: Option<String>,
}

/// Looks after a session's file until the session ends.
pub(super) async fn keep(session: Weak<Session>) {
    let mut pause = tokio::time::interval(LOOK);
    pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pause.tick().await;
        let Some(session) = session.upgrade() else { return };
        session.see_outputs();
        if session.look().await && session.is_due() {
            // What went wrong is shown where the file's state is.
            let _ = session.save().await;
        }
    }
}

impl Session {
    /// Whether changes have waited long enough to be saved by themselves.
    fn is_due(&self) -> bool {
        let state = self.lock();
        let interval = state.notebook.autosave_interval().map(Duration::from_secs);
        let waited = state.since.map(|since| since.elapsed());
        interval.zip(waited).is_some_and(|(interval, waited)| waited >= interval)
    }

    /// What cells have given is to be saved too, where the file keeps it.
    fn see_outputs(&self) {
        let mut state = self.lock();
        if state.notebook.persists_outputs() && state.since.is_none() {
            let number = self.engine.since(u64::MAX).number;
            if std::mem::replace(&mut state.taken, number) != number {
                state.since = Some(Instant::now());
            }
        }
    }

    /// Sees whether the file is still what we know; true if so.
    async fn look(self: &Arc<Self>) -> bool {
        let session = Arc::clone(self);
        let known = self.lock().looked;
        let now = tokio::task::spawn_blocking(move || {
            // The stamp is taken first: what is written after it is seen the next time.
            let stamp = file::stamp(session.file());
            (stamp.is_none() || stamp != known).then(|| (stamp, file::read(session.file(), session.path())))
        });
        let Ok(now) = now.await else { return false };
        let Some((stamp, now)) = now else { return self.lock().outside.is_none() };
        let mut state = self.lock();
        let outside = match now {
            Ok(Read { text }) if text == state.saved => None,
            Ok(Read { text }) => Some(Outside { text: Some(text) }),
            Err(_) => Some(Outside { text: None }),
        };
        let is_same = outside.is_none();
        state.looked = stamp;
        if state.outside != outside {
            state.outside = outside;
            self.tell(state);
        }
        is_same
    }

    /// Writes the notebook to its file, unless somebody else has changed that.
    pub(crate) async fn save(self: &Arc<Self>) -> Result<(), FileError> {
        if !self.look().await {
            return Ok(());
        }
        self.write().await
    }

    async fn write(self: &Arc<Self>) -> Result<(), FileError> {
        let (text, number, is_same) = {
            let mut state = self.lock();
            if state.notebook.persists_outputs() {
                self.take_outputs(&mut state.notebook);
            }
            let text = state.notebook.write();
            let is_same = text == state.saved && state.outside.is_none();
            (text, state.changed, is_same)
        };
        let written = if is_same {
            Ok(Ok(()))
        } else {
            let (session, text) = (Arc::clone(self), text.clone());
            tokio::task::spawn_blocking(move || file::replace(session.file(), session.path(), &text)).await
        };
        let mut state = self.lock();
        // What was edited while the file was written is still to be saved.
        let is_unsaved = state.changed != number;
        let result = match written {
            Ok(Ok(())) => {
                (state.saved, state.is_unsaved, state.trouble, state.outside) = (text, is_unsaved, None, None);
                state.looked = None;
                state.since = is_unsaved.then(Instant::now);
                Ok(())
            }
            Ok(Err(error)) => {
                (state.trouble, state.since) = (Some(error.to_string()), Some(Instant::now()));
                Err(error)
            }
            Err(_) => Ok(()),
        };
        self.tell(state);
        result
    }

    /// Writes the notebook though somebody else has changed the file.
    pub(crate) async fn overwrite(self: &Arc<Self>) -> Result<(), FileError> {
        self.write().await
    }

    /// Takes the file's text in place of what is in memory. Cells that are in both keep what they gave.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), FileError> {
        let session = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || file::read(session.file(), session.path())).await;
        let Ok(read) = read else { return Ok(()) };
        let Read { text } = read?;
        {
            let mut state = self.lock();
            let mut notebook = Notebook::read(&text);
            notebook.adopt(&state.notebook);
            (state.notebook, state.saved) = (notebook, text);
            (state.is_unsaved, state.since, state.outside, state.trouble) = (false, None, None, None);
            state.looked = None;
            self.tell(state);
        }
        self.prepare();
        Ok(())
    }

    /// What the file says, and what would be written.
    pub(crate) fn both_texts(&self) -> (String, String) {
        let state = self.lock();
        let outside = state.outside.as_ref().and_then(|outside| outside.text.clone());
        (outside.unwrap_or_else(|| state.saved.clone()), state.notebook.write())
    }
}
