//! Printing terms as Erlang does: `~0p` (strings as strings, one line) and `~w` (everything as it is).
//!
//! Follows `io_lib` of the standard library: the quoting of atoms, the shortest form of floats, `"text"` for lists of
//! printable characters. It never breaks lines.

use std::fmt::{self, Display, Formatter, Write};

use crate::identifier::NodeText;
use crate::{List, Map, Term, float, order};

/// A term as Erlang prints it.
///
/// ```
/// use beamline_term::{Term, atom, print::Erlang};
/// let term = Term::tuple([atom("Hello").into(), "x".into(), Term::charlist("abc")]);
/// assert_eq!(Erlang::new(&term).to_string(), r#"{'Hello',<<"x">>,"abc"}"#);
/// assert_eq!(Erlang::raw(&term).to_string(), "{'Hello',<<120>>,[97,98,99]}");
/// ```
#[derive(Debug)]
pub struct Erlang<'a> {
    term: &'a Term,
    raw: bool,
}

impl<'a> Erlang<'a> {
    /// As `~0tp` prints it.
    pub fn new(term: &'a Term) -> Erlang<'a> {
        Erlang { term, raw: false }
    }

    /// As `~tw` prints it.
    pub fn raw(term: &'a Term) -> Erlang<'a> {
        Erlang { term, raw: true }
    }
}

impl Display for Erlang<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { f, raw: self.raw, depth: 0 }.term(self.term)
    }
}

/// Deeper than this `...` stands for the rest: what a person reads has an end, and so has the stack.
const DEPTH: u32 = 512;

const RESERVED: &[&str] = &[
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "cond", "div",
    "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive", "rem", "try", "when", "xor",
];

fn is_lower(character: char) -> bool {
    matches!(character, 'a'..='z' | 'ß'..='ö' | 'ø'..='ÿ')
}

fn is_name(character: char) -> bool {
    matches!(character, '0'..='9' | '_' | '@' | 'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ') || is_lower(character)
}

/// An atom with quotes where Erlang's syntax wants them.
fn write_atom(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if text.starts_with(is_lower) && text.chars().all(is_name) && !RESERVED.contains(&text) {
        return f.write_str(text);
    }
    write_quoted(f, text.chars(), '\'')
}

fn write_quoted(f: &mut Formatter<'_>, characters: impl Iterator<Item = char>, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for character in characters {
        match character {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{b}' => f.write_str("\\v")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\u{1b}' => f.write_str("\\e")?,
            '\u{7f}' => f.write_str("\\d")?,
            '\\' => f.write_str("\\\\")?,
            own if own == quote => write!(f, "\\{own}")?,
            control if control < ' ' => write!(f, "\\{:03o}", control as u32)?,
            control @ '\u{80}'..='\u{9f}' => write!(f, "\\{:03o}", control as u32)?,
            other => f.write_char(other)?,
        }
    }
    f.write_char(quote)
}

fn is_printable(character: char) -> bool {
    matches!(character, '\u{8}'..='\r' | '\u{1b}' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

struct Printer<'f, 'b> {
    f: &'f mut Formatter<'b>,
    raw: bool,
    depth: u32,
}

impl Printer<'_, '_> {
    fn term(&mut self, term: &Term) -> fmt::Result {
        if self.depth > DEPTH {
            return self.f.write_str("...");
        }
        self.depth += 1;
        let result = self.value(term);
        self.depth -= 1;
        result
    }

    fn value(&mut self, term: &Term) -> fmt::Result {
        match term {
            Term::Integer(number) => write!(self.f, "{number}"),
            Term::BigInteger(number) => write!(self.f, "{number}"),
            Term::Float(number) => float::write(self.f, *number),
            Term::Atom(atom) => write_atom(self.f, atom.as_str()),
            Term::Binary(bytes) => self.binary(bytes),
            Term::BitString(bits) => {
                self.f.write_str("<<")?;
                let (last, whole) = bits.bytes().split_last().unwrap_or((&0, &[]));
                for byte in whole {
                    write!(self.f, "{byte},")?;
                }
                write!(self.f, "{}:{}>>", last >> (8 - bits.last_bits()), bits.last_bits())
            }
            Term::Tuple(elements) => self.between("{", elements.iter(), "}", Printer::term),
            Term::List(list) => self.list(list),
            Term::ImproperList(list) => {
                self.between("[", list.elements().iter(), "|", Printer::term)?;
                self.term(list.tail())?;
                self.f.write_str("]")
            }
            Term::Map(map) => self.map(map),
            Term::Pid(pid) => write!(self.f, "<{}.{}.{}>", NodeText(pid.node()), pid.id(), pid.serial()),
            Term::Port(port) => write!(self.f, "{port:?}"),
            Term::Reference(reference) => {
                write!(self.f, "#Ref<{}", NodeText(reference.node()))?;
                reference.words().iter().rev().try_for_each(|word| write!(self.f, ".{word}"))?;
                self.f.write_str(">")
            }
            Term::Fun(fun) => match fun.name() {
                Some((module, index, unique)) => {
                    self.f.write_str("#Fun<")?;
                    write_atom(self.f, module.as_str())?;
                    write!(self.f, ".{index}.{unique}>")
                }
                None => self.f.write_str("#Fun<>"),
            },
            Term::Export(fun) => {
                self.f.write_str("fun ")?;
                write_atom(self.f, fun.module.as_str())?;
                self.f.write_str(":")?;
                write_atom(self.f, fun.function.as_str())?;
                write!(self.f, "/{}", fun.arity)
            }
            Term::Record(record) => {
                self.f.write_str("#")?;
                write_atom(self.f, record.module.as_str())?;
                self.f.write_str(":")?;
                write_atom(self.f, record.name.as_str())?;
                self.between("{", record.fields.iter(), "}", |this, (name, value)| {
                    write_atom(this.f, name.as_str())?;
                    this.f.write_str(" = ")?;
                    this.term(value)
                })
            }
        }
    }

    fn between<T>(
        &mut self,
        open: &str,
        elements: impl Iterator<Item = T>,
        close: &str,
        mut write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        self.f.write_str(open)?;
        for (place, element) in elements.enumerate() {
            if place > 0 {
                self.f.write_str(",")?;
            }
            write(self, element)?;
        }
        self.f.write_str(close)
    }

    fn binary(&mut self, bytes: &[u8]) -> fmt::Result {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_printable));
        match text {
            Some(text) if !self.raw && !text.is_empty() => {
                self.f.write_str("<<")?;
                write_quoted(self.f, text.chars(), '"')?;
                self.f.write_str(if text.is_ascii() { ">>" } else { "/utf8>>" })
            }
            _ => self.between("<<", bytes.iter(), ">>", |this, byte| write!(this.f, "{byte}")),
        }
    }

    fn list(&mut self, list: &List) -> fmt::Result {
        if !self.raw
            && !list.is_empty()
            && let Some(text) = list.to_text().filter(|text| text.chars().all(is_printable))
        {
            return write_quoted(self.f, text.chars(), '"');
        }
        self.between("[", list.iter(), "]", |this, element| this.term(&element))
    }

    fn map(&mut self, map: &Map) -> fmt::Result {
        let mut pairs: Vec<&(Term, Term)> = map.iter().collect();
        pairs.sort_by(|one, two| order::of_keys(&one.0, &two.0));
        self.between("#{", pairs.into_iter(), "}", |this, (key, value)| {
            this.term(key)?;
            this.f.write_str(" => ")?;
            this.term(value)
        })
    }
}
