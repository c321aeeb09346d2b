//! Printing terms as `inspect(term, width: :infinity)` of Elixir 1.14 on OTP 25 does: never more than one line.
//!
//! What only a running BEAM knows is printed without it: a pid or a fun has no local number, the fields of a struct stand in
//! the order of their names, and every struct is printed as one whether or not its module is loaded.

mod structs;

use std::fmt::{self, Formatter, Write};

use crate::{Atom, List, Term, float, order};

/// How many elements of one collection Elixir shows before it writes `...`.
const LIMIT: usize = 50;

/// How many characters of one text it shows.
const TEXT_LIMIT: usize = 4096;

/// Deeper than this `...` stands for the rest: what a person reads has an end, and so has the stack.
const DEPTH: u32 = 512;

/// A term with options for how to print it.
#[derive(Debug)]
pub struct Inspect<'a> {
    term: &'a Term,
    limit: usize,
    charlists: Charlists,
}

/// How a list of printable ASCII characters is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charlists {
    /// `~c"abc"`, as Elixir 1.15 and later.
    #[default]
    Sigil,
    /// `'abc'`, as Elixir up to 1.14.
    Quotes,
    /// `[97, 98, 99]`.
    Lists,
}

impl<'a> Inspect<'a> {
    /// Prints as `inspect(term, width: :infinity)` does.
    pub fn new(term: &'a Term) -> Inspect<'a> {
        Inspect { term, limit: LIMIT, charlists: Charlists::default() }
    }

    /// Shows at most so many elements in all. Default 50.
    pub fn limit(mut self, limit: usize) -> Inspect<'a> {
        self.limit = limit;
        self
    }

    /// How charlists look.
    pub fn charlists(mut self, charlists: Charlists) -> Inspect<'a> {
        self.charlists = charlists;
        self
    }
}

impl fmt::Display for Inspect<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { f, left: self.limit, charlists: self.charlists, depth: 0 }.term(self.term)
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
    "...", "..//", "/", "<", "<-", "<<<", "<<>>", "<<~", "<=", "<>", "<~", "<~>", "=", "==", "===", "=~", ">", ">=",
    ">>>", "@", "\\\\", "^", "{}", "|", "|>", "||", "|||", "~>", "~>>",
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
    if is_identifier(text) || OPERATORS.contains(&text) {
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
            '\u{feff}' => f.write_str("\\uFEFF")?,
            other if is_printable(other) => f.write_char(other)?,
            other if (other as u32) < 0x100 => write!(f, "\\x{:02X}", other as u32)?,
            other => write!(f, "\\x{{{:X}}}", other as u32)?,
        }
    }
    f.write_char(quote)
}

fn is_printable(character: char) -> bool {
    match character {
        '\u{7}'..='\r' | '\u{1b}' | ' '..='\u{7f}' => true,
        _ => {
            let code = character as u32;
            (0xa0..=0xd7ff).contains(&code) || (0xe000..=0xfffd).contains(&code) || code >= 0x1_0000
        }
    }
}

/// A binary as it is printed on its own.
pub(crate) fn write_binary(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    write_bytes(f, bytes, LIMIT)
}

/// Quoted text when all of it is printable, otherwise the first bytes.
fn write_bytes(f: &mut Formatter<'_>, bytes: &[u8], limit: usize) -> fmt::Result {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().take(TEXT_LIMIT).all(is_printable)
    {
        return write_text(f, text, '"', "<>");
    }
    f.write_str("<<")?;
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        if place == limit {
            f.write_str("...")?;
            break;
        }
        write!(f, "{byte}")?;
    }
    f.write_str(">>")
}

/// Text in quotes; of a long one the beginning, and what would join the rest to it.
fn write_text(f: &mut Formatter<'_>, text: &str, quote: char, join: &str) -> fmt::Result {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => {
            write_quoted(f, &text[..end], quote)?;
            write!(f, " {join} ...")
        }
        None => write_quoted(f, text, quote),
    }
}

