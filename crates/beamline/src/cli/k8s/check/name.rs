//! The names of nodes: against what their pods are called, and against the names that their strategy makes.

use super::service::headless;
use crate::cli::k8s::finding::{Code, Finding};
use crate::cli::k8s::object::{Folder, Labels, Node, POD_IP, POD_NAME, POD_NAMESPACE, Spot, Workload, selects, shown};
use crate::cli::k8s::wanted::{Mode, Wanted, Way, equalities};

/// A host of the form POD.SERVICE.NAMESPACE.svc.DOMAIN.
struct ServiceHost<'n> {
    pod: &'n str,
    service: &'n str,
    namespace: &'n str,
    domain: &'n str,
}

impl<'n> ServiceHost<'n> {
    fn of(host: &'n str) -> Option<Self> {
        // What stands for a pod's name has dots of its own.
        let (pod, rest) = if let Some(rest) = host.strip_prefix(POD_NAME) {
            (POD_NAME, rest.strip_prefix('.')?)
        } else {
            host.split_once('.')?
        };
        let (service, rest) = rest.split_once('.')?;
        let (namespace, domain) = rest.split_once(".svc.")?;
        Some(Self { pod, service, namespace, domain })
    }
}

/// Whether others can resolve the name to this pod.
pub(super) fn check(folder: &Folder, workload: &Workload, node: &Node, findings: &mut Vec<Finding>) {
    let place = &node.name.place;
    let host = node.host();
    let mut add = |code, text: String, fix: String| {
        findings.push(Finding::new(code, place, text, fix).about(&workload.name));
    };
    if host == POD_IP || host.contains(".pod.") {
        return;
    }
    let Some(service) = service_of(workload) else {
        let text = format!(
            "the pods of {} {} have no names in DNS, so {host:?} leads nobody there",
            workload.kind, workload.name
        );
        add(Code::Host, text, format!("--name {}@$(POD_IP), or a StatefulSet with a headless service", node.base()));
        return;
    };
    let domain = format!("{}.{}.svc.cluster.local", service.value, workload.namespace);
    let right = format!("--name {}@$(POD_NAME).{domain}", node.base());
    let Some(parts) = ServiceHost::of(host) else {
        add(Code::Host, format!("{host:?} is not what DNS calls a pod of {}", workload.name), right);
        return;
    };
    if parts.pod != POD_NAME && workload.kind != "Pod" {
        add(Code::Host, format!("all pods of {} get the same host, {host:?}", workload.name), right);
    } else if parts.service != service.value {
        let text = format!(
            "the name is in the service {}, but {} has serviceName {}",
            parts.service, workload.name, service.value
        );
        add(Code::Host, text, right);
        // Whichever of the two is meant.
        let named = Spot { value: parts.service.to_owned(), place: place.clone() };
        if folder.service(parts.service, &workload.namespace).is_none() {
            headless(folder, workload, &named, "the names of the nodes are in it", findings);
        }
    } else if parts.namespace != workload.namespace && parts.namespace != POD_NAMESPACE {
        let text = format!(
            "the name is in the namespace {}, but {} is in {}",
            parts.namespace, workload.name, workload.namespace
        );
        add(Code::Namespace, text, right);
    }
}

/// What gives the pods their names.
fn service_of(workload: &Workload) -> Option<&Spot<String>> {
    workload.subdomain.as_ref().or(workload.service_name.as_ref().filter(|_| workload.kind == "StatefulSet"))
}

/// Whether the strategy finds the nodes, and makes of what it finds the names that they have.
pub(super) fn check_wanted(
    folder: &Folder,
    workload: &Workload,
    node: &Node,
    wanted: &Wanted,
    findings: &mut Vec<Finding>,
) {
    match &wanted.way {
        Way::Other => {}
        Way::Gossip => findings.push(
            Finding::new(
                Code::Multicast,
                &wanted.place,
                format!("the nodes of {} find each other by multicast, which many cluster networks do not carry", workload.name),
                "take kubernetes or kubernetes.dns; where multicast was seen to work, annotate the pods: beamline/checked: K16",
            )
            .about(&workload.name),
        ),
        Way::Kubernetes { base, selector, service, mode, cluster_name, .. } => {
            basename(workload, node, base, findings);
            form(workload, node, *mode, findings);
            if *mode == Mode::Hostname {
                in_service(folder, workload, node, service.as_ref(), cluster_name, findings);
            }
            if let Some(labels) = equalities(&selector.value) {
                if !selects(&labels, &workload.labels.value) {
                    let text = format!("the strategy looks for {}, which the pods of {} do not have", selector.value, workload.name);
                    let fix = format!("put {} into spec.template.metadata.labels", selector.value);
                    findings.push(Finding::new(Code::StrategySelectsNone, &workload.labels.place, text, fix));
                }
                others(folder, &labels, "the strategy's selector", base, findings);
            }
        }
        Way::Dns { base, service } => {
            basename(workload, node, base, findings);
            form(workload, node, Mode::Ip, findings);
            found_by(folder, workload, service, base, findings);
        }
        Way::DnsSrv { base, service, namespace } => {
            basename(workload, node, base, findings);
            form(workload, node, Mode::Hostname, findings);
            found_by(folder, workload, service, base, findings);
            if namespace.value != workload.namespace {
                let text = format!("the strategy asks in {}, but {} is in {}", namespace.value, workload.name, workload.namespace);
                let fix = format!("namespace = {:?}", workload.namespace);
                findings.push(Finding::new(Code::Namespace, &namespace.place, text, fix));
            }
        }
    }
}

