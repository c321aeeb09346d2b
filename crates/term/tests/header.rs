//! Terms behind a distribution header, where tag 82 stands for one of the header's atoms.

mod common;

use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, DecodeError, Term, atom};
use bytes::Bytes;
use common::term;
use proptest::prelude::*;

fn atoms() -> Vec<Atom> {
    vec![atom("ok"), atom("n@host"), Atom::new(&"é".repeat(200)).expect("200 characters"), atom("m")]
}

/// A fun of module 3, made by a process of node 1, with two free terms: the first atom, and a fun of the same kind.
fn fun(depth: usize, cached: bool) -> Vec<u8> {
    let put = |out: &mut Vec<u8>, place: u8| match cached {
        true => out.extend_from_slice(&[tag::ATOM_CACHE_REF, place]),
        false => encode::atom(out, &atoms()[usize::from(place)]),
    };
    let mut body = vec![1];
    body.extend_from_slice(&[7; 16]);
    body.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 2]);
    put(&mut body, 3);
    body.extend_from_slice(&[tag::SMALL_INTEGER, 4, tag::INTEGER, 1, 2, 3, 4, tag::NEW_PID]);
    put(&mut body, 1);
    body.extend_from_slice(&[0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7]);
    put(&mut body, 0);
    body.extend(if depth == 0 { vec![tag::NIL] } else { fun(depth - 1, cached) });
    let mut out = vec![tag::NEW_FUN];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(&body);
    out
}

#[test]
fn a_number_stands_for_an_atom() {
    let atoms = atoms();
    let bytes = Bytes::from_static(&[104, 3, 82, 0, 82, 2, 108, 0, 0, 0, 1, 82, 3, 106]);
    let term = Decoder::new(&bytes).with_atoms(&atoms).term().expect("all atoms are known");
    let list = Term::list([atoms[3].clone().into()]);
    assert_eq!(term, Term::tuple([atoms[0].clone().into(), atoms[2].clone().into(), list]));
    let mut decoder = Decoder::new(&bytes).with_atoms(&atoms);
    assert_eq!(decoder.skip().as_ref(), Ok(&bytes));
    assert!(decoder.finish().is_ok());
}

#[test]
fn identifiers_may_leave_their_node_to_the_header() {
    let atoms = atoms();
    for rest in [
        &[88, 82, 1, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7][..],
        &[120, 82, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 7],
        &[90, 0, 2, 82, 1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2],
        &[113, 82, 3, 82, 0, 97, 2],
    ] {
        let bytes = Bytes::copy_from_slice(rest);
        let term = Decoder::new(&bytes).with_atoms(&atoms).term().expect("all atoms are known");
        let expanded = Decoder::new(&bytes).with_atoms(&atoms).expand().expect("all atoms are known");
        assert_eq!(Decoder::new(&expanded).term().as_ref(), Ok(&term));
        assert_eq!(term.encode()[1..], expanded);
        assert!(term.as_pid().is_none_or(|pid| *pid.node() == "n@host"));
    }
}

#[test]
fn without_the_atoms_or_behind_the_last_it_is_an_error() {
    let bytes = Bytes::from_static(&[82, 4]);
    let wanted = Decoder::new(&bytes).term().expect_err("no header").to_string();
    assert_eq!(
        wanted,
        "unexpected tag 82 at byte 0 where an atom written out, for lack of a distribution header was wanted"
    );
    assert!(matches!(Decoder::new(&bytes).with_atoms(&atoms()).term(), Err(DecodeError::Invalid { .. })));
    assert!(Decoder::new(&bytes).skip().is_err());
    assert!(Decoder::new(&bytes).with_atoms(&atoms()).skip().is_err());
    assert!(Decoder::new(&bytes).with_atoms(&atoms()).expand().is_err());
    assert!(Term::decode(&Bytes::from_static(&[131, 82, 0])).is_err());
}

#[test]
fn funs_come_back_unchanged() {
    for depth in 0..40 {
        let bytes = Bytes::from(fun(depth, false));
        let term = Decoder::new(&bytes).term().expect("a fun");
        assert_eq!(term.encode()[1..], bytes);
        let Term::Fun(fun) = &term else { panic!("not a fun: {term}") };
        assert_eq!((fun.arity(), fun.name()), (1, Some((atom("m"), 4, 0x0102_0304))));
    }
}

#[test]
fn funs_are_carried_without_the_header_of_their_frame() {
    let atoms = atoms();
    for depth in [0, 1, 2, 1000] {
        let bytes = Bytes::from(fun(depth, true));
        let mut decoder = Decoder::new(&bytes).with_atoms(&atoms);
        let term = decoder.term().expect("a fun");
        assert!(decoder.finish().is_ok());
        assert!(term.encode()[1..] == fun(depth, false), "{depth}");
        assert!(Decoder::new(&bytes).term().is_err(), "its atoms are not known");
    }
}

#[test]
fn a_fun_whose_parts_do_not_fill_it_is_an_error() {
    let whole = fun(1, false);
    for change in [-1_i32, 1, 5] {
        let mut bytes = whole.clone();
        let size = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]).saturating_add_signed(change);
        bytes[1..5].copy_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&[tag::NIL; 8]);
        let bytes = Bytes::from(bytes);
        assert!(Decoder::new(&bytes).term().is_err(), "{change}");
        assert!(Decoder::new(&bytes).with_atoms(&atoms()).expand().is_err(), "{change}");
    }
}

#[test]
fn what_may_not_leave_its_node_is_refused() {
    let bytes = Bytes::from_static(&[131, 121, 0, 0, 0, 0, 0, 0, 0, 0, 97, 1]);
    let error = Term::decode(&bytes).expect_err("a local term");
    assert!(matches!(error, DecodeError::Tag { tag: tag::LOCAL, at: 1, .. }));
    assert!(error.to_string().contains("may not"), "{error}");
}

/// Writes a term with its short atoms as numbers, where it has any: the same bytes with 82 in their places.
fn cached(bytes: &[u8], atoms: &[Atom]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut left = bytes;
    while let Some(first) = left.first() {
        let found = atoms.iter().position(|atom| {
            let mut written = Vec::new();
            encode::atom(&mut written, atom);
            // Long enough not to be part of a number by chance.
            written.len() > 8 && left.starts_with(&written)
        });
        match found {
            Some(place) => {
                out.extend_from_slice(&[tag::ATOM_CACHE_REF, place as u8]);
                left = &left[2 + atoms[place].as_str().len()..];
            }
            None => {
                out.push(*first);
                left = &left[1..];
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn any_term_can_be_read_both_ways(inner in term()) {
        let atoms = [atom("a_longer_atom"), atom("another_long_atom")];
        let term = Term::tuple([atoms[0].clone().into(), inner, atoms[1].clone().into()]);
        let plain = Bytes::from(term.encode()).slice(1..);
        let bytes = Bytes::from(cached(&plain, &atoms));
        prop_assert!(bytes.len() < plain.len());
        prop_assert_eq!(Decoder::new(&bytes).with_atoms(&atoms).term(), Ok(term));
        prop_assert_eq!(Decoder::new(&bytes).with_atoms(&atoms).expand(), Ok(plain.clone()));
        prop_assert_eq!(Decoder::new(&plain).expand(), Ok(plain));
    }
}
