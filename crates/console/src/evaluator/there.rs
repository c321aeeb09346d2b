//! Evaluation by an Elixir node: `session.exs` runs there, and this is our end of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beamline_elixir::complete::cursor;
use beamline_node::{CallError, Node, Process};
use beamline_proto::NodeName;
use beamline_term::{Pid, Term, atom};
use tokio::sync::{mpsc, oneshot};

use super::{Completion, Context, Evaluated, Lane, Language, Style, Table, Text};

/// How long the node may take to say that an evaluation was ended.
const ENDS: Duration = Duration::from_secs(5);

/// Our end of a session.
pub(super) struct There {
    recalls: bool,
    orders: mpsc::Sender<Order>,
    number: AtomicU64,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    variables: Mutex<HashMap<Context, Vec<String>>>,
    /// The evaluations that wait for their end, with their lanes.
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// The completions that are asked for.
    expanding: Mutex<HashMap<u64, oneshot::Sender<Term>>>,
}

struct Waiting {
    lane: Lane,
    context: Context,
    tell: oneshot::Sender<Evaluated>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For what somebody waits with a finger on a key.
const QUICK: Duration = Duration::from_secs(2);

/// A message for the session, but for its first element, which is its owner.
type Order = Vec<Term>;

impl There {
    /// Starts a session; what is printed outside evaluations goes to `leader`.
    pub(super) async fn start(
        node: &Node,
        peer: &NodeName,
        style: &Style,
        leader: &Pid,
        time: Duration,
    ) -> Result<There, CallError> {
        let (send, orders) = mpsc::channel(64);
        let (ready, started) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let owner = Owner { shared: Arc::clone(&shared) };
        let (asked, leader, style, recalls) = (peer.clone(), leader.clone(), style.clone(), style.recalls);
        node.spawn(move |mut me| async move {
            me.trap_exit(true);
            me.set_group_leader(&leader, &me.pid().clone());
            let binding = [
                (atom("owner"), Term::from(me.pid().clone())),
                (atom("colours"), style.colours.into()),
                (atom("recalls"), style.recalls.into()),
            ];
            let arguments = (include_str!("session.exs"), Term::list(binding.map(Term::from)));
            let session = me.spawn_link_on(&asked, ("Elixir.Code", "eval_string"), arguments).timeout(time).await;
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
        Ok(There { recalls, orders: send, number: AtomicU64::new(0), shared })
    }

    /// Evaluates a text. Dropping the future leaves it running.
    pub(super) async fn evaluate(&self, text: &Text<'_>, leader: &Pid) -> Evaluated {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let language = match text.language {
            Language::Elixir => "elixir",
            Language::Erlang => "erlang",
        };
        let line = Term::from(text.line as u64);
        // A line that begins with `|>` goes on with the last value.
        let goes_on = self.recalls && text.code.trim_start().starts_with("|>");
        let code = if goes_on { format!("v() {}", text.code.trim_start()) } else { text.code.to_owned() };
        let job = Term::tuple([
            Term::atom(language),
            code.into(),
            text.file.into(),
            line.clone(),
            (text.width as u64).into(),
            (text.rows as u64).into(),
            line,
        ]);
        let above = text.above.map_or(Term::atom("nil"), |above| above.0.into());
        let order = vec![
            Term::atom("eval"),
            number.into(),
            text.lane.0.into(),
            text.context.0.into(),
            above,
            leader.clone().into(),
            job,
        ];
        let (tell, told) = oneshot::channel();
        lock(&self.shared.waiting).insert(number, Waiting { lane: text.lane, context: text.context, tell });
        if self.orders.send(order).await.is_err() {
            lock(&self.shared.waiting).remove(&number);
            return Evaluated::Lost;
        }
        told.await.unwrap_or(Evaluated::Lost)
    }

    /// Ends what runs in a lane, and waits for its end.
    pub(super) async fn interrupt(&self, lane: Lane) {
        let in_lane = |waiting: &HashMap<u64, Waiting>| -> Vec<u64> {
            waiting.iter().filter(|(_, waiting)| waiting.lane == lane).map(|(number, _)| *number).collect()
        };
        let ended = in_lane(&lock(&self.shared.waiting));
        if ended.is_empty() || self.orders.send(vec![Term::atom("interrupt"), lane.0.into()]).await.is_err() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        // A node that does not even answer to this is as good as gone.
        tokio::spawn(async move {
            tokio::time::sleep(ENDS).await;
            ended.iter().for_each(|number| drop(lock(&shared.waiting).remove(number)));
        });
    }

    pub(super) async fn forget(&self, contexts: &[Context]) {
        lock(&self.shared.variables).retain(|context, _| !contexts.contains(context));
        let numbers = Term::list(contexts.iter().map(|context| Term::from(context.0)));
        // A session that has ended has forgotten all.
        let _ = self.orders.send(vec![Term::atom("forget"), numbers]).await;
    }

    pub(super) async fn lost(&self) {
        self.orders.closed().await;
    }

    /// By `IEx.Autocomplete.expand` of the node, which asks the session for variables and imports. None if it has none.
    pub(super) async fn complete(&self, context: Option<Context>, before: &str) -> Option<Vec<Completion>> {
        let (insert, hints) = self.expand(context, before).await?;
        let start = cursor(before).start;
        let typed = before.get(start..).unwrap_or_default();
        let mut found = Vec::new();
        if !insert.is_empty() {
            let text = format!("{typed}{insert}");
            found.push(Completion { start, shown: text.clone(), text });
        }
        let stem = typed.rfind(['.', ':']).map_or("", |at| &typed[..=at]);
        for hint in hints.into_iter().filter(|_| insert.is_empty()) {
            let name = hint.split('/').next().unwrap_or(&hint);
            found.push(Completion { start, text: format!("{stem}{name}"), shown: hint });
        }
        Some(found)
    }

    async fn expand(&self, context: Option<Context>, before: &str) -> Option<(String, Vec<String>)> {
        let line: String = before.chars().rev().collect();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let context = context.map_or(Term::atom("nil"), |context| context.0.into());
        let (tell, told) = oneshot::channel();
        lock(&self.shared.expanding).insert(number, tell);
        let order = vec![Term::atom("expand"), number.into(), context, Term::charlist(&line)];
        let asked = self.orders.send(order).await;
        let answer = tokio::time::timeout(QUICK, told).await;
        lock(&self.shared.expanding).remove(&number);
        asked.ok()?;
        let answer = answer.ok()?.ok()?;
        let text = |term: &Term| term.as_list().and_then(|list| list.to_text());
        match answer.as_tuple()? {
            [yes, insert, hints] if yes.is_atom("yes") => {
                let hints = hints.as_list()?.to_vec();
                Some((text(insert)?, hints.iter().filter_map(text).collect()))
            }
            [no, ..] if no.is_atom("no") => Some(Default::default()),
            _ => None,
        }
    }

    /// The variables of a context that begin with what is typed.
    pub(super) fn variables(&self, context: Option<Context>, before: &str) -> Vec<Completion> {
        let start = cursor(before).start;
        let typed = before.get(start..).unwrap_or_default();
        let variables = lock(&self.shared.variables);
        let names = context.and_then(|context| variables.get(&context)).into_iter().flatten();
        names
            .filter(|name| !typed.is_empty() && name.starts_with(typed))
            .map(|name| Completion { start, shown: name.clone(), text: name.clone() })
            .collect()
    }
}

/// The process that a session knows as its owner.
struct Owner {
    shared: Arc<Shared>,
}

impl Owner {
    async fn run(self, me: &mut Process, session: &Pid, mut orders: mpsc::Receiver<Order>) {
        loop {
            let order = tokio::select! {
                message = me.receive() => {
                    let Some(message) = message else { return };
                    if message.as_exit().is_some_and(|exit| exit.from == *session) {
                        return;
                    }
                    if let Ok(term) = message.term() {
                        self.hears(&term);
                    }
                    continue;
                }
                order = orders.recv() => order,
            };
            // Nobody uses it any more; the session there hears that this process has ended.
            let Some(order) = order else { return };
            let message = Term::tuple(std::iter::once(Term::from(me.pid().clone())).chain(order));
            if me.send(session, &message).await.is_err() {
                return;
            }
        }
    }

