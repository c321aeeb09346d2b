//! The commands that ask one node something: `nodes`, `ping`, and what those of other files do that do so, as `rpc`.
//!
//! They visit it as a guest, under the name that it gives them, and leave with the answer.

use std::io::Write;

use beamline::flags::{cookie, short_host};
use beamline::node::{CallError, Cause, Epmd, Limits, Node, StartError};
use beamline::proto::NodeName;
use beamline::term::Atom;
use tokio::time::{Instant, timeout_at};

use super::arguments::{Target, Way, complete};
use super::exit::Exit;
use super::start::failed;

/// `beamline nodes NODE`
pub(crate) async fn nodes(target: &Target) -> Exit {
    ask(&target.node, &target.way, async |node, peer| {
        let names: Vec<Atom> = node.call(peer, ("erlang", "nodes"), ()).timeout(target.way.timeout).await?;
        names.iter().for_each(|name| print(name.as_str()));
        Ok(())
    })
    .await
}

/// `beamline ping NODE`
pub(crate) async fn ping(target: &Target) -> Exit {
    let exit = ask(&target.node, &target.way, async |node, peer| {
        node.ping(peer).await?;
        print("pong");
        Ok(())
    })
    .await;
    if !matches!(exit, Exit::Ok | Exit::Usage | Exit::Config) {
        print("pang");
    }
    exit
}

/// A reader that has seen enough (`| head`) is no error.
pub(super) fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Starts a node for one question, asks it, and says what went wrong if it did.
pub(super) async fn ask<F>(target: &str, way: &Way, question: F) -> Exit
where
    F: AsyncFnOnce(&Node, &NodeName) -> Result<(), CallError>,
{
    let peer = match complete(target, &short_host()) {
        Ok(peer) => peer,
        Err(problem) => {
            eprintln!("{problem}");
            return Exit::Usage;
        }
    };
    let variable = |name: &str| std::env::var(name).ok();
    let cookie = match cookie::find(way.cookie.cookie.as_deref(), way.cookie.cookie_file.as_deref(), variable) {
        Ok(cookie) => cookie,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Config;
        }
    };
    // A guest: it has a name that no other tool has, and leaves no trace in epmd.
    let mut limits = Limits::default();
    // So that a step that takes too long is named before all of the time is over.
    limits.setup_time = limits.setup_time.min(way.timeout * 4 / 5);
    let mut builder = Node::guest(&peer).cookie(cookie).limits(limits);
    match (way.ports.peer_port, way.ports.epmd_port) {
        (Some(port), _) => builder = builder.peer_port(port),
        (None, Some(port)) => builder = builder.epmd(Epmd::on_port(port)),
        (None, None) => {}
    }
    // The whole of it, connecting included, has the one deadline that the user gave.
    let deadline = Instant::now() + way.timeout;
    let late = |_| {
        let after = way.timeout;
        eprintln!("no answer from {peer} within {after:?}; --timeout gives it more, beamline doctor {peer} looks why");
        Exit::Timeout
    };
    let node = match timeout_at(deadline, builder.start()).await {
        Ok(Ok(node)) => node,
        Ok(Err(StartError::Guest(error))) => return failed(&CallError::Connect(error)),
        Ok(Err(error)) => {
            eprintln!("{error}");
            return Exit::Config;
        }
        Err(over) => return late(over),
    };
    let done = timeout_at(deadline, question(&node, &peer)).await;
    node.stop().await;
    match done {
        Ok(Ok(())) => Exit::Ok,
        Ok(Err(error)) => failed(&error),
        Err(over) => late(over),
    }
}

/// An Elixir exception is told as Elixir does.
pub(super) fn told(error: &CallError) -> String {
    let reason = match error {
        CallError::Raised { reason, .. } => reason,
        CallError::NodeDown { node } | CallError::Timeout { node, .. } => {
            return format!("{error}; run: beamline doctor {node}");
        }
        _ => return error.to_string(),
    };
    let exception = reason.as_map().and_then(|map| {
        let message = map.get_atom("message")?.as_str()?;
        Some((map.struct_name()?.as_str(), message))
    });
    match exception {
        Some((name, message)) => format!("** ({}) {message}", name.strip_prefix("Elixir.").unwrap_or(name)),
        None if reason.is_atom("undef") => {
            "** (UndefinedFunctionError) the node exports no function of that name and number of arguments".to_owned()
        }
        None => format!("** (error) {reason}"),
    }
}

pub(super) fn exit_of(error: &CallError) -> Exit {
    match error {
        CallError::Connect(error) => match error.cause() {
            Cause::Cookie { .. } => Exit::Cookie,
            Cause::TimedOut { .. } => Exit::Timeout,
            _ => Exit::Unreachable,
        },
        CallError::NodeDown { .. } => Exit::Unreachable,
        CallError::Timeout { .. } => Exit::Timeout,
        _ => Exit::Remote,
    }
}
