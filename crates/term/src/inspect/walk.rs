//! The walk over a term, as the implementations of Elixir's `Inspect` protocol go: what is a collection, how its elements
//! stand, how many of them are shown.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::document::{Document, Style};
use super::structs::{self, Form};
use super::text::{self, is_ascii_printable, is_key, is_printable, write_atom};
use super::{Binaries, Charlists, Elixir, Inspect};
use crate::print::Erlang;
use crate::{Atom, ExportFun, Fun, List, Map, Term, float, order};

/// Deeper than this `...` stands for the rest: what a person reads has an end, and so has the stack.
const DEPTH: u32 = 128;

/// Writes the term of `options`.
pub(super) fn write(options: &Inspect<'_>, document: &mut Document) -> fmt::Result {
    Walk::new(options, document).term(options.term)
}

/// Writes a binary.
pub(super) fn write_bytes(options: &Inspect<'_>, document: &mut Document, bytes: &[u8]) -> fmt::Result {
    Walk::new(options, document).binary(bytes)
}

struct Walk<'a> {
    options: &'a Inspect<'a>,
    document: &'a mut Document,
    charlists: Charlists,
    /// How many elements may still be shown: by what begins here, or by all that follows.
    left: usize,
    depth: u32,
}

impl<'a> Walk<'a> {
    fn new(options: &'a Inspect<'a>, document: &'a mut Document) -> Walk<'a> {
        let usual = if options.elixir >= Elixir::V1_20 { 200 } else { 50 };
        let left = options.limit.unwrap_or(usual);
        Walk { options, document, charlists: options.charlists, left, depth: 0 }
    }

    /// Whether an element's own elements count for those that follow it.
    fn counts_all(&self) -> bool {
        self.options.elixir >= Elixir::V1_20
    }

    fn term(&mut self, term: &Term) -> fmt::Result {
        if self.depth > DEPTH {
            return self.document.write_str("...");
        }
        self.depth += 1;
        let result = self.value(term);
        self.depth -= 1;
        result
    }

    fn value(&mut self, term: &Term) -> fmt::Result {
        match term {
            Term::Integer(number) => write!(self.document, "{number}"),
            Term::BigInteger(number) => write!(self.document, "{number}"),
            Term::Float(number) => float::write_elixir(self.document, *number),
            Term::Atom(atom) => write_atom(self.document, atom.as_str(), self.options.elixir),
            Term::Binary(bytes) => self.binary(bytes),
            Term::BitString(bits) => self.bits(bits.bytes(), bits.last_bits()),
            Term::Tuple(elements) => self.elements(["{", "}"], Style::Flexible(1), elements.iter(), Walk::term),
            Term::List(list) => self.list(list),
            Term::ImproperList(list) => {
                let cells = list.elements().iter().map(Cell::Element).chain([Cell::Tail(list.tail())]);
                self.elements(["[", "]"], Style::Either, cells, |this, cell| match cell {
                    Cell::Element(element) | Cell::Tail(element) => this.term(element),
                })
            }
            Term::Map(map) => self.map(map),
            Term::Pid(pid) => write!(self.document, "{pid:?}"),
            Term::Port(port) => write!(self.document, "{port:?}"),
            Term::Reference(reference) => write!(self.document, "{reference:?}"),
            Term::Fun(fun) => self.fun(fun),
            Term::Export(fun) => self.export(fun),
            // Elixir has no syntax for them and takes Erlang's.
            Term::Record(_) => write!(self.document, "{}", Erlang::new(term)),
        }
    }

    /// A collection: its elements, as many as may be shown, between brackets.
    fn elements<T: Element>(
        &mut self,
        [open, close]: [&str; 2],
        style: Style,
        elements: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        let mut elements = elements.peekable();
        if elements.peek().is_none() {
            self.document.write_str(open)?;
            return self.document.write_str(close);
        }
        let collection = self.document.begin(open, style)?;
        let around = self.left;
        let mut first = true;
        for element in elements {
            let tail = element.is_tail();
            if !first {
                self.document.separate(&collection, if tail { " |" } else { "," })?;
            }
            first = false;
            // A tail shares its place with the last element.
            if self.left == 0 && !tail {
                self.document.write_str("...")?;
                break;
            }
            if self.counts_all() || !tail {
                self.left = self.left.saturating_sub(usize::from(self.left != usize::MAX));
            }
            let rest = self.left;
            write(self, element)?;
            if !self.counts_all() {
                self.left = rest;
            }
        }
        if !self.counts_all() {
            self.left = around;
        }
        self.document.end(&collection, close)
    }

    fn pair(&mut self, key: &str, value: &Term) -> fmt::Result {
        text::write_key(self.document, key, self.options.elixir)?;
        self.term(value)
    }

    fn binary(&mut self, bytes: &[u8]) -> fmt::Result {
        let limit = self.options.printable_limit;
        let printable = || {
            let mut characters = text::characters(bytes).take(limit);
            characters.all(|character| character.is_ok_and(is_printable))
        };
        match self.options.binaries {
            Binaries::Strings => {}
            Binaries::Infer if printable() => {}
            _ => return self.bits(bytes, 8),
        }
        text::write_text(self.document, text::characters(bytes), limit, ('"', "<>"), self.options.elixir)
    }

    /// Bytes, of the last one only so many bits.
    fn bits(&mut self, bytes: &[u8], last_bits: u8) -> fmt::Result {
        if bytes.is_empty() {
            return self.document.write_str("<<>>");
        }
        let collection = self.document.begin("<<", Style::Flexible(2))?;
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 {
                self.document.separate(&collection, ",")?;
            }
            if place == self.left {
                self.document.write_str("...")?;
                break;
            }
            if last_bits < 8 && place + 1 == bytes.len() {
                write!(self.document, "{}::size({last_bits})", byte >> (8 - last_bits))?;
            } else {
                write!(self.document, "{byte}")?;
            }
        }
        if self.counts_all() && self.left != usize::MAX {
            self.left = self.left.saturating_sub(bytes.len());
        }
        self.document.end(&collection, ">>")
    }

