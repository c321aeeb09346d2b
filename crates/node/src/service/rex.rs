//! `rex`: the older forms of remote calls, and what peers ask of it right after connecting.
//!
//! Functions run in tasks of their own, those of `block_call` one after another in the order in which they came. All count as
//! running calls. What `rex` itself answers is short and does not wait; what functions give waits for room in their tasks.

use std::pin::pin;
use std::sync::Arc;

use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Pid, Term, atom};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::running::Running;
use crate::destination::Destination;
use crate::functions::FunctionName;
use crate::node::Inner;
use crate::process::{Cell, Message, Process, answer_to, caught, encoded};
use crate::request::{Request, cast_body};

/// Serves until its process ends. Calls that have begun go on.
pub(super) async fn run(mut me: Process) {
    let (blocking, mut queue) = mpsc::unbounded_channel::<Job>();
    let node = Arc::clone(&me.node);
    // It ends when `blocking` is dropped; what is queued counts as running, so it is not many.
    me.node.spawn(async move {
        while let Some(job) = queue.recv().await {
            let (asker, answer) = job.call(&node).await;
            // Who does not read holds up no call of others.
            let of_answer = Arc::clone(&node);
            node.spawn(async move { asker.answer(&of_answer, answer).await });
        }
    });
    while let Some(message) = me.receive().await {
        if let Ok(term) = message.term() {
            handle(&me, term, &blocking);
        }
    }
}

fn handle(me: &Process, message: Term, blocking: &mpsc::UnboundedSender<Job>) {
    match Request::from_term(message) {
        Ok(request) => call(me, request, blocking),
        Err(message) => match (cast_body(&message), message.as_tuple()) {
            (Some(body), _) => {
                if let Some([tag, module, function, arguments, _]) = body.as_tuple()
                    && tag.is_atom("cast")
                {
                    begin(me, (module, function, arguments), Asker::Nobody, None);
                }
            }
            (None, Some([Term::Pid(from), body])) => plain(me, from, body),
            _ => {}
        },
    }
}

/// `{call | block_call, M, F, A, GroupLeader}` as a `gen_server` request.
fn call(me: &Process, request: Request, blocking: &mpsc::UnboundedSender<Job>) {
    let Request { from, tag, body } = request;
    let asker = Asker::Caller { own: Arc::clone(&me.cell), from, tag };
    match body.as_tuple() {
        Some([kind, module, function, arguments, _]) if kind.is_atom("call") => {
            begin(me, (module, function, arguments), asker, None);
        }
        Some([kind, module, function, arguments, _]) if kind.is_atom("block_call") => {
            begin(me, (module, function, arguments), asker, Some(blocking));
        }
        _ => asker.refuse(&me.node, atom("badarg")),
    }
}

/// Messages without an envelope: `{From, features_request}` and C nodes' `{From, {call, ..}}`.
fn plain(me: &Process, from: &Pid, body: &Term) {
    let to = from.clone();
    if body.is_atom("features_request") {
        let features = Term::list([Term::atom("erpc")]);
        return me.node.tell(to, (atom("features_reply"), me.node.name.to_atom(), features));
    }
    match body.as_tuple() {
        Some([tag, module, function, arguments, _]) if tag.is_atom("call") => {
            begin(me, (module, function, arguments), Asker::Process(to), None);
        }
        Some([tag, Term::Atom(name), message]) if tag.is_atom("sbcast") => {
            let own = me.node.name.to_atom();
            let answer: Term = match me.node.processes.named(name) {
                Some(cell) => {
                    cell.message(Message::of(message));
                    own.clone().into()
                }
                None => (atom("nonexisting_name"), name.clone()).into(),
            };
            me.node.tell(to, (atom("rex"), own, answer));
        }
        _ => {}
    }
}

/// Begins a call in a task of its own, or puts it behind others.
fn begin(
    me: &Process,
    (module, function, arguments): (&Term, &Term, &Term),
    asker: Asker,
    queue: Option<&mpsc::UnboundedSender<Job>>,
) {
    let node = Arc::clone(&me.node);
    let (Term::Atom(module), Term::Atom(function), Some(_)) = (module, function, arguments.as_list()) else {
        return asker.refuse(&node, atom("badarg"));
    };
    if !Running::is_allowed(&node) {
        return asker.refuse(&node, (atom("EXIT"), atom("system_limit")));
    }
    let mut list = Vec::new();
    encode::term(&mut list, arguments);
    let name = FunctionName { module: module.clone(), function: function.clone() };
    let job = Job { name, arguments: list.into(), asker, running: Running::begin(&node) };
    match queue {
        // The other end lives as long as this one.
        Some(queue) => drop(queue.send(job)),
        None => drop(me.node.spawn(async move {
            let (asker, answer) = job.call(&node).await;
            asker.answer(&node, answer).await;
        })),
    }
}

/// A function that is called, and for whom.
struct Job {
    name: FunctionName,
    arguments: Bytes,
    asker: Asker,
    running: Running,
}

impl Job {
    /// Calls it and gives its value, or `{badrpc, Reason}`.
    async fn call(self, node: &Arc<Inner>) -> (Asker, Term) {
        let Job { name, arguments, asker, running } = self;
        // Whoever reaches rex knows the cookie; which node it is, these forms do not say.
        let caller = Atom::from_static("");
        let call = pin!(async { node.functions.call(&name, arguments, &caller, node.name.as_atom()).await });
        let value = match caught(call).await {
            Ok(Ok(value)) => Decoder::new(&value.into()).term().unwrap_or_else(|_| Term::atom("undefined")),
            Ok(Err(raise)) => raise.badrpc(),
            Err(panic) => {
                let reason = Decoder::new(&panic).term().unwrap_or_else(|_| Term::atom("panic"));
                (atom("badrpc"), Term::from((atom("EXIT"), reason))).into()
            }
        };
        drop(running);
        (asker, value)
    }
}

/// Who hears what came of a call.
enum Asker {
    Nobody,
    /// By `gen_server:call`, in the name of `rex`.
    Caller {
        own: Arc<Cell>,
        from: Pid,
        tag: Term,
    },
    /// As C nodes ask, by `{rex, Answer}`.
    Process(Pid),
}

impl Asker {
    async fn answer(self, node: &Arc<Inner>, answer: Term) {
        match self {
            Asker::Nobody => {}
            Asker::Caller { own, from, tag } => {
                let (to, message) = answer_to(&from, &tag, &encoded(&answer));
                node.answer(&own, to, message).await;
            }
            Asker::Process(pid) => {
                let message: Term = (atom("rex"), answer).into();
                node.answer(&node.caller_cell, Destination::Pid(pid), encoded(&message)).await;
            }
        }
    }

    /// Says at once why there is no call.
    fn refuse(self, node: &Arc<Inner>, reason: impl Into<Term>) {
        let answer = (atom("badrpc"), reason.into());
        match self {
            Asker::Nobody => {}
            Asker::Caller { own, from, tag } => node.reply_at_once(&own, &from, &tag, answer),
            Asker::Process(pid) => node.tell(pid, (atom("rex"), Term::from(answer))),
        }
    }
}
