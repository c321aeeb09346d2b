//! `rex`: the older forms of remote calls, and what peers ask of it right after connecting.

use std::sync::Arc;

use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Pid, Term, atom};

use crate::functions::FunctionName;
use crate::process::{Message, Process, encoded};
use crate::request::{Request, cast_body};

pub(super) fn handle(me: &Process, message: Term) {
    match Request::from_term(message) {
        Ok(request) => call(me, request),
        Err(message) => match (cast_body(&message), message.as_tuple()) {
            (Some(body), _) => {
                if let Some([tag, module, function, arguments, _]) = body.as_tuple()
                    && tag.is_atom("cast")
                {
                    apply(me, module, function, arguments, |_, _| {});
                }
            }
            (None, Some([Term::Pid(from), body])) => plain(me, from, body),
            _ => {}
        },
    }
}

/// `{call | block_call, M, F, A, GroupLeader}` as a `gen_server` request.
fn call(me: &Process, request: Request) {
    match request.body.as_tuple() {
        Some([tag, module, function, arguments, _]) if tag.is_atom("call") || tag.is_atom("block_call") => {
            let own = Arc::clone(&me.cell);
            apply(me, module, function, arguments, {
                let (to, tag) = (request.from.clone(), request.tag.clone());
                move |node, answer| node.reply(&own, &to, &tag, &encoded(&answer))
            });
        }
        _ => me.reply(&request, (atom("badrpc"), atom("badarg"))),
    }
}

/// Messages without an envelope: `{From, features_request}` and C nodes' `{From, {call, ..}}`.
fn plain(me: &Process, from: &Pid, body: &Term) {
    let to = from.clone();
    if body.is_atom("features_request") {
        let features = Term::list([Term::atom("erpc")]);
        me.node.send_later(to, (atom("features_reply"), me.node.name.to_atom(), features).into());
        return;
    }
    match body.as_tuple() {
        Some([tag, module, function, arguments, _]) if tag.is_atom("call") => {
            apply(me, module, function, arguments, move |node, answer| {
                node.send_later(to, (atom("rex"), answer).into())
            });
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
            me.node.send_later(to, (atom("rex"), own, answer).into());
        }
        _ => {}
    }
}

/// Calls a function and hands on its value, or `{badrpc, Reason}`.
fn apply(
    me: &Process,
    module: &Term,
    function: &Term,
    arguments: &Term,
    done: impl FnOnce(&Arc<crate::node::Inner>, Term) + Send + 'static,
) {
    let node = Arc::clone(&me.node);
    let (Term::Atom(module), Term::Atom(function), Some(_)) = (module, function, arguments.as_list()) else {
        return done(&node, (atom("badrpc"), atom("badarg")).into());
    };
    let mut list = Vec::new();
    encode::term(&mut list, arguments);
    let name = FunctionName { module: module.clone(), function: function.clone() };
    // Whoever reaches rex knows the cookie; which node it is, these forms do not say.
    let caller: Atom = Atom::from_static("");
    let answer = node.functions.call(&name, list.into(), &caller, node.name.as_atom());
    let task_node = Arc::clone(&node);
    node.spawn(async move {
        let value = match answer.await {
            Ok(value) => Decoder::new(&value.into()).term().unwrap_or_else(|_| Term::atom("undefined")),
            Err(raise) => raise.badrpc(),
        };
        done(&task_node, value);
    });
}
