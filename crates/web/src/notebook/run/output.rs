//! What a cell has given: what it printed, its value, its error. Everything is bounded; what is left out is counted.

use std::time::Duration;

use serde::Serialize;

use super::plan::Evaluation;

/// So many lines of what a cell prints are shown.
pub(crate) const SHOWN_LINES: usize = 10_000;
/// And so many bytes of it.
pub(crate) const SHOWN_BYTES: usize = 1 << 20;
/// So many lines are kept for who wants to see the rest.
pub(crate) const KEPT_LINES: usize = 50_000;
/// And so many bytes.
pub(crate) const KEPT_BYTES: usize = 4 << 20;

/// What an evaluation has given so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Output {
    /// Which evaluation.
    pub(crate) evaluation: Evaluation,
    /// What it has printed.
    pub(crate) printed: Printed,
    /// How it ended; none while it runs.
    pub(crate) result: Option<Outcome>,
    /// How long it ran, in milliseconds; none while it runs.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub(crate) took: Option<Duration>,
}

fn milliseconds<S: serde::Serializer>(took: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

impl Output {
    /// Of an evaluation that begins.
    pub(super) fn new(evaluation: Evaluation) -> Output {
        Output { evaluation, printed: Printed::default(), result: None, took: None }
    }
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum Outcome {
    /// With a value.
    Value {
        /// As `inspect` shows it, several lines if need be.
        text: String,
        /// The same as a table, if it is a list of like maps or keyword lists.
        table: Option<Table>,
    },
    /// With a value that is not to be shown.
    Silent,
    /// It failed.
    Failed(Failure),
    /// It was ended before it was done: why.
    Aborted(String),
}

/// Why a cell failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// As the language tells it, the stack included: `** (RuntimeError) no`.
    pub(crate) message: String,
    /// The line of the cell, counted from 1, if it is known.
    pub(crate) line: Option<usize>,
}

/// A value as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// The first rows, a text for each column.
    pub(crate) rows: Vec<Vec<String>>,
    /// How many rows the value has.
    pub(crate) total_rows: u64,
}

/// What a cell prints, with its colours (ANSI). A line that is begun anew by a carriage return is kept in its last form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Printed {
    text: String,
    /// Where the last line begins.
    #[serde(skip)]
    line: usize,
    #[serde(skip)]
    kept_lines: usize,
    #[serde(skip)]
    has_returned: bool,
    /// How many lines were printed, those that are not kept included.
    pub(crate) lines: u64,
    /// How many bytes were printed.
    pub(crate) bytes: u64,
}

impl Printed {
    /// Takes a text, if there is room in `room` bytes for what it adds.
    pub(super) fn push(&mut self, text: &str, room: usize) {
        self.bytes += text.len() as u64;
        let limit = KEPT_BYTES.min(self.text.len().saturating_add(room));
        for part in text.split_inclusive(['\n', '\r']) {
            let body = part.trim_end_matches(['\n', '\r']);
            let ends = part.ends_with('\n');
            if !body.is_empty() && std::mem::take(&mut self.has_returned) {
                self.text.truncate(self.line);
            }
            self.has_returned = part.ends_with('\r') || (self.has_returned && !ends);
            self.lines += u64::from(ends);
            let free = limit.saturating_sub(self.text.len() + usize::from(ends));
            if self.kept_lines >= KEPT_LINES || free == 0 {
                continue;
            }
            self.text.push_str(whole(body, free));
            if ends {
                self.text.push('\n');
                self.line = self.text.len();
                self.kept_lines += 1;
            }
        }
    }

    /// What is shown: the first [`SHOWN_LINES`] lines, the first [`SHOWN_BYTES`] bytes.
    pub(crate) fn shown(&self) -> &str {
        let text = whole(&self.text, SHOWN_BYTES);
        match text.match_indices('\n').nth(SHOWN_LINES - 1) {
            Some((at, _)) => text.get(..=at).unwrap_or(text),
            None => text,
        }
    }

    /// All that is kept.
    pub(crate) fn kept(&self) -> &str {
        &self.text
    }

    /// How many lines were printed that are not kept.
    pub(crate) fn left_out(&self) -> u64 {
        self.lines.saturating_sub(self.kept_lines as u64)
    }
}

/// As much of a text as fits, not cutting a character.
pub(super) fn whole(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(parts: &[&str]) -> Printed {
        let mut printed = Printed::default();
        parts.iter().for_each(|part| printed.push(part, usize::MAX));
        printed
    }

    #[test]
    fn a_line_that_is_begun_anew_is_kept_in_its_last_form() {
        assert_eq!(printed(&["10%\r20%\r", "30%", "\r\n", "done\n"]).kept(), "30%\ndone\n");
        assert_eq!(printed(&["a\r\nb\r", "\nc"]).kept(), "a\nb\nc");
        assert_eq!(printed(&["keeps\nold\r", "new"]).kept(), "keeps\nnew");
        assert_eq!(printed(&["x\r\r\ny"]).kept(), "x\ny");
        assert_eq!(printed(&["x\r", "", "y"]).kept(), "y");
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut flood = Printed::default();
        for number in 0..KEPT_LINES + 1000 {
            flood.push(&format!("line {number}\n"), usize::MAX);
        }
        assert_eq!(flood.lines, (KEPT_LINES + 1000) as u64);
        assert_eq!(flood.left_out(), 1000);
        assert_eq!(flood.shown().lines().count(), SHOWN_LINES);
        let mut wide = Printed::default();
        (0..10).for_each(|_| wide.push(&"ž".repeat(KEPT_BYTES / 4), usize::MAX));
        assert!(wide.kept().len() <= KEPT_BYTES && wide.shown().len() <= SHOWN_BYTES);
        assert_eq!(wide.bytes, 10 * (KEPT_BYTES / 2) as u64);
    }

    #[test]
    fn nothing_is_kept_without_room() {
        let mut printed = Printed::default();
        printed.push("four\n", 2);
        printed.push("more\n", 0);
        assert_eq!((printed.kept(), printed.lines), ("f\n", 2));
        assert_eq!(printed.left_out(), 1);
    }
}
