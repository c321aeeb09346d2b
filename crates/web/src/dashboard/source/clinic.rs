//! The doctor's examinations, for pages: of nodes of the cluster only, few at a time, and not again and again. Nothing of
//! cookies is shown, not even where they are from.

use std::sync::Arc;
use std::time::Duration;

use beamline_doctor::{Checked, Doctor, Finding, Options, Rung, Selection, State};
use beamline_node::NodeName;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::read::{TEXT, cut};

/// So many at a time.
const BEDS: usize = 2;

/// An examination may take so long.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was found is shown to all who ask within this time.
pub(crate) const WORTH: Duration = Duration::from_secs(15);

/// So many facts of a rung, and so many pieces of evidence.
const MOST: usize = 20;

/// Where examinations are made. A cheap clone.
#[derive(Clone)]
pub(crate) struct Clinic {
    doctor: Doctor,
    beds: Arc<Semaphore>,
}

/// What was found out about one node.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Examined {
    pub(crate) node: String,
    pub(crate) rungs: Vec<Step>,
}

/// A rung of the ladder.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) rung: &'static str,
    /// `passed`, `failed`, `skipped`, `empty` or `unfinished`.
    pub(crate) state: &'static str,
    pub(crate) took_ms: u64,
    pub(crate) facts: Vec<String>,
    pub(crate) findings: Vec<Found>,
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Found {
    /// The doctor's code, as `BL302`.
    pub(crate) code: &'static str,
    /// `error` or `warning`.
    pub(crate) weight: &'static str,
    pub(crate) what: String,
    pub(crate) evidence: Vec<(&'static str, String)>,
    pub(crate) fix: Vec<String>,
    /// What such a finding means, in general.
    pub(crate) meaning: &'static str,
}

impl Clinic {
    /// One that looks by these options; what is set up on this machine is nobody's business here.
    pub(crate) fn new(options: Options) -> Clinic {
        let mut options = options;
        options.timeout = options.timeout.min(PATIENCE);
        // It is a rung, so this cannot fail.
        options.selection = Selection::new(&[], &[Rung::Config.name()]).unwrap_or_default();
        Clinic { doctor: Doctor::new(options), beds: Arc::new(Semaphore::new(BEDS)) }
    }

    /// Looks at a node; waits for its turn.
    pub(crate) async fn examine(&self, node: &NodeName) -> Examined {
        // It is never closed.
        let _bed = self.beds.acquire().await;
        let examination = self.doctor.examine(node).await;
        Examined { node: node.to_string(), rungs: examination.rungs.iter().map(Step::of).collect() }
    }
}

impl Step {
    fn of(checked: &Checked) -> Step {
        let secret = matches!(checked.rung, Rung::Cookie | Rung::Config);
        let facts = checked.facts.iter().filter(|_| !secret).take(MOST);
        Step {
            rung: checked.rung.name(),
            state: match checked.state {
                State::Passed => "passed",
                State::Failed => "failed",
                State::Skipped(_) => "skipped",
                State::Empty => "empty",
                _ => "unfinished",
            },
            took_ms: u64::try_from(checked.took.as_millis()).unwrap_or(u64::MAX),
            facts: facts.map(|fact| cut(fact.clone(), TEXT)).collect(),
            findings: checked.findings.iter().map(|finding| Found::of(finding, secret)).collect(),
        }
    }

    /// What a chip shows.
    pub(crate) fn mark(&self) -> &'static str {
        match self.state {
            "failed" | "unfinished" => "bad",
            "passed" if !self.findings.is_empty() => "warn",
            "passed" => "ok",
            _ => "off",
        }
    }
}

impl Found {
    fn of(finding: &Finding, secret: bool) -> Found {
        let evidence = finding.evidence.iter().filter(|_| !secret).take(MOST);
        Found {
            code: finding.code.id,
            weight: finding.weight.name(),
            what: cut(finding.what.clone(), 2 * TEXT),
            evidence: evidence.map(|(label, text)| (*label, cut(text.clone(), TEXT))).collect(),
            fix: finding.fix.iter().take(MOST).map(|fix| cut(fix.clone(), TEXT)).collect(),
            meaning: finding.code.meaning,
        }
    }
}
