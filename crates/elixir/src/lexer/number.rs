//! Numbers in all bases, and characters.

use beamline_term::BigInt;

use super::{Lexer, Result};
use crate::error::SyntaxError;
use crate::token::Tok;

impl Lexer<'_> {
    pub(super) fn number(&mut self) -> Result<()> {
        let start = self.at;
        let rest = self.rest();
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            let digits = rest.strip_prefix(prefix).map(|digits| digits_of(digits, radix)).unwrap_or_default();
            if !digits.is_empty() {
                self.at += prefix.len() + digits.len();
                return self.integer(digits, radix, start);
            }
        }
        let whole = digits_of(rest, 10);
        self.at += whole.len();
        let fraction = self.rest().strip_prefix('.').map(|rest| digits_of(rest, 10)).unwrap_or_default();
        if fraction.is_empty() {
            self.integer(whole, 10, start)?;
        } else {
            self.at += 1 + fraction.len();
            self.exponent();
            let text: String = self.source[start..self.at].chars().filter(|next| *next != '_').collect();
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
                let message = format!("{text} is no number that a float can hold");
                SyntaxError::wrong(self.span(start), message, "floats go up to 1.8e308")
            })?;
            self.push(Tok::Float(number), start);
        }
        match self.peek() {
            Some(next) if next.is_alphabetic() || next == '_' => {
                let message = format!("unexpected {next:?} after the number {}", &self.source[start..self.at]);
                Err(SyntaxError::wrong(self.here(), message, "a space or an operator after a number"))
            }
            _ => Ok(()),
        }
    }

    fn exponent(&mut self) {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(['e', 'E']) else {
            return;
        };
        let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
        let digits = digits_of(unsigned, 10);
        if !digits.is_empty() {
            self.at += 1 + (after.len() - unsigned.len()) + digits.len();
        }
    }

    fn integer(&mut self, digits: &str, radix: u32, start: usize) -> Result<()> {
        let digits: Vec<u8> = digits.bytes().filter(|next| *next != b'_').collect();
        let number = BigInt::parse_bytes(&digits, radix).unwrap_or_default();
        self.push(Tok::Integer(number), start);
        Ok(())
    }

    /// `?c`
    pub(super) fn character(&mut self) -> Result<()> {
        let start = self.at;
        self.at += 1;
        let Some(next) = self.peek() else {
            return Err(SyntaxError::wrong(self.span(start), "unexpected `?`", "a character after `?`, as in `?a`"));
        };
        self.at += next.len_utf8();
        let character = match (next, self.peek()) {
            ('\\', Some(escaped)) => {
                self.at += escaped.len_utf8();
                match escaped {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'd' => '\u{7f}',
                    'e' => '\u{1b}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    's' => ' ',
                    't' => '\t',
                    'v' => '\u{b}',
                    '0' => '\0',
                    other => other,
                }
            }
            (other, _) => other,
        };
        self.push(Tok::Character(character), start);
        Ok(())
    }
}

/// The digits at the beginning of a text, with single underscores between them.
fn digits_of(text: &str, radix: u32) -> &str {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(|byte| char::from(*byte).is_digit(radix));
    let mut end = 0;
    while is_digit(end) || (end > 0 && bytes.get(end) == Some(&b'_') && is_digit(end + 1)) {
        end += 1;
    }
    &text[..end]
}