    fn list(&mut self, list: &List) -> fmt::Result {
        if self.charlists == Charlists::Infer && !list.is_empty() && self.is_text(list) {
            let limit = self.options.printable_limit;
            let characters = list.iter().map(|element| Ok(character(&element).unwrap_or(char::REPLACEMENT_CHARACTER)));
            let quote = if self.options.elixir >= Elixir::V1_18 {
                self.document.write_str("~c")?;
                '"'
            } else {
                '\''
            };
            return text::write_text(self.document, characters, limit, (quote, "++"), self.options.elixir);
        }
        self.brackets(|| list.iter())
    }

    /// Whether the part of a list that would be shown is text.
    fn is_text(&self, list: &List) -> bool {
        let mut elements = list.iter().take(self.options.printable_limit);
        elements.all(|element| character(&element).is_some_and(is_ascii_printable))
    }

    /// A list that is no text.
    fn brackets<'t, I: Iterator<Item = Cow<'t, Term>>>(&mut self, elements: impl Fn() -> I) -> fmt::Result {
        if elements().all(|element| pair_of(&element).is_some()) {
            return self.elements(["[", "]"], Style::Strict, elements(), |this, element| match pair_of(&element) {
                Some((key, value)) => this.pair(key.as_str(), value),
                None => Ok(()),
            });
        }
        self.elements(["[", "]"], Style::Either, elements(), |this, element| this.term(&element))
    }

    fn map(&mut self, map: &Map) -> fmt::Result {
        if self.options.structs
            && let Some(name) = map.struct_name()
        {
            match structs::form(name, map) {
                Some(Form::Text(text)) => return self.document.write_str(&text),
                Some(Form::Set(elements)) => {
                    self.document.write_str("MapSet.new(")?;
                    let charlists = std::mem::replace(&mut self.charlists, Charlists::Lists);
                    self.brackets(|| elements.iter().map(|element| Cow::Borrowed(*element)))?;
                    self.charlists = charlists;
                    return self.document.write_str(")");
                }
                Some(Form::Fields(fields)) => {
                    let mut open = String::from("%");
                    write_atom(&mut open, name.as_str(), self.options.elixir)?;
                    open.push('{');
                    return self.elements([&open, "}"], Style::Strict, fields.into_iter(), |this, (key, value)| {
                        this.pair(key, value)
                    });
                }
                None => {}
            }
        }
        let mut pairs: Vec<(&Term, &Term)> = map.iter().collect();
        pairs.sort_by(|one, two| match self.options.elixir {
            Elixir::V1_14 => order::of_keys(one.0, two.0),
            _ => one.0.loosely_compare(two.0).then_with(|| one.1.loosely_compare(two.1)),
        });
        let keys = pairs.iter().all(|(key, _)| key.as_atom().is_some_and(is_key));
        self.elements(["%{", "}"], Style::Strict, pairs.into_iter(), |this, (key, value)| match key {
            Term::Atom(key) if keys => this.pair(key.as_str(), value),
            _ => {
                this.term(key)?;
                this.document.write_str(" => ")?;
                this.term(value)
            }
        })
    }

    /// A fun of another node is known by its module alone.
    fn fun(&mut self, fun: &Fun) -> fmt::Result {
        let Some((module, index, unique)) = fun.name() else { return self.document.write_str("#Function<>") };
        write!(self.document, "#Function<{index}.{unique}/{} in ", fun.arity())?;
        write_atom(self.document, module.as_str(), self.options.elixir)?;
        self.document.write_str(">")
    }

    fn export(&mut self, fun: &ExportFun) -> fmt::Result {
        self.document.write_str("&")?;
        write_atom(self.document, fun.module.as_str(), self.options.elixir)?;
        self.document.write_str(".")?;
        text::write_function(self.document, fun.function.as_str(), self.options.elixir)?;
        write!(self.document, "/{}", fun.arity)
    }
}

/// What stands in a collection.
trait Element {
    /// Whether it is the tail of an improper list.
    fn is_tail(&self) -> bool {
        false
    }
}

impl Element for &Term {}
impl Element for Cow<'_, Term> {}
impl Element for (&Term, &Term) {}
impl Element for (&str, &Term) {}

enum Cell<'t> {
    Element(&'t Term),
    Tail(&'t Term),
}

impl Element for Cell<'_> {
    fn is_tail(&self) -> bool {
        matches!(self, Cell::Tail(_))
    }
}

fn character(term: &Term) -> Option<char> {
    char::from_u32(u32::try_from(term.as_i64()?).ok()?)
}

/// A pair of a keyword list.
fn pair_of(term: &Term) -> Option<(&Atom, &Term)> {
    match term.as_tuple() {
        Some([Term::Atom(key), value]) if is_key(key) => Some((key, value)),
        _ => None,
    }
}
