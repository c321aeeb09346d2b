//! Reports as text: for people, for a chat, for programs. No terminal is asked anything here.

mod json;
mod short;
mod text;

pub use json::json;
pub use short::short;
pub use text::{Look, text};

use crate::Summary;

/// The last line: how many of what.
fn counts(summary: Summary) -> String {
    let of = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut line = format!("{}, {}", of(summary.errors, "error"), of(summary.warnings, "warning"));
    if summary.skipped > 0 {
        line.push_str(&format!(", {} skipped", summary.skipped));
    }
    if summary.unfinished > 0 {
        line.push_str(&format!(", {} without time", summary.unfinished));
    }
    line
}
