//! Each limit at its edge: what just fits is read, one more is an error, and never a panic or the memory that was claimed.

use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{BigInt, DecodeError, Limits, Term, atom};
use bytes::Bytes;

fn decode(bytes: &Bytes, limits: Limits) -> Result<Term, DecodeError> {
    let mut decoder = Decoder::with_limits(bytes, limits);
    decoder.version()?;
    let term = decoder.term()?;
    decoder.finish()?;
    Ok(term)
}

/// Reads with a limit and with one less.
fn at_edge(term: &Term, fits: Limits, short: Limits, name: &str) {
    let bytes = Bytes::from(term.encode());
    assert_eq!(decode(&bytes, fits).as_ref(), Ok(term), "{name}");
    assert!(matches!(decode(&bytes, short), Err(DecodeError::Limit { what, .. }) if what == name), "{name}");
}

const TERM: usize = size_of::<Term>();

#[test]
fn depth() {
    let limits = Limits::default();
    for (term, depth) in [
        (Term::tuple([]), 1),
        (Term::list([Term::list([atom("a").into()])]), 2),
        (Term::map([(1.into(), Term::tuple([Term::list([1.5.into()])]))]), 3),
        (Term::improper([1.into()], Term::tuple([2.into()])), 2),
    ] {
        at_edge(&term, limits.with_depth(depth), limits.with_depth(depth - 1), "depth");
    }
}

#[test]
fn depth_can_be_chosen_without_regard_to_the_stack() {
    let limits = Limits::default().with_depth(u32::MAX);
    let levels = 200_000;
    for opening in [&[tag::SMALL_TUPLE, 1][..], &[tag::LIST, 0, 0, 0, 1], &[tag::MAP, 0, 0, 0, 1, tag::NIL]] {
        let end: &[u8] = if opening[0] == tag::LIST { &[tag::NIL] } else { &[] };
        let mut bytes = vec![tag::VERSION];
        bytes.extend(opening.repeat(levels));
        bytes.extend([tag::SMALL_INTEGER, 1]);
        bytes.extend(end.repeat(levels));
        let bytes = Bytes::from(bytes);
        let term = decode(&bytes, limits).expect("as deep as allowed");
        if opening[0] != tag::LIST {
            assert!(term.encode() == bytes);
        }
        let deep = u32::try_from(levels).expect("small");
        assert!(decode(&bytes, limits.with_depth(deep)).is_ok());
        assert!(matches!(decode(&bytes, limits.with_depth(deep - 1)), Err(DecodeError::Limit { what: "depth", .. })));
    }
}

#[test]
fn input_bytes() {
    let limits = Limits::default();
    for term in [Term::from("some bytes that are read"), Term::list([1.into(), 300.into()]), Term::from(1)] {
        let length = term.encode().len();
        at_edge(&term, limits.with_input_bytes(length), limits.with_input_bytes(length - 1), "input");
    }
    // What comes behind the limit is no part of the term and stands in nobody's way.
    let bytes = Bytes::from_static(&[97, 1, 97, 2]);
    let mut decoder = Decoder::with_limits(&bytes, limits.with_input_bytes(2));
    assert_eq!(decoder.term(), Ok(1.into()));
    assert_eq!((decoder.position(), &decoder.rest()[..]), (2, &[97, 2][..]));
    assert_eq!(decoder.finish(), Err(DecodeError::Trailing { count: 2 }));
    assert_eq!(decoder.term(), Err(DecodeError::Limit { what: "input", at: 2 }));
    assert!(Decoder::with_limits(&bytes, limits.with_input_bytes(1)).skip().is_err());
}

#[test]
fn memory_bytes() {
    let limits = Limits::default();
    let row = |count: i64| Term::list((0..count).map(Term::from));
    for (term, terms) in [
        (Term::tuple([1.into(), 2.into(), atom("c").into()]), 3),
        (Term::list([Term::nil(), Term::nil()]), 2),
        (row(1000), 1000),
        (Term::list((0..9).map(|_| row(300))), 9 + 9 * 300),
        (Term::map([(1.into(), 2.into()), (3.into(), 4.into())]), 4),
        (Term::improper([atom("alias").into()], 1.5.into()), 2),
        (Term::from("no memory of its own, since it is a slice of the input"), 0),
    ] {
        let bytes = Bytes::from(term.encode());
        assert_eq!(decode(&bytes, limits.with_memory_bytes(terms * TERM)).as_ref(), Ok(&term));
        if terms > 0 {
            at_edge(
                &term,
                limits.with_memory_bytes(terms * TERM),
                limits.with_memory_bytes(terms * TERM - 1),
                "memory",
            );
        }
    }
}

