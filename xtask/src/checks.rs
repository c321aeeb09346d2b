//! The checks that look at the source and run nothing of it: format, lints,
//! documentation, house rules.

use crate::report::Report;
use crate::run::{cargo, output, succeeds};
use crate::tidy;

/// Every check in turn, its verdict in the report.
pub(crate) fn all(report: &mut Report, quick: bool) {
    ensure_components();

    title("format");
    report.check("format (cargo fmt --check)", succeeds(cargo().args(["fmt", "--all", "--check"])));

    title("tidy");
    report.check("tidy (cargo xtask tidy)", tidy::passes());

    title("clippy");
    let clippy = succeeds(
        cargo()
            .args(["clippy", "--workspace", "--all-targets", "--all-features", "--quiet"])
            .args(["--", "-D", "warnings"]),
    );
    report.check("clippy", clippy);

    if quick {
        report.skipped.push("documentation: left out by --quick".to_owned());
        return;
    }
    title("documentation");
    let docs = succeeds(cargo().env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--quiet",
    ]));
    report.check("documentation (cargo doc)", docs);
}

pub(crate) fn title(name: &str) {
    println!("\n== {name}");
}

/// A minimal toolchain lacks clippy and rustfmt; rustup, where there is one, adds them.
fn ensure_components() {
    for component in ["clippy", "rustfmt"] {
        let subcommand = if component == "clippy" { "clippy" } else { "fmt" };
        if output(cargo().args([subcommand, "--version"])).is_none() {
            succeeds(std::process::Command::new("rustup").args(["component", "add", component]));
        }
    }
}
