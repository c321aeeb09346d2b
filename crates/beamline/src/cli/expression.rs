//! One Elixir call with literal arguments, as `beamline rpc` takes it:
//! `AppB.add(1, 2)`, `:erlang.node()`, `Node.list`.
//!
//! It follows the literals of Elixir's "Syntax reference". It evaluates
//! nothing: no variables, operators or nested calls. The nesting is limited.

use beamline::term::{Atom, BigInt, Term};

use super::literal;

/// How deep literals may be nested.
const DEPTH: usize = 64;

/// What to call, and with what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) module: Atom,
    pub(crate) function: Atom,
    pub(crate) arguments: Vec<Term>,
}

/// Why a text is not such a call, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub(crate) struct ExpressionError {
    /// The place, counted in characters from 1.
    pub(crate) column: usize,
    pub(crate) problem: String,
}

impl ExpressionError {
    /// The text with a mark under the place.
    pub(crate) fn pointed_at(&self, text: &str) -> String {
        format!("{text}\n{:>width$} {self}", "^", width = self.column)
    }
}

/// Reads the whole text as one call.
pub(crate) fn parse(text: &str) -> Result<Call, ExpressionError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.space();
    let call = reader.call()?;
    reader.space();
    if reader.rest().is_empty() {
        Ok(call)
    } else {
        reader.fail("nothing may follow the call; it takes one call with literal arguments")
    }
}

type Parsed<T> = Result<T, ExpressionError>;

/// A place in the text.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
}

