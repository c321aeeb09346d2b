//! The walk over a term: its texts, and how they nest, with the width of each part.

use std::fmt::{self, Write};

use super::text::{is_printable, write_atom, write_quoted};
use crate::identifier::NodeText;
use crate::{List, Map, Record, Term, float, order};

/// Deeper than this `...` stands for the rest: what a person reads has an end, and so has the stack.
const DEPTH: u32 = 128;

/// A part of a term, ready to be laid out.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: Kind,
    /// How many characters it is on one line.
    pub(super) width: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text(String),
    /// What stands between `<<` and `>>`, to be separated by commas.
    Bytes(Vec<String>),
    List(Vec<Tree>, Option<Box<Tree>>),
    Tuple {
        /// Whether it begins with an atom and has more.
        tagged: bool,
        elements: Vec<Tree>,
    },
    Map(Vec<(Tree, Tree)>),
    /// Its name, and the fields: name and value.
    Record(String, Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of a term. `raw` as `~w`: no list and no binary is a string.
    pub(super) fn new(term: &Term, raw: bool) -> Result<Tree, fmt::Error> {
        Walk { raw, depth: 0 }.term(term)
    }

    /// Whether it is a text that stays on one line.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_))
    }

    /// Writes it on one line.
    pub(super) fn write(&self, out: &mut dyn Write) -> fmt::Result {
        match &self.kind {
            Kind::Text(text) => out.write_str(text),
            Kind::Bytes(bytes) => {
                out.write_str("<<")?;
                joined(out, bytes, |out, byte| out.write_str(byte))?;
                out.write_str(">>")
            }
            Kind::List(elements, tail) => {
                out.write_str("[")?;
                joined(out, elements, |out, element| element.write(out))?;
                if let Some(tail) = tail {
                    out.write_str("|")?;
                    tail.write(out)?;
                }
                out.write_str("]")
            }
            Kind::Tuple { elements, .. } => {
                out.write_str("{")?;
                joined(out, elements, |out, element| element.write(out))?;
                out.write_str("}")
            }
            Kind::Map(pairs) => {
                out.write_str("#{")?;
                joined(out, pairs, write_pair)?;
                out.write_str("}")
            }
            Kind::Record(name, fields) => {
                write!(out, "{name}{{")?;
                joined(out, fields, write_field)?;
                out.write_str("}")
            }
        }
    }
}

/// `key => value`.
pub(super) fn write_pair(out: &mut dyn Write, (key, value): &(Tree, Tree)) -> fmt::Result {
    key.write(out)?;
    out.write_str(" => ")?;
    value.write(out)
}

/// `name = value`.
pub(super) fn write_field(out: &mut dyn Write, (name, value): &(String, Tree)) -> fmt::Result {
    write!(out, "{name} = ")?;
    value.write(out)
}

fn joined<T>(out: &mut dyn Write, elements: &[T], write: impl Fn(&mut dyn Write, &T) -> fmt::Result) -> fmt::Result {
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.write_str(",")?;
        }
        write(out, element)?;
    }
    Ok(())
}

/// The width of parts with commas between them, and of what stands around them.
fn width(around: usize, parts: impl ExactSizeIterator<Item = usize>) -> usize {
    around + parts.len().saturating_sub(1) + parts.sum::<usize>()
}

fn count(text: &str) -> usize {
    text.chars().count()
}

struct Walk {
    raw: bool,
    depth: u32,
}

type Result<T, E = fmt::Error> = std::result::Result<T, E>;

fn text(text: impl Into<String>) -> Tree {
    let text = text.into();
    Tree { width: count(&text), kind: Kind::Text(text) }
}

impl Walk {
    fn term(&mut self, term: &Term) -> Result<Tree> {
        if self.depth > DEPTH {
            return Ok(text("..."));
        }
        self.depth += 1;
        let tree = self.value(term);
        self.depth -= 1;
        tree
    }

    fn value(&mut self, term: &Term) -> Result<Tree> {
        Ok(match term {
            Term::Tuple(elements) if !elements.is_empty() => {
                let tagged = elements.len() > 1 && matches!(elements.first(), Some(Term::Atom(_)));
                let elements = self.terms(elements)?;
                let width = width(2, elements.iter().map(|element| element.width));
                Tree { kind: Kind::Tuple { tagged, elements }, width }
            }
            Term::List(list) if !list.is_empty() => return self.list(list),
            Term::ImproperList(list) => {
                let elements = self.terms(list.elements())?;
                let tail = self.term(list.tail())?;
                let width = width(3 + tail.width, elements.iter().map(|element| element.width));
                Tree { kind: Kind::List(elements, Some(Box::new(tail))), width }
            }
            Term::Map(map) if !map.is_empty() => return self.map(map),
            Term::Record(record) => return self.record(record),
            Term::Binary(bytes) => self.binary(bytes, 8),
            Term::BitString(bits) => self.binary(bits.bytes(), bits.last_bits()),
            leaf => {
                let mut out = String::new();
                write_leaf(&mut out, leaf)?;
                text(out)
            }
        })
    }

