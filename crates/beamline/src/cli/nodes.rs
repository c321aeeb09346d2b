//! Which nodes a command is about: those that are named, else all of this host.

use beamline::flags::short_host;
use beamline::node::epmd::EpmdError;
use beamline::proto::NodeName;
use beamline_doctor::nodes_of_this_host;

use super::arguments::complete;

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    /// A name that is none: the whole sentence.
    #[error("{0}")]
    Name(String),
    #[error("the epmd of this host (port {port}) knows no node; name one: beamline {command} NAME@HOST")]
    Nobody { port: u16, command: &'static str },
    #[error("no node of this host can be looked for: {error}; name one: beamline {command} NAME@HOST")]
    Unasked { error: EpmdError, command: &'static str },
}

/// The nodes that are named, else those that the epmd of this host knows.
pub(crate) async fn named_or_here(
    named: &[String],
    epmd_port: u16,
    command: &'static str,
) -> Result<Vec<NodeName>, Unknown> {
    let host = short_host();
    let named = named.iter().filter(|name| !name.is_empty()).map(|name| complete(name, &host));
    let nodes: Vec<_> = named.collect::<Result<_, _>>().map_err(Unknown::Name)?;
    if !nodes.is_empty() {
        return Ok(nodes);
    }
    match nodes_of_this_host(epmd_port).await {
        Ok(nodes) if nodes.is_empty() => Err(Unknown::Nobody { port: epmd_port, command }),
        Ok(nodes) => Ok(nodes),
        Err(error) => Err(Unknown::Unasked { error, command }),
    }
}
