//! The report for people: what is well folds into one line, what is not is told in full.

use std::fmt::Write;

use super::counts;
use crate::{Checked, Examination, Finding, State, Summary, Weight};

/// How the text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Look {
    /// With the colours of a terminal.
    pub color: bool,
    /// Without characters beyond ASCII.
    pub ascii: bool,
    /// With all that was seen, also of what is well.
    pub verbose: bool,
}

impl Look {
    /// Plain.
    pub const PLAIN: Look = Look { color: false, ascii: false, verbose: false };

    /// In colours or not.
    pub fn color(self, color: bool) -> Look {
        Look { color, ..self }
    }

    /// In ASCII or not.
    pub fn ascii(self, ascii: bool) -> Look {
        Look { ascii, ..self }
    }

    /// With everything or not.
    pub fn verbose(self, verbose: bool) -> Look {
        Look { verbose, ..self }
    }

    fn mark(self, weight: Option<Weight>) -> String {
        let (sign, plain, color) = match weight {
            None => ("√", "ok", 32),
            Some(Weight::Warning) => ("‼", "!!", 33),
            Some(Weight::Error) => ("×", "xx", 31),
        };
        self.paint(if self.ascii { plain } else { sign }, color)
    }

    fn paint(self, text: &str, color: u8) -> String {
        if self.color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The whole report.
pub fn text(all: &[Examination], look: Look) -> String {
    let mut out = String::new();
    for examination in all {
        one(&mut out, examination, look);
    }
    let summary = Summary::of(all);
    let counts = counts(summary);
    // Writing into a String does not fail, here and below.
    let _ = writeln!(out, "{counts:<64} exit {}", summary.exit_code());
    if look.ascii { plain(&out) } else { out }
}

/// What the texts have beyond ASCII. Names of nodes may have more, and stay as they are.
fn plain(text: &str) -> String {
    text.replace('→', "->").replace('…', "..")
}

fn one(out: &mut String, examination: &Examination, look: Look) {
    let own = examination.own.as_ref().map_or_else(|| "here, as a guest".to_owned(), |own| format!("{own} (hidden)"));
    let _ = writeln!(out, "{} from {own}", examination.node);
    let mut well: Vec<&Checked> = Vec::new();
    for checked in &examination.rungs {
        match checked.state {
            State::Passed if checked.findings.is_empty() => well.push(checked),
            State::Passed | State::Failed => {
                folded(out, &mut well, look);
                checked.findings.iter().for_each(|finding| wrong(out, checked, finding, look));
            }
            State::Unfinished => {
                folded(out, &mut well, look);
                let _ = writeln!(
                    out,
                    "{} {}: there was no time left for it",
                    look.mark(Some(Weight::Error)),
                    checked.rung.name()
                );
            }
            State::Skipped(_) | State::Empty => {}
        }
    }
    folded(out, &mut well, look);
    let skipped = |rung: &Checked| match rung.state {
        State::Skipped(root) => Some((root, rung.rung.name())),
        _ => None,
    };
    let skipped: Vec<_> = examination.rungs.iter().filter_map(skipped).collect();
    if let Some((root, _)) = skipped.first() {
        let names: Vec<_> = skipped.iter().map(|(_, name)| *name).collect();
        let _ = writeln!(out, "  skipped, since {} failed: {}", root.name(), names.join(", "));
    }
}

/// One line for several rungs that are well, or all that they saw.
fn folded(out: &mut String, well: &mut Vec<&Checked>, look: Look) {
    if well.is_empty() {
        return;
    }
    let names: Vec<_> = well.iter().map(|checked| checked.rung.name()).collect();
    let took: std::time::Duration = well.iter().map(|checked| checked.took).sum();
    let plural = if names.len() == 1 { "" } else { "s" };
    let checks = format!("{} check{plural}, {} ms", names.len(), took.as_millis());
    let _ = writeln!(out, "{} {} ({checks})", look.mark(None), names.join(", "));
    if look.verbose {
        for checked in well.iter() {
            checked.facts.iter().for_each(|fact| {
                let _ = writeln!(out, "    {}: {fact}", checked.rung.name());
            });
        }
    }
    well.clear();
}

fn wrong(out: &mut String, checked: &Checked, finding: &Finding, look: Look) {
    let id = look.paint(finding.code.id, if finding.weight == Weight::Error { 31 } else { 33 });
    let _ = writeln!(out, "{} {id} {}: {}", look.mark(Some(finding.weight)), checked.rung.name(), finding.what);
    for (label, text) in &finding.evidence {
        let _ = writeln!(out, "    {:<8} {text}", format!("{label}:"));
    }
    for (place, fix) in finding.fix.iter().enumerate() {
        let _ = writeln!(out, "    {:<8} {fix}", if place == 0 { "fix:" } else { "or:" });
    }
    let _ = writeln!(out, "    {:<8} beamline doctor --explain {}", "more:", finding.code.id);
    if look.verbose {
        checked.facts.iter().for_each(|fact| {
            let _ = writeln!(out, "    {:<8} {fact}", "seen:");
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Rung;

    #[test]
    fn what_is_well_folds() {
        let checked = |rung, state, findings| Checked {
            rung,
            state,
            findings,
            facts: vec!["epmd: app → 39183".to_owned()],
            took: Duration::from_millis(4),
        };
        let finding = Finding::new("BL501", "the peer rejected our cookie").evidence("used", "x").fix("y").fix("z");
        let rungs = vec![
            checked(Rung::Name, State::Passed, Vec::new()),
            checked(Rung::Dns, State::Passed, Vec::new()),
            checked(Rung::Cookie, State::Failed, vec![finding]),
            checked(Rung::Mesh, State::Skipped(Rung::Cookie), Vec::new()),
        ];
        let all = [Examination { node: "app@db1".parse().unwrap(), own: "me@mac".parse().ok(), rungs }];
        let expected = "app@db1 from me@mac (hidden)\n\
                        √ name, dns (2 checks, 8 ms)\n\
                        × BL501 cookie: the peer rejected our cookie\n    used:    x\n    fix:     y\n    or:      z\n    \
                        more:    beamline doctor --explain BL501\n  \
                        skipped, since cookie failed: mesh\n\
                        1 error, 0 warnings, 1 skipped                                   exit 1\n";
        assert_eq!(text(&all, Look::PLAIN), expected);
        let verbose = text(&all, Look::PLAIN.ascii(true).verbose(true));
        assert!(verbose.contains("dns: epmd: app -> 39183") && verbose.is_ascii(), "{verbose}");
    }
}
