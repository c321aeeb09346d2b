//! Printing where the group leader is, by the Erlang I/O protocol.

use beamline_term::{Term, atom};

use super::{Message, Process};

impl Process {
    /// Prints a line on the group leader's device: the console of whoever started this process, on whatever node.
    ///
    /// ```
    /// # async fn example(mut me: beamline_node::Process) {
    /// if let Err(reason) = me.puts("hello").await {
    ///     eprintln!("nobody prints it: {reason}");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The group leader has ended or is out of reach (its DOWN's reason), or what it said instead of `ok`.
    pub async fn puts(&mut self, line: &str) -> Result<(), Term> {
        let leader = self.group_leader();
        let mark = self.mark();
        let request = self.monitor(&leader);
        let chars = Term::from((atom("put_chars"), atom("unicode"), format!("{line}\n")));
        let message = Term::from((atom("io_request"), self.pid().clone(), request.clone(), chars));
        if self.send(&leader, &message).await.is_err() {
            self.demonitor_flush(&request).await;
            return Err(atom("noconnection").into());
        }
        let is_reply = |message: &Message| {
            let is_ours = |element: Option<&Term>| element.and_then(Term::as_reference) == Some(&request);
            match message.is_tagged("io_reply", 3) || message.is_tagged("DOWN", 5) {
                true => message.term().is_ok_and(|term| is_ours(term.as_tuple().and_then(|tuple| tuple.get(1)))),
                false => false,
            }
        };
        let Some(reply) = self.receive_since(mark, is_reply).await else { return Err(atom("terminated").into()) };
        if let Some(down) = reply.as_down() {
            return Err(down.reason);
        }
        self.demonitor_flush(&request).await;
        match reply.term().ok().as_ref().and_then(Term::as_tuple) {
            Some([_, _, answer]) if answer.is_atom("ok") => Ok(()),
            Some([_, _, answer]) => Err(answer.clone()),
            _ => Err(atom("badarg").into()),
        }
    }
}
