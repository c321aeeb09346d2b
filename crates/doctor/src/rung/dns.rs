//! From the host in a name to addresses.

use std::net::IpAddr;

use beamline_node::{Family, HostResolver};
use tokio::time::timeout;

use super::{Outcome, Visit};
use crate::Finding;

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    let host = visit.target.host();
    let literal = host.parse::<IpAddr>();
    let family = if matches!(literal, Ok(IpAddr::V6(_))) { Family::V6 } else { Family::V4 };
    let step = visit.options.step();
    let addresses = match timeout(step, HostResolver::new(family).addresses(host)).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        Ok(Ok(_)) => return unresolvable(visit, "it has no address").into(),
        Ok(Err(error)) => return unresolvable(visit, &error.to_string()).into(),
        Err(_) => {
            return Finding::new("BL203", format!("no answer within {step:?} to the question where {host:?} is"))
                .fix("look at the servers in /etc/resolv.conf; can they be reached from here?")
                .into();
        }
    };
    let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let mut outcome = Outcome::default();
    if literal.is_err() {
        outcome.facts.push(format!("{host} is {}", shown.join(", ")));
        let everywhere = host == "localhost" || host.ends_with(".localhost");
        if !everywhere && addresses.iter().all(IpAddr::is_loopback) {
            let what =
                format!("{host} is this machine itself for whoever asks here; other machines do not reach it so");
            outcome.findings.push(
                Finding::new("BL204", what)
                    .evidence("address", shown.join(", "))
                    .fix("give the host its address of the network in /etc/hosts, in place of 127.0.1.1"),
            );
        }
    }
    visit.addresses = addresses;
    outcome
}

fn unresolvable(visit: &Visit<'_>, reason: &str) -> Finding {
    let host = visit.target.host();
    let mut finding = Finding::new("BL201", format!("the host {host:?} has no address")).evidence("says", reason);
    if visit.target.is_long() {
        finding =
            finding.fix("check the part of the name after the '@'").fix("make the host known in DNS or /etc/hosts");
    } else {
        finding = finding
            .fix(format!("make {host} known in /etc/hosts, or give DNS a search list"))
            .fix("or start the node with --name and an address that others can reach");
    }
    finding
}
