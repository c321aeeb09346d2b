//! Frames between connected nodes: four bytes of length, then nothing (a tick), one message, or a fragment of one.
//!
//! Follows "Protocol between Connected Nodes" of the OTP documentation. We never offer the atom cache, so every header
//! that a peer may send us has no atoms. [`Reader`] takes frames off a stream; [`write()`] and [`write_head`] make whole
//! ones, [`Fragments`] cuts a large message up. Nothing here touches a socket.

mod answer;
mod fragment;
mod payload;
mod reader;
mod shelf;
mod write;

use crate::control::{ControlError, Execute, Message};
use crate::flags::Flags;

pub use answer::Answer;
pub use fragment::{FRAGMENT, Fragments, WHOLE};
pub use payload::Payload;
pub use reader::Reader;
pub use write::{write, write_answer, write_head};

/// A tick.
pub const TICK: [u8; 4] = [0; 4];

/// What opens a message on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The byte 112, then terms with their version bytes.
    PassThrough,
    /// A distribution header, then terms without.
    Header,
}

impl Form {
    /// The form that two nodes use who agreed on these flags.
    pub fn of(flags: Flags) -> Form {
        let headers = flags.contains(Flags::FRAGMENTS) || flags.contains(Flags::DIST_HDR_ATOM_CACHE);
        if headers { Form::Header } else { Form::PassThrough }
    }
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A message, or the parts of all messages that have not arrived whole, are too large.
    #[error("a message of {size} bytes is larger than the {limit} that are taken")]
    TooLarge {
        /// Its size, as far as it is known.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// More fragmented messages at a time than a node sends in earnest.
    #[error("more than {limit} fragmented messages at a time")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The frame does not begin as it must.
    #[error("a frame that does not follow the agreed form: {what}")]
    Form {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The control message in it is invalid.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// What a frame holds.
#[derive(Debug, PartialEq)]
pub enum Frame {
    /// The peer is alive.
    Tick,
    /// Part of a message; more will come.
    Part,
    /// A whole message.
    Message(Message),
    /// A whole message that calls a function, read so far only: see [`Reader::of_node`].
    Execute(Execute),
}