impl Reader<'_> {
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    pub(super) fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &str {
        let from = self.at;
        while self.peek().is_some_and(&accept) {
            self.next();
        }
        &self.text[from..self.at]
    }

    pub(super) fn fail<T>(&self, problem: impl Into<String>) -> Parsed<T> {
        self.fail_at(self.at, problem)
    }

    pub(super) fn fail_at<T>(&self, at: usize, problem: impl Into<String>) -> Parsed<T> {
        let column = self.text[..at].chars().count() + 1;
        Err(ExpressionError { column, problem: problem.into() })
    }

    pub(super) fn atom(&self, at: usize, text: &str) -> Parsed<Atom> {
        Atom::new(text).or_else(|error| self.fail_at(at, error.to_string()))
    }

    fn call(&mut self) -> Parsed<Call> {
        let from = self.at;
        let module = match self.peek() {
            Some(':') => {
                self.next();
                let name = self.atom_text()?;
                self.atom(from, &name)?
            }
            Some(character) if character.is_ascii_uppercase() => self.alias(true)?,
            _ => {
                return self.fail("a call begins with its module: `AppB.hello()`, `:erlang.node()`, `Node.list`");
            }
        };
        if !self.eat(".") {
            return self.fail("expected `.` and the function after the module");
        }
        let at = self.at;
        let name = match self.peek() {
            Some('"') => {
                self.next();
                self.quoted('"')?
            }
            _ => self.identifier()?,
        };
        let function = self.atom(at, &name)?;
        let arguments = if self.eat("(") { self.elements(")")? } else { Vec::new() };
        Ok(Call { module, function, arguments })
    }

    /// `AppB`, `App.B`. As a module of a call, the last part may be the function's.
    fn alias(&mut self, of_call: bool) -> Parsed<Atom> {
        let from = self.at;
        let mut name = "Elixir".to_owned();
        loop {
            let part = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned();
            name.push('.');
            name.push_str(&part);
            let after = self.rest().strip_prefix('.').and_then(|rest| rest.chars().next());
            match after {
                Some(character) if character.is_ascii_uppercase() => self.at += 1,
                Some(_) if !of_call => return self.fail("an argument cannot be a call"),
                _ => break,
            }
        }
        if name.starts_with("Elixir.Elixir.") {
            name.drain(..7);
        }
        self.atom(from, &name)
    }

    pub(super) fn identifier(&mut self) -> Parsed<String> {
        if !self.peek().is_some_and(|c| c == '_' || c.is_alphabetic()) {
            return self.fail("expected a name");
        }
        let mut name = self.take_while(|c| c == '_' || c == '@' || c.is_alphanumeric()).to_owned();
        if let Some(mark @ ('?' | '!')) = self.peek() {
            self.next();
            name.push(mark);
        }
        Ok(name)
    }

    /// What follows the colon of an atom.
    fn atom_text(&mut self) -> Parsed<String> {
        if self.eat("\"") {
            return self.quoted('"');
        }
        if self.eat("'") {
            return self.quoted('\'');
        }
        self.identifier()
    }

    /// Literals up to the closing bracket; a keyword list may end them.
    fn elements(&mut self, close: &str) -> Parsed<Vec<Term>> {
        let mut elements = Vec::new();
        loop {
            self.space();
            if self.eat(close) {
                return Ok(elements);
            }
            if let Some(key) = self.key()? {
                let pairs = self.keywords(key, close)?;
                match close {
                    "]" => elements.extend(pairs),
                    _ => elements.push(Term::list(pairs)),
                }
                return Ok(elements);
            }
            elements.push(self.term()?);
            self.comma_or(close)?;
        }
    }

    fn comma_or(&mut self, close: &str) -> Parsed<()> {
        self.space();
        if self.eat(",") {
            self.space();
            if self.rest().starts_with(close) && close == ")" {
                return self.fail("an argument is missing after `,`");
            }
            return Ok(());
        }
        if self.rest().starts_with(close) {
            return Ok(());
        }
        self.fail(format!("expected `,` or `{close}`"))
    }

    /// `key:` of a keyword list or map, if that is what comes.
    fn key(&mut self) -> Parsed<Option<Atom>> {
        let from = self.at;
        let name = match self.peek() {
            Some('"') => {
                self.next();
                self.quoted('"')?
            }
            Some(character) if character == '_' || character.is_alphabetic() => self.identifier()?,
            _ => return Ok(None),
        };
        let is_key = self.rest().starts_with(':') && !self.rest().starts_with("::");
        if !is_key {
            self.at = from;
            return Ok(None);
        }
        self.next();
        if !self.peek().is_none_or(char::is_whitespace) {
            return self.fail("expected a space after the `:` of a key");
        }
        self.atom(from, &name).map(Some)
    }

    fn keywords(&mut self, first: Atom, close: &str) -> Parsed<Vec<Term>> {
        let mut pairs = Vec::new();
        let mut key = first;
        loop {
            pairs.push(Term::tuple([key.into(), self.term()?]));
            self.comma_or(close)?;
            self.space();
            if self.eat(close) {
                return Ok(pairs);
            }
            let Some(next) = self.key()? else {
                return self.fail("after the first `key:` all must be of the form `key: value`");
            };
            key = next;
        }
    }

    fn map(&mut self) -> Parsed<Term> {
        let mut pairs = Vec::new();
        loop {
            self.space();
            if self.eat("}") {
                return Ok(Term::map(pairs));
            }
            let key = match self.key()? {
                Some(key) => key.into(),
                None => {
                    let key = self.term()?;
                    self.space();
                    if !self.eat("=>") {
                        return self.fail("expected `=>` after a map's key");
                    }
                    key
                }
            };
            pairs.push((key, self.term()?));
            self.comma_or("}")?;
        }
    }

    /// Any literal.
    fn term(&mut self) -> Parsed<Term> {
        self.space();
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fail(format!("nested deeper than {DEPTH}"));
        }
        let term = self.term_here();
        self.depth -= 1;
        term
    }

    fn term_here(&mut self) -> Parsed<Term> {
        let from = self.at;
        match self.peek() {
            None => self.fail("the text ends where a value should be"),
            Some('[') => {
                self.next();
                self.elements("]").map(Term::list)
            }
            Some('{') => {
                self.next();
                self.elements("}").map(Term::tuple)
            }
            Some('%') if self.eat("%{") => self.map(),
            Some('%') => self.fail("structs are not literals that can be sent; write their map"),
            Some('<') if self.eat("<<") => self.bytes(),
            Some('"') if self.rest().starts_with("\"\"\"") => self.fail("heredocs are not read here"),
            Some('"') => {
                self.next();
                self.quoted('"').map(Term::from)
            }
            Some('\'') => {
                self.next();
                self.quoted('\'').map(|text| Term::charlist(&text))
            }
            Some('~') => literal::sigil(self),
            Some(':') => {
                self.next();
                let name = self.atom_text()?;
                self.atom(from, &name).map(Term::from)
            }
            Some('?') => literal::character(self),
            Some('-' | '+' | '0'..='9') => literal::number(self),
            Some(character) if character.is_ascii_uppercase() => self.alias(false).map(Term::from),
            Some(character) if character == '_' || character.is_alphabetic() => {
                let name = self.identifier()?;
                match name.as_str() {
                    "nil" | "true" | "false" => self.atom(from, &name).map(Term::from),
                    _ => self.fail_at(from, format!("`{name}` is not a literal; an atom is `:{name}`")),
                }
            }
            Some(character) => self.fail(format!("no value begins with `{character}`")),
        }
    }

    /// Bytes and strings up to `>>`.
    fn bytes(&mut self) -> Parsed<Term> {
        let mut bytes = Vec::new();
        loop {
            self.space();
            if self.eat(">>") {
                return Ok(Term::binary(bytes));
            }
            let at = self.at;
            match self.term()? {
                // Elixir keeps the lowest byte of any integer.
                Term::Integer(number) => bytes.push(number.rem_euclid(256) as u8),
                Term::Binary(binary) => bytes.extend_from_slice(&binary),
                _ => return self.fail_at(at, "between `<<` and `>>` stand bytes and strings"),
            }
            self.comma_or(">>")?;
        }
    }

    /// The inside of quotes, with escapes.
    pub(super) fn quoted(&mut self, quote: char) -> Parsed<String> {
        literal::quoted(self, quote)
    }
}

