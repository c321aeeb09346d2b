//! Names, reserved words, aliases and atoms.

use super::{Lexer, Open, Result, atom_operator_of};
use crate::error::SyntaxError;
use crate::token::{Follow, Tok};

/// An atom has at most so many characters.
const ATOM: usize = 255;

impl Lexer<'_> {
    pub(super) fn word(&mut self) -> Result<()> {
        let start = self.at;
        let rest = self.rest();
        let first = self.peek().unwrap_or('_');
        let body = name_of(rest, first.is_uppercase() && first.is_ascii());
        let end = body.len();
        let text = body.to_owned();
        if rest[end..].starts_with('@') {
            self.at += end;
            let message = "unexpected `@` in a name";
            return Err(SyntaxError::wrong(
                self.here(),
                message,
                "quotes around an atom with `@`, as in :\"app@host\"",
            ));
        }
        if text.chars().count() > ATOM {
            self.at += end;
            return Err(SyntaxError::wrong(self.span(start), "a name has at most 255 characters", ""));
        }
        if self.is_key_after(end) {
            self.at += end + 1;
            self.push(Tok::Key(text), start);
            return Ok(());
        }
        let after = &rest[end..];
        if after.starts_with(':') && !after.starts_with("::") {
            self.at += end;
            let message = format!("unexpected `:` after `{text}`");
            return Err(SyntaxError::wrong(self.here(), message, format!("a space after the key: `{text}: value`")));
        }
        if first.is_uppercase() {
            if !first.is_ascii() || !text.is_ascii() {
                return Err(SyntaxError::wrong(
                    self.here(),
                    format!("unexpected `{text}`"),
                    "names of modules are ASCII",
                ));
            }
            self.at += end;
            self.push(Tok::Alias(text), start);
            return Ok(());
        }
        self.at += end;
        if self.last() == Some(&Tok::Dot) {
            let follow = self.follow();
            self.push(Tok::Identifier(text, follow), start);
            return Ok(());
        }
        self.reserved_or_name(text, start)
    }

    fn reserved_or_name(&mut self, text: String, start: usize) -> Result<()> {
        match text.as_str() {
            "fn" => {
                let span = self.span(start);
                self.open.push(Open { name: "`fn`", close: "end", span });
                self.push(Tok::Fn, start);
            }
            "do" => {
                let span = self.span(start);
                self.open.push(Open { name: "`do`", close: "end", span });
                self.join_lines();
                self.push(Tok::Do, start);
            }
            "end" => {
                self.at = start;
                self.finish(Tok::End, "end")?;
            }
            "true" => self.push(Tok::Word("true"), start),
            "false" => self.push(Tok::Word("false"), start),
            "nil" => self.push(Tok::Word("nil"), start),
            "not" => self.push(Tok::Operator("not"), start),
            "and" => self.word_operator("and", start),
            "or" => self.word_operator("or", start),
            "when" => self.word_operator("when", start),
            "in" if self.last() == Some(&Tok::Operator("not")) => {
                let start = self.tokens.pop().map_or(start, |token| token.span.start - self.base);
                self.word_operator("not in", start);
            }
            "in" => self.word_operator("in", start),
            "else" => self.section("else", start),
            "after" => self.section("after", start),
            "rescue" => self.section("rescue", start),
            "catch" => self.section("catch", start),
            _ => {
                let follow = self.follow();
                self.push(Tok::Identifier(text, follow), start);
            }
        }
        Ok(())
    }

    fn word_operator(&mut self, text: &'static str, start: usize) {
        self.join_lines();
        // `&and/2`
        if self.last() == Some(&Tok::Operator("&")) && self.rest().starts_with('/') {
            return self.push(Tok::Identifier(text.to_owned(), Follow::Plain), start);
        }
        self.push(Tok::Operator(text), start);
    }

    fn section(&mut self, text: &'static str, start: usize) {
        self.join_lines();
        self.push(Tok::Section(text), start);
    }

    /// `::`, or an atom.
    pub(super) fn colon(&mut self) -> Result<()> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("::") && !(rest.starts_with(":::")) {
            if self.is_key_after(2) {
                self.at += 3;
                self.push(Tok::Key("::".into()), start);
                return Ok(());
            }
            self.at += 2;
            self.join_lines();
            self.push(Tok::Operator("::"), start);
            return Ok(());
        }
        self.at += 1;
        let next = self.peek();
        if let Some(quote @ ('"' | '\'')) = next {
            self.at += 1;
            let pieces = self.quoted(quote, true, start)?;
            self.push(Tok::QuotedAtom(pieces), start);
            return Ok(());
        }
        if next.is_some_and(|next| next.is_alphabetic() || next == '_') {
            let text = atom_of(self.rest());
            let (text, characters) = (text.to_owned(), text.chars().count());
            self.at += text.len();
            if characters > ATOM {
                return Err(SyntaxError::wrong(self.span(start), "an atom has at most 255 characters", ""));
            }
            self.push(Tok::Atom(text), start);
            return Ok(());
        }
        if let Some(operator) = atom_operator_of(self.rest()) {
            self.at += operator.len();
            self.push(Tok::Atom(operator.to_owned()), start);
            return Ok(());
        }
        let expected = "a name behind it for an atom (`:ok`), or a space and a value behind a key (`key: 1`)";
        Err(SyntaxError::wrong(self.span(start), "unexpected `:`", expected))
    }
}

/// A name with the `?` or `!` at its end; aliases have neither.
fn name_of(text: &str, alias: bool) -> &str {
    let end = text.find(|next: char| !(next == '_' || next.is_alphanumeric())).unwrap_or(text.len());
    let mark = text[end..].starts_with(['?', '!']) && !alias;
    &text[..end + usize::from(mark)]
}

/// The text of an atom behind its colon.
fn atom_of(text: &str) -> &str {
    let end = text.find(|next: char| !(next == '_' || next == '@' || next.is_alphanumeric())).unwrap_or(text.len());
    let mark = text[end..].starts_with(['?', '!']);
    &text[..end + usize::from(mark)]
}
