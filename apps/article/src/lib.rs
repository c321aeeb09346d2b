//! What the article's applications share beside the cluster itself: their log, their page, their end.
//!
//! What a cluster takes is in their `main.rs`, each to be read as it stands.

mod page;

use std::env;
use std::io::IsTerminal;

use beamline::node::Node;
use rand::Rng;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

pub use page::Page;

/// Logs to stderr; `RUST_LOG` chooses what, else everything from that level on.
pub fn log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
}

/// `POSTFIX`, or 8 random characters of Base32.
pub fn postfix() -> String {
    env::var("POSTFIX").ok().filter(|postfix| !postfix.is_empty()).unwrap_or_else(|| {
        let mut bytes = [0; 5];
        rand::rng().fill_bytes(&mut bytes);
        data_encoding::BASE32.encode(&bytes)
    })
}

/// Serves the page of `module` if `START_SERVER` is `true`, on `PORT` or else `default_port`.
pub async fn serve(module: &'static str, default_port: u16, node: &Node) -> std::io::Result<Option<Page>> {
    if env::var("START_SERVER").as_deref() != Ok("true") {
        return Ok(None);
    }
    Page::serve(module, port(default_port)?, node).await.map(Some)
}

/// `PORT`, or else this one.
pub fn port(default_port: u16) -> std::io::Result<u16> {
    match env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| invalid(format!("PORT must be a port, not {port:?}"))),
        Err(_) => Ok(default_port),
    }
}

fn invalid(problem: String) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, problem)
}

/// Waits for Ctrl-C or SIGTERM. A node that has stopped by itself is an error.
pub async fn told_to_stop(node: &Node) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
        reason = node.stopped() => Err(std::io::Error::other(format!("the node has stopped: {reason}"))),
    }
}