    /// `{done, Number, Reply, Variables}`, `{ended, Number, Reason}` or `{expanded, Number, Answer}`. Messages of others are
    /// none.
    fn hears(&self, message: &Term) -> Option<()> {
        let [tag, number, rest @ ..] = message.as_tuple()? else { return None };
        if let [answer] = rest
            && tag.is_atom("expanded")
        {
            // Whoever asked may have given up.
            let _ = lock(&self.shared.expanding).remove(&number.as_u64()?)?.send(answer.clone());
            return Some(());
        }
        let waiting = lock(&self.shared.waiting).remove(&number.as_u64()?)?;
        let evaluated = match rest {
            [reason] if tag.is_atom("ended") => Evaluated::Ended(reason.as_str().unwrap_or_default().to_owned()),
            [reply, names] => {
                let names = names.as_list().map(|names| names.to_vec()).unwrap_or_default();
                let names = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                lock(&self.shared.variables).insert(waiting.context, names);
                match reply.as_tuple() {
                    Some([tag, text, table]) if tag.is_atom("value") => Evaluated::Value {
                        text: text.as_str().unwrap_or_default().to_owned(),
                        table: Table::told(table),
                    },
                    Some([_, told, line]) => Evaluated::Failed {
                        told: told.as_str().unwrap_or_default().to_owned(),
                        line: line.as_u64().and_then(|line| usize::try_from(line).ok()),
                    },
                    _ => Evaluated::Silent,
                }
            }
            _ => Evaluated::Lost,
        };
        // Whoever asked may have given up.
        let _ = waiting.tell.send(evaluated);
        Some(())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Their senders go, which says that all is lost.
        lock(&self.shared.waiting).clear();
        lock(&self.shared.expanding).clear();
    }
}
