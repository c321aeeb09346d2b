//! What a decoder accepts at most, so that a stranger's bytes cost no more than its owner is ready to pay.

/// What a decoder accepts at most. The defaults suit messages between nodes that trust each other; a program that reads
/// what anyone may send sets them as low as its own messages allow.
///
/// ```
/// use beamline_term::{Limits, codec::Decoder};
///
/// let limits = Limits::default().with_depth(32).with_memory_bytes(1 << 20);
/// let bytes = bytes::Bytes::from_static(&[108, 0, 0, 0, 1, 97, 7, 106]);
/// assert!(Decoder::with_limits(&bytes, limits).term().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How deep terms may nest, in levels: `[[]]` has one. Default 512; real messages stay below 50. No
    /// operation on a [`Term`](crate::Term) takes a stack that grows with it. Reading into types of your own that hold
    /// themselves does.
    pub depth: u32,
    /// How many bytes of the input are read, the version byte included. Default 1 GiB. Reading takes time in proportion:
    /// choose what the largest message of the program needs, or the largest frame of its transport.
    pub input_bytes: usize,
    /// How many bytes of memory the tuples, lists, maps and records that one decoder builds may take, and what a compressed
    /// term inflates to. Default 512 MiB. A byte of input can become a term of 32 bytes, so a list of a million small
    /// numbers, 2 MB, takes 32 MB here. Binaries are slices of the input and take nothing; what other terms keep outside
    /// of their place (long integers and atoms, references) never takes more than six times the bytes they came as.
    pub memory_bytes: usize,
    /// To how many bytes a compressed term may inflate. Default 64 MiB. It is also counted as memory, and what it inflates
    /// to is held to the other limits.
    pub inflated_bytes: usize,
    /// How many bytes an integer may have. Default 64 KiB, a number of 157 000 digits: printing or multiplying such a number
    /// takes time that grows with the square.
    pub integer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 512,
            input_bytes: 1 << 30,
            memory_bytes: 512 << 20,
            inflated_bytes: 64 << 20,
            integer_bytes: 64 << 10,
        }
    }
}

impl Limits {
    /// These, with another [`depth`](Limits::depth).
    pub const fn with_depth(self, depth: u32) -> Limits {
        Limits { depth, ..self }
    }

    /// These, with other [`input_bytes`](Limits::input_bytes).
    pub const fn with_input_bytes(self, input_bytes: usize) -> Limits {
        Limits { input_bytes, ..self }
    }

    /// These, with other [`memory_bytes`](Limits::memory_bytes).
    pub const fn with_memory_bytes(self, memory_bytes: usize) -> Limits {
        Limits { memory_bytes, ..self }
    }

    /// These, with other [`inflated_bytes`](Limits::inflated_bytes).
    pub const fn with_inflated_bytes(self, inflated_bytes: usize) -> Limits {
        Limits { inflated_bytes, ..self }
    }

    /// These, with other [`integer_bytes`](Limits::integer_bytes).
    pub const fn with_integer_bytes(self, integer_bytes: usize) -> Limits {
        Limits { integer_bytes, ..self }
    }
}
