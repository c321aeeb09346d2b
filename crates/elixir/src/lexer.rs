//! From text to tokens, by the rules of `elixir_tokenizer`.
//!
//! A text that leaves a bracket, `do`, `fn` or quote open is incomplete, whatever else is wrong in it, as in Elixir. The one
//! thing that Elixir would take for a comment: `#PID<0.110.0>`, `#Port<..>` and `#Reference<..>` are read as what they print.

mod number;
mod quoted;
mod word;

use crate::error::SyntaxError;
use crate::limits::Limits;
use crate::token::{ATOM_OPERATORS, Follow, LATE_OPERATORS, OPERATORS, Span, Tok, Token, is_prefix_only};

type Result<T> = std::result::Result<T, SyntaxError>;

/// What is open, and what closes it.
struct Open {
    name: &'static str,
    close: &'static str,
    span: Span,
}

pub(crate) struct Lexer<'a> {
    source: &'a str,
    at: usize,
    /// What is added to every offset: a heredoc is read as a text of its own.
    base: usize,
    tokens: Vec<Token>,
    open: Vec<Open>,
    depth: usize,
    limits: &'a Limits,
    comments: Vec<Span>,
    /// Where the last quote was opened, and whether it was left open.
    quote: usize,
    in_string: bool,
}

/// As much of a text as could be read.
pub(crate) struct Read {
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Span>,
    pub(crate) error: Option<SyntaxError>,
    /// Whether the text ends in quotes that are open.
    pub(crate) in_string: bool,
}

/// All tokens of a text, the last one being its end.
pub(crate) fn tokens(source: &str, limits: &Limits) -> Result<Vec<Token>> {
    let read = read(source, limits);
    read.error.map_or(Ok(read.tokens), Err)
}

/// The tokens of a text up to where it is wrong.
pub(crate) fn read(source: &str, limits: &Limits) -> Read {
    let mut lexer = Lexer::new(source, 0, 0, limits);
    let error = if source.len() > limits.source_bytes {
        let span = Span::new(limits.source_bytes, source.len());
        Some(SyntaxError::Limit { what: "the length of the input", limit: limits.source_bytes, span })
    } else {
        lexer.run(false).err()
    };
    Read { tokens: lexer.tokens, comments: lexer.comments, error, in_string: lexer.in_string }
}

