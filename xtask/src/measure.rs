//! `cargo xtask bench terms` and `cargo xtask fuzz`: programs outside the workspace, built when asked for.

use std::process::ExitCode;

use crate::run::{cargo, root, succeeds};

/// What libFuzzer needs of the compiler; the stable one takes it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

const TARGETS: [&str; 4] = ["decode", "serde", "display", "compare"];

fn verdict(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `bench terms`: fails where Beamline is not the fastest.
pub(crate) fn bench(rest: &[&str]) -> ExitCode {
    let ["terms"] = rest else {
        eprintln!("Usage: cargo xtask bench terms");
        return ExitCode::from(2);
    };
    verdict(succeeds(cargo().args(["run", "--release", "--manifest-path", "bench/Cargo.toml", "--bin", "terms"])))
}

/// `fuzz [SECONDS]`: each target for so long, 600 unless said.
pub(crate) fn fuzz(rest: &[&str]) -> ExitCode {
    let seconds: u32 = match rest {
        [] => 600,
        [seconds] if seconds.parse::<u32>().is_ok() => seconds.parse().unwrap_or(600),
        _ => {
            eprintln!("Usage: cargo xtask fuzz [SECONDS]");
            return ExitCode::from(2);
        }
    };
    let folder = root().join("fuzz");
    // Given the target, cargo leaves build scripts without the flags.
    const TRIPLE: &str = "x86_64-unknown-linux-gnu";
    let mut build = cargo();
    build.current_dir(&folder).args(["build", "--release", "--target", TRIPLE]).env("RUSTFLAGS", COVERAGE);
    let built = succeeds(build.env("CARGO_TARGET_DIR", folder.join("target")));
    let programs = folder.join("target").join(TRIPLE).join("release");
    verdict(
        built
            && TARGETS.iter().all(|target| {
                let corpus = folder.join("target/corpus").join(target);
                std::fs::create_dir_all(&corpus).is_ok()
                    && succeeds(
                        std::process::Command::new(programs.join(target))
                            .arg(format!("-max_total_time={seconds}"))
                            .args(["-max_len=600", "-rss_limit_mb=1500"])
                            .arg(corpus)
                            .current_dir(&folder),
                    )
            }),
    )
}
