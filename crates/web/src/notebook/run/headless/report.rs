//! What came of a notebook that was run: for people, as a notebook, as JSON, as JUnit's XML.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use beamline_livemd::{Id, Notebook};
use beamline_proto::NodeName;
use maud::{PreEscaped, html};
use serde::Serialize;

use crate::notebook::run::file::kept;
use crate::notebook::run::outline::Language;
use crate::notebook::run::output::{Failure, Outcome, Output};

/// What came of a notebook that was run.
#[derive(Debug)]
pub struct Report {
    pub(super) notebook: Notebook,
    pub(super) target: NodeName,
    pub(super) kind: &'static str,
    pub(super) cells: Vec<Ran>,
    pub(super) took: Duration,
    pub(super) is_late: bool,
    pub(super) lost: Option<String>,
}

/// How it went with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// It gave a value.
    Passed,
    /// It failed.
    Failed,
    /// It was ended: the time was over, or the node went.
    Aborted,
    /// It did not run: a cell above it failed, it is empty, or of a language that is not run.
    Skipped,
}

/// A code cell of a notebook that was run.
#[derive(Debug)]
pub struct Ran {
    pub(super) id: Id,
    pub(super) number: usize,
    pub(super) section: String,
    pub(super) language: Language,
    pub(super) title: String,
    pub(super) status: Status,
    pub(super) output: Option<Arc<Output>>,
    pub(super) is_told: bool,
}

impl Ran {
    /// How it went.
    pub fn status(&self) -> Status {
        self.status
    }

    fn failure(&self) -> Option<&Failure> {
        match self.output.as_ref()?.result.as_ref()? {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Why it was ended, if it was.
    fn aborted(&self) -> Option<&str> {
        match self.output.as_ref()?.result.as_ref()? {
            Outcome::Aborted(why) => Some(why),
            _ => None,
        }
    }

    fn took(&self) -> Duration {
        self.output.as_ref().and_then(|output| output.took).unwrap_or_default()
    }

    /// What it is called: its section and its place among the code cells.
    fn name(&self) -> String {
        format!("cell {}: {}", self.number, self.title)
    }
}

impl fmt::Display for Ran {
    /// A line for people, and those of the failure: `failed  Numbers / cell 3: hd([])  2 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Passed => "ok",
            Status::Failed => "failed",
            Status::Aborted => "aborted",
            Status::Skipped => "skipped",
        };
        write!(f, "{status:<8}{} / {}", self.section, self.name())?;
        if self.status != Status::Skipped {
            write!(f, "  {} ms", self.took().as_millis())?;
        }
        if let Some(Failure { message, line }) = self.failure() {
            if let Some(line) = line {
                write!(f, "\n        on line {line} of the cell:")?;
            }
            message.lines().try_for_each(|line| write!(f, "\n        {line}"))?;
        }
        match self.aborted() {
            Some(why) => write!(f, "\n        {why}"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    schema_version: u32,
    notebook: &'a str,
    node: &'a str,
    kind: &'a str,
    success: bool,
    is_late: bool,
    lost: Option<&'a str>,
    took_ms: u64,
    cells: Vec<JsonCell<'a>>,
}

#[derive(Serialize)]
struct JsonCell<'a> {
    number: usize,
    section: &'a str,
    language: Language,
    title: &'a str,
    status: Status,
    output: Option<&'a Output>,
}

impl JsonCell<'_> {
    fn of(ran: &Ran) -> JsonCell<'_> {
        let Ran { number, language, status, .. } = *ran;
        let output = ran.output.as_deref();
        JsonCell { number, section: &ran.section, language, title: &ran.title, status, output }
    }
}

impl Report {
    /// The cells that are code, in their order.
    pub fn cells(&self) -> &[Ran] {
        &self.cells
    }

    /// Whether no cell failed or was ended.
    pub fn is_success(&self) -> bool {
        self.lost.is_none() && !self.cells.iter().any(|ran| matches!(ran.status, Status::Failed | Status::Aborted))
    }

    /// Whether the time was over before all was run.
    pub fn is_late(&self) -> bool {
        self.is_late
    }

    /// That the node has gone meanwhile.
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    fn count(&self, status: Status) -> usize {
        self.cells.iter().filter(|ran| ran.status == status).count()
    }

    /// One line: how many passed, failed, were ended, were skipped.
    pub fn summary(&self) -> String {
        let counts = [Status::Passed, Status::Failed, Status::Aborted, Status::Skipped].map(|it| self.count(it));
        let [passed, failed, aborted, skipped] = counts;
        let millis = self.took.as_millis();
        format!(
            "{passed} passed, {failed} failed, {aborted} aborted, {skipped} skipped at {} in {millis} ms",
            self.target
        )
    }

    /// The notebook with what its cells gave, which it says that it keeps.
    pub fn livemd(mut self) -> String {
        self.notebook.set_persists_outputs(true);
        for ran in &self.cells {
            let outputs = ran.output.as_ref().and_then(|output| kept(output)).unwrap_or_default();
            if let Some(cell) = self.notebook.cell_mut(ran.id) {
                cell.set_outputs(outputs);
            }
        }
        self.notebook.write()
    }

    /// One JSON document; `docs/notebook.md` has its shape.
    pub fn json(&self) -> String {
        let json = Json {
            schema_version: 1,
            notebook: self.notebook.name(),
            node: self.target.as_str(),
            kind: self.kind,
            success: self.is_success(),
            is_late: self.is_late,
            lost: self.lost.as_deref(),
            took_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            cells: self.cells.iter().map(JsonCell::of).collect(),
        };
        // Texts, numbers and names only: there is nothing in it that cannot be written.
        serde_json::to_string_pretty(&json).unwrap_or_default()
    }

    /// JUnit's XML, as CI services read it: a suite for the notebook, a case for each code cell.
    pub fn junit(&self) -> String {
        let seconds = |time: Duration| format!("{:.3}", time.as_secs_f64());
        let name = legible(self.notebook.name());
        let suite = html! {
            testsuites {
                testsuite name=(name) tests=(self.cells.len()) failures=(self.count(Status::Failed))
                    errors=(self.count(Status::Aborted)) skipped=(self.count(Status::Skipped)) time=(seconds(self.took)) {
                    @for ran in &self.cells {
                        testcase classname=(legible(&ran.section)) name=(legible(&ran.name())) time=(seconds(ran.took())) {
                            @if let Some(Failure { message, line }) = ran.failure() {
                                failure message=(legible(message.lines().next().unwrap_or_default())) {
                                    @if let Some(line) = line { "line " (line) " of the cell\n" }
                                    (legible(message))
                                }
                            }
                            @if let Some(why) = ran.aborted() { error message=(legible(why)) {} }
                            @if ran.status == Status::Skipped { skipped {} }
                            @if let Some(output) = ran.output.as_ref().filter(|output| output.printed.bytes > 0) {
                                system-out { (legible(output.printed.shown())) }
                            }
                        }
                    }
                }
            }
        };
        html! { (PreEscaped(r#"<?xml version="1.0" encoding="UTF-8"?>"#)) "\n" (suite) "\n" }.into_string()
    }
}

/// A text without what XML cannot hold: colours and other control characters.
fn legible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            // A sequence for terminals ends with a letter.
            '\u{1b}' => {
                if rest.next() == Some('[') {
                    rest.by_ref().find(char::is_ascii_alphabetic);
                }
            }
            '\n' | '\t' => out.push(next),
            _ if next.is_control() || matches!(next, '\u{fffe}' | '\u{ffff}') => {}
            _ => out.push(next),
        }
    }
    out
}