#[test]
fn memory_is_counted_over_all_terms_of_a_decoder() {
    let mut bytes = Vec::new();
    for _ in 0..3 {
        encode::term(&mut bytes, &Term::tuple([1.into(), 2.into()]));
    }
    let bytes = Bytes::from(bytes);
    let mut decoder = Decoder::with_limits(&bytes, Limits::default().with_memory_bytes(4 * TERM));
    assert!(decoder.term().is_ok() && decoder.term().is_ok());
    assert!(matches!(decoder.term(), Err(DecodeError::Limit { what: "memory", .. })));
}

#[test]
fn a_byte_cannot_become_more_memory_than_is_said() {
    // The dearest input: empty lists, a byte each. Three megabytes of them would take 96.
    let count = 3 << 20;
    let mut bytes = vec![tag::VERSION];
    encode::list_header(&mut bytes, count);
    bytes.resize(bytes.len() + count + 1, tag::NIL);
    let bytes = Bytes::from(bytes);
    let limits = Limits::default().with_memory_bytes(64 << 20);
    assert!(matches!(decode(&bytes, limits), Err(DecodeError::Limit { what: "memory", .. })));
    assert!(Term::decode(&bytes).is_ok());
    // A list in the tail of a list in the tail of a list: joined, each element is paid for as often as it is moved.
    let mut bytes = vec![tag::VERSION];
    for _ in 0..400 {
        bytes.extend_from_slice(&[tag::LIST, 0, 0, 0, 2, tag::NIL, tag::NIL]);
    }
    bytes.push(tag::NIL);
    let bytes = Bytes::from(bytes);
    let limits = Limits::default().with_memory_bytes(400 * 400 * TERM);
    assert!(matches!(decode(&bytes, limits), Err(DecodeError::Limit { what: "memory", .. })));
    assert_eq!(Term::decode(&bytes).map(|term| term.as_list().map(beamline_term::List::len)), Ok(Some(800)));
}

#[test]
fn inflated_bytes() {
    let limits = Limits::default();
    let term = Term::from("again and ".repeat(100));
    let bytes = Bytes::from(term.encode_compressed());
    let size = term.encode().len() - 1;
    assert_eq!(decode(&bytes, limits.with_inflated_bytes(size)).as_ref(), Ok(&term));
    let short = decode(&bytes, limits.with_inflated_bytes(size - 1));
    assert!(matches!(short, Err(DecodeError::Limit { what: "inflated size", .. })));
    // It is memory too.
    assert!(decode(&bytes, limits.with_memory_bytes(size)).is_ok());
    assert!(matches!(
        decode(&bytes, limits.with_memory_bytes(size - 1)),
        Err(DecodeError::Limit { what: "memory", .. })
    ));
}

#[test]
fn what_inflates_is_held_to_all_limits() {
    let limits = Limits::default();
    let list = |count| Term::list(std::iter::repeat_n(Term::nil(), count));
    let deep = (0..100).fold(Term::nil(), |inner, _| Term::tuple([inner]));
    let long: Term = (BigInt::from(1) << 8000_u32).into();
    for (term, limits, name) in [
        (list(10_000), limits.with_memory_bytes(10_000 * TERM + 10_000), "memory"),
        (list(10_000), limits.with_input_bytes(10_000), "input"),
        (deep, limits.with_depth(99), "depth"),
        (Term::tuple([long.clone(), long]), limits.with_integer_bytes(1000), "integer"),
    ] {
        let bytes = Bytes::from(term.encode_compressed());
        assert_eq!(bytes[1], tag::COMPRESSED);
        assert!(matches!(decode(&bytes, limits), Err(DecodeError::Limit { what, .. }) if what == name), "{name}");
        assert_eq!(Term::decode(&bytes).as_ref(), Ok(&term), "{name}");
    }
}

#[test]
fn integer_bytes() {
    let limits = Limits::default();
    for bytes in [9_u32, 255, 256, 5000] {
        let number: Term = (BigInt::from(1) << (8 * bytes - 1)).into();
        let edge = bytes as usize;
        at_edge(&number, limits.with_integer_bytes(edge), limits.with_integer_bytes(edge - 1), "integer");
    }
}
