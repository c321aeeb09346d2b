//! Where lines break: the rules of `io_lib_pretty`, without its limits of depth and characters.
//!
//! What does not fit on the rest of its line is taken apart, and each of its parts that is no plain text begins a line. A
//! tuple that begins with an atom, and a record, keep the rest to the right of that name unless that takes more than half
//! of the line; whether it does anywhere is found out first, and holds for the whole term.

use std::fmt::{self, Write};

use super::tree::{Kind, Tree, write_field, write_pair};

/// Writes a tree in lines of `width` characters, the first of which begins at the left.
pub(super) fn write(tree: &Tree, out: &mut dyn Write, width: usize) -> fmt::Result {
    let width = isize::try_from(width).unwrap_or(isize::MAX);
    let column = 1;
    let mut layout = Layout { out: None, width, most: size(tree.width), hang: None, fits: true };
    if layout.room(tree.width, column, 0, 0) {
        return tree.write(out);
    }
    let mut hang = Some(1);
    for attempt in [None, Some(4)] {
        (layout.hang, layout.fits) = (attempt, true);
        layout.tree(tree, At { column, indent: 0, closing: 0, used: 0 })?;
        if layout.fits {
            hang = attempt;
            break;
        }
    }
    layout.hang = hang;
    layout.out = Some(out);
    layout.tree(tree, At { column, indent: 0, closing: 0, used: 0 })
}

fn size(length: usize) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX / 4)
}

/// Where a part begins.
#[derive(Debug, Clone, Copy)]
struct At {
    /// The column, from 1.
    column: isize,
    /// How many spaces a line that it begins has in front.
    indent: usize,
    /// How many brackets will close behind it.
    closing: isize,
    /// How much of the line is used without the indentation.
    used: isize,
}

impl At {
    /// Further to the right.
    fn inside(self, by: usize) -> At {
        At { column: self.column + size(by), indent: self.indent + by, ..self }
    }

    fn closing(self, closing: isize) -> At {
        At { closing, ..self }
    }

    fn used(self, used: isize) -> At {
        At { used, ..self }
    }
}

struct Layout<'o> {
    /// Nothing is written while the indentation is tried.
    out: Option<&'o mut dyn Write>,
    width: isize,
    /// How much of a line may be used without the indentation.
    most: isize,
    /// How far what stands behind a tag is indented; `None` for the tag's own width.
    hang: Option<usize>,
    /// Whether no indentation was too deep so far.
    fits: bool,
}

