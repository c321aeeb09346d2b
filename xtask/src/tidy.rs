//! The house rules that a program can check: the layers of the crates, the
//! head of every file, its length, and paths that only one machine has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::run::{output, root};

/// The crates from the lowest layer up; each may use those before it in the list.
const LAYERS: [&str; 13] = [
    "term", "proto", "node", "cluster", "registry", "pubsub", "doctor", "elixir", "livemd", "remsh", "console", "web",
    "beamline",
];

/// Crates that do no I/O and own no clock, and words that would betray it.
const PURE: [&str; 4] = ["term", "proto", "elixir", "livemd"];
const IMPURE: [&str; 6] = ["tokio", "TcpStream", "TcpListener", "UdpSocket", "Instant::now", "SystemTime::now"];

/// A file longer than this is named, since it is likely two concepts.
const LONG: usize = 450;

/// Paths of a machine, that nobody who clones the project has.
const FOREIGN: [&str; 5] = ["/work/", "/farm/", "/tmp/wt", "../shared", "/root/"];

pub(crate) fn main() -> ExitCode {
    if passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints what breaks a rule; true if nothing does.
pub(crate) fn passes() -> bool {
    let root = root();
    let mut faults = Vec::new();
    for file in tracked(&root) {
        let Ok(text) = fs::read_to_string(root.join(&file)) else {
            continue;
        };
        if file.ends_with(".rs") {
            faults.extend(head_fault(&file, &text));
            let lines = text.lines().count();
            if lines > LONG {
                println!("note: {file} has {lines} lines; is it one concept?");
            }
        }
        if !file.starts_with("xtask/") && !file.starts_with(".ci/") {
            faults.extend(foreign_paths(&file, &text));
        }
        if let Some((layer, inner)) = in_layer(&file) {
            if inner == "Cargo.toml" {
                faults.extend(manifest_faults(&file, layer, &text));
            } else if inner.starts_with("src/") && file.ends_with(".rs") {
                faults.extend(source_faults(&file, layer, &text));
            }
        }
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() {
        println!("tidy: nothing to say against it");
    }
    faults.is_empty()
}

/// The files that git keeps or would keep.
fn tracked(root: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let files = output(&mut git).unwrap_or_default();
    files.lines().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

fn in_layer(file: &str) -> Option<(&'static str, &str)> {
    let (folder, inner) = file.strip_prefix("crates/")?.split_once('/')?;
    LAYERS.iter().find(|layer| **layer == folder).map(|layer| (*layer, inner))
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|other| *other == layer)
}

fn head_fault(file: &str, text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!"))?;
    (!first.starts_with("//!")).then(|| format!("{file}: does not begin with a `//!` head"))
}

fn foreign_paths(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let path = FOREIGN.iter().find(|path| line.contains(**path))?;
            Some(format!("{file}:{}: names `{path}`, which only one machine has", number + 1))
        })
        .collect()
}

/// Dependencies upward or sideways. What tests use (dev-dependencies) is free.
fn manifest_faults(file: &str, layer: &str, manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut counts = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            counts = section.contains("dependencies") && !section.contains("dev-dependencies");
            continue;
        }
        let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if counts && let Some(used) = crate_of(key, '-') {
            faults.extend(upward(layer, used).map(|why| format!("{file}: {why}")));
        }
    }
    faults
}

fn source_faults(file: &str, layer: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("beamline_") {
            let name: String = code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if code[at + name.len()..].starts_with("::")
                && let Some(used) = crate_of(&name, '_')
            {
                faults.extend(upward(layer, used).map(|why| format!("{file}:{}: {why}", number + 1)));
            }
        }
        if PURE.contains(&layer)
            && let Some(word) = IMPURE.iter().find(|word| code.contains(**word))
        {
            faults.push(format!("{file}:{}: `{layer}` is pure, `{word}` is not", number + 1));
        }
    }
    faults
}

/// The layer that a crate's name stands for: `beamline-node`, `beamline_node`, `beamline`.
fn crate_of(name: &str, dash: char) -> Option<&'static str> {
    let short = match name.strip_prefix("beamline") {
        Some("") => "beamline",
        Some(rest) => rest.strip_prefix(dash)?,
        None => return None,
    };
    LAYERS.iter().find(|layer| **layer == short).copied()
}

fn upward(layer: &str, used: &str) -> Option<String> {
    (layer != used && rank(used) >= rank(layer))
        .then(|| format!("layer `{layer}` must not use `{used}`, which is above it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_may_only_look_down() {
        let manifest = "[dependencies]\nbeamline-node.workspace = true\n\
                        beamline-term = { path = \"../term\" }\n\
                        [dev-dependencies]\nbeamline-cluster.workspace = true\n";
        let faults = manifest_faults("crates/proto/Cargo.toml", "proto", manifest);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("must not use `node`"), "{faults:?}");
        assert!(manifest_faults("crates/cluster/Cargo.toml", "cluster", manifest).is_empty());
    }

    #[test]
    fn paths_in_the_code_are_seen_and_comments_are_not() {
        let text = "//! head\n// beamline_web::x\nlet a = beamline_node::Node::new();\n";
        let faults = source_faults("crates/proto/src/a.rs", "proto", text);
        assert_eq!(faults, ["crates/proto/src/a.rs:3: layer `proto` must not use `node`, which is above it"]);
        assert!(source_faults("crates/cluster/src/a.rs", "cluster", text).is_empty());
    }

    #[test]
    fn a_pure_crate_has_no_clock() {
        let text = "let now = std::time::Instant::now();";
        assert_eq!(source_faults("f", "proto", text).len(), 1);
        assert!(source_faults("f", "node", text).is_empty());
    }

    #[test]
    fn heads_and_foreign_paths() {
        assert!(head_fault("a.rs", "use std::fs;\n").is_some());
        assert!(head_fault("a.rs", "//! What for.\n").is_none());
        assert_eq!(foreign_paths("a.md", "x\nsee /work/x\n").len(), 1);
    }
}
