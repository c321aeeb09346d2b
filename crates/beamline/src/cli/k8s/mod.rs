//! `beamline k8s check DIR`: finds in a folder of manifests what will keep the nodes apart. It reads files and asks nobody,
//! so it can run before there is a cluster.
//!
//! [`yaml`] reads the files with the line of everything, [`object`] makes of them what matters here, [`wanted`] says what
//! the nodes' strategies look for, and each file of [`check`] holds the first against the last.

mod check;
mod finding;
mod object;
mod wanted;
mod yaml;

use std::path::Path;

use super::arguments::K8sCheck;
use super::exit::Exit;
use super::remote::print;
use finding::{Finding, Weight};
use wanted::Wanted;

/// Checks, and prints.
pub(crate) fn check(arguments: &K8sCheck) -> Exit {
    let findings = match findings(&arguments.folder, arguments.config.as_deref()) {
        Ok(findings) => findings,
        Err(problem) => {
            eprintln!("{problem}");
            return Exit::Config;
        }
    };
    for finding in &findings {
        finding.to_string().lines().for_each(print);
    }
    if findings.is_empty() {
        eprintln!("{}: nothing keeps these nodes apart", arguments.folder.display());
        return Exit::Ok;
    }
    let errors = findings.iter().filter(|finding| finding.code.weight() == Weight::Error).count();
    let counted = |count, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    eprintln!("{}, {}", counted(errors, "error"), counted(findings.len() - errors, "warning"));
    if errors > 0 { Exit::Remote } else { Exit::Ok }
}

/// All of a folder, in the order of files and lines.
fn findings(folder: &Path, config: Option<&Path>) -> Result<Vec<Finding>, String> {
    let documents = yaml::read_folder(folder)?;
    let folder = object::Folder::of(&documents);
    if folder.nodes().next().is_none() {
        return Err("no workload here starts a node (none has --name or --sname among its arguments)".to_owned());
    }
    let config = config.map(Wanted::of_file).transpose()?;
    let mut findings = check::all(&folder, config.as_deref());
    findings.retain(|finding| !folder.is_checked(finding));
    findings.sort_by(|one, other| one.order().cmp(&other.order()));
    // What is wrong once is often wrong for several workloads.
    findings.dedup_by(|one, other| one.order() == other.order());
    Ok(findings)
}

#[cfg(test)]
mod tests;
