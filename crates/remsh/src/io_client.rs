//! The client's half of the Erlang I/O protocol: what a process asks of its group leader, which here is a terminal elsewhere.

use beamline_node::{Message, Process};
use beamline_term::{Pid, Term, atom};

use crate::prompt::Output;

/// What a line that was asked for came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line, its end included.
    Text(String),
    /// Whoever sits there gave it up, by Ctrl-G and `i`.
    Interrupted,
    /// There is no more: Ctrl-D, or the terminal has gone.
    End,
    /// There is nobody to ask.
    Refused,
}

/// A terminal on some node.
pub(crate) struct Terminal {
    pub(crate) me: Process,
    pub(crate) leader: Pid,
}

impl Terminal {
    /// Sends a request and waits for its answer; `None` if nobody is there any more.
    async fn request(&mut self, request: Term) -> Option<Term> {
        let mark = self.me.mark();
        let reference = self.me.monitor(&self.leader);
        let message = Term::from((atom("io_request"), self.me.pid().clone(), reference.clone(), request));
        if self.me.send(&self.leader, &message).await.is_err() {
            self.me.demonitor_flush(&reference).await;
            return None;
        }
        let is_reply = |message: &Message| {
            let is_ours = |element: Option<&Term>| element.and_then(Term::as_reference) == Some(&reference);
            (message.is_tagged("io_reply", 3) || message.is_tagged("DOWN", 5))
                && message.term().is_ok_and(|term| is_ours(term.as_tuple().and_then(|tuple| tuple.get(1))))
        };
        let reply = self.me.receive_since(mark, is_reply).await?;
        if reply.as_down().is_some() {
            return None;
        }
        self.me.demonitor_flush(&reference).await;
        match reply.term().ok()?.as_tuple() {
            Some([_, _, answer]) => Some(answer.clone()),
            _ => None,
        }
    }

    /// Lines come as binaries of UTF-8 from now on, and Tab calls this function, if the terminal can.
    pub(crate) async fn set_up(&mut self, expand: Option<Term>) {
        let options = [(atom("binary"), Term::from(true)), (atom("encoding"), Term::atom("unicode"))];
        let options = options.into_iter().chain(expand.map(|expand| (atom("expand_fun"), expand)));
        let options = Term::list(options.map(Term::from));
        // One that cannot sends lists, which are read too.
        let _ = self.request((atom("setopts"), options).into()).await;
    }

    /// Prints a text; false if nobody is there any more.
    pub(crate) async fn print(&mut self, text: &str) -> bool {
        self.request((atom("put_chars"), atom("unicode"), text).into()).await.is_some()
    }

    /// Reads a line.
    pub(crate) async fn read_line(&mut self, prompt: &str) -> Line {
        let answer = self.request((atom("get_line"), atom("unicode"), prompt).into()).await;
        let Some(answer) = answer else { return Line::End };
        let text = match &answer {
            Term::Binary(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Term::List(list) => list.to_text(),
            _ => None,
        };
        match (text, answer.as_tuple()) {
            (Some(text), _) => Line::Text(text),
            (None, Some([_, reason])) if reason.is_atom("interrupted") => Line::Interrupted,
            _ => Line::End,
        }
    }

    /// How wide it is.
    pub(crate) async fn columns(&mut self) -> usize {
        let answer = self.request((atom("get_geometry"), atom("columns")).into()).await;
        let columns = answer.and_then(|answer| usize::try_from(answer.as_u64()?).ok());
        columns.map_or(80, |columns| columns.clamp(20, 500))
    }
}

impl Output for Terminal {
    async fn write(&mut self, text: &[u8]) {
        self.print(&String::from_utf8_lossy(text)).await;
    }

    async fn read_line(&mut self, prompt: &str) -> Line {
        Terminal::read_line(self, prompt).await
    }
}
