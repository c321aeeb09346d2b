//! All processes of a node, streamed by `observer_backend:procs_info/1` to a process of ours: ten thousand a message.

use std::time::Duration;

use beamline_node::{CallError, Message, Node, NodeName, Process};
use beamline_term::codec::Decoder;
use beamline_term::{DecodeError, Reference, Term};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::ask::Ask;
use super::super::trouble::Trouble;
use super::top::Top;

pub(super) const QUESTION: &str = "observer_backend:procs_info";

/// A node of a million processes needs some seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A million processes that come faster than they are read fit.
const MAILBOX: usize = 256 << 20;

/// Lets all pass the top.
pub(super) async fn all(ask: &Ask<'_>, top: Top) -> Result<Top, Trouble> {
    let (node, peer): (&Node, NodeName) = (ask.node(), ask.peer().clone());
    let (tell, told) = oneshot::channel();
    let of = peer.clone();
    // It ends when nobody waits for it any more.
    let pid = node.spawn(move |me| async move {
        let _ = tell.send(receive(me, of, top).await);
    });
    match timeout(PATIENCE, told).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Trouble::Lost { node: peer, question: QUESTION.to_owned() }),
        Err(_) => {
            node.exit(&pid, beamline_term::atom("kill"));
            Err(Trouble::Late { node: peer, question: QUESTION.to_owned(), after: PATIENCE })
        }
    }
}

async fn receive(mut me: Process, peer: NodeName, mut top: Top) -> Result<Top, Trouble> {
    me.set_mailbox_limit(MAILBOX);
    let arguments = (me.pid().clone(),);
    let started = me.spawn_monitor_on(&peer, ("observer_backend", "procs_info"), arguments).await;
    let started = started.map_err(|error| match error {
        CallError::Refused { reason, .. } if reason == "undef" => missing(&peer),
        error => Trouble::of(&peer, QUESTION, error),
    })?;
    let strange = |_: DecodeError| Trouble::Strange { node: peer.clone(), question: QUESTION.to_owned() };
    while let Some(message) = me.receive().await {
        if let Some(reason) = ended(&message, started.monitor.as_ref()) {
            return match reason {
                reason if reason.is_atom("normal") => Ok(top),
                reason if is_undef(&reason) => Err(missing(&peer)),
                reason if reason.is_atom("noconnection") => {
                    Err(Trouble::Lost { node: peer.clone(), question: QUESTION.to_owned() })
                }
                reason => {
                    let error = CallError::Exited { node: peer.clone(), reason };
                    Err(Trouble::of(&peer, QUESTION, error))
                }
            };
        }
        chunk(&message, &mut top).map_err(strange)?;
    }
    Err(Trouble::Lost { node: peer, question: QUESTION.to_owned() })
}

fn missing(peer: &NodeName) -> Trouble {
    Trouble::Missing { node: peer.clone(), question: QUESTION.to_owned() }
}

fn ended(message: &Message, monitor: Option<&Reference>) -> Option<Term> {
    let down = message.as_down()?;
    (Some(&down.reference) == monitor).then_some(down.reason)
}

fn is_undef(reason: &Term) -> bool {
    reason.is_atom("undef")
        || reason.as_tuple().is_some_and(|parts| parts.first().is_some_and(|it| it.is_atom("undef")))
}

/// `{procs_info, Pid, [Record]}`
fn chunk(message: &Message, top: &mut Top) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(message.encoded());
    if decoder.tuple_header()? != 3 || decoder.atom()? != "procs_info" {
        return Ok(());
    }
    decoder.pass()?;
    let count = decoder.list_header()?;
    (0..count).try_for_each(|_| top.read(message.encoded(), &mut decoder))
}
