//! `Node` and `System`, as Elixir has them.

use std::sync::Weak;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beamline_term::{Atom, Term, atom};

use super::system_info::OTP_RELEASE;
use super::{alive, badarg, names, node_sets, with};
use crate::functions::Module;
use crate::node::{Inner, NodeSet};

pub(super) fn node(node: &Weak<Inner>) -> Module {
    Module::new("Elixir.Node")
        .function("self", with!(node, |inner| Ok(inner.name.to_atom())))
        .function("list", with!(node, |inner| Ok(names(&inner, NodeSet::Visible))))
        .function("list", with!(node, |inner, kinds: Term| node_sets(&inner, &kinds)))
        .function("alive?", || async { Ok(true) })
        .function(
            "ping",
            // Tells who is connected. It does not connect, which a peer may not make us do.
            with!(node, |inner, name: Atom| {
                let up = name == *inner.name.as_atom() || inner.slots.get(&name).is_some();
                Ok(atom(if up { "pong" } else { "pang" }))
            }),
        )
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(super) fn system() -> Module {
    Module::new("Elixir.System")
        // No Elixir: tools that would load code for a version of it then end politely.
        .function("version", || async { Ok("0.0.0") })
        .function("otp_release", || async { Ok(OTP_RELEASE) })
        .function("system_time", || async { Ok(since_epoch().as_nanos() as u64) })
        .function("system_time", |unit: Term| async move {
            let now = since_epoch();
            Ok(match (unit.as_atom().map(Atom::as_str), unit.as_u64()) {
                (Some("second"), _) => now.as_secs(),
                (Some("millisecond"), _) => now.as_millis() as u64,
                (Some("microsecond"), _) => now.as_micros() as u64,
                (Some("nanosecond" | "native"), _) => now.as_nanos() as u64,
                (_, Some(parts)) if parts > 0 => (now.as_secs_f64() * parts as f64) as u64,
                _ => return Err(badarg()),
            })
        })
}
