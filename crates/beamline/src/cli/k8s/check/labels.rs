//! Selectors against labels.

use crate::cli::k8s::finding::{Code, Finding};
use crate::cli::k8s::object::{Folder, Workload, selects, shown};

pub(super) fn check(folder: &Folder, findings: &mut Vec<Finding>) {
    for workload in &folder.workloads {
        let Some(selector) = &workload.selector else { continue };
        let own = &workload.labels.value;
        if !selects(&selector.value, own) {
            let text = format!(
                "{} {} selects {}, but its pods are labelled {}: the API refuses it",
                workload.kind,
                workload.name,
                shown(&selector.value),
                shown(own)
            );
            findings.push(Finding::new(
                Code::OwnSelector,
                &selector.place,
                text,
                format!("put {} into spec.template.metadata.labels", shown(&selector.value)),
            ));
        }
        let overlaps = folder.workloads.iter().find(|other| {
            other.name != workload.name
                && other.namespace == workload.namespace
                && other.selector.is_some()
                && selects(&selector.value, &other.labels.value)
        });
        if let Some(other) = overlaps {
            let alone: Vec<String> = own
                .iter()
                .filter(|(key, value)| other.labels.value.get(*key) != Some(value))
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            let text = format!(
                "{} {} selects {}, which the pods of {} {} have too: each counts the other's as its own",
                workload.kind,
                workload.name,
                shown(&selector.value),
                other.kind,
                other.name
            );
            let fix = match alone.first() {
                Some(label) => format!("select what its own pods alone have: {label}"),
                None => "give the pods a label of their own, and select that".to_owned(),
            };
            findings.push(Finding::new(Code::Overlap, &selector.place, text, fix));
        }
    }
    for service in folder.services.iter().filter(|service| !service.selector.value.is_empty()) {
        let selector = &service.selector;
        let same = |workload: &&Workload| workload.namespace == service.namespace;
        if folder.workloads.iter().filter(same).any(|workload| selects(&selector.value, &workload.labels.value)) {
            continue;
        }
        let elsewhere = folder.workloads.iter().find(|workload| selects(&selector.value, &workload.labels.value));
        let finding = match elsewhere {
            Some(workload) => Finding::new(
                Code::Namespace,
                &service.place,
                format!(
                    "service {} is in the namespace {}, the pods of {} that it selects are in {}",
                    service.name, service.namespace, workload.name, workload.namespace
                ),
                format!("metadata.namespace: {}", workload.namespace),
            ),
            None => Finding::new(
                Code::ServiceSelectsNone,
                &selector.place,
                format!("service {} selects {}, which no pod here has", service.name, shown(&selector.value)),
                "select labels that the pods have, or label them so",
            ),
        };
        findings.push(finding);
    }
}
