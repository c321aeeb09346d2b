//! What an expression may cost.

/// Limits for reading and running one expression. What passes one ends with an error that names it; nothing else is affected.
///
/// ```
/// use beamline_elixir::Limits;
/// let limits = Limits { steps: 10_000, ..Limits::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a text may be, in bytes. Default 64 KiB.
    pub source_bytes: usize,
    /// How deep an expression may nest, operators in a row included. Default 100, for which the 2 MiB of stack that threads
    /// usually have are enough; ten times that asks for ten times the stack.
    pub source_depth: usize,
    /// How many steps it may take: one for each operation, and more for calls that go through large values. A million takes
    /// well under a second. Default 20 million.
    pub steps: u64,
    /// How much all values that are alive at once may take, in bytes, those of the bindings included. Default 64 MiB: what a
    /// single call needs beside them is at most about twice as much.
    pub memory_bytes: usize,
    /// How deep values may nest. Default 200.
    pub value_depth: usize,
    /// How many calls of functions may wait for each other. Default 2000.
    pub call_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            source_bytes: 64 << 10,
            source_depth: 100,
            steps: 20_000_000,
            memory_bytes: 64 << 20,
            value_depth: 200,
            call_depth: 2000,
        }
    }
}
