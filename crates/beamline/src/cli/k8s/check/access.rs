//! What the Kubernetes strategy may ask the API.

use crate::cli::k8s::finding::{Code, Finding};
use crate::cli::k8s::object::{Binding, Folder, Role, Rule, Workload};
use crate::cli::k8s::wanted::{Wanted, Way};

/// What it needs; `watch` only makes it quicker.
const VERBS: [&str; 2] = ["get", "list"];

pub(super) fn check(folder: &Folder, workload: &Workload, wanted: &Wanted, findings: &mut Vec<Finding>) {
    let Way::Kubernetes { namespace, resource, .. } = &wanted.way else { return };
    let asked = namespace.as_ref().map_or(&workload.namespace, |namespace| &namespace.value);
    if *asked != workload.namespace
        && let Some(namespace) = namespace
    {
        let text =
            format!("the strategy looks in the namespace {asked}, but {} is in {}", workload.name, workload.namespace);
        let fix = format!("kubernetes_namespace = {:?}", workload.namespace);
        findings.push(Finding::new(Code::Namespace, &namespace.place, text, fix));
    }
    let account = &workload.account.value;
    let rule = format!("get, list and watch of {resource} for the account {account} in the namespace {asked}");
    let mut found = Vec::new();
    let mut bound = false;
    for binding in &folder.bindings {
        for subject in &binding.subjects {
            let (name, namespace) = &subject.value;
            if name != account {
                continue;
            }
            match namespace {
                Some(namespace) if *namespace == workload.namespace => {}
                Some(namespace) => {
                    let text = format!(
                        "this is the account {name} of {namespace}; that of {} is in {}",
                        workload.name, workload.namespace
                    );
                    let fix = format!("namespace: {}", workload.namespace);
                    found.push(Finding::new(Code::Namespace, &subject.place, text, fix));
                    continue;
                }
                None => {
                    let text =
                        format!("the account {name} is named without its namespace, which the API does not take");
                    let fix = format!("namespace: {}", workload.namespace);
                    found.push(Finding::new(Code::Namespace, &subject.place, text, fix));
                    continue;
                }
            }
            if let Some(other) = binding.namespace.as_ref().filter(|namespace| *namespace != asked) {
                let text = format!("this binding holds in the namespace {other}, but the strategy asks for {asked}");
                found.push(Finding::new(Code::Namespace, &binding.place, text, format!("namespace: {asked}")));
                continue;
            }
            bound = true;
            match role_of(folder, binding, asked) {
                None => {
                    let (kind, name) = &binding.role.value;
                    let text = format!("there is no {kind} {name} here that is bound to {account}");
                    found.push(Finding::new(Code::NoRole, &binding.role.place, text, format!("add it, with {rule}")));
                }
                Some(role) => match lacks(role, resource) {
                    None => return,
                    Some((place, what)) => {
                        let text = format!("{} {} does not let the strategy {what}", role.kind, role.name);
                        found.push(Finding::new(Code::NarrowRole, place, text, format!("grant {rule}")));
                    }
                },
            }
        }
    }
    if found.is_empty() && !bound {
        let text =
            format!("nothing lets {} ask the API for {resource}: its account {account} has no role", workload.name);
        let fix = format!("add a Role and a RoleBinding: {rule}");
        found.push(Finding::new(Code::NoRole, &workload.account.place, text, fix));
    }
    findings.append(&mut found);
}

fn role_of<'f>(folder: &'f Folder, binding: &Binding, namespace: &str) -> Option<&'f Role> {
    let (kind, name) = &binding.role.value;
    let in_reach = |role: &&Role| role.kind == "ClusterRole" || role.namespace == namespace;
    folder.roles.iter().filter(in_reach).find(|role| role.kind == *kind && role.name == *name)
}

/// What it does not grant, and where one looks for it.
fn lacks<'r>(role: &'r Role, resource: &str) -> Option<(&'r crate::cli::k8s::yaml::Place, String)> {
    let group = if resource == "endpointslices" { "discovery.k8s.io" } else { "" };
    let has = |list: &[String], wanted: &str| list.iter().any(|item| item == wanted || item == "*");
    let about = |rule: &&Rule| has(&rule.groups, group) && has(&rule.resources, resource);
    let rules: Vec<&Rule> = role.rules.iter().filter(about).collect();
    let Some(first) = rules.first() else { return Some((&role.place, format!("see {resource} at all"))) };
    let missing = VERBS.iter().find(|verb| !rules.iter().any(|rule| has(&rule.verbs, verb)));
    missing.map(|verb| (&first.place, format!("{verb} {resource}")))
}
