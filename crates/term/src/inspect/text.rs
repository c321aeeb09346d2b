//! Atoms, keys, strings and charlists in Elixir's syntax: what needs quotes, and what is escaped within them.

use std::fmt::{self, Write};

use super::Elixir;
use crate::Atom;

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
pub(super) fn write_atom(out: &mut dyn Write, text: &str, elixir: Elixir) -> fmt::Result {
    match text {
        "nil" | "true" | "false" => out.write_str(text),
        "Elixir" => out.write_str("Elixir"),
        _ => match text.strip_prefix("Elixir.") {
            Some(alias) if is_alias(alias) => out.write_str(alias),
            _ if is_identifier(text) || OPERATORS.contains(&text) => write!(out, ":{text}"),
            _ => {
                out.write_str(":")?;
                write_quoted(out, text.chars().map(Ok), '"', elixir)
            }
        },
    }
}

/// A key of a keyword list, with its colon.
pub(super) fn write_key(out: &mut dyn Write, text: &str, elixir: Elixir) -> fmt::Result {
    if is_identifier(text) || OPERATORS.contains(&text) {
        write!(out, "{text}: ")
    } else {
        write_quoted(out, text.chars().map(Ok), '"', elixir)?;
        out.write_str(": ")
    }
}

/// Whether an atom is written as a key with a colon behind it.
pub(super) fn is_key(atom: &Atom) -> bool {
    !atom.as_str().starts_with("Elixir.")
}

/// A function's name behind its module and a dot.
pub(super) fn write_function(out: &mut dyn Write, text: &str, elixir: Elixir) -> fmt::Result {
    if is_identifier(text) && !text.starts_with(char::is_uppercase) || OPERATORS.contains(&text) {
        out.write_str(text)
    } else {
        write_quoted(out, text.chars().map(Ok), '"', elixir)
    }
}

/// The characters of what should be UTF-8, and the bytes that are not.
pub(super) fn characters(bytes: &[u8]) -> impl Iterator<Item = Result<char, u8>> {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().map(Ok).chain(chunk.invalid().iter().map(|byte| Err(*byte))))
}

/// Text in quotes, at most `limit` characters of it; then what would join the rest to it.
pub(super) fn write_text(
    out: &mut dyn Write,
    characters: impl Iterator<Item = Result<char, u8>>,
    limit: usize,
    (quote, join): (char, &str),
    elixir: Elixir,
) -> fmt::Result {
    let mut characters = characters.peekable();
    write_quoted(out, characters.by_ref().take(limit), quote, elixir)?;
    if characters.peek().is_some() { write!(out, " {join} ...") } else { Ok(()) }
}

fn write_quoted(
    out: &mut dyn Write,
    characters: impl Iterator<Item = Result<char, u8>>,
    quote: char,
    elixir: Elixir,
) -> fmt::Result {
    out.write_char(quote)?;
    let mut characters = characters.peekable();
    while let Some(character) = characters.next() {
        match character {
            Ok('\n') => out.write_str("\\n")?,
            Ok('\r') => out.write_str("\\r")?,
            Ok('\t') => out.write_str("\\t")?,
            Ok('\u{7}') => out.write_str("\\a")?,
            Ok('\u{8}') => out.write_str("\\b")?,
            Ok('\u{b}') => out.write_str("\\v")?,
            Ok('\u{c}') => out.write_str("\\f")?,
            Ok('\u{1b}') => out.write_str("\\e")?,
            Ok('\u{7f}') => out.write_str("\\d")?,
            Ok('\0') => out.write_str("\\0")?,
            Ok('\\') => out.write_str("\\\\")?,
            Ok('#') if characters.peek() == Some(&Ok('{')) => out.write_str("\\#")?,
            Ok(own) if own == quote => write!(out, "\\{own}")?,
            Ok('\u{feff}') => out.write_str("\\uFEFF")?,
            Ok(other) if elixir >= Elixir::V1_18 && is_invisible(other) => write!(out, "\\u{:04X}", other as u32)?,
            Ok(other) if is_printable(other) => out.write_char(other)?,
            Ok(other) if (other as u32) < 0x100 => write!(out, "\\x{:02X}", other as u32)?,
            Ok(other) => write!(out, "\\x{{{:X}}}", other as u32)?,
            Err(byte) => write!(out, "\\x{byte:02X}")?,
        }
    }
    out.write_char(quote)
}

/// Spaces that look like others, and characters that change the direction of text or do not show at all.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{a0}' | '\u{34f}' | '\u{61c}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{205f}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffc}')
}

/// `String.printable?/1`.
pub(super) fn is_printable(character: char) -> bool {
    match character {
        '\u{7}'..='\r' | '\u{1b}' | ' '..='\u{7f}' => true,
        _ => {
            let code = character as u32;
            (0xa0..=0xd7ff).contains(&code) || (0xe000..=0xfffd).contains(&code) || code >= 0x1_0000
        }
    }
}

/// `List.ascii_printable?/1`.
pub(super) fn is_ascii_printable(character: char) -> bool {
    matches!(character, '\u{7}'..='\r' | '\u{1b}' | ' '..='~')
}
