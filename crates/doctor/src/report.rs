//! What an examination found. Plain data, for programs; [`render`](crate::render) makes text of it.

use std::time::Duration;

use beamline_node::NodeName;

use crate::{Code, Rung, Weight};

/// All that was found out about one node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Examination {
    /// The node.
    pub node: NodeName,
    /// As whom it was looked at, if not as a guest.
    pub own: Option<NodeName>,
    /// One rung after another. Those that were not asked for are left out.
    pub rungs: Vec<Checked>,
}

/// One rung, and how it went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// Which.
    pub rung: Rung,
    /// How it went.
    pub state: State,
    /// What is wrong, if something is.
    pub findings: Vec<Finding>,
    /// What was seen, one line each.
    pub facts: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// How a rung went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It was looked at, and has no errors; maybe warnings.
    Passed,
    /// It has an error.
    Failed,
    /// It was not looked at, since this rung failed.
    Skipped(Rung),
    /// There was nothing to look at.
    Empty,
    /// The time was over before it ended.
    Unfinished,
}

/// Something that is wrong.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// How much it matters here; as a rule that of the code.
    pub weight: Weight,
    /// It in one sentence.
    pub what: String,
    /// What was seen: a label and a text.
    pub evidence: Vec<(&'static str, String)>,
    /// What to try, the likeliest first.
    pub fix: Vec<String>,
}

impl Finding {
    pub(crate) fn new(id: &str, what: impl Into<String>) -> Finding {
        let code = Code::get(id).unwrap_or(&Code::UNKNOWN);
        Finding { code, weight: code.weight, what: what.into(), evidence: Vec::new(), fix: Vec::new() }
    }

    pub(crate) fn evidence(mut self, label: &'static str, text: impl Into<String>) -> Finding {
        self.evidence.push((label, text.into()));
        self
    }

    pub(crate) fn fix(mut self, text: impl Into<String>) -> Finding {
        self.fix.push(text.into());
        self
    }

    pub(crate) fn warning(mut self) -> Finding {
        self.weight = Weight::Warning;
        self
    }
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Rungs that were skipped.
    pub skipped: usize,
    /// Rungs for which there was no time.
    pub unfinished: usize,
}

impl Summary {
    /// Of several examinations.
    pub fn of(all: &[Examination]) -> Summary {
        let mut summary = Summary::default();
        for checked in all.iter().flat_map(|one| &one.rungs) {
            match checked.state {
                State::Skipped(_) => summary.skipped += 1,
                State::Unfinished => summary.unfinished += 1,
                _ => {}
            }
            for finding in &checked.findings {
                match finding.weight {
                    Weight::Error => summary.errors += 1,
                    Weight::Warning => summary.warnings += 1,
                }
            }
        }
        summary
    }

    /// The exit code of a program that shows it, whatever the form: 0 without errors, 1 with some, 3 if it could not finish.
    pub fn exit_code(self) -> u8 {
        match self {
            Summary { errors: 1.., .. } => 1,
            // Skipped without an error: what failed was not asked for, and what was asked for is not known.
            Summary { skipped: 1.., .. } | Summary { unfinished: 1.., .. } => 3,
            _ => 0,
        }
    }
}

impl Examination {
    /// All that is wrong.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.rungs.iter().flat_map(|checked| &checked.findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examination(states: &[(State, &[&str])]) -> Examination {
        let rungs = Rung::ALL.into_iter().zip(states).map(|(rung, (state, codes))| Checked {
            rung,
            state: *state,
            findings: codes.iter().map(|id| Finding::new(id, "x")).collect(),
            facts: Vec::new(),
            took: Duration::ZERO,
        });
        Examination { node: "a@b".parse().expect("a name"), own: None, rungs: rungs.collect() }
    }

    #[test]
    fn exit_codes() {
        let code = |states: &[(State, &[&str])]| Summary::of(&[examination(states)]).exit_code();
        assert_eq!(code(&[(State::Passed, &[]), (State::Empty, &[])]), 0);
        assert_eq!(code(&[(State::Passed, &["BL108"])]), 0);
        assert_eq!(code(&[(State::Failed, &["BL201"]), (State::Skipped(Rung::Config), &[])]), 1);
        assert_eq!(code(&[(State::Passed, &[]), (State::Unfinished, &[])]), 3);
        assert_eq!(code(&[(State::Skipped(Rung::Dns), &[])]), 3);
    }
}