struct Printer<'f, 'b> {
    f: &'f mut Formatter<'b>,
    /// How many elements a collection that begins here may show.
    left: usize,
    charlists: Charlists,
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
            Term::Float(number) => float::write_elixir(self.f, *number),
            Term::Atom(atom) => write_atom(self.f, atom.as_str()),
            Term::Binary(bytes) => write_bytes(self.f, bytes, self.left),
            Term::BitString(bits) => {
                self.f.write_str("<<")?;
                let (last, whole) = bits.bytes().split_last().unwrap_or((&0, &[]));
                for byte in whole {
                    write!(self.f, "{byte}, ")?;
                }
                write!(self.f, "{}::size({})>>", last >> (8 - bits.last_bits()), bits.last_bits())
            }
            Term::Tuple(elements) => self.sequence("{", elements.iter(), "}", |this, element| this.term(element)),
            Term::List(list) => match self.charlist(list) {
                Some(text) if self.charlists == Charlists::Sigil => {
                    self.f.write_str("~c")?;
                    write_text(self.f, &text, '"', "++")
                }
                Some(text) => write_text(self.f, &text, '\'', "++"),
                _ if !list.is_empty() && list.iter().all(|element| key_of(&element).is_some()) => {
                    self.sequence("[", list.iter(), "]", |this, element| match key_of(&element) {
                        Some((key, value)) => this.pair(key, value),
                        None => Ok(()),
                    })
                }
                _ => self.sequence("[", list.iter(), "]", |this, element| this.term(&element)),
            },
            Term::ImproperList(list) => {
                if list.elements().len() > self.left {
                    return self.sequence("[", list.elements().iter(), "]", |this, element| this.term(element));
                }
                self.sequence("[", list.elements().iter(), " | ", |this, element| this.term(element))?;
                let left = self.left;
                self.left = left.saturating_sub(list.elements().len());
                self.term(list.tail())?;
                self.left = left;
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
                let bare =
                    is_identifier(fun.function.as_str()) && !fun.function.as_str().starts_with(char::is_uppercase);
                if bare || OPERATORS.contains(&fun.function.as_str()) {
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
        // What an element shows of itself does not count here; its place among the others limits it.
        let left = self.left;
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
        self.left = left;
        self.f.write_str(close)
    }

    /// The text of a list that is printed as one.
    fn charlist(&self, list: &List) -> Option<String> {
        let printable = |character| matches!(character, '\u{7}'..='\r' | '\u{1b}' | ' '..='~');
        if self.charlists == Charlists::Lists || list.is_empty() {
            return None;
        }
        list.to_text().filter(|text| text.chars().all(printable))
    }

    fn pair(&mut self, key: &Atom, value: &Term) -> fmt::Result {
        write_key(self.f, key)?;
        self.term(value)
    }

    fn map(&mut self, map: &crate::Map) -> fmt::Result {
        if let Some(text) = structs::known(map) {
            return self.f.write_str(&text);
        }
        if map.struct_name().is_some_and(|name| *name == "Elixir.MapSet")
            && let Some(Term::Map(set)) = map.get_atom("map")
        {
            let mut elements: Vec<&Term> = set.iter().map(|(element, _)| element).collect();
            elements.sort_by(|one, two| order::of_keys(one, two));
            return self.sequence("MapSet.new([", elements.into_iter(), "])", |this, element| this.term(element));
        }
        let mut pairs: Vec<&(Term, Term)> = map.iter().collect();
        pairs.sort_by(|one, two| order::of_keys(&one.0, &two.0));
        let mut open = String::from("%{");
        if let Some(name) = map.struct_name()
            && let Some(alias) = name.as_str().strip_prefix("Elixir.")
        {
            let exception = map.get_atom("__exception__").is_some_and(|value| value.is_atom("true"));
            pairs.retain(|(key, _)| !(key.is_atom("__struct__") || exception && key.is_atom("__exception__")));
            open = format!("%{alias}{{");
        }
        if pairs.iter().all(|(key, _)| key.as_atom().is_some_and(is_key)) {
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

/// Whether an atom is written as a key with a colon behind it.
fn is_key(atom: &Atom) -> bool {
    !atom.as_str().starts_with("Elixir.")
}

/// A pair of a keyword list.
fn key_of(term: &Term) -> Option<(&Atom, &Term)> {
    match term.as_tuple() {
        Some([Term::Atom(key), value]) if is_key(key) => Some((key, value)),
        _ => None,
    }
}