impl Layout<'_> {
    fn text(&mut self, text: &str) -> fmt::Result {
        self.out.as_mut().map_or(Ok(()), |out| out.write_str(text))
    }

    fn line(&mut self, indent: usize) -> fmt::Result {
        let Some(out) = self.out.as_mut() else { return Ok(()) };
        out.write_char('\n')?;
        // An indentation may be larger than the widths that `format!` takes.
        (0..indent).try_for_each(|_| out.write_char(' '))
    }

    fn flat(&mut self, tree: &Tree) -> fmt::Result {
        self.out.as_mut().map_or(Ok(()), |out| tree.write(&mut **out))
    }

    fn room(&self, length: usize, column: isize, closing: isize, used: isize) -> bool {
        let length = size(length);
        length < self.width - column - closing && length + used + closing <= self.most
    }

    fn room_at(&self, length: usize, at: At) -> bool {
        self.room(length, at.column, at.closing, at.used)
    }

    fn tree(&mut self, tree: &Tree, at: At) -> fmt::Result {
        if self.room_at(tree.width, at) {
            return self.flat(tree);
        }
        let next = at.used(at.used + 1);
        match &tree.kind {
            Kind::Text(text) => self.text(text),
            Kind::Bytes(bytes) => self.bytes(bytes, at),
            Kind::List(elements, tail) => {
                self.text("[")?;
                self.elements(elements, tail.as_deref(), next.inside(1))?;
                self.text("]")
            }
            Kind::Tuple { tagged, elements } => {
                self.text("{")?;
                match elements.split_first() {
                    Some((tag, rest)) if *tagged => self.tagged(tag, rest, next)?,
                    _ => self.elements(elements, None, next.inside(1))?,
                }
                self.text("}")
            }
            Kind::Map(pairs) => {
                self.text("#{")?;
                self.parts(pairs, next.inside(2), false)?;
                self.text("}")
            }
            Kind::Record(name, fields) => {
                let length = name.chars().count();
                self.text(name)?;
                self.text("{")?;
                let at = self.behind(length + 1, at.used(at.used + size(length) + 1), true)?;
                self.parts(fields, at, true)?;
                self.text("}")
            }
        }
    }

    /// A tuple behind its bracket: the tag, and the rest to the right of it or below.
    fn tagged(&mut self, tag: &Tree, rest: &[Tree], at: At) -> fmt::Result {
        let length = tag.width + 2;
        self.flat(tag)?;
        let used = at.used + size(tag.width);
        match self.hang {
            Some(hang) if length > hang => {
                let inside = at.inside(hang);
                self.check(inside.column <= self.width / 2 || self.most + inside.column <= self.width);
                self.rest(rest, None, inside, at.column + size(length), used)
            }
            _ => {
                let inside = at.inside(length);
                self.check(inside.column < self.width / 2 || self.most + inside.column < self.width);
                self.text(",")?;
                self.elements(rest, None, inside.used(used + 1))
            }
        }
    }

    fn check(&mut self, fits: bool) {
        self.fits &= fits;
    }

    /// The place behind a record's or a field's name of this length, or on the next line.
    fn behind(&mut self, length: usize, at: At, first: bool) -> Result<At, fmt::Error> {
        let below = self.hang.filter(|hang| length > *hang);
        let inside = at.inside(below.unwrap_or(length));
        self.check(inside.column <= self.width / 2 || self.most + inside.column <= self.width);
        if below.is_none() {
            self.text(if first { "" } else { " = " })?;
            return Ok(inside);
        }
        self.text(if first { "" } else { " =" })?;
        self.line(inside.indent)?;
        Ok(inside.used(0))
    }

    /// All elements of a list, or of a tuple without a tag.
    fn elements(&mut self, elements: &[Tree], tail: Option<&Tree>, at: At) -> fmt::Result {
        let Some((first, rest)) = elements.split_first() else { return Ok(()) };
        let taken = self.element(first, at.closing(last(rest, at.closing)))?;
        self.rest(rest, tail, at, at.column + taken, at.used + taken)
    }

    /// One element; gives how much of the line it took. Behind what is no plain text a line begins.
    fn element(&mut self, element: &Tree, at: At) -> Result<isize, fmt::Error> {
        if element.is_text() && self.room_at(element.width, at) {
            self.flat(element)?;
            return Ok(size(element.width));
        }
        self.tree(element, at)?;
        Ok(self.width)
    }

    /// The elements behind the first, and a tail. The last one ended before `column`.
    fn rest(
        &mut self,
        elements: &[Tree],
        tail: Option<&Tree>,
        at: At,
        mut column: isize,
        mut used: isize,
    ) -> fmt::Result {
        for (place, element) in elements.iter().enumerate() {
            let closing = last(&elements[place + 1..], at.closing);
            self.text(",")?;
            if element.is_text() && self.follows(element.width, column, closing, used) {
                self.flat(element)?;
                (column, used) = (column + 1 + size(element.width), used + 1 + size(element.width));
            } else {
                self.line(at.indent)?;
                let taken = self.element(element, at.closing(closing).used(0))?;
                (column, used) = (at.column + taken, taken);
            }
        }
        let Some(tail) = tail else { return Ok(()) };
        self.text("|")?;
        if tail.is_text() && self.room(tail.width + 1, column, at.closing + 1, used) {
            return self.flat(tail);
        }
        self.line(at.indent)?;
        // While the indentation is tried, Erlang takes a tail to stay on the line.
        let column = if self.out.is_some() { at.column } else { column };
        self.tree(tail, At { column, ..at.closing(at.closing + 1).used(0) })
    }

    /// Whether a text and a comma have room behind others.
    fn follows(&self, length: usize, column: isize, closing: isize, used: isize) -> bool {
        self.room(length + 1, column, closing.max(1), used)
    }

    /// The pairs of a map or the fields of a record.
    fn parts<P: Part>(&mut self, parts: &[P], at: At, counted: bool) -> fmt::Result {
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        let taken = self.part(first, at.closing(last(rest, at.closing)))?;
        let (mut column, mut used) = (at.column + taken, if counted { at.used + taken } else { taken });
        for (place, part) in rest.iter().enumerate() {
            let closing = last(&rest[place + 1..], at.closing);
            self.text(",")?;
            if part.is_plain() && self.follows(part.width(), column, closing, used) {
                self.flat_part(part)?;
                (column, used) = (column + 1 + size(part.width()), used + 1 + size(part.width()));
            } else {
                self.line(at.indent)?;
                let taken = self.part(part, at.closing(closing).used(0))?;
                (column, used) = (at.column + taken, taken);
            }
        }
        Ok(())
    }

    fn part<P: Part>(&mut self, part: &P, at: At) -> Result<isize, fmt::Error> {
        if self.room_at(part.width(), at) {
            self.flat_part(part)?;
            return Ok(if part.is_plain() { size(part.width()) } else { self.width });
        }
        part.lay_out(self, at)?;
        Ok(self.width)
    }

    fn flat_part<P: Part>(&mut self, part: &P) -> fmt::Result {
        self.out.as_mut().map_or(Ok(()), |out| part.write(&mut **out))
    }

    fn bytes(&mut self, bytes: &[String], at: At) -> fmt::Result {
        let at = at.inside(2);
        let all = ((self.width - at.column).min(self.most - 4 - at.used) - at.closing).max(8);
        let mut left = all;
        self.text("<<")?;
        for (place, byte) in bytes.iter().enumerate() {
            let comma = place + 1 < bytes.len();
            let length = size(byte.len()) + isize::from(comma);
            if length > left {
                self.line(at.indent)?;
                left = all;
            }
            self.text(byte)?;
            if comma {
                self.text(",")?;
            }
            left -= length;
        }
        self.text(">>")
    }
}

