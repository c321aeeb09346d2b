//! Puts a notebook together, block by block.

use serde_json::{Map, Value};

use super::comment::{self, Said};
use super::head::Shape;
use super::{Id, Metadata, notices, parents};
use crate::cell::{Cell, Kind, Language, Output};
use crate::markdown;
use crate::notebook::{Notebook, Section};
use crate::scan::{Block, BlockKind};
use crate::span::{Place, Span};
use crate::warning::{Trouble, Warning};

pub(super) struct Builder<'a> {
    text: &'a str,
    notebook: Notebook,
    warnings: Vec<Warning>,
    lowered: bool,
    /// The parts so far, and where the last one ended.
    parts: usize,
    end: usize,
    /// Data that waits for the cell or section it belongs to: what it is, where it begins, its line.
    data: Option<(Map<String, Value>, usize, usize)>,
    smart: bool,
    /// The Markdown cell that further blocks belong to.
    open: Option<Text>,
    /// The parent that each section names, and the section's line.
    parents: Vec<(Option<Value>, usize)>,
    /// Cells before the first section.
    early: Vec<Cell>,
    old_images: bool,
}

/// A Markdown cell that is being read.
struct Text {
    source: String,
    metadata: Metadata,
    start: usize,
    end: usize,
    parted: bool,
    is_open: bool,
    line: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, notebook: Notebook, warnings: Vec<Warning>, lowered: bool) -> Builder<'a> {
        Builder {
            text,
            notebook,
            warnings,
            lowered,
            parts: 0,
            end: 0,
            data: None,
            smart: false,
            open: None,
            parents: Vec::new(),
            early: Vec::new(),
            old_images: false,
        }
    }

    fn warn(&mut self, line: usize, trouble: Trouble) {
        self.warnings.push(Warning { line, trouble });
    }

    fn id(&mut self) -> Id {
        let id = Id(self.notebook.next);
        self.notebook.next = self.notebook.next.saturating_add(1);
        id
    }

    /// The place of the next part, from `start` to `end`.
    fn span(&mut self, start: usize, end: usize, parted: bool, open: bool) -> Span {
        let place = Place { number: self.parts, gap: self.end, text: start..end, parted, open };
        self.parts += 1;
        self.end = end;
        Span { place: Some(place), edited: false }
    }

    /// The name, and the comments and data above it.
    pub(super) fn head(&mut self, blocks: &[Block<'a>], shape: &Shape) {
        let mut data = None;
        for block in shape.comments.iter().map(|index| &blocks[*index]) {
            let BlockKind::Comment(lines) = &block.kind else { continue };
            match comment::said(lines) {
                Said::Data(map) => {
                    if data.replace(map).is_some() {
                        self.warn(block.line, Trouble::Orphan);
                    }
                }
                Said::Useless(trouble) => self.warn(block.line, trouble),
                Said::Other | Said::Broken(_) => {
                    if data.is_some() {
                        self.warn(block.line, Trouble::CommentAfterMetadata);
                    }
                    self.notebook.comments.push(lines.iter().map(|line| (*line).to_owned()).collect());
                }
                _ => self.warn(block.line, Trouble::Orphan),
            }
        }
        self.notebook.metadata = Metadata::from_map(data.unwrap_or_default());
        let mut end = self.notebook.origin.preamble;
        if let Some(block) = shape.name.map(|name| &blocks[name]) {
            if let BlockKind::Heading { name, .. } = block.kind {
                self.notebook.name = name.to_owned();
            }
            end = block.end;
        }
        self.notebook.head = self.span(0, end, false, false);
    }

    /// Data that nothing has followed.
    fn drop_data(&mut self) {
        self.smart = false;
        if let Some((_, _, line)) = self.data.take() {
            self.warn(line, Trouble::Orphan);
        }
    }

    /// A comment that says something to Livebook where that can mean nothing.
    pub(super) fn orphan(&mut self, block: &Block<'a>) {
        self.close();
        self.warn(block.line, Trouble::Orphan);
    }

    pub(super) fn comment(&mut self, block: &Block<'a>, said: Said, last: bool) {
        match said {
            Said::Other => self.markdown(block),
            Said::Broken(trouble) => {
                self.warn(block.line, trouble);
                self.markdown(block);
            }
            Said::Useless(trouble) => {
                self.close();
                self.warn(block.line, trouble);
            }
            Said::Stamp if last => {
                self.close();
                self.notebook.origin.stamp = Some(block.start);
            }
            Said::Stamp | Said::Output | Said::Force => self.orphan(block),
            Said::Break => {
                self.close();
                let mut text = self.begin(block);
                (text.start, text.end, text.parted) = (block.end, block.end, true);
                self.open = Some(text);
            }
            Said::Smart(map) => self.wait(block, map, true),
            Said::Data(map) => self.wait(block, map, false),
        }
    }

    fn wait(&mut self, block: &Block<'a>, map: Map<String, Value>, smart: bool) {
        self.close();
        self.drop_data();
        self.data = Some((map, block.start, block.line));
        self.smart = smart;
    }

    /// The data that has waited, and where the part that it belongs to begins.
    fn take_data(&mut self, block: &Block<'a>) -> (Map<String, Value>, usize) {
        self.smart = false;
        match self.data.take() {
            Some((map, start, _)) => (map, start),
            None => (Map::new(), block.start),
        }
    }

    pub(super) fn section(&mut self, block: &Block<'a>, name: &str) {
        self.close();
        if self.smart {
            self.drop_data();
        }
        let (mut map, start) = self.take_data(block);
        self.parents.push((map.remove("branch_parent_index"), block.line));
        let (id, span) = (self.id(), self.span(start, block.end, false, false));
        let metadata = Metadata::from_map(map);
        let name = name.to_owned();
        let section = Section { id, name, parent: None, metadata, cells: Vec::new(), span, implicit: false };
        self.notebook.sections.push(section);
    }

    fn push(&mut self, cell: Cell) {
        match self.notebook.sections.last_mut() {
            Some(section) => section.cells.push(cell),
            None => self.early.push(cell),
        }
    }

    pub(super) fn code(&mut self, block: &Block<'a>, language: Language, code: &str) {
        self.close();
        let kind = match (self.smart, language) {
            (true, Language::Elixir) => Kind::Smart,
            (true, _) => {
                self.drop_data();
                Kind::Code(language)
            }
            (false, _) => Kind::Code(language),
        };
        let (map, start) = self.take_data(block);
        let mut cell = Cell::new(self.id(), kind, code.to_owned(), Metadata::from_map(map));
        cell.span = self.span(start, block.end, false, block.open);
        (cell.outputs_end, cell.outputs_edited) = (block.end, false);
        self.push(cell);
    }

    /// Takes the outputs that follow a code cell; says how many blocks they were.
    pub(super) fn outputs<'b>(&mut self, mut rest: impl Iterator<Item = &'b Block<'b>>) -> usize {
        let mut taken = 0;
        let mut outputs = Vec::new();
        let mut end = None;
        while let Some(block) = rest.next() {
            let (fence, blocks) = match &block.kind {
                BlockKind::Fence { info: "output", .. } => (Some(block), 1),
                BlockKind::Comment(lines) if comment::said(lines) == Said::Output => (rest.next(), 2),
                _ => break,
            };
            let Some(Block { kind: BlockKind::Fence { info, code }, end: until, open, .. }) = fence else { break };
            let info = if *info == "output" { "" } else { info };
            outputs.push(Output { info: info.to_owned(), text: code.clone() });
            (taken, end) = (taken + blocks, Some((*until, *open)));
        }
        let cells = match self.notebook.sections.last_mut() {
            Some(section) => &mut section.cells,
            None => &mut self.early,
        };
        if let (Some(cell), Some((end, open))) = (cells.last_mut(), end) {
            (cell.outputs, cell.outputs_end) = (outputs, end);
            if let Some(place) = &mut cell.span.place {
                place.open |= open;
            }
            self.end = end;
        }
        taken
    }

    fn begin(&mut self, block: &Block<'a>) -> Text {
        if self.smart {
            self.drop_data();
        }
        let (map, start) = self.take_data(block);
        let metadata = Metadata::from_map(map);
        Text { source: String::new(), metadata, start, end: start, parted: false, is_open: false, line: block.line }
    }

    pub(super) fn markdown(&mut self, block: &Block<'a>) {
        self.add(block, block);
    }

    /// A block that a mark keeps from being a cell.
    pub(super) fn forced(&mut self, mark: &Block<'a>, block: &Block<'a>) {
        self.add(mark, block);
    }

    /// Adds a block to the Markdown cell that is open, or to a new one. `first` is the block or the mark before it.
    fn add(&mut self, first: &Block<'a>, block: &Block<'a>) {
        let mut text = match self.open.take() {
            Some(text) => text,
            None => self.begin(first),
        };
        if text.source.is_empty() {
            // A cell without data begins with its first block, and one that a mark has parted from others too.
            text.start = if text.metadata.is_empty() { first.start } else { text.start };
            text.line = block.line;
        } else {
            // Blocks that have been put together from two places have a blank line between them.
            let between = self.text.get(text.end..first.start).filter(|between| between.trim().is_empty());
            text.source.push_str(between.unwrap_or("\n\n"));
        }
        match block.kind {
            BlockKind::Heading { level: 6, name } if self.lowered => text.source.extend(["**", name, "**"]),
            BlockKind::Heading { level, name } if self.lowered => {
                text.source.extend(["#".repeat(level + 1).as_str(), " ", name]);
            }
            _ => text.source.push_str(&self.text[block.start..block.end]),
        }
        text.end = block.end;
        text.is_open = block.open;
        self.open = Some(text);
    }

    /// Ends the Markdown cell that is open.
    fn close(&mut self) {
        let Some(text) = self.open.take() else { return };
        let source = markdown::trimmed(&markdown::newlines(&text.source)).to_owned();
        if !self.old_images && source.contains("](images/") {
            self.old_images = true;
            self.warn(text.line, Trouble::OldImages);
        }
        let mut cell = Cell::new(self.id(), Kind::Markdown, source, text.metadata);
        cell.span = self.span(text.start, text.end, text.parted, text.is_open);
        (cell.outputs_end, cell.outputs_edited) = (text.end, false);
        self.push(cell);
    }

    pub(super) fn finish(mut self) -> Notebook {
        self.close();
        self.drop_data();
        self.early_cells();
        let Builder { mut notebook, mut warnings, parents: wanted, parts, end, .. } = self;
        parents(&mut notebook, &wanted, &mut warnings);
        notices(&notebook, &mut warnings);
        warnings.sort_by_key(|warning| warning.line);
        notebook.warnings = warnings;
        (notebook.origin.parts, notebook.origin.tail) = (parts, end);
        notebook
    }

    /// Cells above the first section are the setup, if they look like one, and otherwise a section without a heading.
    fn early_cells(&mut self) {
        let cells = std::mem::take(&mut self.early);
        let kinds: Vec<Kind> = cells.iter().map(Cell::kind).collect();
        let named =
            self.notebook.head.place.as_ref().is_some_and(|place| place.text.end > self.notebook.origin.preamble);
        let setup = [Kind::Code(Language::Elixir), Kind::Code(Language::Pyproject)];
        if cells.is_empty() || (named && (kinds == setup[..1] || kinds == setup)) {
            self.notebook.setup = cells;
            return;
        }
        let (id, metadata) = (self.id(), Metadata::default());
        let section = Section {
            id,
            name: "Section".into(),
            parent: None,
            metadata,
            cells,
            span: Span::default(),
            implicit: true,
        };
        self.notebook.sections.insert(0, section);
        self.parents.insert(0, (None, 1));
    }
}
