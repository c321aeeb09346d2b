//! `cargo xtask`: every command that a developer of Beamline needs.
//!
//! It depends on next to nothing, so that it is built in a moment; it calls
//! cargo and the programs of the workspace and never links to their crates.

mod assets;
mod checks;
mod demo;
mod fuzz;
mod image;
mod measure;
mod report;
mod run;
mod suite;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
Developer commands of Beamline.

Usage: cargo xtask COMMAND

  demo            Start three app_a and three app_b on this machine, one cluster; Ctrl-C ends it
  test            Check and test everything
  test --quick    The same without the long tests, in some 6 minutes on two cores
  bench [SUITE]   Measure Beamline beside OTP and other rivals: calls, terms, ...; `bench --help` lists them
  fuzz            Fuzz what reads strangers' bytes, each target for ten minutes
  image           Build the images of deploy/ (needs a Docker engine)
  tidy            Check the house rules only (layers, file heads, paths)
  tools           Install what the tests need (Debian, as root)

Run `cargo xtask COMMAND --help` for its options.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (command.as_str(), rest.as_slice()) {
        ("demo", rest) => demo::main(rest),
        ("test", rest) => suite::main(rest),
        ("bench", rest) => measure::bench(rest),
        ("fuzz", rest) => fuzz::main(rest),
        ("image", rest) => image::main(rest),
        ("tidy", []) => tidy::main(),
        ("tools", []) => tools::main(),
        ("help" | "--help" | "-h", _) | ("tidy" | "tools", ["--help" | "-h"]) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("xtask: I do not know `{}`\n\n{USAGE}", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}
