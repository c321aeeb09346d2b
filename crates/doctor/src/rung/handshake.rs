//! What the node says of itself: that it is a node at all, its name, its flags.

use beamline_node::{Cause, Cookie, Side};

use super::{Outcome, Visit};
use crate::Finding;
use crate::wire::{self, Greeting, Unanswered};

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    let Some(greeting) = greeting(visit) else { return Finding::new("BL401", "there is no address to greet").into() };
    // Without a cookie there is no proof, but the node tells its name before it wants one.
    let cookie = visit.options.cookies.used.as_ref().map_or_else(|| Cookie::from(""), |used| used.cookie.clone());
    match wire::greet(greeting, cookie).await {
        Ok(proof) => {
            let named = proof.given.as_ref().map_or_else(String::new, |name| format!(", and calls us {name}"));
            visit.proof = Some(proof);
            Outcome::default().fact(format!("{} answers{named}", visit.target))
        }
        Err(unanswered) => explain(visit, &unanswered).into(),
    }
}

pub(super) fn greeting<'v>(visit: &Visit<'v>) -> Option<Greeting<'v>> {
    let options = visit.options;
    let address = visit.address?;
    Some(Greeting { target: visit.target, own: options.own.as_ref(), address, deadline: options.step() })
}

/// What came in place of an answer.
pub(super) fn explain(visit: &Visit<'_>, unanswered: &Unanswered) -> Finding {
    let target = visit.target;
    let at = visit.address.map_or_else(|| target.to_string(), |address| address.to_string());
    let cause = match unanswered {
        Unanswered::Alive => return clash(visit),
        Unanswered::Foreign(bytes) => return foreign(visit, &at, bytes),
        Unanswered::Closed => {
            return stranger(visit, format!("what listens at {at} closes the connection without a word"))
                .fix("a proxy or load balancer in between whose node has ended does that, too")
                .fix("so does a node whose certificate or list of allowed nodes keeps us out; look at its log");
        }
        Unanswered::Cause(cause) => cause,
    };
    let finding = Finding::new(cause.code(), sentence(cause));
    match cause {
        Cause::NameKind { found } => finding
            .evidence("dialed", target.to_string())
            .evidence("found", found.to_string())
            .fix(format!("beamline doctor {found}"))
            .fix("start all nodes with --name, or all with --sname"),
        Cause::OtherName { found } => finding
            .evidence("dialed", target.to_string())
            .evidence("found", found.clone())
            .fix(format!("beamline doctor {found}"))
            .fix("nodes reach each other only by the name that each gives itself"),
        Cause::Flags { missing, side: Side::Ours } if !missing.is_empty() => {
            finding.evidence("lacks", missing.to_string()).fix("update it: OTP 25 and later have all of them")
        }
        Cause::Flags { .. } => {
            finding.fix("look at its log; if it has -kernel dist_auto_connect or net_kernel:allow/1, add this node")
        }
        Cause::NameClash => clash(visit),
        Cause::NoNameGiven => finding
            .fix(format!("beamline doctor {target} --name doctor@{}", target.host()))
            .fix("it is older than OTP 23, and too old to be met"),
        Cause::TimedOut { .. } => finding
            .evidence("address", at)
            .fix("does the node hang, or is it paused? Is it a node at all?")
            .fix(registered(visit)),
        _ => finding.evidence("address", at),
    }
}

fn sentence(cause: &Cause) -> String {
    match cause {
        Cause::TimedOut { after, .. } => format!("it takes the connection, and then says nothing for {after:?}"),
        Cause::OtherName { found } => format!("the node at that address calls itself {found}"),
        Cause::Flags { side: Side::Ours, .. } => "the node is too old: it lacks distribution flags".to_owned(),
        other => other.to_string(),
    }
}

fn clash(visit: &Visit<'_>) -> Finding {
    let own = visit.options.own.as_ref().map_or_else(|| "our name".to_owned(), ToString::to_string);
    Finding::new("BL503", format!("{} is connected with a node called {own} already", visit.target))
        .fix("give this node another name, or stop the other one")
        .fix("if there is no other one: it was lost a moment ago, and is forgotten within a minute")
}

fn foreign(visit: &Visit<'_>, at: &str, bytes: &[u8]) -> Finding {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(24)]).into_owned();
    let kind = match bytes {
        // An alert: the node did not get the greeting of TLS that it waits for.
        [0x15, 0x03, ..] => {
            return Finding::new("BL508", format!("the node at {at} wants TLS"))
                .fix("connect from a node with the same -proto_dist inet_tls; this one speaks plain TCP");
        }
        [b'H', b'T', b'T', b'P', ..] => "a web server",
        [b'S', b'S', b'H', ..] => "an SSH server",
        _ => "another program",
    };
    stranger(visit, format!("what listens at {at} is not an Erlang node, but {kind}"))
        .evidence("begins", format!("{start:?}"))
}

fn stranger(visit: &Visit<'_>, what: String) -> Finding {
    Finding::new("BL505", what).fix(registered(visit))
}

fn registered(visit: &Visit<'_>) -> &'static str {
    match visit.registered {
        true => {
            "epmd gave that port; if the node has ended, another program may have got it since: start the node again"
        }
        false => {
            "is it the port of the distribution? The node's log, and `epmd -names` on its host, have the right one"
        }
    }
}
