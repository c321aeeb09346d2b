//! Bytes made to do harm: those that are known to break other decoders, and those that aim at this one. Each ends in an
//! error, on a thread of the ordinary size and without the memory that it claims.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use ::serde::{Deserialize, Serialize};
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::print::Erlang;
use beamline_term::{DecodeError, Limits, Term, serde};
use bytes::Bytes;

fn with_version(bytes: impl IntoIterator<Item = u8>) -> Bytes {
    std::iter::once(tag::VERSION).chain(bytes).collect()
}

#[test]
fn lengths_beyond_the_input_allocate_nothing() {
    for tag in [tag::LIST, tag::LARGE_TUPLE, tag::MAP, tag::BINARY, tag::LARGE_BIG, tag::RECORD, tag::BIT_BINARY] {
        for size in [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0xff, 0xff, 0xff]] {
            let bytes = with_version([tag].into_iter().chain(size));
            assert!(matches!(Term::decode(&bytes), Err(DecodeError::Truncated { .. })), "{bytes:?}");
            assert!(Decoder::new(&bytes.slice(1..)).skip().is_err());
            assert!(serde::from_bytes::<Vec<u64>>(&bytes).is_err());
        }
    }
}

#[test]
fn a_length_cannot_be_claimed_again_at_every_level() {
    // Each list claims all that follows: 16 GB of terms for 1 MB of input if each were believed.
    let size = 1 << 20;
    let mut bytes = vec![tag::VERSION];
    for level in 0..500 {
        bytes.push(tag::LIST);
        bytes.extend_from_slice(&(size - 5 * (level + 1) as u32).to_be_bytes());
    }
    bytes.resize(size as usize + 1, tag::NIL);
    assert!(matches!(Term::decode(&bytes.into()), Err(DecodeError::Truncated { .. })));
}

