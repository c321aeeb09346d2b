//! What stands in quotes: strings, charlists, heredocs, sigils, with their escapes and `#{..}`.

use super::{Lexer, Open, Result};
use crate::error::SyntaxError;
use crate::token::{Piece, SigilToken, Span, Tok, Token};

/// So deep may strings and code in them alternate.
const NESTING: usize = 32;

impl Lexer<'_> {
    /// A string, a charlist, a heredoc of either, or a key in quotes.
    pub(super) fn quotes(&mut self, quote: char) -> Result<()> {
        let start = self.at;
        let heredoc = self.rest().starts_with(if quote == '"' { "\"\"\"" } else { "'''" });
        let pieces = if heredoc {
            self.at += 3;
            self.heredoc(quote, true, start)?
        } else {
            self.at += 1;
            self.quoted(quote, true, start)?
        };
        if !heredoc && self.is_key_after(0) {
            self.at += 1;
            self.push(Tok::QuotedKey(pieces), start);
        } else if quote == '"' {
            self.push(Tok::Text(pieces, heredoc), start);
        } else {
            self.push(Tok::Charlist(pieces, heredoc), start);
        }
        Ok(())
    }

    /// `~s(..)`; false if what stands here is no sigil.
    pub(super) fn sigil(&mut self) -> Result<bool> {
        let start = self.at;
        let rest = self.rest();
        let after = rest.get(1..).unwrap_or_default();
        let name_end = match after.chars().next() {
            Some('a'..='z') => 1,
            Some('A'..='Z') => after.find(|next: char| !next.is_ascii_uppercase()).unwrap_or(after.len()),
            Some('~' | '>') => {
                self.operator('~')?;
                return Ok(true);
            }
            _ => return Err(SyntaxError::wrong(self.here(), "unexpected `~`", "a sigil, as in ~s(text)")),
        };
        let name = after[..name_end].to_owned();
        let raw = name.starts_with(|next: char| next.is_ascii_uppercase());
        self.at += 1 + name_end;
        let open = self.peek();
        let close = match open {
            Some('(') => ')',
            Some('[') => ']',
            Some('{') => '}',
            Some('<') => '>',
            Some(same @ ('|' | '/' | '"' | '\'')) => same,
            _ => {
                let expected = "a delimiter behind a sigil's name: // || \"\" '' () [] {} <>";
                return Err(SyntaxError::wrong(self.here(), format!("unexpected end of the sigil ~{name}"), expected));
            }
        };
        let open = open.unwrap_or(close);
        let rest = self.rest();
        let heredoc = rest.starts_with("\"\"\"") || rest.starts_with("'''");
        let pieces = if heredoc {
            self.at += 3;
            self.heredoc(close, !raw, start)?
        } else {
            self.at += 1;
            self.quoted(close, !raw, start)?
        };
        let rest = self.rest();
        let end = rest.find(|next: char| !next.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let modifiers = rest[..end].to_owned();
        self.at += end;
        self.push(Tok::Sigil(Box::new(SigilToken { name, open, heredoc, pieces, modifiers })), start);
        Ok(true)
    }

    /// The pieces up to the closing quote, which is passed.
    pub(super) fn quoted(&mut self, close: char, interpolate: bool, start: usize) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        loop {
            self.quote = start;
            let Some(next) = self.peek() else {
                self.in_string = true;
                let message = format!("the quote is missing its closing `{close}`");
                return Err(SyntaxError::incomplete(self.span(start), message));
            };
            if next == close {
                self.at += next.len_utf8();
                break;
            }
            self.one(next, Some(close), interpolate, &mut text, &mut pieces)?;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(pieces)
    }

    /// One character, escape or interpolation.
    fn one(
        &mut self,
        next: char,
        close: Option<char>,
        interpolate: bool,
        text: &mut Vec<u8>,
        pieces: &mut Vec<Piece>,
    ) -> Result<()> {
        if next == '\\' {
            self.at += 1;
            let Some(escaped) = self.peek() else {
                text.push(b'\\');
                return Ok(());
            };
            if interpolate {
                return self.escape(escaped, text);
            }
            // Only what would end it is escaped.
            if Some(escaped) != close {
                text.push(b'\\');
            }
            self.at += escaped.len_utf8();
            push_char(text, escaped);
            return Ok(());
        }
        if interpolate && self.rest().starts_with("#{") {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(text)));
            }
            let piece = self.interpolation()?;
            pieces.push(piece);
            return Ok(());
        }
        self.at += next.len_utf8();
        push_char(text, next);
        Ok(())
    }

    fn interpolation(&mut self) -> Result<Piece> {
        let start = self.at;
        self.at += 2;
        self.depth += 1;
        if self.depth > NESTING {
            return Err(SyntaxError::Limit { what: "the nesting of strings", limit: NESTING, span: self.span(start) });
        }
        let outer = std::mem::take(&mut self.tokens);
        let quote = self.quote;
        let run = self.run(true);
        self.depth -= 1;
        let inner = std::mem::replace(&mut self.tokens, outer);
        if run.is_err() || self.peek() != Some('}') {
            // What was read up to here is still of use to whoever colours it.
            let span = Span::new(self.base + quote, self.base + start);
            self.tokens.push(Token { tok: Tok::Text(Vec::new(), false), span });
            self.tokens.extend(inner);
            run?;
            let open = Open { name: "`#{`", close: "}", span: self.span(start) };
            return Err(SyntaxError::incomplete(
                open.span,
                format!("the {} is missing its `{}`", open.name, open.close),
            ));
        }
        self.at += 1;
        Ok(Piece::Code(inner, self.span(start)))
    }

    /// What a character behind a backslash stands for.
    fn escape(&mut self, escaped: char, text: &mut Vec<u8>) -> Result<()> {
        let start = self.at - 1;
        self.at += escaped.len_utf8();
        let byte = match escaped {
            'a' => 7,
            'b' => 8,
            'd' => 127,
            'e' => 27,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            's' => b' ',
            't' => b'\t',
            'v' => 11,
            '0' => 0,
            '\n' => return Ok(()),
            '\r' if self.peek() == Some('\n') => {
                self.at += 1;
                return Ok(());
            }
            'x' => return self.hexadecimal(start, text),
            'u' => return self.unicode(start, text),
            other => {
                push_char(text, other);
                return Ok(());
            }
        };
        text.push(byte);
        Ok(())
    }

    /// `\xHH` is a byte.
    fn hexadecimal(&mut self, start: usize, text: &mut Vec<u8>) -> Result<()> {
        let rest = self.rest();
        if rest.starts_with('{') {
            let character = self.braced(start)?;
            push_char(text, character);
            return Ok(());
        }
        let length = rest.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        match u8::from_str_radix(&rest[..length], 16) {
            Ok(byte) => {
                self.at += length;
                text.push(byte);
                Ok(())
            }
            Err(_) => Err(SyntaxError::wrong(self.span(start), "incomplete `\\x`", "two hexadecimal digits: \\x7F")),
        }
    }

    fn unicode(&mut self, start: usize, text: &mut Vec<u8>) -> Result<()> {
        if self.rest().starts_with('{') {
            let character = self.braced(start)?;
            push_char(text, character);
            return Ok(());
        }
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        let Some(character) = character else {
            let expected = "four hexadecimal digits, or some in braces: \\u00E9, \\u{1F600}";
            return Err(SyntaxError::wrong(self.span(start), "no character behind `\\u`", expected));
        };
        self.at += 4;
        push_char(text, character);
        Ok(())
    }

    /// `{1F600}`
    fn braced(&mut self, start: usize) -> Result<char> {
        let inner = self.rest().get(1..).and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits);
        let digits = inner
            .filter(|digits| (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match (character, digits) {
            (Some(character), Some(digits)) => {
                self.at += digits.len() + 2;
                Ok(character)
            }
            _ => {
                Err(SyntaxError::wrong(self.span(start), "no character in the braces", "one to six hexadecimal digits"))
            }
        }
    }

    /// The body of a heredoc: whole lines, less the indentation of the line that closes it.
    fn heredoc(&mut self, quote: char, interpolate: bool, start: usize) -> Result<Vec<Piece>> {
        let close: String = std::iter::repeat_n(quote, 3).collect();
        let rest = self.rest();
        let first = rest.trim_start_matches([' ', '\t', '\r']);
        let Some(body) = first.strip_prefix('\n') else {
            return Err(SyntaxError::wrong(
                self.here(),
                format!("unexpected text behind `{close}`"),
                "the end of the line",
            ));
        };
        let body_at = self.at + (rest.len() - body.len());
        let (mut lines, mut length) = (Vec::new(), 0);
        let indent = loop {
            let left = &body[length..];
            let line_end = left.find('\n').map_or(left.len(), |end| end + 1);
            let line = &left[..line_end];
            let trimmed = line.trim_start_matches([' ', '\t']);
            if trimmed.starts_with(&close) {
                let indent = line.len() - trimmed.len();
                length += indent + close.len();
                break indent;
            }
            if !line.ends_with('\n') {
                self.at = self.source.len();
                self.in_string = true;
                let message = format!("the heredoc is missing its closing `{close}` on a line of its own");
                return Err(SyntaxError::incomplete(self.span(start), message));
            }
            lines.push(line);
            length += line_end;
        };
        let mut text = String::with_capacity(length);
        for line in lines {
            let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
            text.push_str(&line[blank.min(indent)..]);
        }
        let pieces = self.inner(&text, body_at, interpolate)?;
        self.at = body_at + length;
        let end = self.base + self.at;
        Ok(clamp(pieces, end))
    }

    /// The pieces of a text that stands on its own, whose offsets begin at `at`.
    fn inner(&self, text: &str, at: usize, interpolate: bool) -> Result<Vec<Piece>> {
        let mut lexer = Lexer::new(text, self.base + at, self.depth + 1, self.limits);
        if lexer.depth > NESTING {
            let span = self.here();
            return Err(SyntaxError::Limit { what: "the nesting of strings", limit: NESTING, span });
        }
        let (mut pieces, mut bytes) = (Vec::new(), Vec::new());
        while let Some(next) = lexer.peek() {
            lexer.one(next, None, interpolate, &mut bytes, &mut pieces)?;
        }
        if !bytes.is_empty() {
            pieces.push(Piece::Text(bytes));
        }
        Ok(pieces)
    }
}

/// Without their indentation lines are shorter, so offsets in them only come near their place, but never past the end.
fn clamp(mut pieces: Vec<Piece>, end: usize) -> Vec<Piece> {
    for piece in &mut pieces {
        if let Piece::Code(tokens, span) = piece {
            let fit = |span: Span| Span::new(span.start.min(end), span.end.min(end));
            *span = fit(*span);
            tokens.iter_mut().for_each(|token| token.span = fit(token.span));
        }
    }
    pieces
}

fn push_char(text: &mut Vec<u8>, character: char) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
