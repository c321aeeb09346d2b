//! `cargo xtask fuzz`, and its short form in `cargo xtask test`: libFuzzer over every file in `fuzz/targets`.
//!
//! A target begins with the inputs in `fuzz/corpus/TARGET`, which are checked in: bytes of real Erlang, hostile bytes, and
//! what earlier runs found worth keeping. What it finds on the way stays in `fuzz/target/corpus/TARGET`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

use crate::report::Report;
use crate::run::{cargo, on_path, output, root, succeeds};

const USAGE: &str = "\
Feed invented bytes to all that reads bytes from strangers. A finding is written to a file, whose
path is printed with the command that replays it.

Usage: cargo xtask fuzz [SECONDS] [TARGET]
       cargo xtask fuzz check
       cargo xtask fuzz merge [TARGET]

  SECONDS   How long for each target; unless said, 600 or 10 million executions, whichever ends first
  TARGET    The name of a file in fuzz/targets; unless said, each in turn
  check     What `cargo xtask test` does: run what is in fuzz/corpus, then each target for 30 s
  merge     Make fuzz/corpus anew of itself and of what runs found since, the inputs that reach most";

/// What libFuzzer needs of the compiler; the stable one takes it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// For every run: no input longer than this, no more memory, no input that takes as many seconds.
const LIMITS: [&str; 3] = ["-max_len=600", "-rss_limit_mb=1500", "-timeout=10"];

/// So many inputs of a target are checked in at most.
const KEPT: usize = 90;

/// How long a target runs in `cargo xtask test`, in seconds.
const SHORT: u32 = 30;

pub(crate) fn main(rest: &[&str]) -> ExitCode {
    let targets = targets();
    let known = |name: &str| targets.iter().any(|target| target == name);
    let usual = || vec!["-max_total_time=600".to_owned(), "-runs=10000000".to_owned()];
    let (time, chosen) = match rest {
        [] => (usual(), targets.clone()),
        ["check"] => {
            let mut report = Report::default();
            check(&mut report);
            report.print();
            return verdict(report.failed.is_empty());
        }
        ["merge"] => return verdict(build() && targets.iter().all(|target| merge(target))),
        ["merge", target] if known(target) => return verdict(build() && merge(target)),
        [target] if known(target) => (usual(), vec![(*target).to_owned()]),
        [seconds, rest @ ..]
            if seconds.parse::<u32>().is_ok() && rest.len() < 2 && rest.iter().all(|name| known(name)) =>
        {
            let chosen = rest.first().map_or(targets.clone(), |target| vec![(*target).to_owned()]);
            (vec![format!("-max_total_time={seconds}")], chosen)
        }
        _ => {
            let help = matches!(rest, ["--help" | "-h"]);
            eprintln!("{USAGE}\n\nTargets: {}", targets.join(", "));
            return ExitCode::from(if help { 0 } else { 2 });
        }
    };
    verdict(build() && chosen.iter().all(|target| run(target, &time, Stdio::inherit())))
}

