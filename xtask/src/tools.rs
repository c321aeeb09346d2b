//! The programs that the tests talk to: Erlang, Elixir and epmd from apt, and
//! two Debian trees with newer releases, made by debootstrap and kept in
//! `/var/cache/beamline`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::assets;
use crate::run::{on_path, output, succeeds};

const APT: &str = "apt-get";

/// A program, and the Debian package that brings it.
const PACKAGES: [(&str, &str); 12] = [
    ("erl", "erlang-base"),
    ("epmd", "erlang-base"),
    ("erlc", "erlang-dev"),
    ("elixir", "elixir"),
    ("debootstrap", "debootstrap"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("dnsmasq", "dnsmasq-base"),
    ("knotd", "knot"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    // For libFuzzer.
    ("g++", "g++"),
];

/// A Debian release, and the name that tests give to the Erlang in it.
const TREES: [(&str, &str); 2] = [("trixie", "otp27"), ("sid", "otp29")];

/// What a tree must hold to be of use; the last step of debootstrap puts it there.
const TREE_PACKAGES: &str = "erlang-base,erlang-crypto,erlang-parsetools,elixir";

/// Where the trees are kept.
pub(crate) const CACHE: &str = "/var/cache/beamline";

/// The program that checks manifests for Kubernetes against its schemas.
const VALIDATOR: &str = "/var/cache/beamline/kubernetes-validate/bin/kubernetes-validate";

/// From PyPI into a place of its own. Without it one test is skipped.
fn install_validator() {
    let folder = Path::new(CACHE).join("kubernetes-validate");
    println!("installing kubernetes-validate from PyPI");
    let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && succeeds(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "kubernetes-validate"]));
    if !made {
        println!("no kubernetes-validate: that needs python3 with venv, and PyPI");
        // Half of it would be taken for the whole.
        let _ = fs::remove_dir_all(folder);
    }
}

pub(crate) fn main() -> ExitCode {
    install(false);
    let missing = missing_packages(false);
    if missing.is_empty() && TREES.iter().all(|(suite, _)| is_whole(&tree(suite))) {
        println!("All tools are there.");
        return ExitCode::SUCCESS;
    }
    println!("Not everything is there; tests that need it will be skipped.");
    ExitCode::FAILURE
}

/// Whether a test that needs this could have had it. The text is what a test
/// wrote behind "needs", its first word a program or one of otp27 and otp29.
pub(crate) fn installable(tool: &str) -> bool {
    let word = tool.split([' ', ',', ';', '(']).next().unwrap_or_default();
    let mut programs = PACKAGES.iter().chain(assets::packages());
    programs.any(|(program, _)| *program == word) || TREES.iter().any(|(_, name)| *name == word)
}

/// Installs what is missing, if this is a Debian machine and we are root.
pub(crate) fn install(quick: bool) {
    if !quick && !Path::new(VALIDATOR).is_file() && on_path("python3") {
        install_validator();
    }
    install_programs(quick);
    if !quick {
        assets::unpack();
    }
}

fn install_programs(quick: bool) {
    let missing = missing_packages(quick);
    let trees: Vec<&str> =
        TREES.iter().map(|(suite, _)| *suite).filter(|suite| !quick && !is_whole(&tree(suite))).collect();
    if missing.is_empty() && trees.is_empty() {
        println!("nothing is missing");
        return;
    }
    println!("missing: {}", [missing.as_slice(), trees.as_slice()].concat().join(", "));
    if !on_path(APT) || !is_root() {
        println!("not installed: that needs apt and root; tests that need it will be skipped");
        return;
    }
    if !missing.is_empty() {
        succeeds(apt().arg("update"));
        succeeds(apt().args(["install", "--yes", "--no-install-recommends"]).args(&missing));
    }
    for suite in trees {
        if let Err(reason) = make_tree(suite) {
            println!("no tree for {suite}: {reason}");
        }
    }
}

fn missing_packages(quick: bool) -> Vec<&'static str> {
    let assets = if quick { &[] } else { assets::packages() };
    let all = PACKAGES.iter().chain(assets);
    let mut packages: Vec<_> = all.filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn apt() -> Command {
    let mut command = Command::new(APT);
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
    command
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn tree(suite: &str) -> PathBuf {
    Path::new(CACHE).join(suite)
}

/// A tree that was cut off half-way lacks the last packages or their set-up.
fn is_whole(tree: &Path) -> bool {
    !tree.join("debootstrap").exists()
        && ["usr/bin/erl", "usr/bin/epmd", "usr/bin/elixir"].iter().all(|program| {
            // Links inside the tree are absolute or relative to it; their presence is what counts.
            fs::symlink_metadata(tree.join(program)).is_ok()
        })
}

/// Builds beside the place and renames at the end, so that a tree is whole or absent.
fn make_tree(suite: &str) -> Result<(), String> {
    let mirror = mirror().ok_or("apt's sources name no Debian mirror")?;
    let building = Path::new(CACHE).join(format!("{suite}.{}", std::process::id()));
    let place = tree(suite);
    fs::create_dir_all(CACHE).map_err(|error| format!("{CACHE}: {error}"))?;
    println!("making {} from {mirror}, which takes some minutes", place.display());
    let mut command = Command::new("debootstrap");
    command.args(["--variant=minbase", &format!("--include={TREE_PACKAGES}"), suite]).arg(&building).arg(&mirror);
    if let Some(proxy) = apt_setting("Acquire::http::Proxy") {
        command.env("http_proxy", proxy);
    }
    // The tail of its log is all that helps when it fails.
    let made = succeeds(&mut command) && is_whole(&building);
    if !made {
        let log = fs::read_to_string(building.join("debootstrap/debootstrap.log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        let _ = fs::remove_dir_all(&building);
        return Err(format!("debootstrap failed\n{}", tail.join("\n")));
    }
    if place.exists() {
        fs::remove_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    fs::rename(&building, &place).map_err(|error| format!("{}: {error}", place.display()))
}

fn apt_setting(name: &str) -> Option<String> {
    let text = output(Command::new("apt-config").args(["dump", name]))?;
    text.split('"').nth(1).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// The first Debian archive in apt's sources.
fn mirror() -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).find_map(|text| mirror_in(&text))
}

/// Reads both forms: one line an entry, and deb822's `URIs:` fields.
fn mirror_in(sources: &str) -> Option<String> {
    sources
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.starts_with("http") && word.ends_with("/debian") && !word.contains("security"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_mirror_in_both_forms() {
        let new = "Types: deb\n# http://snapshot.debian.org/archive/debian/2025\n\
                   URIs: http://deb.debian.org/debian\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("http://deb.debian.org/debian"));
        let old = "deb [signed-by=/x] https://packages.cloud.google.com/apt cloud main\n\
                   deb http://ftp.at.debian.org/debian/ bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("http://ftp.at.debian.org/debian"));
        assert_eq!(mirror_in("deb http://security.debian.org/debian-security x main"), None);
    }

    #[test]
    fn knows_what_apt_could_have_brought() {
        assert!(installable("erl"));
        assert!(installable("otp29 (sid tree)"));
        assert!(!installable("docker"));
    }

    #[test]
    fn a_half_made_tree_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_whole(folder.path()));
        fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
        for program in ["erl", "epmd", "elixir"] {
            fs::write(folder.path().join("usr/bin").join(program), "").unwrap();
        }
        assert!(is_whole(folder.path()));
        fs::create_dir(folder.path().join("debootstrap")).unwrap();
        assert!(!is_whole(folder.path()));
    }
}
