//! `cargo xtask test`: the checks, then every test, then the counts.
//!
//! A test that cannot run here says so in the file that `BEAMLINE_SKIP_LOG`
//! names (see CONTRIBUTING.md); nothing is skipped in silence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::assets;
use crate::checks::{self, title};
use crate::fuzz;
use crate::image;
use crate::report::{Report, Runner};
use crate::run::{self, cargo, output, watched};
use crate::tools;

const USAGE: &str = "\
Check and test everything: format, lints, documentation, house rules, then unit, property,
golden, real-peer and whole-cluster tests, fuzzing. On Debian as root it first installs the tools
that are missing. With CI=true a test skipped for a tool that apt can install counts as failed.

Usage: cargo xtask test [--quick]

  --quick   Without documentation, OTP 27 and 29, the long tests and fuzzing; some 6 minutes on two cores";

/// Tests whose path has one of these parts take long or need the OTP trees.
const LONG: [&str; 3] = ["otp27", "otp29", "long_"];

pub(crate) fn main(arguments: &[&str]) -> ExitCode {
    let quick = match arguments {
        [] => false,
        ["--quick"] => true,
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    let begin = Instant::now();

    title("tools");
    tools::install(quick);

    let mut report = Report::default();
    checks::all(&mut report, quick);
    if build(quick) {
        tests(&mut report, quick);
    } else {
        report.check("build of the tests", false);
    }
    title("fuzz");
    if quick {
        report.skipped.push("fuzz: left out by --quick".to_owned());
    } else {
        fuzz::check(&mut report);
    }
    if ci {
        report.forbid_skips(tools::installable);
    }

    println!("\nTook {} s.", begin.elapsed().as_secs());
    report.print();
    if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The programs that the whole-cluster tests start, and the images that one of them starts where there is an engine.
fn build(quick: bool) -> bool {
    title("build");
    if !run::succeeds(cargo().args(["build", "--workspace", "--all-features", "--bins", "--quiet"])) {
        return false;
    }
    if !quick && image::engine() {
        title("images");
        if let Err(problem) = image::build("image") {
            println!("no images: {problem}");
            return false;
        }
    }
    true
}

fn tests(report: &mut Report, quick: bool) {
    let log = skip_log();
    let nextest = output(cargo().args(["nextest", "--version"])).is_some();
    let runner = if nextest { Runner::Nextest } else { Runner::Cargo };

    title(if nextest { "tests (nextest)" } else { "tests (cargo test)" });
    let mut command = cargo();
    if nextest {
        command.args(["nextest", "run", "--no-fail-fast", "--color=never", "--status-level=all"]);
        command.args(["--final-status-level=fail", "--no-tests=pass"]);
        if quick {
            let long: Vec<String> = LONG.iter().map(|part| format!("test({part})")).collect();
            command.args(["-E", &format!("not ({})", long.join(" or "))]);
        }
    } else {
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    command.args(["--workspace", "--all-features"]);
    if !nextest {
        command.arg("--");
        if quick {
            command.args(LONG.iter().flat_map(|part| ["--skip", part]));
        }
    }
    run_tests(report, runner, &mut command, &log, quick);

    title("tests in the documentation");
    let mut command = cargo();
    command.args(["test", "--doc", "--no-fail-fast", "--workspace", "--all-features"]);
    run_tests(report, Runner::Cargo, &mut command, &log, quick);

    if quick {
        report.skipped.push(format!("tests with {} in their name: left out by --quick", LONG.join(", ")));
    }
    report.read_skips(&fs::read_to_string(&log).unwrap_or_default());
}

fn run_tests(report: &mut Report, runner: Runner, command: &mut Command, log: &Path, quick: bool) {
    command.env("BEAMLINE_SKIP_LOG", log);
    if let Some(kube) = assets::kube() {
        command.env(assets::KUBE_VARIABLE, kube);
    }
    if quick {
        command.env("PROPTEST_CASES", "64");
    }
    let failed = report.failed.len();
    let outcome = watched(command);
    outcome.lines.iter().for_each(|line| report.read_line(runner, line));
    if !outcome.success && report.failed.len() == failed {
        // It did not compile, or a test program died before it could say which test.
        report.failed.push("a test program that did not compile or died (see above)".to_owned());
    }
}

fn skip_log() -> PathBuf {
    let folder = run::root().join("target");
    let log = folder.join("skipped.txt");
    // A leftover of the last run would be counted again.
    let _ = fs::create_dir_all(folder);
    let _ = fs::remove_file(&log);
    log
}
