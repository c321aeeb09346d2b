//! What each part of a text is, for colours; also of a text that is incomplete or wrong.

use crate::lexer;
use crate::limits::Limits;
use crate::token::{Follow, Piece, Span, Tok, Token};

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Highlight {
    /// A word of the language: `do`, `fn`, `case`, `and`.
    Keyword,
    /// `true`, `false`, `nil`.
    Constant,
    /// An atom, or a key of a keyword list.
    Atom,
    /// A module.
    Module,
    /// A function that is called.
    Function,
    /// A variable.
    Variable,
    /// A number or a character.
    Number,
    /// A string, charlist or sigil.
    String,
    /// An operator.
    Operator,
    /// A bracket, comma, dot or semicolon.
    Punctuation,
    /// A comment.
    Comment,
    /// A pid, port or reference.
    Identifier,
    /// What cannot stand there.
    Error,
}

/// The parts of a text in their order; none overlap, and what is between them is blank or of no kind.
///
/// ```
/// use beamline_elixir::{Highlight, highlight};
/// let source = "Enum.map(nodes, & \"#{&1}";
/// let parts: Vec<_> = highlight(source).into_iter().map(|(span, kind)| (&source[span.start..span.end], kind)).collect();
/// assert_eq!(parts[0], ("Enum", Highlight::Module));
/// assert_eq!(parts[2], ("map", Highlight::Function));
/// assert_eq!(parts[4], ("nodes", Highlight::Variable));
/// ```
pub fn highlight(source: &str) -> Vec<(Span, Highlight)> {
    let read = lexer::read(source, &Limits::default());
    let mut parts = Vec::new();
    collect(&read.tokens, &mut parts);
    parts.extend(read.comments.into_iter().map(|span| (span, Highlight::Comment)));
    if let Some(error) = read.error {
        let seen = parts.iter().map(|(span, _)| span.end).max().unwrap_or(0);
        let start = error.span().start.max(seen).min(source.len());
        if read.in_string && start < source.len() {
            parts.push((Span::new(start, source.len()), Highlight::String));
        } else if !error.is_incomplete() && start < source.len() {
            let end = error.span().end.clamp(start, source.len());
            parts.push((Span::new(start, end), Highlight::Error));
        }
    }
    parts.retain(|(span, _)| !span.is_empty() && source.get(span.start..span.end).is_some());
    parts.sort_by_key(|(span, _)| (span.start, span.end));
    let mut end = 0;
    parts.retain(|(span, _)| {
        let apart = span.start >= end;
        if apart {
            end = span.end;
        }
        apart
    });
    parts
}

fn collect(tokens: &[Token], parts: &mut Vec<(Span, Highlight)>) {
    for (place, token) in tokens.iter().enumerate() {
        let after_dot =
            place.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.tok == Tok::Dot);
        match &token.tok {
            Tok::Text(pieces, false) | Tok::Charlist(pieces, false) | Tok::QuotedKey(pieces) => {
                quoted(token.span, pieces, Highlight::String, parts);
            }
            Tok::QuotedAtom(pieces) => quoted(token.span, pieces, Highlight::Atom, parts),
            Tok::Sigil(sigil) if !sigil.heredoc => quoted(token.span, &sigil.pieces, Highlight::String, parts),
            tok => parts.extend(kind(tok, after_dot).map(|kind| (token.span, kind))),
        }
    }
}

/// A text with the code in it apart.
fn quoted(span: Span, pieces: &[Piece], own: Highlight, parts: &mut Vec<(Span, Highlight)>) {
    let mut start = span.start;
    for piece in pieces {
        if let Piece::Code(tokens, code) = piece {
            parts.push((Span::new(start, code.start), own));
            parts.push((Span::new(code.start, code.start + 2), Highlight::Punctuation));
            collect(tokens, parts);
            parts.push((Span::new(code.end.saturating_sub(1), code.end), Highlight::Punctuation));
            start = code.end;
        }
    }
    parts.push((Span::new(start, span.end), own));
}

fn kind(tok: &Tok, after_dot: bool) -> Option<Highlight> {
    Some(match tok {
        Tok::Integer(_) | Tok::Float(_) | Tok::Character(_) => Highlight::Number,
        Tok::Atom(_) | Tok::QuotedAtom(_) | Tok::Key(_) => Highlight::Atom,
        Tok::Text(..) | Tok::Charlist(..) | Tok::Sigil(_) | Tok::QuotedKey(_) => Highlight::String,
        Tok::Alias(_) => Highlight::Module,
        Tok::Identifier(name, _) if !after_dot && is_word(name) => Highlight::Keyword,
        Tok::Identifier(_, Follow::Paren) | Tok::QuotedIdentifier(..) => Highlight::Function,
        Tok::Identifier(..) if after_dot => Highlight::Function,
        Tok::Identifier(..) => Highlight::Variable,
        Tok::Printed(_) => Highlight::Identifier,
        Tok::Operator("and" | "or" | "not" | "in" | "when" | "not in") => Highlight::Keyword,
        Tok::Operator(_) | Tok::Arrow | Tok::Placeholder => Highlight::Operator,
        Tok::Word(_) => Highlight::Constant,
        Tok::Do | Tok::End | Tok::Fn | Tok::Section(_) => Highlight::Keyword,
        Tok::OpenParen | Tok::CloseParen | Tok::OpenBracket | Tok::CloseBracket | Tok::OpenBrace => {
            Highlight::Punctuation
        }
        Tok::CloseBrace | Tok::OpenBits | Tok::CloseBits | Tok::Percent | Tok::Comma => Highlight::Punctuation,
        Tok::Semicolon | Tok::Dot | Tok::DotCall => Highlight::Punctuation,
        Tok::Line | Tok::Eof => return None,
    })
}

fn is_word(name: &str) -> bool {
    matches!(name, "case" | "cond" | "if" | "unless" | "for" | "with" | "raise" | "try" | "receive" | "quote")
        || (name.starts_with("def") && ["def", "defp", "defmodule", "defmacro", "defstruct"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(source: &str) -> Vec<(&str, Highlight)> {
        highlight(source).into_iter().map(|(span, kind)| (&source[span.start..span.end], kind)).collect()
    }

    #[test]
    fn code_in_strings_has_its_own_kinds() {
        assert_eq!(
            parts("\"a#{b}c\" # d"),
            [
                ("\"a", Highlight::String),
                ("#{", Highlight::Punctuation),
                ("b", Highlight::Variable),
                ("}", Highlight::Punctuation),
                ("c\"", Highlight::String),
                ("# d", Highlight::Comment),
            ]
        );
    }

    #[test]
    fn what_is_unfinished_is_told_as_far_as_it_goes() {
        assert_eq!(
            parts("x = \"ab"),
            [("x", Highlight::Variable), ("=", Highlight::Operator), ("\"ab", Highlight::String)]
        );
        assert_eq!(
            parts("if (x"),
            [("if", Highlight::Keyword), ("(", Highlight::Punctuation), ("x", Highlight::Variable)]
        );
        assert_eq!(parts("1 )"), [("1", Highlight::Number), (")", Highlight::Error)]);
        assert_eq!(parts("#PID<0.1.0> nil"), [("#PID<0.1.0>", Highlight::Identifier), ("nil", Highlight::Constant)]);
    }
}
