//! `cargo xtask bench`: programs outside the workspace, built when asked for.

use std::process::ExitCode;

use crate::run::{cargo, succeeds};

const MANIFEST: &str = "bench/Cargo.toml";

/// Suites over a network. Without one of them all are run, those of the terms included.
const SUITES: [&str; 7] = ["calls", "mixed", "oneway", "connect", "memory", "mesh", "names"];

/// `bench [SUITE...] [OPTIONS]`: `terms` fails where Beamline is not the fastest, `serde` where serde falls behind the
/// terms; the rest, and `--help`, are the driver's.
pub(crate) fn bench(rest: &[&str]) -> ExitCode {
    let success = match rest {
        [name @ ("terms" | "serde")] => terms(name),
        _ => {
            let some = rest.iter().any(|word| *word == "--help" || SUITES.contains(word));
            network(rest) && (some || (terms("terms") && terms("serde")))
        }
    };
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds every rival and runs the driver.
fn network(arguments: &[&str]) -> bool {
    // A rival whose C library cannot be built here is left out; the driver says so.
    let feature = ["ractor", "network"].into_iter().find(|feature| {
        let mut build = cargo();
        build.args(["build", "--release", "--manifest-path", MANIFEST, "--bins", "--features", feature]);
        succeeds(&mut build)
    });
    feature.is_some_and(|feature| {
        let mut run = cargo();
        run.args(["run", "--release", "--manifest-path", MANIFEST, "--bin", "bench", "--features", feature, "--"]);
        succeeds(run.args(arguments))
    })
}

fn terms(name: &str) -> bool {
    succeeds(cargo().args(["run", "--profile", "terms", "--manifest-path", MANIFEST, "--bin", name]))
}
