//! Why a text is no expression, or not yet one.

use miette::{Diagnostic, LabeledSpan, SourceCode};

use crate::token::Span;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// More is to come: a shell asks for another line.
    #[error("{message}")]
    Incomplete {
        /// What is missing.
        message: String,
        /// What waits for its end, or the end of the text.
        span: Span,
    },
    /// No continuation makes this an expression.
    #[error("{message}")]
    Wrong {
        /// What was met.
        message: String,
        /// What could have stood there instead, or what to write; empty if there is nothing to say.
        expected: String,
        /// Where.
        span: Span,
    },
    /// It nests deeper, or is longer, than [`Limits`](crate::Limits) allow.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What is over it.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// Where it was passed.
        span: Span,
    },
}

impl SyntaxError {
    pub(crate) fn wrong(span: Span, message: impl Into<String>, expected: impl Into<String>) -> SyntaxError {
        SyntaxError::Wrong { message: message.into(), expected: expected.into(), span }
    }

    pub(crate) fn incomplete(span: Span, message: impl Into<String>) -> SyntaxError {
        SyntaxError::Incomplete { message: message.into(), span }
    }

    /// Whether more input could make it an expression.
    pub fn is_incomplete(&self) -> bool {
        matches!(self, SyntaxError::Incomplete { .. })
    }

    /// Where it is.
    pub fn span(&self) -> Span {
        match self {
            SyntaxError::Incomplete { span, .. }
            | SyntaxError::Wrong { span, .. }
            | SyntaxError::Limit { span, .. } => *span,
        }
    }

    /// The line and the column where it begins, both counted from 1; columns are characters.
    pub fn position(&self, source: &str) -> (usize, usize) {
        position(source, self.span().start)
    }

    /// The error with its text, which miette prints with the place marked.
    ///
    /// ```
    /// use beamline_elixir::parse;
    /// let source = "1 + )";
    /// let error = parse(source).unwrap_err();
    /// assert_eq!(error.position(source), (1, 5));
    /// let report = miette::Report::new(error.with_source(source));
    /// assert_eq!(report.to_string(), "unexpected `)`");
    /// ```
    pub fn with_source(self, source: &str) -> Explained {
        Explained { error: self, text: source.to_owned() }
    }
}

/// Line and column of an offset, from 1.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset.min(source.len())).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// A [`SyntaxError`] with the text it is about.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct Explained {
    /// The error.
    pub error: SyntaxError,
    /// The text.
    pub text: String,
}

impl Diagnostic for Explained {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(match &self.error {
            SyntaxError::Incomplete { .. } => "incomplete",
            SyntaxError::Wrong { .. } => "syntax",
            SyntaxError::Limit { .. } => "limit",
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match &self.error {
            SyntaxError::Wrong { expected, .. } if !expected.is_empty() => Some(Box::new(expected)),
            _ => None,
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.error.span();
        Some(Box::new(std::iter::once(LabeledSpan::new(Some("here".into()), span.start, span.len()))))
    }
}
