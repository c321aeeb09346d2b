//! How the arguments of a call are written.

use ::serde::Serialize;
use beamline_term::codec::tag;
use beamline_term::serde::{self, Error};

/// Arguments given as a tuple, a sequence or nothing, as an encoded list.
pub(crate) fn argument_list(arguments: &impl Serialize) -> Result<Vec<u8>, Error> {
    // The head of a list is three bytes longer than that of a small tuple, which is then written over in its place.
    const BEFORE: usize = 3;
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&[0; BEFORE]);
    serde::write(arguments, &mut out)?;
    match out.get(BEFORE..) {
        Some([tag::SMALL_TUPLE, 0, ..] | [tag::LARGE_TUPLE, 0, 0, 0, 0, ..]) => return Ok(vec![tag::NIL]),
        Some(&[tag::SMALL_TUPLE, arity, ..]) => {
            out[..BEFORE + 2].copy_from_slice(&[tag::LIST, 0, 0, 0, arity]);
            out.push(tag::NIL);
            return Ok(out);
        }
        Some([tag::LARGE_TUPLE, ..]) => {
            out[BEFORE] = tag::LIST;
            out.push(tag::NIL);
        }
        _ => {}
    }
    out.drain(..BEFORE);
    match out.as_slice() {
        [tag::NIL | tag::LIST | tag::STRING, ..] => Ok(out),
        [tag::SMALL_ATOM_UTF8, 3, b'n', b'i', b'l'] => Ok(vec![tag::NIL]),
        _ => Err(Error::message("arguments are given as a tuple or a list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::codec::Decoder;
    use beamline_term::{Term, atom};
    use bytes::Bytes;

    fn list(arguments: &impl Serialize) -> String {
        Decoder::new(&argument_list(arguments).unwrap().into()).term().unwrap().to_string()
    }

    #[test]
    fn arguments_become_a_list_however_they_are_given() {
        assert_eq!(list(&()), "[]");
        assert_eq!(list(&(1, "two", atom("three"))), "[1, \"two\", :three]");
        assert_eq!(list(&[1000, 2000, 3000]), "[1000, 2000, 3000]");
        assert_eq!(list(&Term::nil()), "[]");
        let many = |number| (0..number).map(|_| Term::from(1000)).collect::<Vec<_>>();
        for number in [0, 1, 255, 256, 1000] {
            let tuple = Bytes::from(argument_list(&Term::tuple(many(number))).unwrap());
            assert_eq!(Decoder::new(&tuple).term(), Ok(Term::list(many(number))), "{number}");
        }
        assert!(argument_list(&5).is_err());
    }
}
