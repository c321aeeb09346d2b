//! How the commands that are nodes begin and end: the node's start, with what is said if it fails, and the wait for Ctrl-C.

use beamline::flags::FlagError;
use beamline::node::{CallError, Node, NodeBuilder, StartError};

use super::exit::Exit;
use super::remote::{exit_of, told};

/// Starts the node that the flags describe; what is wrong has been said when this is an error.
pub(crate) async fn start(builder: Result<NodeBuilder, FlagError>) -> Result<Node, Exit> {
    let builder = builder.map_err(|error| {
        eprintln!("{error}");
        Exit::Config
    })?;
    match builder.start().await {
        Ok(node) => Ok(node),
        Err(StartError::Guest(error)) => Err(failed(&CallError::Connect(error))),
        Err(error) => {
            eprintln!("{error}");
            Err(Exit::Config)
        }
    }
}

/// Says what came of a call, and with what the program ends.
pub(crate) fn failed(error: &CallError) -> Exit {
    eprintln!("{}", told(error));
    exit_of(error)
}

/// Ctrl-C, or the polite signal of a service manager.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a signal to wait for, it ends when it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
