//! The external term format: [`Decoder`] reads it, the functions of [`encode`] write it, and [`Rope`] writes it without a
//! copy of large binaries.

mod ahead;
mod compressed;
mod decoder;
mod deep;
pub mod encode;
mod error;
mod leaf;
mod limits;
mod name;
mod number;
mod recent;
mod rope;
mod skip;
pub mod tag;
mod value;
mod write;

pub use decoder::Decoder;
pub use error::DecodeError;
pub use limits::Limits;
pub use rope::Rope;

use bytes::Bytes;

use crate::Term;

impl Term {
    /// Reads one term with its version byte (131), which must fill the input.
    ///
    /// # Errors
    /// The bytes are not one whole term, or break the default [`Limits`].
    pub fn decode(bytes: &Bytes) -> Result<Term, DecodeError> {
        value::in_place(|place| {
            let mut decoder = Decoder::new(bytes);
            decoder.version()?;
            decoder.first(place)?;
            decoder.finish()
        })
    }

    /// Writes the term with its version byte (131).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![tag::VERSION];
        encode::term(&mut out, self);
        out
    }
}
