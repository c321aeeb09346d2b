//! How the process that serves a call of `erpc` tells what came of it: by the reason with which it ends, `{Reference, return,
//! Value}`, `{Reference, throw, Value}`, `{Reference, exit, Reason}` or `{Reference, error, Reason, Stack}`, where the
//! reference is that of the request.

use beamline_term::codec::{Decoder, tag};
use beamline_term::{DecodeError, Origin, Term};
use bytes::{Buf, Bytes};

/// A tuple of three.
const HEAD: [u8; 2] = [tag::SMALL_TUPLE, 3];
/// The atom `return`.
const RETURN: [u8; 8] = [tag::SMALL_ATOM_UTF8, 6, b'r', b'e', b't', b'u', b'r', b'n'];

/// How long the reason of a function that returned is, with this reference and value, encoded.
pub(crate) fn length_of_return(reference: &[u8], value: &[u8]) -> usize {
    HEAD.len() + reference.len() + RETURN.len() + value.len()
}

/// Appends it.
pub(crate) fn write_return(out: &mut Vec<u8>, reference: &[u8], value: &[u8]) {
    out.extend_from_slice(&HEAD);
    out.extend_from_slice(reference);
    out.extend_from_slice(&RETURN);
    out.extend_from_slice(value);
}

/// What came of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// The value, encoded.
    Returned(Bytes),
    Thrown(Term),
    /// The function, or what served it, has ended with this.
    Exited(Term),
    Raised {
        reason: Term,
        stack: Term,
    },
}

/// Reads the reason with which the process has ended that served the request of this reference. Any other than an answer
/// is an end of the process.
///
/// # Errors
/// It is no term.
pub(crate) fn read(mut reason: Bytes, origin: &Origin, words: [u32; 3]) -> Result<Answer, DecodeError> {
    let mut decoder = Decoder::new(&reason);
    let is_answer = decoder.peek_tag().is_ok_and(|tag| tag == tag::SMALL_TUPLE)
        && decoder.tuple_header().is_ok_and(|arity| arity >= 3)
        && decoder.own_reference(origin).is_some_and(|found| found == words);
    if !is_answer {
        return Ok(Answer::Exited(Decoder::new(&reason).term()?));
    }
    let kind = decoder.atom()?;
    if kind == "return" {
        let start = decoder.position();
        reason.advance(start);
        return Ok(Answer::Returned(reason));
    }
    let value = decoder.term()?;
    Ok(match kind.as_str() {
        "throw" => Answer::Thrown(value),
        "exit" => Answer::Exited(value),
        _ => Answer::Raised { reason: value, stack: decoder.term().unwrap_or_else(|_| Term::nil()) },
    })
}

/// A short value, encoded, in place: it holds no buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short {
    length: u8,
    bytes: [u8; Short::ROOM],
}

impl Short {
    /// As many as need no more room than a shared slice of a buffer.
    const ROOM: usize = 38;

    /// The value that was returned, if it is short. `reference` is that of the request, encoded.
    pub(crate) fn returned(reference: &[u8], reason: &[u8]) -> Option<Short> {
        let value = reason.strip_prefix(&HEAD)?.strip_prefix(reference)?.strip_prefix(&RETURN)?;
        let mut bytes = [0; Short::ROOM];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Short { length: value.len() as u8, bytes })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::codec::encode;
    use beamline_term::{Creation, Reference, atom, term};

    fn encoded(term: &Term) -> Vec<u8> {
        let mut out = Vec::new();
        encode::term(&mut out, term);
        out
    }

    #[test]
    fn an_answer_is_read_as_it_is_written_short_or_not() {
        let (origin, words) = (Origin::new(atom("a@host"), Creation::new(3)), [1, 2, 3]);
        let reference = Reference::at(&origin, &words).unwrap();
        let (encoded_reference, other) =
            (encoded(&reference.clone().into()), Reference::at(&origin, &[1, 2, 4]).unwrap());
        for length in [0, 30, 33, 34, 5000] {
            let value = encoded(&Term::binary(vec![7; length]));
            let mut reason = Vec::new();
            write_return(&mut reason, &encoded_reference, &value);
            assert_eq!(reason.len(), length_of_return(&encoded_reference, &value));
            let short = Short::returned(&encoded_reference, &reason);
            assert_eq!(short.as_ref().map(Short::as_bytes), (length <= 33).then_some(&*value));
            assert!(Short::returned(&encoded(&other.clone().into()), &reason).is_none());
            assert_eq!(read(reason.into(), &origin, words), Ok(Answer::Returned(value.into())));
        }
        let tag = Term::from(reference);
        for (reason, answer) in [
            (term!({tag.clone(), :throw, 1}), Answer::Thrown(Term::from(1))),
            (term!({tag.clone(), :exit, 2}), Answer::Exited(Term::from(2))),
            (term!({tag.clone(), :error, 3, []}), Answer::Raised { reason: Term::from(3), stack: Term::nil() }),
            (term!(:killed), Answer::Exited(Term::atom("killed"))),
        ] {
            assert!(Short::returned(&encoded_reference, &encoded(&reason)).is_none());
            assert_eq!(read(encoded(&reason).into(), &origin, words), Ok(answer));
        }
        let foreign = term!({Term::from(other), :return, 5});
        assert_eq!(read(encoded(&foreign).into(), &origin, words), Ok(Answer::Exited(foreign)));
    }
}
