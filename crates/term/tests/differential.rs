//! Two other codecs of the external term format read what we write and write what we read: through them every term comes
//! back as it was, and of damaged bytes that both accept both make the same value.
//!
//! What they are known to get wrong is left out, each with its reason; what breaks them is in `hostile.rs`.

mod common;

use beamline_term::{Atom, Term};
use bytes::Bytes;
use common::term;
use proptest::prelude::*;

/// What `eetf` makes of these bytes, in bytes again.
fn eetf(bytes: &[u8]) -> Option<Bytes> {
    let term = eetf::Term::decode(bytes).ok()?;
    let mut again = Vec::new();
    term.encode(&mut again).ok()?;
    Some(again.into())
}

/// What `erltf` makes of them.
fn erltf(bytes: &[u8]) -> Option<Bytes> {
    let term = erltf::decode(bytes).ok()?;
    Some(erltf::encode(&term).ok()?.into())
}

/// Whether any part of a term is such.
fn any_part(term: &Term, is: &dyn Fn(&Term) -> bool) -> bool {
    is(term)
        || match term {
            Term::Tuple(elements) => elements.iter().any(|part| any_part(part, is)),
            Term::List(list) => list.iter().any(|part| any_part(&part, is)),
            Term::ImproperList(list) => list.elements().iter().chain([list.tail()]).any(|part| any_part(part, is)),
            Term::Map(map) => map.iter().any(|(key, value)| any_part(key, is) || any_part(value, is)),
            Term::Record(record) => record.fields.iter().any(|(_, value)| any_part(value, is)),
            _ => false,
        }
}

/// What both of them know.
fn known() -> impl Strategy<Value = Term> {
    // Native records are of OTP 29, younger than both.
    term().prop_filter("no records", |term| !any_part(term, &|part| matches!(part, Term::Record(_))))
}

/// `eetf` writes a list of numbers below 256 as bytes, negative ones too, so that `[-1]` comes back as `[255]`; and it
/// takes the keys 0.0 and -0.0 for one.
fn eetf_is_wrong(part: &Term) -> bool {
    let small = |number: &Term| number.as_i64().is_some_and(|number| number < 256);
    let zero = |key: &Term| any_part(key, &|part| part.as_f64() == Some(0.0));
    match part {
        Term::List(list) => {
            list.iter().all(|number| small(&number)) && list.iter().any(|number| number.as_i64() < Some(0))
        }
        Term::Map(map) => map.iter().filter(|(key, _)| zero(key)).count() > 1,
        _ => is_misread(part),
    }
}

/// `erltf` keeps the pairs of a map by an order that takes different keys for the same: 1 and 1.0, `<<>>` and `<<0:1>>`,
/// `[]` and `[a|b]`. One of them is lost. Atoms, integers and binaries it tells apart.
fn erltf_is_wrong(part: &Term) -> bool {
    let plain = |key: &Term| matches!(key, Term::Atom(_) | Term::Integer(_) | Term::Binary(_));
    matches!(part, Term::Map(map) if map.len() > 1 && !map.iter().all(|(key, _)| plain(key))) || is_misread(part)
}

/// Both read an atom's bytes in Latin-1, the old form, as UTF-8. Nothing shows the form of an atom that has been read: true of
/// one whose bytes in Latin-1 are another atom in UTF-8.
fn is_misread(part: &Term) -> bool {
    let misread = |atom: &Atom| {
        let latin: Option<Vec<u8>> = atom.as_str().chars().map(|char| u8::try_from(char).ok()).collect();
        !atom.as_str().is_ascii() && latin.is_some_and(|bytes| std::str::from_utf8(&bytes).is_ok())
    };
    match part {
        Term::Atom(atom) => misread(atom),
        Term::Pid(pid) => misread(pid.node()),
        Term::Port(port) => misread(port.origin().node()),
        Term::Reference(reference) => misread(reference.node()),
        Term::Export(fun) => misread(&fun.module) || misread(&fun.function),
        _ => false,
    }
}

/// A term's bytes with one of them changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (term(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(term, place, byte)| {
        let mut bytes = term.encode();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_term_comes_back_through_eetf(one in known()) {
        let again = eetf(&one.encode()).map(|bytes| Term::decode(&bytes));
        prop_assert!(again == Some(Ok(one.clone())) || any_part(&one, &eetf_is_wrong), "{:?}", again);
    }

    #[test]
    fn a_term_comes_back_through_erltf(one in known()) {
        let again = erltf(&one.encode()).map(|bytes| Term::decode(&bytes));
        prop_assert!(again == Some(Ok(one.clone())) || any_part(&one, &erltf_is_wrong), "{:?}", again);
    }

    // They are given only what we accept: other bytes may make them panic, or take memory without end.
    #[test]
    fn of_damaged_bytes_all_make_the_same(bytes in damaged()) {
        let bytes = Bytes::from(bytes);
        if let Ok(ours) = Term::decode(&bytes) {
            if let Some(theirs) = eetf(&bytes).filter(|_| !any_part(&ours, &eetf_is_wrong)) {
                prop_assert_eq!(Term::decode(&theirs), Ok(ours.clone()), "eetf");
            }
            if let Some(theirs) = erltf(&bytes).filter(|_| !any_part(&ours, &erltf_is_wrong)) {
                prop_assert_eq!(Term::decode(&theirs), Ok(ours), "erltf");
            }
        }
    }
}

#[test]
fn an_atom_in_latin_1_is_what_erlang_makes_of_it() {
    let bytes = Bytes::from_static(b"\x83s\x02\xc3\xa9");
    // `atom_to_list(binary_to_term(<<131, 115, 2, 195, 169>>))` is `[195, 169]`.
    let ours = Term::atom("\u{c3}\u{a9}");
    assert_eq!(Term::decode(&bytes), Ok(ours.clone()));
    assert!(is_misread(&ours) && !is_misread(&Term::atom("\u{e9}")));
    for theirs in [eetf(&bytes), erltf(&bytes)] {
        assert_eq!(theirs.map(|bytes| Term::decode(&bytes)), Some(Ok(Term::atom("\u{e9}"))));
    }
}
