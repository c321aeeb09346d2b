//! `beamline shell`: a prompt at a node, with iex's flags. Without `--remsh` it is at a node of its own.

use beamline::flags::{FlagError, NodeFlags, short_host};
use beamline::node::{Cookie, Epmd, Node, NodeBuilder};
use beamline::proto::NodeName;
use beamline_console::{Shell, ShellError};

use super::arguments::{ShellArguments, complete};
use super::exit::Exit;
use super::start::{failed, start};

/// Runs until Ctrl-D.
pub(crate) async fn shell(arguments: ShellArguments) -> Exit {
    let target = match arguments.remsh.as_deref().map(|target| complete(target, &short_host())).transpose() {
        Ok(target) => target,
        Err(problem) => {
            eprintln!("{problem}");
            return Exit::Usage;
        }
    };
    let flags = NodeFlags {
        name: arguments.name,
        sname: arguments.sname,
        cookie: arguments.cookie.cookie.map(|cookie| Cookie::from(cookie.as_str())),
        cookie_file: arguments.cookie.cookie_file,
        hidden: arguments.hidden || target.is_some(),
        erl: arguments.erl,
        epmd_port: arguments.ports.epmd_port,
        peer_port: arguments.ports.peer_port,
    };
    let is_nameless = flags.name.is_none() && flags.sname.is_none();
    if target.is_none() && is_nameless {
        eprintln!("a shell needs a node: --remsh NODE to look at one, or --name NAME@HOST to be one");
        return Exit::Usage;
    }
    let builder = match &target {
        // Under a name that its host gives it, and without a trace in epmd.
        Some(target) if is_nameless => guest(&flags, target),
        _ => flags.builder(),
    };
    let node = match start(builder).await {
        Ok(node) => node,
        Err(exit) => return exit,
    };
    let mut shell = Shell::new();
    if let Some(target) = target {
        shell = shell.at(target);
    }
    if arguments.no_history {
        shell = shell.history(None);
    }
    let ended = shell.run(&node).await;
    node.stop().await;
    match ended {
        Ok(()) => Exit::Ok,
        Err(ShellError::Call(error)) => failed(&error),
        Err(error @ ShellError::Lost(_)) => {
            eprintln!("{error}");
            Exit::Unreachable
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Config
        }
    }
}

pub(super) fn guest(flags: &NodeFlags, target: &NodeName) -> Result<NodeBuilder, FlagError> {
    let mut builder = Node::guest(target).cookie(flags.find_cookie()?);
    if let Some(port) = flags.epmd_port {
        builder = builder.epmd(Epmd::on_port(port));
    }
    let fixed = flags.erl.as_ref().and_then(|erl| erl.erl_epmd_port);
    if let Some(port) = flags.peer_port.or(fixed) {
        builder = builder.peer_port(port);
    }
    Ok(builder)
}
