//! Tokens, as `elixir_tokenizer` makes them: what a text is made of before it has a structure.

use beamline_term::BigInt;

/// A part of a text, as offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends; the byte here is no longer part of it.
    pub end: usize,
}

impl Span {
    /// The part from `start` to before `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// From the beginning of this part to the end of another.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A piece of a quoted text: bytes as they are meant, or tokens between `#{` and `}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Text(Vec<u8>),
    Code(Vec<Token>, Span),
}

/// How an identifier is followed, which decides what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// By something else.
    Plain,
    /// At once by `(`.
    Paren,
    /// At once by `[`.
    Bracket,
    /// By a space and a sign that stands at its operand: `a -1`.
    Sign,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SigilToken {
    pub(crate) name: String,
    pub(crate) open: char,
    pub(crate) heredoc: bool,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) modifiers: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tok {
    Integer(BigInt),
    Float(f64),
    /// `?c`
    Character(char),
    Atom(String),
    QuotedAtom(Vec<Piece>),
    /// A string in quotes, and whether it is a heredoc.
    Text(Vec<Piece>, bool),
    Charlist(Vec<Piece>, bool),
    Sigil(Box<SigilToken>),
    Alias(String),
    Identifier(String, Follow),
    /// A name in quotes behind a dot.
    QuotedIdentifier(Vec<Piece>, Follow),
    /// `name:`
    Key(String),
    /// `"name":`
    QuotedKey(Vec<Piece>),
    /// A pid, port or reference as it is printed.
    Printed(String),
    /// An operator of one or two operands.
    Operator(&'static str),
    /// The `&` of `&1`.
    Placeholder,
    /// `true`, `false`, `nil`
    Word(&'static str),
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    OpenBits,
    CloseBits,
    Percent,
    Comma,
    Semicolon,
    /// The end of a line at which an expression may end.
    Line,
    Dot,
    /// The dot of `fun.(x)`.
    DotCall,
    Arrow,
    Do,
    End,
    Fn,
    /// `else`, `rescue`, `catch`, `after`
    Section(&'static str),
    /// The end of the text.
    Eof,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    pub(crate) span: Span,
}

/// Operators of three, two and one characters.
pub(crate) const OPERATORS: [&str; 43] = [
    "===", "!==", "&&&", "|||", "<<<", ">>>", "~~~", "^^^", "+++", "---", "<<~", "~>>", "<~>", "<|>", "==", "!=", "=~",
    "<=", ">=", "&&", "||", "|>", "<~", "~>", "<>", "++", "--", "**", "..", "::", "<-", "=>", "\\\\", "//", "+", "-",
    "*", "/", "<", ">", "!", "^", "|",
];

/// The other operators of one character, which need more care.
pub(crate) const LATE_OPERATORS: [&str; 3] = ["&", "=", "@"];

/// Texts that are atoms behind a colon, and keys before one, though they are no identifiers.
pub(crate) const ATOM_OPERATORS: [&str; 11] = ["..//", "...", "%{}", "<<>>", "{}", "->", "%", ".", "&", "=", "@"];

/// Whether an operator may only stand before its operand.
pub(crate) fn is_prefix_only(operator: &str) -> bool {
    matches!(operator, "!" | "^" | "not" | "~~~" | "&" | "@")
}

/// How tightly an operator binds its two operands, and whether it groups to the right. None if it has only one.
pub(crate) fn binding(operator: &str) -> Option<(u16, bool)> {
    Some(match operator {
        "<-" | "\\\\" => (40, false),
        "when" => (50, true),
        "::" => (60, true),
        "|" => (70, true),
        "=>" => (80, true),
        "=" => (100, true),
        "||" | "|||" | "or" => (120, false),
        "&&" | "&&&" | "and" => (130, false),
        "==" | "!=" | "=~" | "===" | "!==" => (140, false),
        "<" | ">" | "<=" | ">=" => (150, false),
        "|>" | "<<<" | ">>>" | "<<~" | "~>>" | "<~" | "~>" | "<~>" | "<|>" => (160, false),
        "in" | "not in" => (170, false),
        "^^^" => (180, false),
        "//" => (190, true),
        "++" | "--" | "+++" | "---" | "<>" | ".." => (200, true),
        "+" | "-" => (210, false),
        "*" | "/" => (220, false),
        "**" => (230, false),
        _ => return None,
    })
}

/// How tightly an operator binds the one operand behind it.
pub(crate) fn prefix_binding(operator: &str) -> u16 {
    match operator {
        "&" => 90,
        "@" => 320,
        _ => 300,
    }
}

impl Tok {
    /// What it is, for a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Tok::Integer(number) => format!("the number {number}"),
            Tok::Float(number) => format!("the number {number:?}"),
            Tok::Character(_) => "a character".into(),
            Tok::Atom(_) | Tok::QuotedAtom(_) => "an atom".into(),
            Tok::Text(..) => "a string".into(),
            Tok::Charlist(..) => "a charlist".into(),
            Tok::Sigil(_) => "a sigil".into(),
            Tok::Alias(name) | Tok::Identifier(name, _) => format!("`{name}`"),
            Tok::QuotedIdentifier(..) => "a name in quotes".into(),
            Tok::Key(name) => format!("`{name}:`"),
            Tok::QuotedKey(_) => "a key".into(),
            Tok::Printed(text) => format!("`{text}`"),
            Tok::Operator(text) | Tok::Word(text) | Tok::Section(text) => format!("`{text}`"),
            Tok::Placeholder => "`&`".into(),
            Tok::OpenParen => "`(`".into(),
            Tok::CloseParen => "`)`".into(),
            Tok::OpenBracket => "`[`".into(),
            Tok::CloseBracket => "`]`".into(),
            Tok::OpenBrace => "`{`".into(),
            Tok::CloseBrace => "`}`".into(),
            Tok::OpenBits => "`<<`".into(),
            Tok::CloseBits => "`>>`".into(),
            Tok::Percent => "`%`".into(),
            Tok::Comma => "`,`".into(),
            Tok::Semicolon => "`;`".into(),
            Tok::Line => "the end of the line".into(),
            Tok::Dot | Tok::DotCall => "`.`".into(),
            Tok::Arrow => "`->`".into(),
            Tok::Do => "`do`".into(),
            Tok::End => "`end`".into(),
            Tok::Fn => "`fn`".into(),
            Tok::Eof => "the end of the input".into(),
        }
    }
}
