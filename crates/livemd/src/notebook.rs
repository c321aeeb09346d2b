//! A notebook as its file says it: a name, what to run first, sections of cells.

use serde_json::Value;

use super::cell::{Cell, Id, Kind, Language};
use super::markdown;
use super::metadata::Metadata;
use super::read;
use super::span::Span;
use super::warning::Warning;
use super::write;

/// A notebook, and the text that it was read from.
#[derive(Debug, Clone)]
pub struct Notebook {
    pub(super) name: String,
    /// Comments at the top, each as its lines.
    pub(super) comments: Vec<Vec<String>>,
    pub(super) metadata: Metadata,
    pub(super) head: Span,
    pub(super) setup: Vec<Cell>,
    pub(super) sections: Vec<Section>,
    pub(super) warnings: Vec<Warning>,
    pub(super) next: u32,
    pub(super) origin: Origin,
}

/// The text that a notebook was read from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub(super) text: std::sync::Arc<str>,
    /// The end of what stands before all Markdown: a byte order mark, front matter.
    pub(super) preamble: usize,
    /// How many parts there were.
    pub(super) parts: usize,
    /// Where what follows the last part begins, and where the stamp does, if there is one.
    pub(super) tail: usize,
    pub(super) stamp: Option<usize>,
    /// Parts are not in the notebook's order, or mean something else than they say: after an edit all is written anew.
    pub(super) whole: bool,
    pub(super) crlf: bool,
}

/// A section of a notebook.
#[derive(Debug, Clone)]
pub struct Section {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) parent: Option<Id>,
    pub(super) metadata: Metadata,
    pub(super) cells: Vec<Cell>,
    pub(super) span: Span,
    /// It has no heading: it holds the cells that stand above the first section.
    pub(super) implicit: bool,
}

impl Section {
    /// Its number within the notebook.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Its heading.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The earlier section whose end it goes on from, if that is not simply the one above. Such sections run at the same time.
    pub fn parent(&self) -> Option<Id> {
        self.parent
    }

    /// Its cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

impl Notebook {
    /// A notebook with one section and one empty cell.
    pub fn new(name: &str) -> Notebook {
        let mut notebook = Notebook::empty();
        notebook.name = markdown::heading(name);
        if let Some(section) = notebook.insert_section(0, "Section") {
            notebook.insert_cell(section, 0, Kind::Code(Language::Elixir));
        }
        notebook
    }

    pub(super) fn empty() -> Notebook {
        Notebook {
            name: UNTITLED.to_owned(),
            comments: Vec::new(),
            metadata: Metadata::default(),
            head: Span::default(),
            setup: Vec::new(),
            sections: Vec::new(),
            warnings: Vec::new(),
            next: 1,
            origin: Origin::default(),
        }
    }

    /// Reads a file's text, whatever it is.
    pub fn read(text: &str) -> Notebook {
        read::read(text)
    }

    /// The file's text. It is what was read, byte for byte, as long as nothing has been edited.
    pub fn write(&self) -> String {
        write::write(self)
    }

    /// Whether what is written now differs from what was read.
    pub fn is_edited(&self) -> bool {
        write::edited(self)
    }

    /// The notebook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file says of the notebook itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The cells that are to be run before all others: none, one of Elixir, or that and one of Python's packages.
    pub fn setup(&self) -> &[Cell] {
        &self.setup
    }

    /// The sections, in order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// What was odd about the file.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The file was signed by a Livebook, which is undone by the first edit: notebooks that use Livebook's secrets or remote
    /// files then ask for them anew.
    pub fn is_stamped(&self) -> bool {
        self.origin.stamp.is_some()
    }

    /// Outputs are written to the file.
    pub fn persists_outputs(&self) -> bool {
        self.metadata.flag("persist_outputs")
    }

    /// Seconds between two savings; none if only by hand.
    pub fn autosave_interval(&self) -> Option<u64> {
        match self.metadata.get("autosave_interval_s") {
            Some(Value::Null) => None,
            Some(seconds) => seconds.as_u64().or(Some(5)),
            None => Some(5),
        }
    }

    /// The language of new code cells.
    pub fn default_language(&self) -> Language {
        match self.metadata.get("default_language").and_then(Value::as_str) {
            Some("erlang") => Language::Erlang,
            _ => Language::Elixir,
        }
    }

    /// All cells, those of the setup first.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.setup.iter().chain(self.sections.iter().flat_map(|section| &section.cells))
    }

    /// A cell.
    pub fn cell(&self, id: Id) -> Option<&Cell> {
        self.cells().find(|cell| cell.id == id)
    }

    /// A section.
    pub fn section(&self, id: Id) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }

    pub(super) fn parent_index(&self, section: &Section) -> Option<usize> {
        let parent = section.parent?;
        self.sections.iter().position(|section| section.id == parent)
    }
}

impl PartialEq for Notebook {
    /// Whether both say the same, wherever they were read and in whatever form.
    fn eq(&self, other: &Notebook) -> bool {
        let alike = |(left, right): (&Section, &Section)| {
            left.name == right.name
                && self.parent_index(left) == other.parent_index(right)
                && left.metadata == right.metadata
                && left.cells == right.cells
        };
        self.name == other.name
            && self.comments == other.comments
            && self.metadata == other.metadata
            && self.setup == other.setup
            && self.sections.len() == other.sections.len()
            && self.sections.iter().zip(&other.sections).all(alike)
    }
}

/// What a notebook without a name is called.
pub(super) const UNTITLED: &str = "Untitled notebook";