/// Replays every target's corpus and fuzzes it for a short while, as many at a time as there are processors.
pub(crate) fn check(report: &mut Report) {
    if !["c++", "g++", "clang++"].iter().any(|compiler| on_path(compiler)) {
        report.skipped.push("fuzz: needs g++ (libFuzzer is written in C++)".to_owned());
        return;
    }
    if !build() {
        report.check("fuzz (build)", false);
        return;
    }
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let waiting = Mutex::new(targets().into_iter().rev().collect::<Vec<_>>());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(target) = waiting.lock().ok().and_then(|mut waiting| waiting.pop()) {
                    let replayed = replay(&target);
                    println!("{target}: the corpus {}", if replayed { "passes" } else { "FAILS" });
                    let time = [format!("-max_total_time={SHORT}")];
                    // With a known failure it would only find that one again.
                    let passed = replayed.then(|| run(&target, &time, Stdio::null()));
                    if let Some(passed) = passed {
                        println!("{target}: {SHORT} s {}", if passed { "without a finding" } else { "FAILED" });
                    }
                    if let Ok(mut results) = results.lock() {
                        results.push((target, replayed, passed));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort();
    for (target, replayed, passed) in results {
        report.check(&format!("fuzz {target}: corpus"), replayed);
        if let Some(passed) = passed {
            report.check(&format!("fuzz {target}: {SHORT} s"), passed);
        }
    }
}

fn verdict(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

/// The names of the files in `fuzz/targets`.
fn targets() -> Vec<String> {
    let names = files(&folder().join("targets")).into_iter();
    names.filter_map(|file| file.file_stem()?.to_str().map(str::to_owned)).collect()
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).map(|files| files.flatten().map(|file| file.path()).collect()).unwrap_or_default()
}

/// The compiler's own target. It is named, so that cargo leaves build scripts without the flags.
fn triple() -> String {
    let version = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap_or("x86_64-unknown-linux-gnu").to_owned()
}

/// Builds all targets, in a folder of their own: with these flags nothing else could use the results.
fn build() -> bool {
    let mut build = cargo();
    build.current_dir(folder()).args(["build", "--release", "--quiet", "--target", &triple()]);
    succeeds(build.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", folder().join("target")))
}

fn program(target: &str) -> PathBuf {
    folder().join("target").join(triple()).join("release").join(target)
}

fn corpus(target: &str) -> PathBuf {
    folder().join("corpus").join(target)
}

/// What runs have found here.
fn found(target: &str) -> PathBuf {
    folder().join("target/corpus").join(target)
}

fn run(target: &str, time: &[String], output: Stdio) -> bool {
    let (found, findings) = (found(target), folder().join("artifacts").join(target));
    if let Err(error) = fs::create_dir_all(&found).and_then(|()| fs::create_dir_all(&findings)) {
        eprintln!("xtask: {}: {error}", found.display());
        return false;
    }
    let before = files(&findings);
    let mut command = Command::new(program(target));
    command.args(time).args(LIMITS).arg(format!("-artifact_prefix={}/", findings.display())).arg(found);
    let kept = corpus(target);
    if kept.is_dir() {
        command.arg(kept);
    }
    let passed = succeeds(command.stderr(output));
    for finding in files(&findings).difference(&before) {
        println!("{target}: found {}", finding.display());
        println!("  replay: {} {}", program(target).display(), finding.display());
    }
    passed
}

/// Runs every input of the corpus once.
fn replay(target: &str) -> bool {
    let inputs = files(&corpus(target));
    let replay =
        |input: &PathBuf| succeeds(Command::new(program(target)).args(LIMITS).arg(input).stderr(Stdio::null()));
    if succeeds(Command::new(program(target)).args(LIMITS).args(&inputs).stderr(Stdio::null())) {
        return true;
    }
    // It ends at the first that fails; which one that is, one at a time tells.
    if let Some(input) = inputs.iter().find(|input| !replay(input)) {
        println!("{target}: {} fails\n  replay: {} {}", input.display(), program(target).display(), input.display());
    }
    false
}

/// Makes the corpus anew of itself and what was found: the inputs that together reach the most code.
fn merge(target: &str) -> bool {
    let (kept, fresh) = (corpus(target), folder().join("target/merged").join(target));
    // There is none before the first merge.
    let _ = fs::remove_dir_all(&fresh);
    let chosen = fs::create_dir_all(&fresh).and_then(|()| fs::create_dir_all(&kept)).is_ok()
        && succeeds(Command::new(program(target)).args(LIMITS).args(["-set_cover_merge=1", "-use_counters=0"]).args([
            &fresh,
            &kept,
            &found(target),
        ]));
    // The one that reaches most of what is not yet reached is written next.
    let mut inputs: Vec<PathBuf> = files(&fresh).into_iter().collect();
    inputs.sort_by_key(|input| fs::metadata(input).and_then(|data| data.modified()).ok());
    inputs.truncate(KEPT);
    chosen
        && fs::remove_dir_all(&kept).and_then(|()| fs::create_dir_all(&kept)).is_ok()
        && inputs.iter().all(|input| input.file_name().is_some_and(|name| fs::copy(input, kept.join(name)).is_ok()))
}
