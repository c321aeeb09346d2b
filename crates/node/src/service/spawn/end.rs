//! How the process of a function ends: with the reason that tells who asked what came of it.

use beamline_term::codec::encode;
use bytes::Bytes;

use crate::erpc;
use crate::functions::{Kind, Raise};
use crate::process::reason;

/// With what reason the process of a function ends.
pub(super) enum End<'a> {
    /// `{Tag, return, Value}`, of these two encoded terms.
    Answer(&'a [u8], Vec<u8>),
    Reason(Bytes),
}

impl End<'_> {
    /// `tag` is what the answer begins with, if one is wanted.
    pub(super) fn of(outcome: Result<Vec<u8>, Raise>, tag: Option<&[u8]>) -> End<'_> {
        let raise = match (outcome, tag) {
            (Ok(value), Some(tag)) => return End::Answer(tag, value),
            (Ok(_), None) => return End::Reason(reason("normal")),
            (Err(raise), _) => raise,
        };
        let mut out = Vec::new();
        match tag {
            Some(tag) => {
                encode::tuple_header(&mut out, if raise.kind == Kind::Error { 4 } else { 3 });
                out.extend_from_slice(tag);
                raise.write_erpc(&mut out);
            }
            None => encode::term(&mut out, &raise.exit_reason()),
        }
        End::Reason(out.into())
    }

    /// How many bytes the reason has.
    pub(super) fn len(&self) -> usize {
        match self {
            End::Answer(tag, value) => erpc::length_of_return(tag, value),
            End::Reason(reason) => reason.len(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            End::Answer(tag, value) => erpc::write_return(out, tag, value),
            End::Reason(reason) => out.extend_from_slice(reason),
        }
    }

    pub(super) fn into_reason(self) -> Bytes {
        match self {
            End::Reason(reason) => reason,
            End::Answer(..) => {
                let mut out = Vec::with_capacity(self.len());
                self.write(&mut out);
                out.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::codec::Decoder;
    use beamline_term::{Term, atom};

    #[test]
    fn an_answer_begins_with_the_callers_tag() {
        let mut tag = Vec::new();
        encode::term(&mut tag, &Term::atom("ref"));
        let mut value = Vec::new();
        encode::atom_str(&mut value, "world");
        let reason = End::of(Ok(value), Some(&tag)).into_reason();
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :return, :world}");
        let reason = End::of(Err(Raise::error(atom("oops"))), Some(&tag)).into_reason();
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :error, :oops, []}");
    }
}
