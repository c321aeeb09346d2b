//! `bench/results.md`: one section a suite, replaced when the suite is run again; each says how it came about.

use std::fs;
use std::path::PathBuf;

use crate::peer::Lab;
use crate::{Error, Options, machine};

const HEAD: &str = "# Results\n\nWritten by `cargo xtask bench`; see `README.md` beside this for what each row is and how to read it.\n";

/// The crates whose versions matter.
const CRATES: [&str; 6] = ["tokio", "ractor_cluster", "tonic", "erl_rpc", "erl_dist", "smol"];

/// A section under construction.
pub struct Page {
    suite: &'static str,
    text: String,
}

impl Page {
    pub fn new(suite: &'static str, options: &Options, lab: &Lab) -> Page {
        println!("\n## {suite}\n");
        let mut page = Page { suite, text: format!("## {suite}\n\n") };
        let callers: Vec<_> = options.callers.iter().map(usize::to_string).collect();
        let callers = if suite == "calls" { format!(" --callers {}", callers.join(",")) } else { String::new() };
        let quick = if options.quick { " --quick" } else { "" };
        let date = machine::says("date", &["-u", "+%F %H:%M UTC"]).unwrap_or_default();
        let commit = machine::says("git", &["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"]);
        page.say(&format!(
            "`cargo xtask bench {suite} --rounds {}{callers}{quick}` at {}, {date}; {} cores of {}; OTP {}; {}; {}.",
            options.rounds,
            commit.unwrap_or_else(|| "an unknown commit".to_owned()),
            machine::cores(),
            machine::cpu(),
            lab.otp.as_deref().unwrap_or("is missing"),
            machine::says("rustc", &["--version"]).unwrap_or_default(),
            versions(),
        ));
        for skipped in &lab.skipped {
            page.say(&format!("Skipped: {skipped}."));
        }
        page
    }

    /// Adds a paragraph or a table, and shows it.
    pub fn say(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        println!("{text}\n");
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    /// Writes the section into the file.
    pub fn finish(self) -> Result<(), Error> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results.md");
        let old = fs::read_to_string(&path).unwrap_or_default();
        let heading = format!("## {}\n", self.suite);
        let mut sections: Vec<String> =
            old.split("\n## ").skip(1).map(|rest| format!("## {}\n", rest.trim_end())).collect();
        sections.retain(|section| !section.starts_with(&heading));
        sections.push(format!("{}\n", self.text.trim_end()));
        sections.sort_by_key(|section| {
            let order = ["calls", "mixed", "oneway", "connect", "memory", "mesh"];
            order.iter().position(|suite| section.starts_with(&format!("## {suite}\n")))
        });
        Ok(fs::write(path, format!("{HEAD}\n{}", sections.join("\n")))?)
    }
}

/// What Cargo.lock says.
fn versions() -> String {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    let version = |name: &&str| {
        let after = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?.1;
        Some(format!("{name} {}", after.split_once('"')?.0))
    };
    CRATES.iter().filter_map(version).collect::<Vec<_>>().join(", ")
}
