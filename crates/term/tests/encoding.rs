//! The other ways to write a term: in pieces, and compressed; and the forms that nobody writes but Erlang reads.

mod common;

use beamline_term::codec::{Decoder, Rope, encode, tag};
use beamline_term::{Binary, BitString, Term, atom};
use bytes::Bytes;
use common::term;
use proptest::prelude::*;

fn large() -> impl Strategy<Value = Term> {
    let size = prop_oneof![Just(Rope::SHARED - 1), Just(Rope::SHARED), Just(3 * Rope::SHARED)];
    (size, any::<u8>()).prop_map(|(size, byte)| vec![byte; size].into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_rope_holds_the_same_bytes(parts in proptest::collection::vec(prop_oneof![term(), large()], 0..6)) {
        let term = Term::list([Term::tuple(parts.clone()), Term::map(parts.iter().map(|part| (part.clone(), part.clone())))]);
        let mut rope = Rope::new();
        for _ in 0..2 {
            rope.clear();
            prop_assert!(rope.is_empty());
            encode::version(rope.buffer());
            rope.term(&term);
            let bytes = term.encode();
            prop_assert_eq!(rope.len(), bytes.len());
            prop_assert_eq!(rope.pieces().collect::<Vec<_>>().concat(), &bytes[..]);
            prop_assert!(rope.pieces().all(|piece| !piece.is_empty()));
            prop_assert_eq!(rope.clone().into_pieces().concat(), bytes);
        }
    }

    #[test]
    fn a_compressed_term_comes_back(term in term()) {
        let (packed, plain) = (term.encode_compressed(), term.encode());
        prop_assert!(packed.len() <= plain.len());
        prop_assert_eq!(packed.get(1) == Some(&tag::COMPRESSED), packed != plain);
        prop_assert_eq!(Term::decode(&packed.into()), Ok(term));
    }
}

#[test]
fn large_binaries_are_shared_wherever_they_stand() {
    let picture = Bytes::from(vec![7; Rope::SHARED]);
    let part = || Term::from(picture.clone());
    let deep = (0..300).fold(part(), |inner, _| Term::tuple([inner]));
    let mut rope = Rope::new();
    rope.term(&Term::list([part(), Term::improper([part()], part()), Term::map([(1.into(), part())]), deep]));
    rope.append(picture.clone());
    rope.append(Bytes::from_static(b"few"));
    let shared = rope.pieces().filter(|piece| piece.as_ptr() == picture.as_ptr()).count();
    assert_eq!(shared, 6);
    assert_eq!(rope.pieces().last(), Some(&b"few"[..]));
    let shared = rope.into_pieces().iter().filter(|piece| piece.as_ptr() == picture.as_ptr()).count();
    assert_eq!(shared, 6);
}

#[test]
fn forms_that_erlang_reads_too() {
    let number = |number: i64| Term::from(number);
    let cases: &[(&[u8], Term)] = &[
        (&[98, 0, 0, 0, 5], number(5)),
        (&[110, 0, 0], number(0)),
        (&[110, 1, 1, 0], number(0)),
        (&[110, 1, 7, 5], number(-5)),
        (&[110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 128], number(i64::MIN)),
        (&[110, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], number(1)),
        (&[111, 0, 0, 0, 3, 0, 5, 0, 0], number(5)),
        (&[105, 0, 0, 0, 1, 97, 1], Term::tuple([number(1)])),
        (&[107, 0, 0], Term::nil()),
        (&[108, 0, 0, 0, 0, 106], Term::nil()),
        (&[108, 0, 0, 0, 0, 97, 1], number(1)),
        (&[108, 0, 0, 0, 1, 97, 1, 107, 0, 1, 2], Term::list([number(1), number(2)])),
        (&[118, 0, 2, b'o', b'k'], atom("ok").into()),
        (&[100, 0, 1, 0xe9], atom("é").into()),
        (&[115, 1, 0xe9], atom("é").into()),
        (&[77, 0, 0, 0, 0, 0], Term::from("")),
        (&[77, 0, 0, 0, 1, 8, 0xbf], Term::from(&[0xbf_u8][..])),
        (&[77, 0, 0, 0, 1, 3, 0xbf], BitString::new(Binary::from(&[0xa0_u8][..]), 3).expect("3 bits").into()),
        (
            &[99, b'1', b'.', b'5', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            1.5.into(),
        ),
    ];
    for (bytes, term) in cases {
        let bytes: Bytes = [131].iter().chain(*bytes).copied().collect();
        assert_eq!(Term::decode(&bytes).as_ref(), Ok(term), "{bytes:?}");
    }
    for bytes in [
        &[77, 0, 0, 0, 0, 8][..],
        &[77, 0, 0, 0, 0, 3],
        &[77, 0, 0, 0, 1, 0, 1],
        &[77, 0, 0, 0, 1, 9, 1],
        &[70, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
        &[116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2],
        &[117, 0, 0, 0, 0],
    ] {
        let bytes: Bytes = [131].iter().chain(bytes).copied().collect();
        assert!(Term::decode(&bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_reference_may_have_no_words() {
    // As OTP 25, 27 and 29 read it and write it again.
    let bytes =
        Bytes::from_static(&[131, tag::NEWER_REFERENCE, 0, 0, tag::SMALL_ATOM_UTF8, 3, b'a', b'@', b'b', 0, 0, 0, 1]);
    let term = Term::decode(&bytes).expect("a reference");
    assert_eq!(term.as_reference().map(|reference| reference.words()), Some(&[][..]));
    assert_eq!(term.encode(), bytes);
    assert_eq!(Decoder::new(&bytes.slice(1..)).skip().map(|skipped| skipped.len()), Ok(12));
}
