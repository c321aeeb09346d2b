//! Who waits for an answer.

use std::marker::PhantomData;
use std::sync::Arc;

use beamline_term::{Pid, Term};
use serde::Serialize;

use crate::node::Inner;
use crate::process::Cell;

/// Who waits for the answer to a call. It can be kept, sent to other tasks, and answered once.
pub struct Caller<R> {
    node: Arc<Inner>,
    own: Arc<Cell>,
    from: Pid,
    tag: Term,
    answer: PhantomData<fn(R)>,
}

impl<R> std::fmt::Debug for Caller<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Caller({:?})", self.from)
    }
}

impl<R> Caller<R> {
    pub(super) fn new(node: &Arc<Inner>, own: &Arc<Cell>, from: Pid, tag: Term) -> Caller<R> {
        Caller { node: Arc::clone(node), own: Arc::clone(own), from, tag, answer: PhantomData }
    }

    pub(super) fn again(&self) -> Caller<R> {
        Caller::new(&self.node, &self.own, self.from.clone(), self.tag.clone())
    }

    pub(super) fn reply_term(self, answer: &Term) {
        self.node.reply(&self.own, &self.from, &self.tag, &crate::process::encoded(answer));
    }

    /// Whether the tag is an alias as OTP 25 makes them, of three words. Where `sys` has changed since, the message does not
    /// say which is meant.
    pub(super) fn is_of_otp_25(&self) -> bool {
        crate::process::alias(&self.tag).is_some_and(|alias| alias.words().len() == 3)
    }

    /// Who calls.
    pub fn pid(&self) -> &Pid {
        &self.from
    }
}

impl<R: Serialize> Caller<R> {
    /// Answers. A caller that has given up meanwhile does not hear it. Toward one that is slow to read the answer is kept until
    /// there is room for it; when much is kept, the server handles no other call until that has left.
    ///
    /// # Errors
    /// The answer cannot be written as a term; nothing was sent.
    pub fn reply(self, answer: &R) -> Result<(), beamline_term::serde::Error> {
        let mut out = Vec::new();
        beamline_term::serde::write(answer, &mut out)?;
        self.node.reply(&self.own, &self.from, &self.tag, &out.into());
        Ok(())
    }
}
