//! Headless services by themselves, and those that StatefulSets name.

use crate::cli::k8s::finding::{Code, Finding};
use crate::cli::k8s::object::{Folder, Spot, Workload, selects};

pub(super) fn check(folder: &Folder, findings: &mut Vec<Finding>) {
    for service in folder.services.iter().filter(|service| service.is_headless && !service.has_ports) {
        findings.push(Finding::new(
            Code::NoPorts,
            &service.place,
            format!("the headless service {} has no ports, and so no SRV records", service.name),
            "ports: [{name: epmd, port: 4369}, {name: distribution, port: 9000}]",
        ));
    }
    for workload in folder.workloads.iter().filter(|workload| workload.node.is_some()) {
        let named = [&workload.service_name, &workload.subdomain];
        for name in named.into_iter().flatten() {
            headless(folder, workload, name, "it is what gives the pods their names in DNS", findings);
        }
    }
}

/// That a service of this name is there, is headless and selects the pods of this workload.
pub(super) fn headless(
    folder: &Folder,
    workload: &Workload,
    name: &Spot<String>,
    why: &str,
    findings: &mut Vec<Finding>,
) {
    let Some(service) = folder.service(&name.value, &workload.namespace) else {
        let elsewhere = folder.services.iter().find(|service| service.name == name.value);
        findings.push(match elsewhere {
            Some(service) => Finding::new(
                Code::Namespace,
                &service.place,
                format!(
                    "service {} is in the namespace {}, but {} is in {}",
                    service.name, service.namespace, workload.name, workload.namespace
                ),
                format!("metadata.namespace: {}", workload.namespace),
            ),
            None => Finding::new(
                Code::NoHeadlessService,
                &name.place,
                format!("there is no service {:?}, which {} needs: {why}", name.value, workload.name),
                format!("add a Service {} with clusterIP: None that selects the pods", name.value),
            ),
        });
        return;
    };
    if !service.is_headless {
        findings.push(Finding::new(
            Code::NotHeadless,
            &service.place,
            format!("service {} is not headless, so its pods have no addresses of their own in DNS", service.name),
            "clusterIP: None",
        ));
    }
    let selector = &service.selector;
    if !selector.value.is_empty() && !selects(&selector.value, &workload.labels.value) {
        findings.push(Finding::new(
            Code::ServiceSelectsNone,
            &selector.place,
            format!("service {} does not select the pods of {}", service.name, workload.name),
            "select a label that the pods of all nodes have",
        ));
    }
}