/// How many brackets close behind an element with these others behind it.
fn last<T>(rest: &[T], closing: isize) -> isize {
    if rest.is_empty() { closing + 1 } else { 0 }
}

/// A pair of a map, or a field of a record.
trait Part {
    fn width(&self) -> usize;
    /// Whether what it consists of is plain text.
    fn is_plain(&self) -> bool;
    fn write(&self, out: &mut dyn Write) -> fmt::Result;
    fn lay_out(&self, layout: &mut Layout<'_>, at: At) -> fmt::Result;
}

impl Part for (Tree, Tree) {
    fn width(&self) -> usize {
        self.0.width + 4 + self.1.width
    }

    fn is_plain(&self) -> bool {
        self.0.is_text() && self.1.is_text()
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_pair(out, self)
    }

    fn lay_out(&self, layout: &mut Layout<'_>, at: At) -> fmt::Result {
        layout.tree(&self.0, at)?;
        layout.text(" =>")?;
        let value = at.inside(layout.hang.unwrap_or(4));
        layout.line(value.indent)?;
        layout.tree(&self.1, value.used(0))
    }
}

impl Part for (String, Tree) {
    fn width(&self) -> usize {
        self.0.chars().count() + 3 + self.1.width
    }

    fn is_plain(&self) -> bool {
        self.1.is_text()
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        write_field(out, self)
    }

    fn lay_out(&self, layout: &mut Layout<'_>, at: At) -> fmt::Result {
        layout.text(&self.0)?;
        let length = self.0.chars().count() + 3;
        let value = layout.behind(length, at.used(at.used + size(length)), false)?;
        layout.tree(&self.1, value)
    }
}
