//! From a notebook to a file's text.
//!
//! What has not been edited is written as it was read. That is right as long as it still means the same beside what is new
//! there, which is seen by reading the result: if it says anything else, all is written anew, in Livebook's form.

use std::borrow::Cow;

use super::cell::{Cell, Kind};
use super::markdown::{self, BREAK, OUTPUT};
use super::metadata::Metadata;
use super::notebook::{Notebook, Section};
use super::span::Span;

pub(super) fn write(notebook: &Notebook) -> String {
    let origin = &notebook.origin;
    if !edited(notebook) {
        return origin.text.to_string();
    }
    if origin.parts > 0 && !origin.whole {
        let kept = Writer::new(notebook, true).finish();
        if as_written(&Notebook::read(&kept)) == as_written(notebook) {
            return kept;
        }
    }
    Writer::new(notebook, false).finish()
}

/// Whether anything but the text that was read is to be written.
pub(super) fn edited(notebook: &Notebook) -> bool {
    let mut number = 0;
    let mut follows = |span: &Span| {
        let follows = span.intact().is_some_and(|place| place.number == number);
        number += 1;
        follows
    };
    let mut intact = follows(&notebook.head);
    for cell in &notebook.setup {
        intact &= follows(&cell.span) && !outputs_change(notebook, cell);
    }
    for (index, section) in notebook.sections.iter().enumerate() {
        intact &= (implicit(section, index) && notebook.setup.is_empty()) || follows(&section.span);
        for cell in &section.cells {
            intact &= follows(&cell.span) && !outputs_change(notebook, cell);
        }
    }
    !intact || number != notebook.origin.parts
}

/// A section whose cells stand above the first heading.
fn implicit(section: &Section, index: usize) -> bool {
    section.implicit && index == 0 && !section.span.edited
}

/// Whether other outputs are to be written than were read.
fn outputs_change(notebook: &Notebook, cell: &Cell) -> bool {
    let had = cell.span.place.as_ref().is_some_and(|place| cell.outputs_end > place.text.end);
    cell.outputs_edited && (had || (notebook.persists_outputs() && !cell.outputs.is_empty()))
}

/// The notebook as it is read from its file: without what is not written, and
/// with what is open closed.
pub(super) fn as_written(notebook: &Notebook) -> Notebook {
    let mut notebook = notebook.clone();
    if !notebook.persists_outputs() {
        let sections = notebook.sections.iter_mut().flat_map(|section| &mut section.cells);
        sections.filter(|cell| cell.outputs_edited).for_each(|cell| cell.outputs.clear());
    }
    notebook.setup.iter_mut().filter(|cell| cell.outputs_edited).for_each(|cell| cell.outputs.clear());
    if bare(&notebook.setup) {
        notebook.setup.clear();
    }
    for cell in notebook.sections.iter_mut().flat_map(|section| &mut section.cells) {
        if cell.kind == Kind::Markdown {
            cell.source = markdown::storable(&cell.source);
        }
    }
    notebook
}

/// What stands above the next part.
#[derive(Clone, Copy, PartialEq)]
enum After {
    Start,
    Heading,
    Markdown,
    Code,
}

struct Writer<'n> {
    notebook: &'n Notebook,
    out: String,
    /// Parts that have not been edited are written as they were read.
    keep: bool,
    /// The number of the part before, if that was read.
    last: Option<usize>,
    /// The part before is not written as it was read.
    fresh: bool,
    after: After,
    /// The part at the end.
    end: Option<usize>,
}