impl<'a> Lexer<'a> {
    /// For a text whose offsets begin at `base`.
    fn new(source: &'a str, base: usize, depth: usize, limits: &'a Limits) -> Lexer<'a> {
        Lexer {
            source,
            at: 0,
            base,
            tokens: Vec::new(),
            open: Vec::new(),
            depth,
            limits,
            comments: Vec::new(),
            quote: 0,
            in_string: false,
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.base + start, self.base + self.at)
    }

    /// The place of the next character.
    fn here(&self) -> Span {
        Span::new(self.base + self.at, self.base + self.at + self.peek().map_or(0, char::len_utf8))
    }

    fn push(&mut self, tok: Tok, start: usize) {
        let span = self.span(start);
        self.tokens.push(Token { tok, span });
    }

    fn last(&self) -> Option<&Tok> {
        self.tokens.last().map(|token| &token.tok)
    }

    /// Takes the end of a line back, for what continues an expression that it seemed to end.
    fn join_lines(&mut self) {
        if self.last() == Some(&Tok::Line) {
            self.tokens.pop();
        }
    }

    /// Reads to the end, or, inside `#{`, to its `}`.
    fn run(&mut self, inside: bool) -> Result<()> {
        let outer = std::mem::take(&mut self.open);
        while let Some(next) = self.peek() {
            if inside && next == '}' && self.open.is_empty() {
                break;
            }
            self.token(next)?;
        }
        if let Some(open) = self.open.last() {
            let message = format!("the {} is missing its `{}`", open.name, open.close);
            return Err(SyntaxError::incomplete(open.span, message));
        }
        self.open = outer;
        let at = self.at;
        self.push(Tok::Eof, at);
        Ok(())
    }

    fn token(&mut self, next: char) -> Result<()> {
        let start = self.at;
        match next {
            ' ' | '\t' => self.space(),
            '\r' if self.rest().starts_with("\r\n") => {
                self.at += 1;
            }
            '\\' if self.rest().starts_with("\\\n") => self.at += 2,
            '\\' if self.rest().starts_with("\\\r\n") => self.at += 3,
            '\n' => {
                self.at += 1;
                if !matches!(self.last(), None | Some(Tok::Line | Tok::Semicolon)) {
                    self.push(Tok::Line, start);
                }
            }
            ';' => {
                if self.last() == Some(&Tok::Semicolon) {
                    return Err(self.unexpected(next));
                }
                self.at += 1;
                self.join_lines();
                self.push(Tok::Semicolon, start);
            }
            '#' => self.comment(),
            '0'..='9' => self.number()?,
            '"' | '\'' => self.quotes(next)?,
            '?' => self.character()?,
            ':' => self.colon()?,
            '~' if self.sigil()? => {}
            '.' if !self.rest().starts_with("..") => self.dot()?,
            ',' => self.single(Tok::Comma),
            '(' => self.begin(Tok::OpenParen, "`(`", ")", 1),
            '[' => self.begin(Tok::OpenBracket, "`[`", "]", 1),
            '{' => self.begin(Tok::OpenBrace, "`{`", "}", 1),
            ')' => self.finish(Tok::CloseParen, ")")?,
            ']' => self.finish(Tok::CloseBracket, "]")?,
            '}' => self.finish(Tok::CloseBrace, "}")?,
            '%' if self.is_key_after("%{}".len()) && self.rest().starts_with("%{}") => {
                self.at += 4;
                self.push(Tok::Key("%{}".into()), start);
            }
            '%' => self.single(Tok::Percent),
            _ if next.is_alphabetic() || next == '_' => self.word()?,
            _ => self.operator(next)?,
        }
        Ok(())
    }

    fn single(&mut self, tok: Tok) {
        let start = self.at;
        self.at += 1;
        self.push(tok, start);
    }

    fn begin(&mut self, tok: Tok, name: &'static str, close: &'static str, length: usize) {
        let start = self.at;
        self.at += length;
        let span = self.span(start);
        self.open.push(Open { name, close, span });
        self.tokens.push(Token { tok, span });
    }

    fn finish(&mut self, tok: Tok, text: &'static str) -> Result<()> {
        let start = self.at;
        let span = Span::new(self.base + start, self.base + start + text.len());
        match self.open.pop() {
            Some(open) if open.close == text => {}
            Some(open) => {
                let expected = format!("the {} before it is still missing its `{}`", open.name, open.close);
                return Err(SyntaxError::wrong(span, format!("unexpected `{text}`"), expected));
            }
            None => {
                return Err(SyntaxError::wrong(
                    span,
                    format!("unexpected `{text}`"),
                    "nothing is open that it could end",
                ));
            }
        }
        self.at += text.len();
        self.push(tok, start);
        Ok(())
    }

    fn unexpected(&self, character: char) -> SyntaxError {
        SyntaxError::wrong(self.here(), format!("unexpected {character:?}"), "an expression")
    }

    /// Spaces, and behind an identifier a sign that stands at its operand: `a -1`.
    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        let rest = self.rest();
        let mut characters = rest.chars();
        let sign = characters.next().filter(|sign| matches!(sign, '+' | '-'));
        let glued = characters.next().is_some_and(|next| {
            !next.is_whitespace() && !matches!(next, '(' | '[' | '<' | '{' | '%' | '+' | '-' | '/' | '>' | ':')
        });
        if sign.is_some() && glued {
            let identifier = self.tokens.last_mut().map(|token| &mut token.tok);
            if let Some(Tok::Identifier(_, follow) | Tok::QuotedIdentifier(_, follow)) = identifier
                && *follow == Follow::Plain
            {
                *follow = Follow::Sign;
            }
        }
    }

    /// A comment, or a pid, port or reference as it is printed.
    fn comment(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let line = rest.split('\n').next().unwrap_or_default();
        for prefix in ["#PID<", "#Port<", "#Reference<"] {
            let inner = line.strip_prefix(prefix).and_then(|inner| inner.split_once('>')).map(|(inner, _)| inner);
            if let Some(inner) = inner
                && !inner.is_empty()
                && inner.chars().all(|next| !next.is_whitespace() && !"<#\"'".contains(next))
            {
                let text = rest[..prefix.len() + inner.len() + 1].to_owned();
                self.at += text.len();
                return self.push(Tok::Printed(text), start);
            }
        }
        self.at += line.len();
        let span = self.span(start);
        self.comments.push(span);
    }

    /// Whether a colon that makes a key stands so many bytes ahead.
    fn is_key_after(&self, length: usize) -> bool {
        let rest = self.rest().get(length..).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| rest.starts_with(char::is_whitespace))
    }

    /// What follows a name.
    fn follow(&self) -> Follow {
        match self.peek() {
            Some('(') => Follow::Paren,
            Some('[') => Follow::Bracket,
            _ => Follow::Plain,
        }
    }

    fn dot(&mut self) -> Result<()> {
        let start = self.at;
        self.at += 1;
        self.join_lines();
        // What stands between a dot and a name does not matter, but a name is only one on the same line.
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        let Some(next) = self.peek() else {
            self.push(Tok::Dot, start);
            return Ok(());
        };
        match next {
            '(' => self.push(Tok::DotCall, start),
            '"' | '\'' => {
                self.push(Tok::Dot, start);
                let start = self.at;
                self.at += 1;
                let pieces = self.quoted(next, true, start)?;
                let follow = self.follow();
                self.push(Tok::QuotedIdentifier(pieces, follow), start);
            }
            _ => {
                self.push(Tok::Dot, start);
                let rest = self.rest();
                if let Some(operator) = operator_of(rest) {
                    let start = self.at;
                    self.at += operator.len();
                    let follow = self.follow();
                    self.push(Tok::Identifier(operator.to_owned(), follow), start);
                }
            }
        }
        Ok(())
    }

    fn operator(&mut self, next: char) -> Result<()> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("...") {
            self.at += 3;
            let follow = self.follow();
            self.push(Tok::Identifier("...".into(), follow), start);
            return Ok(());
        }
        if rest.starts_with("<<") && !rest.starts_with("<<<") && !rest.starts_with("<<~") {
            if rest.starts_with("<<>>") && self.is_key_after(4) {
                self.at += 5;
                self.push(Tok::Key("<<>>".into()), start);
                return Ok(());
            }
            self.begin(Tok::OpenBits, "`<<`", ">>", 2);
            return Ok(());
        }
        if rest.starts_with(">>") && !rest.starts_with(">>>") {
            return self.finish(Tok::CloseBits, ">>");
        }
        if rest.starts_with("->") {
            self.at += 2;
            self.join_lines();
            self.push(Tok::Arrow, start);
            return Ok(());
        }
        let Some(operator) = operator_of(rest) else {
            return Err(self.unexpected(next));
        };
        if self.is_key_after(operator.len()) {
            self.at += operator.len() + 1;
            self.push(Tok::Key(operator.to_owned()), start);
            return Ok(());
        }
        self.at += operator.len();
        let captured = self.last() == Some(&Tok::Operator("&"));
        if captured && self.rest().trim_start_matches([' ', '\t']).starts_with('/') {
            self.push(Tok::Identifier(operator.to_owned(), Follow::Plain), start);
        } else if operator == "&" && self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.push(Tok::Placeholder, start);
        } else {
            if !is_prefix_only(operator) && !matches!(operator, "+" | "-") {
                self.join_lines();
            }
            self.push(Tok::Operator(operator), start);
        }
        Ok(())
    }
}

/// The operator at the beginning of a text.
fn operator_of(text: &str) -> Option<&'static str> {
    OPERATORS.iter().chain(&LATE_OPERATORS).find(|operator| text.starts_with(**operator)).copied()
}

/// The operator at the beginning of a text that can be an atom.
fn atom_operator_of(text: &str) -> Option<&'static str> {
    let longer = ATOM_OPERATORS.iter().filter(|operator| operator.len() > 1 && text.starts_with(**operator));
    longer
        .copied()
        .next()
        .or_else(|| operator_of(text))
        .or_else(|| ATOM_OPERATORS.iter().find(|operator| text.starts_with(**operator)).copied())
}
