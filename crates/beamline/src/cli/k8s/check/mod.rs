//! The checks, a file for each subject.

mod access;
mod labels;
mod name;
mod node;
mod service;

use super::finding::Finding;
use super::object::Folder;
use super::wanted::Wanted;

/// Every check. `config`: the topologies that all nodes use, whatever their variables say.
pub(super) fn all(folder: &Folder, config: Option<&[Wanted]>) -> Vec<Finding> {
    let mut findings = Vec::new();
    labels::check(folder, &mut findings);
    service::check(folder, &mut findings);
    for (workload, node) in folder.nodes() {
        node::check(workload, node, &mut findings);
        name::check(folder, workload, node, &mut findings);
        let own: Vec<Wanted>;
        let wanted = match config {
            Some(config) => config,
            None => {
                own = node::strategy(workload, node, &mut findings).into_iter().collect();
                &own
            }
        };
        for wanted in wanted {
            name::check_wanted(folder, workload, node, wanted, &mut findings);
            access::check(folder, workload, wanted, &mut findings);
        }
    }
    node::cookies(folder, &mut findings);
    findings
}