fn basename(workload: &Workload, node: &Node, base: &Spot<String>, findings: &mut Vec<Finding>) {
    if node.base() == base.value {
        return;
    }
    let text = format!(
        "the nodes of {} are called {}@.., but the strategy dials {}@..",
        workload.name,
        node.base(),
        base.value
    );
    let fix = format!("--name {}@{}", base.value, typed(node.host()));
    findings.push(Finding::new(Code::BaseName, &node.name.place, text, fix).about(&workload.name));
}

/// A host as it stands in a manifest.
fn typed(host: &str) -> String {
    host.replace(POD_IP, "$(POD_IP)").replace(POD_NAME, "$(POD_NAME)").replace(POD_NAMESPACE, "$(POD_NAMESPACE)")
}

fn form(workload: &Workload, node: &Node, mode: Mode, findings: &mut Vec<Finding>) {
    let host = node.host();
    let (fits, names, right) = match mode {
        Mode::Ip => (host == POD_IP, "addresses", format!("{}@$(POD_IP)", node.base())),
        Mode::Hostname => (
            ServiceHost::of(host).is_some(),
            "host names",
            format!("{}@$(POD_NAME).SERVICE.NAMESPACE.svc.cluster.local", node.base()),
        ),
        Mode::Dns => (host.contains(".pod."), "10-0-0-1.NAMESPACE.pod.cluster.local", "mode = \"ip\"".to_owned()),
    };
    if fits {
        return;
    }
    let text = format!(
        "the strategy dials nodes by {names}, but those of {} are called {}",
        workload.name,
        typed(&node.name.value)
    );
    let fix = if mode == Mode::Dns { right } else { format!("--name {right}") };
    findings.push(Finding::new(Code::Mode, &node.name.place, text, fix).about(&workload.name));
}

/// Mode `hostname`: the names are in the service that the strategy has.
fn in_service(
    folder: &Folder,
    workload: &Workload,
    node: &Node,
    service: Option<&Spot<String>>,
    cluster_name: &str,
    findings: &mut Vec<Finding>,
) {
    let Some(service) = service else { return };
    headless(folder, workload, service, "the strategy makes names in it", findings);
    if let Some(own) = &workload.service_name
        && own.value != service.value
    {
        let text = format!(
            "{} has serviceName {}, but the strategy makes names in {}",
            workload.name, own.value, service.value
        );
        findings.push(
            Finding::new(Code::Host, &own.place, text, format!("serviceName: {}", service.value)).about(&workload.name),
        );
    }
    let domain = format!("{cluster_name}.local");
    if let Some(host) = ServiceHost::of(node.host()).filter(|host| host.domain != domain) {
        let text = format!("the name is in the domain {}, but the strategy makes names in {domain}", host.domain);
        let fix = format!("--name ..svc.{domain}, or kubernetes_cluster_name");
        findings.push(Finding::new(Code::Host, &node.name.place, text, fix).about(&workload.name));
    }
}

/// The DNS strategies: who is in the service.
fn found_by(
    folder: &Folder,
    workload: &Workload,
    service: &Spot<String>,
    base: &Spot<String>,
    findings: &mut Vec<Finding>,
) {
    // A name with dots is of another namespace, or in full.
    let name = service.value.split('.').next().unwrap_or_default();
    let name = Spot { value: name.to_owned(), place: service.place.clone() };
    headless(folder, workload, &name, "the strategy asks DNS for it", findings);
    if let Some(service) = folder.service(&name.value, &workload.namespace) {
        others(folder, &service.selector.value, &format!("the service {}", service.name), base, findings);
    }
}

/// Pods that are found and are no nodes.
fn others(folder: &Folder, selector: &Labels, what: &str, base: &Spot<String>, findings: &mut Vec<Finding>) {
    for other in folder.workloads.iter().filter(|other| other.node.is_none()) {
        if selects(selector, &other.labels.value) {
            let text = format!(
                "{what} finds {} {} too, which starts no node: every node dials {}@.. there, in vain and for ever",
                other.kind, other.name, base.value
            );
            let fix = format!("take {} from its labels", shown(selector));
            findings.push(Finding::new(Code::NoNode, &other.labels.place, text, fix).about(&other.name));
        }
    }
}
