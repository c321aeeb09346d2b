//! A session at an Elixir node, which evaluates by itself: `session.exs` runs there, and this is our end of it.

use std::time::Duration;

use beamline_node::{CallError, Node, Process};
use beamline_proto::NodeName;
use beamline_term::{Pid, Term, atom};
use tokio::sync::{mpsc, oneshot};

/// What came of an expression there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Value(String),
    Failed(String),
    Silent,
    /// The evaluating process was ended; the variables are those from before.
    Ended(String),
    /// The node, or the connection to it, has gone.
    Lost,
}

/// Our end of a session.
pub(crate) struct ElixirSession {
    node: Node,
    peer: NodeName,
    send: mpsc::UnboundedSender<Order>,
    replies: mpsc::UnboundedReceiver<Reply>,
    names: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
    counter: usize,
}

enum Order {
    Evaluate { code: String, counter: usize, width: usize },
    Interrupt,
    Respawn,
}

impl ElixirSession {
    /// Starts a session; what it prints goes to `leader`.
    pub(crate) async fn start(
        node: &Node,
        peer: &NodeName,
        leader: Pid,
        colours: bool,
        time: Duration,
    ) -> Result<ElixirSession, CallError> {
        let (send, orders) = mpsc::unbounded_channel();
        let (tell, replies) = mpsc::unbounded_channel();
        let (ready, started) = oneshot::channel();
        let names = std::sync::Arc::default();
        let owner = Owner { peer: peer.clone(), tell, names: std::sync::Arc::clone(&names) };
        node.spawn(move |mut me| async move {
            me.trap_exit(true);
            me.set_group_leader(&leader, &me.pid().clone());
            let binding = [(atom("owner"), Term::from(me.pid().clone())), (atom("colours"), colours.into())];
            let arguments = (include_str!("session.exs"), Term::list(binding.map(Term::from)));
            let session = me.spawn_link_on(&owner.peer, ("Elixir.Code", "eval_string"), arguments).timeout(time).await;
            match session {
                Ok(session) => {
                    if ready.send(Ok(())).is_ok() {
                        owner.run(&mut me, &session.pid, orders).await;
                    }
                }
                // Who asked may have given up.
                Err(error) => drop(ready.send(Err(error))),
            }
        });
        started.await.map_err(|_| CallError::NodeDown { node: peer.clone() })??;
        Ok(ElixirSession { node: node.clone(), peer: peer.clone(), send, replies, names, counter: 1 })
    }

    pub(crate) fn counter(&self) -> usize {
        self.counter
    }

    pub(crate) fn peer(&self) -> &NodeName {
        &self.peer
    }

    /// Evaluates a text. Dropping the future leaves it running: [`ElixirSession::interrupt`] ends it.
    pub(crate) async fn evaluate(&mut self, code: &str, width: usize) -> Reply {
        let order = Order::Evaluate { code: code.to_owned(), counter: self.counter, width };
        if self.send.send(order).is_err() {
            return Reply::Lost;
        }
        let reply = self.replies.recv().await.unwrap_or(Reply::Lost);
        self.counter += 1;
        reply
    }

    /// Ends what runs, and waits for its end.
    pub(crate) async fn interrupt(&mut self) -> Reply {
        if self.send.send(Order::Interrupt).is_err() {
            return Reply::Lost;
        }
        self.counter += 1;
        self.replies.recv().await.unwrap_or(Reply::Lost)
    }

    /// Begins anew, without variables.
    pub(crate) fn respawn(&mut self) {
        // A session that has ended is found out by the next expression.
        let _ = self.send.send(Order::Respawn);
        self.counter = 1;
    }

    /// The variables.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// `IEx.Autocomplete.expand` of the node: what is inserted, and what could follow. None if it has none, or, as that of
    /// 1.20, one that works in its own shell only.
    pub(crate) async fn expand(&self, before: &str) -> Option<(String, Vec<String>)> {
        let line: String = before.chars().rev().collect();
        let call = self.node.call(&self.peer, ("Elixir.IEx.Autocomplete", "expand"), (Term::charlist(&line),));
        let answer: Term = call.timeout(Duration::from_secs(2)).await.ok()?;
        let text = |term: &Term| term.as_list().and_then(|list| list.to_text());
        match answer.as_tuple()? {
            [yes, insert, hints] if yes.is_atom("yes") => {
                let hints = hints.as_list()?.to_vec();
                Some((text(insert)?, hints.iter().filter_map(text).collect()))
            }
            _ => None,
        }
    }
}

/// The process that a session knows as its owner.
struct Owner {
    peer: NodeName,
    tell: mpsc::UnboundedSender<Reply>,
    names: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Owner {
    async fn run(self, me: &mut Process, session: &Pid, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            let order = tokio::select! {
                message = me.receive() => {
                    let Some(message) = message else { return };
                    if message.as_exit().is_some_and(|exit| exit.from == *session) {
                        let _ = self.tell.send(Reply::Lost);
                        return;
                    }
                    if let Some(reply) = message.term().ok().and_then(|term| self.reply(&term))
                        && self.tell.send(reply).is_err()
                    {
                        return;
                    }
                    continue;
                }
                order = orders.recv() => order,
            };
            let own = me.pid().clone();
            let message = match order {
                // The shell has gone; the session there hears that this process has ended.
                None => return,
                Some(Order::Evaluate { code, counter, width }) => {
                    Term::from((own, atom("eval"), code, counter as u64, width as u64))
                }
                Some(Order::Interrupt) => (own, atom("interrupt")).into(),
                Some(Order::Respawn) => (own, atom("respawn")).into(),
            };
            if me.send(session, &message).await.is_err() {
                let _ = self.tell.send(Reply::Lost);
                return;
            }
        }
    }

    fn reply(&self, message: &Term) -> Option<Reply> {
        match message.as_tuple()? {
            [tag, reason] if tag.is_atom("ended") => Some(Reply::Ended(reason.as_str()?.to_owned())),
            [tag, reply, names] if tag.is_atom("done") => {
                let names = names.as_list()?.to_vec();
                let names = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                *self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = names;
                match reply.as_tuple() {
                    Some([tag, text]) if tag.is_atom("value") => Some(Reply::Value(text.as_str()?.to_owned())),
                    Some([_, text]) => Some(Reply::Failed(text.as_str()?.to_owned())),
                    _ => Some(Reply::Silent),
                }
            }
            _ => None,
        }
    }
}
