//! Why bytes are not a term.

/// Why bytes are not the term that was asked for, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a term.
    #[error("the term breaks off at byte {at}: {missing} more bytes are needed")]
    Truncated {
        /// Where more was needed.
        at: usize,
        /// How much more, at least.
        missing: usize,
    },
    /// The first byte is not 131.
    #[error("a term begins with the byte 131, not {found}")]
    Version {
        /// What stands there.
        found: u8,
    },
    /// A tag that no OTP from 25 to 29 sends, or not in this place.
    #[error("unexpected tag {tag} at byte {at} where {wanted} was wanted")]
    Tag {
        /// The tag.
        tag: u8,
        /// Its place.
        at: usize,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A value that its tag does not allow.
    #[error("invalid {what} at byte {at}")]
    Invalid {
        /// What is invalid.
        what: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// One of the [`Limits`](crate::Limits) was passed.
    #[error("the term at byte {at} passes the limit on its {what}")]
    Limit {
        /// Which limit.
        what: &'static str,
        /// Where it was passed.
        at: usize,
    },
    /// The term is whole, but bytes follow it.
    #[error("{count} bytes follow the term")]
    Trailing {
        /// How many.
        count: usize,
    },
}

pub(super) type Result<T> = std::result::Result<T, DecodeError>;
