//! What holds for all terms and all bytes.

mod common;

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use beamline_term::codec::Decoder;
use beamline_term::print::Erlang;
use beamline_term::{Creation, Origin, Pid, Port, Reference, Term, serde};
use bytes::Bytes;
use common::term;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_term_comes_back_from_its_bytes(one in term()) {
        let bytes = Bytes::from(one.encode());
        let two = Term::decode(&bytes).unwrap();
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(two.encode(), &bytes[..]);
        let state = RandomState::new();
        prop_assert_eq!(state.hash_one(&one), state.hash_one(&two));
        prop_assert_eq!(one.cmp(&two), Ordering::Equal);
        prop_assert!(one.loosely_equals(&two));
        prop_assert_eq!(one.clone(), two);
    }

    #[test]
    fn reading_over_a_term_ends_where_reading_it_ends(one in term(), two in term()) {
        let mut bytes = Vec::new();
        beamline_term::codec::encode::term(&mut bytes, &one);
        let end = bytes.len();
        beamline_term::codec::encode::term(&mut bytes, &two);
        let bytes = Bytes::from(bytes);
        let mut decoder = Decoder::new(&bytes);
        prop_assert_eq!(decoder.skip().unwrap().len(), end);
        prop_assert_eq!(decoder.term().unwrap(), two);
    }

    #[test]
    fn a_term_passes_through_serde_unchanged(one in term(), two in term()) {
        let pair = (one, two);
        let bytes = Bytes::from(serde::to_bytes(&pair).unwrap());
        prop_assert_eq!(&serde::from_bytes::<(Term, Term)>(&bytes).unwrap(), &pair);
        let term = Term::tuple([pair.0.clone(), pair.1.clone()]);
        prop_assert_eq!(Term::decode(&bytes).unwrap(), term.clone());
        prop_assert_eq!(serde::to_term(&pair).unwrap(), term.clone());
        prop_assert_eq!(serde::from_term::<(Term, Term)>(&term).unwrap(), pair);
    }

    #[test]
    fn the_order_of_terms_is_one(one in term(), two in term(), three in term()) {
        prop_assert_eq!(one.cmp(&two), two.cmp(&one).reverse());
        prop_assert_eq!(one.cmp(&two).is_eq(), one == two);
        prop_assert_eq!(one.loosely_compare(&two), two.loosely_compare(&one).reverse());
        let mut all = [one, two, three];
        all.sort();
        prop_assert!(all[0] <= all[1] && all[1] <= all[2] && all[0] <= all[2]);
    }

    #[test]
    fn an_identifier_is_read_as_it_is_printed(one in term()) {
        match &one {
            Term::Pid(pid) => prop_assert_eq!(pid.to_string().parse(), Ok(pid.clone())),
            Term::Port(port) => prop_assert_eq!(port.to_string().parse(), Ok(port.clone())),
            Term::Reference(reference) => prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone())),
            _ => {}
        }
    }

    #[test]
    fn no_text_that_is_read_as_an_identifier_makes_it_panic(text in "(#PID|#Port|#Ref|#Reference)?<?[a@0./1-9é]{0,24}>?") {
        let origin = Origin::new(beamline_term::atom("a@b"), Creation::new(1));
        drop((Pid::parse_local(&text, &origin), Port::parse_local(&text, &origin), Reference::parse_local(&text, &origin)));
        drop((text.parse::<Pid>(), text.parse::<Port>(), text.parse::<Reference>()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        meet(&bytes.into());
    }

    #[test]
    fn no_damage_makes_it_panic(one in term(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = one.encode();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        meet(&bytes.into());
    }
}

#[test]
fn a_large_binary_passes_through_serde_without_a_copy() {
    let bytes = Bytes::from(Term::tuple([beamline_term::atom("ok").into(), vec![7; 100_000].into()]).encode());
    let (_, large) = serde::from_bytes::<(beamline_term::Atom, Term)>(&bytes).unwrap();
    let inside = bytes.as_ptr_range();
    assert!(large.as_binary().is_some_and(|binary| inside.contains(&binary.as_ptr())));
}

/// What fuzzing found.
#[test]
fn inputs_that_once_failed() {
    // A number behind a map, then a tail that is no list, at the very end of the input.
    let bytes = *b"\x83l\0\0\0\x02t\0\0\0\x01a\x01w\x01aF\x3f\xf0\0\xf0\0\0\0\0h\x02jj";
    let term = Term::decode(&Bytes::copy_from_slice(&bytes)).unwrap();
    assert_eq!(term.encode(), bytes);
    // Bits behind the end of a bit string are not part of it.
    let [one, two] = [0xa0, 0xb0].map(|last| Term::decode(&Bytes::from(vec![131, 77, 0, 0, 0, 1, 3, last])).unwrap());
    assert_eq!(one, two);
    assert!(one.cmp(&two).is_eq());
}

/// Everything that a program may do with bytes from a stranger.
fn meet(bytes: &Bytes) {
    let mut decoder = Decoder::new(bytes);
    drop(decoder.skip());
    drop(serde::from_bytes::<Vec<(String, i64)>>(bytes));
    drop(serde::from_bytes::<std::collections::BTreeMap<String, Option<f64>>>(bytes));
    let mut versioned = vec![131];
    versioned.extend_from_slice(bytes);
    for bytes in [bytes.clone(), versioned.into()] {
        if let Ok(term) = Term::decode(&bytes) {
            let again = Bytes::from(term.encode());
            assert_eq!(Term::decode(&again).as_ref(), Ok(&term));
            assert!(!term.to_string().is_empty());
            assert!(!Erlang::new(&term).to_string().is_empty());
        }
    }
}
