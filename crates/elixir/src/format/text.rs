//! Names, keys and texts, with quotes and escapes where they need them.

use std::fmt::Write;

/// Whether a text is read as one name; an atom's may have `@` and begin with a capital.
pub(super) fn is_name(text: &str, atom: bool) -> bool {
    let body = text.strip_suffix(['?', '!']).unwrap_or(text);
    let mut characters = body.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic() && (atom || !first.is_uppercase()))
        && characters.all(|next| next == '_' || (atom && next == '@') || next.is_alphanumeric())
}

/// Whether a text can stand before a colon as it is.
pub(super) fn is_key(text: &str) -> bool {
    let capital = text.starts_with(char::is_uppercase);
    is_name(text, true) && !text.contains('@') && (!capital || (text.is_ascii() && !text.ends_with(['?', '!'])))
}

pub(super) fn quote(out: &mut String, bytes: &[u8], mark: char) {
    out.push(mark);
    escape(out, bytes, mark);
    out.push(mark);
}

/// The inside of a quoted text.
pub(super) fn escape(out: &mut String, bytes: &[u8], mark: char) {
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(next) = characters.next() {
            match next {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\u{1b}' => out.push_str("\\e"),
                '\\' => out.push_str("\\\\"),
                '#' if matches!(characters.peek(), Some('{') | None) => out.push_str("\\#"),
                _ if next == mark => {
                    out.push('\\');
                    out.push(next);
                }
                _ if next.is_control() || next == '\u{feff}' => {
                    let _ = write!(out, "\\u{{{:X}}}", next as u32);
                }
                _ => out.push(next),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02X}");
        }
    }
}

/// A text without escapes, between delimiters that are not in it, if there are such.
pub(super) fn raw(out: &mut String, text: &str) {
    const DELIMITERS: [(char, char); 8] =
        [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('|', '|'), ('/', '/'), ('"', '"'), ('\'', '\'')];
    let free = DELIMITERS.into_iter().find(|(_, close)| !text.contains(*close));
    let (open, close) = free.unwrap_or(DELIMITERS[0]);
    out.push(open);
    for next in text.chars() {
        if next == close {
            out.push('\\');
        }
        out.push(next);
    }
    out.push(close);
}
