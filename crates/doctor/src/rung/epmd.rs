//! From a node's name to the port on which it listens.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use beamline_node::epmd::{Client, EpmdError, Name, NodeType};
use beamline_proto::NodeName;

use super::{Outcome, Visit, is_here};
use crate::Finding;

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    if let Some(port) = visit.options.peer_port {
        visit.port = Some(port);
        return Outcome::default().fact(format!("not asked, every node listens on port {port}"));
    }
    let epmd_port = visit.options.epmd_port;
    let name = Name::from(visit.target);
    let mut failure = None;
    for address in visit.addresses.clone() {
        let client = Client::new(SocketAddr::new(address, epmd_port)).deadline(visit.options.step());
        match client.lookup(&name).await {
            Ok(info) => {
                visit.port = Some(info.port);
                visit.registered = true;
                let kind = match info.node_type {
                    NodeType::Hidden => "hidden",
                    _ => "normal",
                };
                // The node listens at the address whose epmd knows it.
                visit.addresses.retain(|other| *other == address);
                return Outcome::default().fact(format!("epmd: {} → {}, type {kind}", name.as_str(), info.port));
            }
            // Another address may be another way to it.
            Err(error @ (EpmdError::Unreachable { .. } | EpmdError::TimedOut { .. })) => failure = Some(error),
            Err(error) => return failed(visit, &error).await.into(),
        }
    }
    match failure {
        Some(error) => failed(visit, &error).await.into(),
        None => Finding::new("BL301", "there is no address at which to ask for epmd").into(),
    }
}

async fn failed(visit: &Visit<'_>, error: &EpmdError) -> Finding {
    match error {
        EpmdError::NotRegistered { address, registered, .. } => not_registered(visit.target, *address, registered),
        EpmdError::TimedOut { address, after } => {
            Finding::new("BL305", format!("epmd at {address} gives no answer within {after:?}"))
                .fix(format!("let TCP port {} of that host through its firewall, or security group", address.port()))
                .fix("or let nodes listen on a fixed port, and give it as --peer-port")
        }
        EpmdError::Unreachable { address, source }
            if matches!(source.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) =>
        {
            super::tcp::no_way(*address, source)
        }
        EpmdError::Unreachable { address, source } => {
            if only_on_loopback(visit, address.ip()).await {
                return Finding::new("BL303", format!("epmd listens on loopback only, and not at {address}"))
                    .evidence("tried", format!("{address}: {source}"))
                    .evidence("but", format!("127.0.0.1:{} answers", address.port()))
                    .fix("start epmd without ERL_EPMD_ADDRESS and -address, so that it listens on all addresses")
                    .fix("or name the nodes after 127.0.0.1, if they are all on this machine");
            }
            let finding =
                Finding::new("BL301", format!("no epmd answers at {address}")).evidence("says", source.to_string());
            let finding = match is_here(address.ip()) {
                true => finding
                    .fix("start the node: it starts epmd with it; or run `epmd -daemon`, or `beamline epmd -daemon`"),
                false => finding.fix("is a node running on that host? Does its epmd listen on that address?"),
            };
            finding
                .fix("if epmd has another port there, give --epmd-port, or set ERL_EPMD_PORT")
                .fix("if the node has no epmd, give its port as --peer-port")
        }
        other => Finding::new("BL306", "what answers at the port of epmd is not epmd")
            .evidence("says", other.to_string())
            .fix("stop that program, or give all nodes another port of epmd (ERL_EPMD_PORT)"),
    }
}

/// Whether epmd runs on this machine, but not at this address of it.
async fn only_on_loopback(visit: &Visit<'_>, address: IpAddr) -> bool {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    if address == loopback || !is_here(address) {
        return false;
    }
    let there = Client::new(SocketAddr::new(loopback, visit.options.epmd_port)).deadline(visit.options.step());
    there.names().await.is_ok()
}

fn not_registered(target: &NodeName, address: SocketAddr, registered: &[Name]) -> Finding {
    let names: Vec<&str> = registered.iter().map(Name::as_str).collect();
    let what = format!("epmd at {address} does not know {:?}", target.alive());
    if names.is_empty() {
        return Finding::new("BL302", format!("{what}, nor any other node"))
            .fix("start the node; if it runs, it registered with an epmd of another port or another host");
    }
    let finding = Finding::new("BL302", what).evidence("knows", names.join(", "));
    match nearest(target.alive(), &names) {
        Some(name) => finding
            .evidence("nearest", format!("did you mean {name}@{}?", target.host()))
            .fix(format!("beamline doctor {name}@{}", target.host())),
        None => finding.fix("start the node, or check the part of its name before the '@'"),
    }
}

/// The name that was meant, if one is near enough.
fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let likeness = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = names.iter().copied().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) > 0.8).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant() {
        assert_eq!(nearest("app", &["web", "app_b", "db"]), Some("app_b"));
        assert_eq!(nearest("App_B", &["web", "app_b"]), Some("app_b"));
        assert_eq!(nearest("app", &["web", "db"]), None);
        assert_eq!(nearest("app", &[]), None);
    }
}