/// The smallest form of an integer.
pub(super) fn integer(number: BigInt) -> Term {
    Term::from(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let call = parse(text).unwrap_or_else(|error| panic!("{}", error.pointed_at(text)));
        let arguments: Vec<String> = call.arguments.iter().map(Term::to_string).collect();
        format!("{}|{}|{}", call.module, call.function, arguments.join("|"))
    }

    #[test]
    fn calls() {
        assert_eq!(shown("AppB.hello"), "Elixir.AppB|hello|");
        assert_eq!(shown(" AppB.hello() "), "Elixir.AppB|hello|");
        assert_eq!(shown(":erlang.node()"), "erlang|node|");
        assert_eq!(shown("App.B.alive?"), "Elixir.App.B|alive?|");
        assert_eq!(shown("Elixir.App.go!(1)"), "Elixir.App|go!|1");
        assert_eq!(shown(":\"odd name\".\"f g\"(:x)"), "odd name|f g|:x");
    }

    #[test]
    fn arguments_are_shown_as_they_were_written() {
        for text in [
            "1",
            "-17",
            "1.5",
            "-2.0e-7",
            ":ok",
            ":\"app_b@127.0.0.1\"",
            "nil",
            "true",
            "AppB",
            "App.B",
            "\"text\"",
            "\"\"",
            "[]",
            "[1, 2]",
            "{}",
            "{:ok, 1}",
            "[a: 1, b: [c: 2]]",
            "%{}",
            "%{a: 1}",
            "%{\"k\" => 2}",
            "<<1, 2, 255>>",
            "123456789012345678901234567890",
        ] {
            assert_eq!(shown(&format!("M.f({text})")), format!("Elixir.M|f|{text}"));
        }
    }

    #[test]
    fn other_forms_of_the_same_values() {
        for (text, value) in [
            ("1_000", "1000"),
            ("0xFF", "255"),
            ("0b101", "5"),
            ("0o17", "15"),
            ("?a", "97"),
            ("?\\n", "10"),
            ("\"a\\u00e9\\x41\\n\"", "\"aéA\\n\""),
            ("<<\"ab\", 0>>", "<<97, 98, 0>>"),
            ("~s(a \"b\")", "\"a \\\"b\\\"\""),
            ("~w(a b)a", "[:a, :b]"),
            ("\"a b\": 1", "[\"a b\": 1]"),
            ("x: 1, y: 2", "[x: 1, y: 2]"),
            ("[1, x: 2]", "[1, {:x, 2}]"),
            ("[1,]", "[1]"),
        ] {
            assert_eq!(shown(&format!("M.f({text})")), format!("Elixir.M|f|{value}"), "{text}");
        }
        let charlists = parse("M.f('abc', ~c\"abc\")").unwrap().arguments;
        assert_eq!(charlists, [Term::charlist("abc"), Term::charlist("abc")]);
    }

    #[test]
    fn errors_point_at_the_column() {
        for (text, column, word) in [
            ("", 1, "module"),
            ("hello()", 1, "module"),
            ("AppB", 5, "`.`"),
            ("AppB.", 6, "name"),
            ("AppB.f(1", 9, "`,`"),
            ("AppB.f(1,)", 10, "missing"),
            ("AppB.f(x)", 8, ":x"),
            ("AppB.f(1) + 1", 11, "follow"),
            ("AppB.f(é, y)", 8, "literal"),
            ("M.f(\"abc", 5, "closed"),
            ("M.f(%X{})", 5, "structs"),
            ("M.f(<<:a>>)", 7, "bytes"),
            ("M.f(1.)", 6, "`,`"),
            ("M.f(Enum.map([]))", 9, "call"),
            ("M.f(a: 1, 2)", 11, "key: value"),
            ("M.f(\"#{1}\")", 6, "interpolation"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.problem.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let text = format!("M.f({}{})", "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse(&text).unwrap_err().problem.contains("deeper"));
    }
}
