//! Printing terms as Elixir's `inspect` does.

use std::fmt::{self, Formatter, Write};

use crate::{Atom, Term, float, order};

/// How many elements of one collection Elixir shows before it writes `...`.
const LIMIT: usize = 50;

/// A term with options for how to print it.
#[derive(Debug)]
pub struct Inspect<'a> {
    term: &'a Term,
    limit: usize,
}

impl<'a> Inspect<'a> {
    /// Prints as `inspect(term, width: :infinity)` does.
    pub fn new(term: &'a Term) -> Inspect<'a> {
        Inspect { term, limit: LIMIT }
    }

    /// Shows at most so many elements in all. Default 50.
    pub fn limit(mut self, limit: usize) -> Inspect<'a> {
        self.limit = limit;
        self
    }
}

impl fmt::Display for Inspect<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { f, left: self.limit }.term(self.term)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Inspect::new(self).fmt(f)
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether an atom stands without quotes after a colon, as a call's name or as a key.
fn is_identifier(text: &str) -> bool {
    let body = text.strip_suffix(['?', '!']).unwrap_or(text);
    let mut characters = body.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|next| next == '_' || next == '@' || next.is_alphanumeric())
}

const OPERATORS: &[&str] = &[
    "!", "!=", "!==", "%", "%{}", "&", "&&", "&&&", "*", "**", "+", "++", "+++", "-", "--", "---", "->", ".", "..",
    "...", "..//", "/", "<", "<-", "<<<", "<<>>", "<<~", "<=", "<>", "<|>", "<~", "<~>", "=", "==", "===", "=~", ">",
    ">=", ">>>", "@", "\\\\", "^", "^^^", "{}", "|", "|>", "||", "|||", "~>", "~>>", "~~~", "//",
];

/// Whether the part of a module's name after `Elixir.` can be printed as an alias.
fn is_alias(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|part| {
            part.starts_with(|first: char| first.is_ascii_uppercase())
                && part.chars().all(|next| next == '_' || next.is_ascii_alphanumeric())
        })
}

/// An atom as Elixir prints it: `:ok`, `nil`, `AppB`, `:"app_a@127.0.0.1"`.
pub(crate) fn write_atom(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    match text {
        "nil" | "true" | "false" => f.write_str(text),
        "Elixir" => f.write_str("Elixir"),
        _ => match text.strip_prefix("Elixir.") {
            Some(alias) if is_alias(alias) => f.write_str(alias),
            _ if is_identifier(text) || OPERATORS.contains(&text) => write!(f, ":{text}"),
            _ => {
                f.write_str(":")?;
                write_quoted(f, text, '"')
            }
        },
    }
}

fn write_key(f: &mut Formatter<'_>, atom: &Atom) -> fmt::Result {
    let text = atom.as_str();
    if is_identifier(text) || (OPERATORS.contains(&text) && !matches!(text, ".." | "..." | "..//" | "." | "//")) {
        write!(f, "{text}: ")
    } else {
        write_quoted(f, text, '"')?;
        f.write_str(": ")
    }
}

fn write_quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{7}' => f.write_str("\\a")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{b}' => f.write_str("\\v")?,
            '\u{c}' => f.write_str("\\f")?,
            '\u{1b}' => f.write_str("\\e")?,
            '\u{7f}' => f.write_str("\\d")?,
            '\0' => f.write_str("\\0")?,
            '\\' => f.write_str("\\\\")?,
            '#' if characters.peek() == Some(&'{') => f.write_str("\\#")?,
            own if own == quote => write!(f, "\\{own}")?,
            control if control.is_control() && (control as u32) < 0x100 => write!(f, "\\x{:02X}", control as u32)?,
            other if !is_printable(other) => write!(f, "\\x{{{:X}}}", other as u32)?,
            other => f.write_char(other)?,
        }
    }
    f.write_char(quote)
}

fn is_printable(character: char) -> bool {
    match character {
        '\u{7}'..='\r' | '\u{1b}' | ' '..='~' => true,
        _ => {
            let code = character as u32;
            (0xa0..=0xd7ff).contains(&code) || (0xe000..=0xfffd).contains(&code) || code >= 0x1_0000
        }
    }
}

/// A binary: quoted text when all of it is printable, otherwise its bytes.
pub(crate) fn write_binary(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_printable) => write_quoted(f, text, '"'),
        _ => {
            f.write_str("<<")?;
            for (place, byte) in bytes.iter().enumerate() {
                if place > 0 {
                    f.write_str(", ")?;
                }
                if place == LIMIT {
                    f.write_str("...")?;
                    break;
                }
                write!(f, "{byte}")?;
            }
            f.write_str(">>")
        }
    }
}

