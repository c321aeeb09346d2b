//! Atoms and strings in Erlang's syntax: what needs quotes, and what is escaped within them. Follows `io_lib`.

use std::fmt::{self, Write};

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
pub(super) fn write_atom(out: &mut dyn Write, text: &str) -> fmt::Result {
    if text.starts_with(is_lower) && text.chars().all(is_name) && !RESERVED.contains(&text) {
        return out.write_str(text);
    }
    write_quoted(out, text.chars(), '\'')
}

pub(super) fn write_quoted(out: &mut dyn Write, characters: impl Iterator<Item = char>, quote: char) -> fmt::Result {
    out.write_char(quote)?;
    for character in characters {
        match character {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{b}' => out.write_str("\\v")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\u{1b}' => out.write_str("\\e")?,
            '\u{7f}' => out.write_str("\\d")?,
            '\\' => out.write_str("\\\\")?,
            own if own == quote => write!(out, "\\{own}")?,
            control if control < ' ' => write!(out, "\\{:03o}", control as u32)?,
            control @ '\u{80}'..='\u{9f}' => write!(out, "\\{:03o}", control as u32)?,
            other => out.write_char(other)?,
        }
    }
    out.write_char(quote)
}

/// `io_lib:printable_list/1` of a node that was started with `+pc unicode`.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\u{8}'..='\r' | '\u{1b}' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
