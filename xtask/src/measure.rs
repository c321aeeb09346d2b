//! `cargo xtask bench terms|serde`: programs outside the workspace, built when asked for.

use std::process::ExitCode;

use crate::run::{cargo, succeeds};

fn verdict(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `bench terms`: fails where Beamline is not the fastest; `bench serde`: where serde falls behind the terms.
pub(crate) fn bench(rest: &[&str]) -> ExitCode {
    let [name @ ("terms" | "serde")] = rest else {
        eprintln!("Usage: cargo xtask bench terms|serde");
        return ExitCode::from(2);
    };
    verdict(succeeds(cargo().args(["run", "--release", "--manifest-path", "bench/Cargo.toml", "--bin", name])))
}
