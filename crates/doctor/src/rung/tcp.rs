//! To the port on which the node listens.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::{Outcome, Visit, is_here};
use crate::Finding;

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    let Some(port) = visit.port else { return Finding::new("BL401", "the port is not known").into() };
    let step = visit.options.step();
    let mut failure = None;
    for address in visit.addresses.clone() {
        let address = SocketAddr::new(address, port);
        let begin = Instant::now();
        match timeout(step, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                visit.address = Some(address);
                return Outcome::default().fact(format!("{address} takes connections ({:.1?})", begin.elapsed()));
            }
            Ok(Err(error)) => failure = Some(failed(visit, address, &error).await),
            Err(_) => {
                let what = format!("nothing comes back from {address} within {step:?}: something drops packets to it");
                failure = Some(
                    Finding::new("BL402", what)
                        .fix(format!("let TCP port {port} of that host through its firewall, or security group"))
                        .fix("give the node a fixed port for that: inet_dist_listen_min and _max, or -erl_epmd_port"),
                );
            }
        }
    }
    failure.unwrap_or_else(|| Finding::new("BL401", "there is no address to connect to")).into()
}

async fn failed(visit: &Visit<'_>, address: SocketAddr, error: &io::Error) -> Finding {
    if matches!(error.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) {
        return no_way(address, error);
    }
    let port = address.port();
    let here = is_here(address.ip());
    let loopback = SocketAddr::new(IpAddr::from(Ipv4Addr::LOCALHOST), port);
    if here && address != loopback && connects(loopback, visit).await {
        return Finding::new("BL404", format!("the node listens on loopback only, and not at {address}"))
            .evidence("but", format!("{loopback} takes connections"))
            .fix("start the node without inet_dist_use_interface, or with the address in its name");
    }
    if here && visit.registered {
        let what =
            format!("epmd says that the node listens on port {port}, but nothing does: the registration is stale");
        return Finding::new("BL304", what)
            .evidence("tried", format!("{address}: {error}"))
            .fix(format!("find who holds the registration: ss -tnp dst :{}; end it", visit.options.epmd_port))
            .fix("then start the node again");
    }
    let finding = Finding::new("BL401", format!("nothing listens at {address}")).evidence("says", error.to_string());
    match visit.registered {
        true => finding
            .fix("has the node just ended? Run this again")
            .fix(format!("if it runs: something on the way rejects TCP port {port}; let it through")),
        false => finding.fix(format!("does the node run, and listen on port {port}? It may have another port")),
    }
}

async fn connects(address: SocketAddr, visit: &Visit<'_>) -> bool {
    timeout(visit.options.step(), TcpStream::connect(address)).await.is_ok_and(|result| result.is_ok())
}

/// The network has no way to that host.
pub(super) fn no_way(address: SocketAddr, error: &io::Error) -> Finding {
    Finding::new("BL405", format!("there is no way from here to {address}"))
        .evidence("says", error.to_string())
        .fix("is the host up, and this machine in its network (VPN, container network, routes)?")
}
