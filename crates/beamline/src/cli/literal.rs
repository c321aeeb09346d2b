//! The literals that are read character by character: numbers, quotes with
//! their escapes, `?c` and the sigils `~c`, `~s`, `~w` and their upper case.

use beamline::term::{BigInt, Term};

use super::expression::{ExpressionError, Reader, integer};

type Parsed<T> = Result<T, ExpressionError>;

/// `1_000`, `0xFF`, `-2.5e3`.
pub(super) fn number(reader: &mut Reader<'_>) -> Parsed<Term> {
    let from = reader.at;
    let negative = reader.eat("-");
    if !negative {
        reader.eat("+");
    }
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if reader.eat(prefix) {
            let digits = digits(reader, radix)?;
            return whole(reader, from, negative, &digits, radix);
        }
    }
    let before = digits(reader, 10)?;
    let after = reader.rest().strip_prefix('.').and_then(|rest| rest.chars().next());
    if !after.is_some_and(|character| character.is_ascii_digit()) {
        return whole(reader, from, negative, &before, 10);
    }
    reader.next();
    let mut text = format!("{}{before}.{}", if negative { "-" } else { "" }, digits(reader, 10)?);
    if matches!(reader.peek(), Some('e' | 'E')) {
        reader.next();
        text.push('e');
        if let Some(sign @ ('-' | '+')) = reader.peek() {
            reader.next();
            text.push(sign);
        }
        text.push_str(&digits(reader, 10)?);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Term::Float(number)),
        _ => reader.fail_at(from, "a float of that size does not exist"),
    }
}

fn whole(reader: &Reader<'_>, from: usize, negative: bool, digits: &str, radix: u32) -> Parsed<Term> {
    match BigInt::parse_bytes(digits.as_bytes(), radix) {
        Some(number) => Ok(integer(if negative { -number } else { number })),
        None => reader.fail_at(from, "not an integer"),
    }
}

fn digits(reader: &mut Reader<'_>, radix: u32) -> Parsed<String> {
    let from = reader.at;
    let text = reader.take_while(|character| character == '_' || character.is_digit(radix)).to_owned();
    let even = !text.is_empty() && text.split('_').all(|part| !part.is_empty());
    if even { Ok(text.replace('_', "")) } else { reader.fail_at(from, "expected digits") }
}

/// `?a`, `?\n`.
pub(super) fn character(reader: &mut Reader<'_>) -> Parsed<Term> {
    reader.next();
    let character = match reader.next() {
        Some('\\') => escape(reader)?,
        Some(character) => character,
        None => return reader.fail("a character must follow `?`"),
    };
    Ok(Term::from(u32::from(character)))
}

/// The inside of quotes, which are open already.
pub(super) fn quoted(reader: &mut Reader<'_>, quote: char) -> Parsed<String> {
    inside(reader, quote, true)
}

fn inside(reader: &mut Reader<'_>, close: char, escapes: bool) -> Parsed<String> {
    let open = reader.at - 1;
    let mut text = String::new();
    loop {
        if escapes && reader.rest().starts_with("#{") {
            return reader.fail("interpolation would be code; only literals are sent");
        }
        match reader.next() {
            None => return reader.fail_at(open, format!("not closed by `{close}`")),
            Some(character) if character == close => return Ok(text),
            Some('\\') if escapes => {
                // A backslash at the end of a line joins it with the next.
                if !reader.eat("\n") {
                    text.push(escape(reader)?);
                }
            }
            Some('\\') if reader.peek() == Some(close) => text.extend(reader.next()),
            Some(character) => text.push(character),
        }
    }
}

/// What follows a backslash.
fn escape(reader: &mut Reader<'_>) -> Parsed<char> {
    let from = reader.at;
    let character = match reader.next() {
        None => return reader.fail("the text ends in an escape"),
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('0') => '\0',
        Some('a') => '\u{7}',
        Some('b') => '\u{8}',
        Some('d') => '\u{7f}',
        Some('e') => '\u{1b}',
        Some('f') => '\u{c}',
        Some('s') => ' ',
        Some('v') => '\u{b}',
        Some('x') => return code(reader, from, 2),
        Some('u') => return code(reader, from, 4),
        Some(character) => character,
    };
    Ok(character)
}

fn code(reader: &mut Reader<'_>, from: usize, count: usize) -> Parsed<char> {
    let braces = count == 4 && reader.eat("{");
    let rest = reader.rest();
    let digits: String = if braces {
        rest.chars().take_while(char::is_ascii_hexdigit).collect()
    } else {
        rest.chars().take(count).take_while(char::is_ascii_hexdigit).collect()
    };
    reader.at += digits.len();
    let whole = if braces { reader.eat("}") && digits.len() <= 6 } else { digits.len() == count };
    let number = u32::from_str_radix(&digits, 16).ok().filter(|_| whole);
    // \xNN above 127 is a single byte in Elixir, which no string of ours can hold.
    match number.filter(|number| count == 4 || *number < 128).and_then(char::from_u32) {
        Some(character) => Ok(character),
        None => reader.fail_at(from, "not the code of a character; a byte is written in `<<...>>`"),
    }
}

/// `~c"..."`, `~s(...)`, `~w(a b)a`.
pub(super) fn sigil(reader: &mut Reader<'_>) -> Parsed<Term> {
    let from = reader.at;
    reader.next();
    let Some(kind @ ('c' | 'C' | 's' | 'S' | 'w' | 'W')) = reader.next() else {
        return reader.fail_at(from, "of the sigils only ~c, ~s and ~w are literals here");
    };
    let close = match reader.next() {
        Some('(') => ')',
        Some('[') => ']',
        Some('{') => '}',
        Some('<') => '>',
        Some(same @ ('"' | '\'' | '/' | '|')) => same,
        _ => return reader.fail_at(from, "a sigil's text stands in brackets, quotes, `/` or `|`"),
    };
    let text = inside(reader, close, kind.is_ascii_lowercase())?;
    if !kind.eq_ignore_ascii_case(&'w') {
        return Ok(if kind.eq_ignore_ascii_case(&'c') { Term::charlist(&text) } else { Term::from(text) });
    }
    let form = if matches!(reader.peek(), Some('a' | 's' | 'c')) { reader.next() } else { None };
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        words.push(match form {
            Some('a') => reader.atom(from, word)?.into(),
            Some('c') => Term::charlist(word),
            _ => Term::from(word),
        });
    }
    Ok(Term::list(words))
}