impl<'n> Writer<'n> {
    fn new(notebook: &'n Notebook, keep: bool) -> Writer<'n> {
        let cells = notebook.sections.last().map_or(&notebook.setup, |section| &section.cells);
        let section = notebook.sections.last().filter(|section| !section.implicit);
        let end = cells.last().map(|cell| &cell.span).or(section.map(|section| &section.span));
        let end = end.unwrap_or(&notebook.head).number();
        Writer { notebook, out: String::new(), keep, last: None, fresh: false, after: After::Start, end }
    }

    fn finish(mut self) -> String {
        let notebook = self.notebook;
        let origin = &notebook.origin;
        self.parts();
        // A text that begins as a byte order mark would be taken for one.
        if origin.preamble == 0 && self.out.starts_with('\u{feff}') {
            self.out.insert(0, '\u{feff}');
        }
        if self.keep && self.last.is_some_and(|last| last + 1 == origin.parts) {
            // What stood below the last part stays, but for the stamp, which says that nothing has been changed.
            self.out.push_str(&origin.text[origin.tail..origin.stamp.unwrap_or(origin.text.len())]);
            if origin.stamp.is_none() {
                return self.out;
            }
        }
        self.end_line();
        self.out.push_str(self.newline());
        self.out
    }

    fn parts(&mut self) {
        let notebook = self.notebook;
        self.head();
        for cell in &notebook.setup {
            if !bare(&notebook.setup) || self.kept(&cell.span).is_some() {
                self.cell(cell, false);
            }
        }
        for (index, section) in notebook.sections.iter().enumerate() {
            if !(self.keep && implicit(section, index)) {
                self.section(section);
            }
            for cell in &section.cells {
                self.cell(cell, true);
            }
        }
    }

    fn newline(&self) -> &'static str {
        if self.notebook.origin.crlf { "\r\n" } else { "\n" }
    }

    fn push(&mut self, text: &str) {
        if self.notebook.origin.crlf {
            self.out.push_str(&text.replace('\n', "\r\n"));
        } else {
            self.out.push_str(text);
        }
    }

    /// Takes white space from the end, but for the space that makes a heading without a name of `##`.
    fn end_line(&mut self) {
        let said = self.out.trim_end_matches([' ', '\t', '\r', '\n']).len();
        let text = &self.out[..said];
        let line = text.strip_prefix('\u{feff}').unwrap_or(text).rsplit('\n').next().unwrap_or_default();
        let is_nameless = !line.is_empty() && line.bytes().all(|byte| byte == b'#');
        let space = is_nameless && self.out[said..].starts_with([' ', '\t']);
        self.out.truncate(said + usize::from(space));
    }

    /// A blank line, unless this is the start.
    fn part(&mut self) {
        if !self.out.is_empty() {
            self.end_line();
            self.push("\n\n");
        }
    }

    /// What comes before a part: what was there, if the part stands where it was, or a blank line. True if a mark is in it that
    /// parts Markdown cells.
    fn gap(&mut self, span: &Span) -> bool {
        let place = span.place.as_ref().filter(|_| self.keep);
        let follows = place.filter(|place| self.last.is_some_and(|last| last + 1 == place.number));
        let gap = follows.map_or("", |place| &self.notebook.origin.text[place.gap..place.text.start]);
        self.last = place.map(|place| place.number);
        let new = self.kept(span).is_none();
        let fresh = self.fresh || new;
        self.fresh = new;
        // Beside something new a blank line is due.
        if follows.is_none() || (fresh && gap.trim().is_empty() && gap.matches('\n').count() < 2) {
            self.part();
            return false;
        }
        self.out.push_str(gap);
        follows.is_some_and(|place| place.parted)
    }

