//! A text with groups and breaks, and its layout: `Inspect.Algebra` of Elixir, as much of it as `inspect` needs.
//!
//! A group that fits on the rest of its line stays there. In one that does not, every strict break becomes a new line, and
//! a flexible one does where what follows it, up to the next break, does not fit. Widths are bytes, as Elixir counts them.
//! Nothing here calls itself, however deep the groups nest.

use std::fmt::{self, Write};

/// A part of a document; the text itself stands in one string.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// So many bytes of text.
    Text(usize),
    /// `flat` on a line that goes on, otherwise a new line that begins with `indent` spaces.
    Break { flat: &'static str, flexible: bool, indent: usize },
    /// A group: what it needs of the line to stay on it, its width on one line, and the place of its `Close`.
    Open { need: usize, width: usize, close: usize },
    /// Its end.
    Close,
}

/// How the elements of a collection stand when they do not fit on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Each on a line of its own, between the brackets' lines.
    Strict,
    /// As many on a line as there is room for, so many spaces further in.
    Flexible(usize),
    /// Flexible if all of them are plain texts, otherwise strict.
    Either,
}

/// A collection that has been begun.
#[derive(Debug)]
pub(super) struct Collection {
    style: Style,
    open: usize,
    groups: usize,
}

#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
    pieces: Vec<Piece>,
    /// A document of one line has no pieces.
    breaks: bool,
    indent: usize,
    /// How many groups there are.
    groups: usize,
}

impl Write for Document {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        if self.breaks {
            match self.pieces.last_mut() {
                Some(Piece::Text(length)) => *length += text.len(),
                _ => self.pieces.push(Piece::Text(text.len())),
            }
        }
        Ok(())
    }
}

impl Document {
    /// Without breaks all of it is one line.
    pub(super) fn new(breaks: bool) -> Document {
        Document { breaks, ..Document::default() }
    }

    /// Begins a collection: what is written until its end is grouped.
    pub(super) fn begin(&mut self, bracket: &str, style: Style) -> Result<Collection, fmt::Error> {
        self.groups += 1;
        let collection = Collection { style, open: self.pieces.len(), groups: self.groups };
        if self.breaks {
            self.pieces.push(Piece::Open { need: 0, width: 0, close: 0 });
        }
        self.write_str(bracket)?;
        match style {
            Style::Flexible(indent) => self.indent += indent,
            Style::Strict | Style::Either => {
                self.indent += 2;
                self.line_break("", false);
            }
        }
        Ok(collection)
    }

    /// Between two elements.
    pub(super) fn separate(&mut self, collection: &Collection, separator: &str) -> fmt::Result {
        self.write_str(separator)?;
        self.line_break(" ", matches!(collection.style, Style::Flexible(_)));
        Ok(())
    }

    /// Ends a collection.
    pub(super) fn end(&mut self, collection: &Collection, bracket: &str) -> fmt::Result {
        match collection.style {
            Style::Flexible(indent) => self.indent -= indent,
            Style::Strict | Style::Either => {
                self.indent -= 2;
                self.line_break("", false);
            }
        }
        if collection.style == Style::Either && collection.groups == self.groups {
            // All that broke so far were its own breaks.
            for piece in self.pieces.iter_mut().skip(collection.open) {
                match piece {
                    Piece::Break { flat: "", .. } => *piece = Piece::Text(0),
                    Piece::Break { flexible, indent, .. } => {
                        *flexible = true;
                        *indent = self.indent + 1;
                    }
                    _ => {}
                }
            }
        }
        self.write_str(bracket)?;
        if self.breaks {
            self.pieces.push(Piece::Close);
        }
        Ok(())
    }

    fn line_break(&mut self, flat: &'static str, flexible: bool) {
        if self.breaks {
            self.pieces.push(Piece::Break { flat, flexible, indent: self.indent });
        } else {
            self.text.push_str(flat);
        }
    }

    /// Writes it in lines of `width`. A flexible break looks at what follows it up to the next break; with `within` not
    /// beyond the end of its own group.
    pub(super) fn write_to(mut self, out: &mut dyn Write, width: usize, within: bool) -> fmt::Result {
        if !self.breaks {
            return out.write_str(&self.text);
        }
        self.measure();
        let (mut column, mut rest) = (0, self.text.as_str());
        // Of each group around this place, whether it is broken into lines.
        let mut broken: Vec<bool> = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate() {
            match *piece {
                Piece::Text(length) => {
                    let (now, later) = rest.split_at(length);
                    out.write_str(now)?;
                    (column, rest) = (column + length, later);
                }
                Piece::Open { need, .. } => broken.push(column + need > width),
                Piece::Close => drop(broken.pop()),
                Piece::Break { flat, flexible, indent } => {
                    let stays = !broken.last().is_some_and(|broken| *broken)
                        || flexible && self.follows(place + 1, column + flat.len(), width, within);
                    if stays {
                        out.write_str(flat)?;
                        column += flat.len();
                    } else {
                        write!(out, "\n{:indent$}", "")?;
                        column = indent;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether what stands from `place` to the next break has room behind `column`.
    fn follows(&self, mut place: usize, mut column: usize, width: usize, within: bool) -> bool {
        while column <= width {
            match self.pieces.get(place) {
                Some(Piece::Text(length)) => column += length,
                Some(Piece::Open { width, close, .. }) => {
                    column += width;
                    place = *close;
                }
                Some(Piece::Close) if !within => {}
                // A group around a broken one is broken too, so this break may be a new line.
                Some(Piece::Close | Piece::Break { .. }) | None => return true,
            }
            place += 1;
        }
        false
    }

    /// Finds how wide each group is. What stands in front of its first break, and what stands behind an inner group when
    /// it has no break of its own yet, may be longer than the line: breaking would not help.
    fn measure(&mut self) {
        struct Group {
            place: usize,
            start: usize,
            breaks: bool,
            furthest: usize,
        }
        let (mut column, mut around) = (0, Vec::<Group>::new());
        for place in 0..self.pieces.len() {
            match self.pieces[place] {
                Piece::Text(length) => column += length,
                Piece::Break { flat, .. } => {
                    column += flat.len();
                    if let Some(group) = around.last_mut() {
                        group.breaks = true;
                    }
                }
                Piece::Open { .. } => {
                    around.push(Group { place, start: column, breaks: false, furthest: column });
                    continue;
                }
                Piece::Close => {
                    let Some(group) = around.pop() else { continue };
                    self.pieces[group.place] =
                        Piece::Open { need: group.furthest - group.start, width: column - group.start, close: place };
                    if let Some(outer) = around.last_mut() {
                        outer.furthest = outer.furthest.max(group.furthest);
                    }
                }
            }
            if let Some(group) = around.last_mut().filter(|group| group.breaks) {
                group.furthest = column;
            }
        }
    }
}