    // Plain loops: an adapter would take several frames of the stack for each level.
    fn terms(&mut self, terms: &[Term]) -> Result<Vec<Tree>> {
        let mut trees = Vec::with_capacity(terms.len());
        for term in terms {
            trees.push(self.term(term)?);
        }
        Ok(trees)
    }

    fn binary(&self, bytes: &[u8], last_bits: u8) -> Tree {
        if bytes.is_empty() {
            return text("<<>>");
        }
        if !self.raw
            && last_bits == 8
            && let Some(string) = string(bytes)
        {
            return string;
        }
        let mut parts: Vec<String> = bytes.iter().map(u8::to_string).collect();
        if last_bits < 8
            && let (Some(part), Some(last)) = (parts.last_mut(), bytes.last())
        {
            *part = format!("{}:{last_bits}", last >> (8 - last_bits));
        }
        Tree { width: width(4, parts.iter().map(String::len)), kind: Kind::Bytes(parts) }
    }

    fn list(&mut self, list: &List) -> Result<Tree> {
        if !self.raw
            && let Some(string) = list.to_text().filter(|text| text.chars().all(is_printable))
        {
            let mut out = String::new();
            write_quoted(&mut out, string.chars(), '"')?;
            return Ok(text(out));
        }
        let mut elements = Vec::with_capacity(list.len());
        for element in list.iter() {
            elements.push(self.term(&element)?);
        }
        let width = width(2, elements.iter().map(|element| element.width));
        Ok(Tree { kind: Kind::List(elements, None), width })
    }

    fn map(&mut self, map: &Map) -> Result<Tree> {
        let mut pairs = Vec::with_capacity(map.len());
        for [key, value] in order::sorted(map) {
            pairs.push((self.term(key)?, self.term(value)?));
        }
        let width = width(3, pairs.iter().map(|(key, value)| key.width + 4 + value.width));
        Ok(Tree { kind: Kind::Map(pairs), width })
    }

    fn record(&mut self, record: &Record) -> Result<Tree> {
        let mut name = String::from("#");
        write_atom(&mut name, record.module.as_str())?;
        name.push(':');
        write_atom(&mut name, record.name.as_str())?;
        if record.fields.is_empty() {
            return Ok(text(name + "{}"));
        }
        let mut fields = Vec::with_capacity(record.fields.len());
        for (field, value) in &record.fields {
            let mut out = String::new();
            write_atom(&mut out, field.as_str())?;
            fields.push((out, self.term(value)?));
        }
        let width = width(count(&name) + 2, fields.iter().map(|(name, value)| count(name) + 3 + value.width));
        Ok(Tree { kind: Kind::Record(name, fields), width })
    }
}

/// A binary as a string: of UTF-8, or else of Latin-1, if all of it is printable.
fn string(bytes: &[u8]) -> Option<Tree> {
    let mut out = String::from("<<");
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_printable) => {
            write_quoted(&mut out, text.chars(), '"').ok()?;
            out.push_str(if text.is_ascii() { ">>" } else { "/utf8>>" });
        }
        Err(_) if bytes.iter().all(|byte| is_printable(char::from(*byte))) => {
            write_quoted(&mut out, bytes.iter().map(|byte| char::from(*byte)), '"').ok()?;
            out.push_str(">>");
        }
        _ => return None,
    }
    Some(text(out))
}

/// What holds no other terms.
fn write_leaf(out: &mut String, term: &Term) -> fmt::Result {
    match term {
        Term::Integer(number) => write!(out, "{number}"),
        Term::BigInteger(number) => write!(out, "{number}"),
        Term::Float(number) => float::write(out, *number),
        Term::Atom(atom) => write_atom(out, atom.as_str()),
        Term::Pid(pid) => write!(out, "<{}.{}.{}>", NodeText(pid.node()), pid.id(), pid.serial()),
        Term::Port(port) => write!(out, "{port:?}"),
        Term::Reference(reference) => {
            write!(out, "#Ref<{}", NodeText(reference.node()))?;
            reference.words().iter().rev().try_for_each(|word| write!(out, ".{word}"))?;
            out.write_str(">")
        }
        Term::Fun(fun) => match fun.name() {
            Some((module, index, unique)) => {
                out.write_str("#Fun<")?;
                write_atom(out, module.as_str())?;
                write!(out, ".{index}.{unique}>")
            }
            None => out.write_str("#Fun<>"),
        },
        Term::Export(fun) => {
            out.write_str("fun ")?;
            write_atom(out, fun.module.as_str())?;
            out.write_str(":")?;
            write_atom(out, fun.function.as_str())?;
            write!(out, "/{}", fun.arity)
        }
        Term::Tuple(_) => out.write_str("{}"),
        Term::Map(_) => out.write_str("#{}"),
        Term::List(_) | Term::ImproperList(_) => out.write_str("[]"),
        Term::Binary(_) | Term::BitString(_) => out.write_str("<<>>"),
        Term::Record(_) => out.write_str("#"),
    }
}
