//! The loop of a server.

use beamline_term::codec::Decoder;
use beamline_term::{Pid, Term, atom};
use tokio::time::timeout;
use tracing::{error, warn};

use super::{Answer, Caller, GenServer, Next, system};
use crate::process::{Message, Process};

/// What a message is to a server.
enum Kind<S: GenServer> {
    Call(Pid, Term, Result<S::Call, beamline_term::serde::Error>),
    Cast(S::Cast),
    System(Pid, Term, Term),
    ParentExit(Term),
    Info(S::Info),
}

/// Serves until the state says stop, then ends the process with its reason. `begun` is told what came of `init`.
pub(super) async fn run<S: GenServer>(mut state: S, mut me: Process, begun: impl FnOnce(Result<(), Term>)) {
    let mut next = state.init(&mut me).await;
    if let Next::Stop(reason) = next {
        begun(Err(reason.clone()));
        me.exit(reason).await;
        return;
    }
    begun(Ok(()));
    let mut suspended = false;
    let reason = loop {
        next = match next {
            Next::Stop(reason) => break reason,
            Next::Continue(what) => state.resume(what, &mut me).await,
            Next::Wait | Next::Timeout(_) => {
                let wait =
                    async { if suspended { me.receive_matching(system::is_system).await } else { me.receive().await } };
                let received = match next {
                    Next::Timeout(after) if !suspended => timeout(after, wait).await.ok(),
                    _ => Some(wait.await),
                };
                match received {
                    None => state.timeout(&mut me).await,
                    Some(None) => return,
                    Some(Some(message)) => message_arrived(&mut state, &mut me, &message, &mut suspended).await,
                }
            }
        };
    };
    state.terminate(&reason, &mut me).await;
    if !is_orderly(&reason) {
        error!(pid = ?me.pid(), "a server stops: {reason}");
    }
    me.exit(reason).await;
}

/// Whether a process that ends for this reason has not failed.
pub(crate) fn is_orderly(reason: &Term) -> bool {
    let is_shutdown = |tuple: &[Term]| matches!(tuple, [head, _] if head.is_atom("shutdown"));
    reason.is_atom("normal") || reason.is_atom("shutdown") || reason.as_tuple().is_some_and(is_shutdown)
}

async fn message_arrived<S: GenServer>(
    state: &mut S,
    me: &mut Process,
    message: &Message,
    suspended: &mut bool,
) -> Next {
    match kind::<S>(me, message) {
        Ok(Kind::Call(from, tag, request)) => {
            let caller = Caller::new(&me.node, &me.cell, from, tag);
            match request {
                Ok(request) => call(state, me, caller, request).await,
                Err(error) => {
                    let why = (atom("badarg"), error.to_string());
                    caller.reply_term(&(atom("error"), Term::from(why)).into());
                    Next::Wait
                }
            }
        }
        Ok(Kind::Cast(request)) => state.cast(request, me).await,
        Ok(Kind::Info(message)) => state.info(message, me).await,
        Ok(Kind::ParentExit(reason)) => Next::Stop(reason),
        Ok(Kind::System(from, tag, request)) => {
            let caller = Caller::<S::Reply>::new(&me.node, &me.cell, from, tag);
            system::handle(me, state.state(), caller, &request, suspended)
        }
        Err(error) => {
            warn!(pid = ?me.pid(), "a server drops a message that it does not understand: {error}");
            Next::Wait
        }
    }
}

async fn call<S: GenServer>(state: &mut S, me: &mut Process, caller: Caller<S::Reply>, request: S::Call) -> Next {
    let Answer { reply, next } = state.call(request, caller.again(), me).await;
    if let Some(reply) = reply
        && let Err(error) = caller.reply(&reply)
    {
        // Who called hears of the end, and why.
        return Next::Stop((atom("badarg"), error.to_string()).into());
    }
    next
}

/// Reads a message as far as its kind needs.
fn kind<S: GenServer>(me: &Process, message: &Message) -> Result<Kind<S>, beamline_term::serde::Error> {
    let mut decoder = Decoder::new(message.encoded());
    if let Ok(arity @ (2 | 3)) = decoder.tuple_header()
        && let Ok(tag) = decoder.atom()
    {
        match (tag.as_str(), arity) {
            ("$gen_call", 3) => {
                if let Some((from, tag)) = from(&mut decoder) {
                    return Ok(Kind::Call(from, tag, beamline_term::serde::read(&mut decoder)));
                }
            }
            ("$gen_cast", 2) => return beamline_term::serde::read(&mut decoder).map(Kind::Cast),
            ("system", 3) => {
                if let Some((from, tag)) = from(&mut decoder)
                    && let Ok(request) = decoder.term()
                {
                    return Ok(Kind::System(from, tag, request));
                }
            }
            ("EXIT", 3) => {
                if let Some(exit) = message.as_exit()
                    && me.parent() == Some(&exit.from)
                {
                    return Ok(Kind::ParentExit(exit.reason));
                }
            }
            _ => {}
        }
    }
    message.decode().map(Kind::Info)
}

/// `{Pid, Tag}`
fn from(decoder: &mut Decoder<'_>) -> Option<(Pid, Term)> {
    if decoder.tuple_header().ok()? != 2 {
        return None;
    }
    Some((decoder.pid().ok()?, decoder.term().ok()?))
}