struct Printer<'f, 'b> {
    f: &'f mut Formatter<'b>,
    left: usize,
}

impl Printer<'_, '_> {
    fn term(&mut self, term: &Term) -> fmt::Result {
        match term {
            Term::Integer(number) => write!(self.f, "{number}"),
            Term::BigInteger(number) => write!(self.f, "{number}"),
            Term::Float(number) => float::write(self.f, *number),
            Term::Atom(atom) => write_atom(self.f, atom.as_str()),
            Term::Binary(bytes) => write_binary(self.f, bytes),
            Term::BitString(bits) => {
                self.f.write_str("<<")?;
                let (last, whole) = bits.bytes().split_last().unwrap_or((&0, &[]));
                for byte in whole {
                    write!(self.f, "{byte}, ")?;
                }
                write!(self.f, "{}::size({})>>", last >> (8 - bits.last_bits()), bits.last_bits())
            }
            Term::Tuple(elements) => self.sequence("{", elements.iter(), "}", |this, element| this.term(element)),
            Term::List(list) => match list.to_text() {
                Some(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii() && is_printable(c)) => {
                    self.f.write_str("~c")?;
                    write_quoted(self.f, &text, '"')
                }
                _ if !list.is_empty() && list.iter().all(|element| key_of(&element).is_some()) => {
                    self.sequence("[", list.iter(), "]", |this, element| match key_of(&element) {
                        Some((key, value)) => this.pair(key, value),
                        None => Ok(()),
                    })
                }
                _ => self.sequence("[", list.iter(), "]", |this, element| this.term(&element)),
            },
            Term::ImproperList(list) => {
                self.sequence("[", list.elements().iter(), " | ", |this, element| this.term(element))?;
                self.term(list.tail())?;
                self.f.write_str("]")
            }
            Term::Map(map) => self.map(map),
            Term::Pid(pid) => write!(self.f, "{pid:?}"),
            Term::Port(port) => write!(self.f, "{port:?}"),
            Term::Reference(reference) => write!(self.f, "{reference:?}"),
            Term::Fun(_) => self.f.write_str("#Function<remote>"),
            Term::Export(fun) => {
                self.f.write_str("&")?;
                write_atom(self.f, fun.module.as_str())?;
                self.f.write_str(".")?;
                if is_identifier(fun.function.as_str()) || OPERATORS.contains(&fun.function.as_str()) {
                    self.f.write_str(fun.function.as_str())?;
                } else {
                    write_quoted(self.f, fun.function.as_str(), '"')?;
                }
                write!(self.f, "/{}", fun.arity)
            }
            Term::Record(record) => {
                write!(self.f, "#{}", record.name)?;
                self.sequence("{", record.fields.iter(), "}", |this, (name, value)| this.pair(name, value))
            }
        }
    }

    fn sequence<T>(
        &mut self,
        open: &str,
        elements: impl Iterator<Item = T>,
        close: &str,
        mut write: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        self.f.write_str(open)?;
        for (place, element) in elements.enumerate() {
            if place > 0 {
                self.f.write_str(", ")?;
            }
            if self.left == 0 {
                self.f.write_str("...")?;
                break;
            }
            self.left -= 1;
            write(self, element)?;
        }
        self.f.write_str(close)
    }

    fn pair(&mut self, key: &Atom, value: &Term) -> fmt::Result {
        write_key(self.f, key)?;
        self.term(value)
    }

    fn map(&mut self, map: &crate::Map) -> fmt::Result {
        let mut pairs: Vec<&(Term, Term)> = map.iter().collect();
        pairs.sort_by(|one, two| order::of_keys(&one.0, &two.0));
        let mut open = String::from("%{");
        if let Some(name) = map.struct_name()
            && let Some(alias) = name.as_str().strip_prefix("Elixir.")
        {
            pairs.retain(|(key, _)| !key.is_atom("__struct__"));
            open = format!("%{alias}{{");
        }
        if pairs.iter().all(|(key, _)| matches!(key, Term::Atom(_))) {
            return self.sequence(&open, pairs.into_iter(), "}", |this, (key, value)| match key {
                Term::Atom(key) => this.pair(key, value),
                _ => Ok(()),
            });
        }
        self.sequence(&open, pairs.into_iter(), "}", |this, (key, value)| {
            this.term(key)?;
            this.f.write_str(" => ")?;
            this.term(value)
        })
    }
}

/// A pair of a keyword list.
fn key_of(term: &Term) -> Option<(&Atom, &Term)> {
    match term.as_tuple() {
        Some([Term::Atom(key), value]) if !key.as_str().starts_with("Elixir.") => Some((key, value)),
        _ => None,
    }
}
