//! What a node's container gives it: a strategy, ports, a cookie.

use crate::cli::k8s::finding::{Code, Finding};
use crate::cli::k8s::object::{Folder, Node, Workload};
use crate::cli::k8s::wanted::{Wanted, Way};

pub(super) fn check(workload: &Workload, node: &Node, findings: &mut Vec<Finding>) {
    match &node.listens {
        None => findings.push(
            Finding::new(
                Code::PortNotFixed,
                &node.place,
                format!(
                    "{} listens on another port at each start, which no port-forward or network policy can name",
                    workload.name
                ),
                "--erl '-kernel inet_dist_listen_min 9000 inet_dist_listen_max 9000'",
            )
            .about(&workload.name),
        ),
        Some(listens) => {
            let (min, max) = listens.value;
            if !(min..=max).all(|port| node.ports.contains(&port)) {
                findings.push(
                    Finding::new(
                        Code::PortNotExposed,
                        &listens.place,
                        format!("{} listens on port {min}, which is not among its container's ports", workload.name),
                        format!("ports: - containerPort: {min}"),
                    )
                    .about(&workload.name),
                );
            }
        }
    }
}

/// What the node's variable makes it look for.
pub(super) fn strategy(workload: &Workload, node: &Node, findings: &mut Vec<Finding>) -> Option<Wanted> {
    let choices = "LIBCLUSTER_STRATEGY: gossip, kubernetes or kubernetes.dns";
    let Some(strategy) = &node.strategy else {
        let (text, fix) = if node.has_config {
            (format!("the topologies of {} are in a file that was not given", workload.name), "pass it: --config FILE")
        } else {
            (format!("{} has no strategy: it looks for nobody", workload.name), choices)
        };
        findings.push(Finding::new(Code::Strategy, &node.place, text, fix).about(&workload.name));
        return None;
    };
    let wanted = Wanted::of_variable(strategy);
    match wanted.as_ref().map(|wanted| &wanted.way) {
        None => {
            let text = format!("{} has no strategy called {:?}: it looks for nobody", workload.name, strategy.value);
            findings.push(Finding::new(Code::Strategy, &strategy.place, text, choices).about(&workload.name));
        }
        Some(Way::Other) => {
            let text = format!("by {} a pod finds only itself", strategy.value);
            findings.push(Finding::new(Code::Strategy, &strategy.place, text, choices).about(&workload.name));
        }
        Some(_) => {}
    }
    wanted
}

/// All nodes need one cookie. It is compared and never shown.
pub(super) fn cookies(folder: &Folder, findings: &mut Vec<Finding>) {
    let fix = "BEAMLINE_COOKIE from a secretKeyRef, the same for all";
    let mut first = None;
    for (workload, node) in folder.nodes() {
        let Some(cookie) = &node.cookie else {
            let text = format!("{} is given no cookie; it takes that of its image, if there is one", workload.name);
            findings.push(Finding::new(Code::Cookie, &node.place, text, fix).about(&workload.name));
            continue;
        };
        let (other, same) = first.get_or_insert((workload, cookie.value.clone()));
        if *same != cookie.value {
            let text = format!("{} has another cookie than {}", workload.name, other.name);
            findings.push(Finding::new(Code::Cookie, &cookie.place, text, fix).about(&workload.name));
        }
    }
}