    /// The text of a part, if it can be written as it was read.
    fn kept(&self, span: &Span) -> Option<&'n str> {
        let place = span.intact().filter(|place| self.keep && (!place.open || self.end == Some(place.number)))?;
        Some(&self.notebook.origin.text[place.text.clone()])
    }

    fn head(&mut self) {
        let notebook = self.notebook;
        if let Some(text) = self.kept(&notebook.head) {
            self.out.push_str(text);
            self.last = Some(0);
        } else {
            self.last = notebook.head.number().filter(|_| self.keep);
            self.fresh = true;
            self.out.push_str(&notebook.origin.text[..notebook.origin.preamble]);
            let gap = if notebook.origin.preamble > '\u{feff}'.len_utf8() { "\n" } else { "" };
            self.push(gap);
            for lines in &notebook.comments {
                match &lines[..] {
                    [line] if line.trim() == line => self.push(&format!("<!-- {line} -->\n\n")),
                    lines => self.push(&format!("<!--\n{}\n-->\n\n", lines.join("\n"))),
                }
            }
            self.data(&notebook.metadata);
            self.heading(1, &notebook.name);
        }
        self.after = After::Heading;
    }

    fn data(&mut self, metadata: &Metadata) {
        if !metadata.is_empty() {
            self.push(&metadata.comment());
            self.push("\n\n");
        }
    }

    /// Whether the text above takes the blank line below it, as indented code does: a line there is then none to underline.
    fn swallows(&self) -> bool {
        let said = self.out.trim_end_matches([' ', '\t', '\r', '\n']);
        let last = said.rsplit(['\r', '\n']).next().unwrap_or_default();
        self.after == After::Markdown && last.starts_with([' ', '\t'])
    }

    fn heading(&mut self, level: usize, name: &str) {
        let line = markdown::heading_line(level, name);
        self.push(&line.unwrap_or_else(|| format!("{} {name}", "#".repeat(level))));
    }

    fn section(&mut self, section: &Section) {
        self.gap(&section.span);
        if let Some(text) = self.kept(&section.span) {
            self.out.push_str(text);
        } else {
            let mut metadata = section.metadata.clone();
            if let Some(parent) = self.notebook.parent_index(section) {
                metadata.set("branch_parent_index", parent.into());
            }
            self.data(&metadata);
            if metadata.is_empty() && self.swallows() && markdown::is_underlined(&section.name) {
                self.push(&metadata.comment());
                self.push("\n\n");
            }
            self.heading(2, &section.name);
        }
        self.after = After::Heading;
    }

    fn cell(&mut self, cell: &Cell, with_outputs: bool) {
        let parted = self.gap(&cell.span);
        let after = self.after;
        self.after = if cell.kind == Kind::Markdown { After::Markdown } else { After::Code };
        if cell.kind == Kind::Markdown {
            let kept = self.kept(&cell.span);
            // What was read may be open, and is no longer at the end.
            let source = match kept {
                Some(_) => Cow::Borrowed(&*cell.source),
                None => Cow::Owned(markdown::storable(&cell.source)),
            };
            let alone = source.is_empty() || (after == After::Code && markdown::begins_as_output(&source));
            let joins = after == After::Markdown && cell.metadata.is_empty();
            if kept.is_none() && !parted {
                self.data(&cell.metadata);
            }
            if (alone || joins) && !parted {
                self.push(BREAK);
                self.push("\n\n");
            }
            match kept {
                Some(text) => self.out.push_str(text),
                None => self.push(&markdown::written(&source)),
            }
            return;
        }
        match self.kept(&cell.span) {
            Some(text) => self.out.push_str(text),
            None => {
                self.data(&cell.metadata);
                let info = cell.language().map_or("", |language| language.info());
                self.fence(info, &cell.source);
            }
        }
        self.outputs(cell, with_outputs);
    }

    fn fence(&mut self, info: &str, text: &str) {
        let fence = markdown::fence(text);
        self.push(&format!("{fence}{info}\n{text}\n{fence}"));
    }

    fn outputs(&mut self, cell: &Cell, with_outputs: bool) {
        if let Some(place) = cell.span.place.as_ref().filter(|_| self.keep && !cell.outputs_edited) {
            self.out.push_str(&self.notebook.origin.text[place.text.end..cell.outputs_end]);
            return;
        }
        if cell.outputs_edited && !(with_outputs && self.notebook.persists_outputs()) {
            return;
        }
        for output in &cell.outputs {
            self.push(&format!("\n\n{OUTPUT}\n\n"));
            self.fence(&output.info, &output.text);
        }
    }
}

/// A setup that is one cell without code is left out.
fn bare(setup: &[Cell]) -> bool {
    matches!(setup, [cell] if cell.source.is_empty() && cell.metadata.is_empty())
}
