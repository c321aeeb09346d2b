//! The nodes of this machine: those that its epmd knows, by the names that they give themselves.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use beamline_node::epmd::{Client, EpmdError};
use beamline_node::{Cause, Cookie, NodeName};

use crate::wire::{self, Greeting, Unanswered};

/// How long a node may take to tell its name.
const STEP: Duration = Duration::from_secs(2);

/// Asks the epmd of this machine for its nodes, and each for its full name, since epmd knows only the part before the `@`. One
/// that gives no answer is called by the address at which it should be.
///
/// # Errors
/// epmd gives no answer.
pub async fn nodes_of_this_host(epmd_port: u16) -> Result<Vec<NodeName>, EpmdError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, epmd_port));
    let mut nodes = Vec::new();
    for listed in Client::new(address).deadline(STEP).names().await? {
        let Ok(guess) = format!("{}@{}", listed.name.as_str(), Ipv4Addr::LOCALHOST).parse::<NodeName>() else {
            continue;
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listed.port));
        let greeting = Greeting { target: &guess, own: None, address, deadline: STEP };
        // The name comes before any proof.
        let name = match wire::greet(greeting, Cookie::from("")).await {
            Err(Unanswered::Cause(Cause::OtherName { found })) => found.parse().unwrap_or(guess),
            Err(Unanswered::Cause(Cause::NameKind { found })) => found,
            _ => guess,
        };
        nodes.push(name);
    }
    nodes.sort();
    Ok(nodes)
}
