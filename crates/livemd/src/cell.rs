//! A cell: text, or code with what came of it.

use std::fmt;

use serde_json::Value;

use super::markdown;
use super::metadata::Metadata;
use super::span::Span;

/// Tells the cells and sections of one notebook apart, wherever they are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(super) u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u32> for Id {
    fn from(number: u32) -> Id {
        Id(number)
    }
}

impl From<Id> for u32 {
    fn from(id: Id) -> u32 {
        id.0
    }
}

impl std::str::FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Id, Self::Err> {
        text.parse().map(Id)
    }
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Markdown,
    /// Code.
    Code(Language),
    /// Elixir code that a form of Livebook's has made. The form's values are in the metadata and stay as they are, so an edit of
    /// the code turns it into a code cell.
    Smart,
}

/// The language of a code cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Elixir.
    Elixir,
    /// Erlang.
    Erlang,
    /// Python.
    Python,
    /// The settings of Python's packages: the second setup cell.
    Pyproject,
}

impl Language {
    const ALL: [Language; 4] = [Language::Elixir, Language::Erlang, Language::Python, Language::Pyproject];

    /// What stands behind the fence.
    pub fn info(self) -> &'static str {
        match self {
            Language::Elixir => "elixir",
            Language::Erlang => "erlang",
            Language::Python => "python",
            Language::Pyproject => "pyproject.toml",
        }
    }

    /// The language that stands behind a fence.
    pub fn from_info(info: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.info() == info)
    }
}

/// What came of a code cell, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub(super) info: String,
    pub(super) text: String,
}

impl Output {
    /// Text. Colours and one newline at the end are taken off, since files have neither.
    pub fn text(text: &str) -> Output {
        let mut text = plain(&markdown::newlines(text));
        if text.ends_with('\n') {
            text.pop();
        }
        Output { info: String::new(), text }
    }

    /// What it says.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of data it is (`vega-lite`); empty for text.
    pub fn info(&self) -> &str {
        &self.info
    }
}

/// A cell of a notebook.
#[derive(Debug, Clone)]
pub struct Cell {
    pub(super) id: Id,
    pub(super) kind: Kind,
    pub(super) source: String,
    pub(super) metadata: Metadata,
    pub(super) outputs: Vec<Output>,
    pub(super) span: Span,
    /// Where its outputs stand, from the end of its text on.
    pub(super) outputs_end: usize,
    pub(super) outputs_edited: bool,
}

impl Cell {
    pub(super) fn new(id: Id, kind: Kind, source: String, metadata: Metadata) -> Cell {
        Cell {
            id,
            kind,
            source,
            metadata,
            outputs: Vec::new(),
            span: Span::default(),
            outputs_end: 0,
            outputs_edited: true,
        }
    }

    /// Its number within the notebook.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The language of its code; none of text.
    pub fn language(&self) -> Option<Language> {
        match self.kind {
            Kind::Markdown => None,
            Kind::Code(language) => Some(language),
            Kind::Smart => Some(Language::Elixir),
        }
    }

    /// Its text or code, with `\n` at the ends of lines.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What else the file says of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What came of it.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// It is to be run again whenever a cell above has been.
    pub fn reevaluates(&self) -> bool {
        self.metadata.flag("reevaluate_automatically")
    }

    /// The cells below are run though this one failed.
    pub fn continues_on_error(&self) -> bool {
        self.metadata.flag("continue_on_error")
    }

    /// Its text or code from now on. Text that a file could not hold as one cell is changed as far as it must be: a heading of the
    /// first two levels, which would begin a section, becomes one of the third; what is not closed is closed.
    pub fn set_source(&mut self, source: &str) {
        let source = match self.kind {
            Kind::Markdown => markdown::storable(source),
            Kind::Code(_) | Kind::Smart => markdown::newlines(source),
        };
        if source == self.source {
            return;
        }
        if self.kind == Kind::Smart {
            self.kind = Kind::Code(Language::Elixir);
            for key in ["livebook_object", "kind", "attrs", "chunks"] {
                self.metadata.0.remove(key);
            }
        }
        self.source = source;
        self.span.edited = true;
    }

    /// What came of it, from now on.
    pub fn set_outputs(&mut self, outputs: Vec<Output>) {
        if self.kind != Kind::Markdown && outputs != self.outputs {
            self.outputs = outputs;
            self.outputs_edited = true;
        }
    }

    /// Whether it is to be run again whenever a cell above has been.
    pub fn set_reevaluates(&mut self, on: bool) {
        self.set("reevaluate_automatically", on);
    }

    /// Whether the cells below are run though this one failed.
    pub fn set_continues_on_error(&mut self, on: bool) {
        self.set("continue_on_error", on);
    }

    fn set(&mut self, key: &str, on: bool) {
        if matches!(self.kind, Kind::Code(_)) && self.metadata.set(key, Value::Bool(on)) {
            self.span.edited = true;
        }
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        (self.kind, &self.source, &self.metadata, &self.outputs)
            == (other.kind, &other.source, &other.metadata, &other.outputs)
    }
}

/// Without the sequences by which a terminal is told colours and places.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\u{1b}' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('[') => drop(chars.find(|char| ('@'..='~').contains(char))),
            Some(']') => drop(chars.find(|char| matches!(char, '\u{7}' | '\u{9c}'))),
            _ => {}
        }
    }
    out
}