#[test]
fn an_unknown_tag_is_an_error() {
    for tag in (0..=255_u8).filter(|tag| !(67..=120).contains(tag)).chain([82, 117]) {
        let bytes = with_version([tag, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(matches!(Term::decode(&bytes), Err(DecodeError::Tag { .. })), "tag {tag}");
    }
}

fn nested(opening: &[u8], levels: usize, inner: &[u8]) -> Bytes {
    with_version(opening.repeat(levels).into_iter().chain(inner.iter().copied()))
}

const OPENINGS: [&[u8]; 4] = [
    &[tag::SMALL_TUPLE, 1],
    &[tag::LARGE_TUPLE, 0, 0, 0, 1],
    &[tag::MAP, 0, 0, 0, 1, tag::NIL],
    // A list whose tail is the next list.
    &[tag::LIST, 0, 0, 0, 1, tag::NIL],
];

#[derive(Serialize, Deserialize)]
struct Tree(Vec<Tree>);

#[derive(Deserialize)]
enum Chain {
    #[serde(rename = "x")]
    Link(#[expect(dead_code, reason = "only its depth matters")] Box<Chain>),
}

#[test]
fn nesting_has_a_limit() {
    for opening in OPENINGS {
        let bytes = nested(opening, 200_000, &[tag::NIL]);
        assert!(matches!(Term::decode(&bytes), Err(DecodeError::Limit { what: "depth", .. })), "{opening:?}");
        assert!(Decoder::new(&bytes.slice(1..)).skip().is_ok(), "reading over it needs no stack");
        assert!(serde::from_bytes::<::serde::de::IgnoredAny>(&bytes).is_ok());
        assert!(serde::from_bytes::<Term>(&bytes).is_err());
    }
    let list = nested(&[tag::LIST, 0, 0, 0, 1], 200_000, &[tag::NIL]);
    assert!(serde::from_bytes::<Tree>(&list).is_err());
    let chain = nested(&[tag::SMALL_TUPLE, 2, tag::SMALL_ATOM_UTF8, 1, b'x'], 200_000, &[tag::NIL]);
    assert!(serde::from_bytes::<Chain>(&chain).is_err());
}

#[test]
fn what_is_within_the_limit_can_be_worked_with() {
    let depth = Limits::default().depth as usize - 1;
    for opening in [OPENINGS[0], OPENINGS[1], OPENINGS[2]] {
        let bytes = nested(opening, depth, &[tag::NIL]);
        let term = Term::decode(&bytes).expect("within the limit");
        assert_eq!(serde::from_bytes::<Term>(&bytes).as_ref(), Ok(&term));
        assert_eq!(term.clone(), term);
        assert_eq!(Term::decode(&term.encode().into()).as_ref(), Ok(&term));
        assert!(term.to_string().contains("..."));
    }
}

#[test]
fn keys_that_nest_take_neither_stack_nor_time() {
    let depth = Limits::default().depth as usize - 1;
    // The second key is a map again; the first stands after it in Erlang's order.
    let opening = [tag::MAP, 0, 0, 0, 2, tag::NIL, tag::NIL];
    let inner: Vec<u8> = [tag::SMALL_INTEGER, 1].into_iter().chain(std::iter::repeat_n(tag::NIL, depth)).collect();
    let bytes = nested(&opening, depth, &inner);
    let term = Term::decode(&bytes).expect("within the limit");
    assert_eq!(term, Term::decode(&bytes).expect("within the limit"));
    assert!(term.cmp(&term).is_eq());
    assert!(term.to_string().contains("..."));
}

#[test]
fn a_program_may_nest_deeper_than_the_stack() {
    let deep = || (0..300_000).fold(Term::nil(), |inner, _| Term::tuple([Term::list([inner])]));
    let (one, two) = (deep(), deep());
    assert_eq!(one, two);
    assert!(one.cmp(&two).is_eq() && one.loosely_equals(&two));
    let state = RandomState::new();
    assert_eq!(state.hash_one(&one), state.hash_one(&two));
    assert!(one.to_string().contains("..."));
    assert!(Erlang::new(&one).to_string().contains("..."));
    assert_eq!(one.encode().len(), 1 + 300_000 * (2 + 5 + 1) + 1);
}

#[test]
fn keys_cannot_be_made_to_collide() {
    // A set of maps takes quadratic time if all of them have one hash.
    let count = 100_000_u32;
    let mut bytes = vec![tag::VERSION];
    encode::map_header(&mut bytes, count as usize);
    for number in 0..count {
        encode::map_header(&mut bytes, 1);
        encode::integer(&mut bytes, 1);
        encode::unsigned(&mut bytes, u64::from(number));
        encode::nil(&mut bytes);
    }
    let term = Term::decode(&bytes.into()).expect("a map of maps");
    let keys: HashSet<&Term> = term.as_map().expect("a map").iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), count as usize);
}

#[test]
fn compressed_terms_cannot_nest_or_lie() {
    use std::io::Write;
    let pack = |bytes: &[u8], claimed: u32| {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).expect("memory");
        let packed = packer.finish().expect("memory");
        with_version([tag::COMPRESSED].into_iter().chain(claimed.to_be_bytes()).chain(packed))
    };
    assert_eq!(Term::decode(&pack(&[tag::NIL], 1)), Ok(Term::nil()));
    assert!(Term::decode(&pack(&[tag::NIL], 2)).is_err());
    assert!(Term::decode(&pack(&[tag::NIL, tag::NIL], 1)).is_err());
    assert!(Term::decode(&pack(&[tag::NIL, tag::NIL], 2)).is_err());
    let inner = pack(&[tag::NIL], 1);
    assert!(Term::decode(&pack(&inner[1..], inner.len() as u32 - 1)).is_err(), "one level is enough");
    assert!(Term::decode(&pack(&vec![0; 50 << 20], 1)).is_err());
    assert!(matches!(Term::decode(&pack(&[tag::NIL], u32::MAX)), Err(DecodeError::Limit { .. })));
}
