//! Terms of every kind, made at random.

use beamline_term::{Atom, Binary, BitString, Creation, ExportFun, Origin, Pid, Port, Record, Reference, Term};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Atom> {
    prop_oneof![
        "[a-z_@A-Z0-9 é日]{0,30}".prop_map(|text| Atom::new(&text).expect("short")),
        Just(Atom::from_static("true")),
        Just(Atom::from_static("nil")),
        Just(Atom::from_static("Elixir.AppB")),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    (text(), any::<u32>()).prop_map(|(node, creation)| Origin::new(node, Creation::new(creation)))
}

fn float() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("Erlang has finite floats only", |number| number.is_finite())
}

fn leaf() -> impl Strategy<Value = Term> {
    prop_oneof![
        any::<i64>().prop_map(Term::from),
        (-300..300_i64).prop_map(Term::from),
        proptest::collection::vec(any::<u8>(), 8..40)
            .prop_map(|bytes| beamline_term::BigInt::from_signed_bytes_le(&bytes).into()),
        float().prop_map(Term::from),
        text().prop_map(Term::Atom),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Term::from),
        "\\PC{0,20}".prop_map(|text| Term::charlist(&text)),
        (proptest::collection::vec(any::<u8>(), 1..9), 1..8_u8)
            .prop_filter_map("one byte at least", |(bytes, bits)| BitString::new(Binary::from(bytes), bits))
            .prop_map(Term::from),
        (origin(), any::<u32>(), any::<u32>()).prop_map(|(origin, id, serial)| Pid::at(&origin, id, serial).into()),
        (origin(), any::<u64>()).prop_map(|(origin, id)| Port::at(&origin, id).into()),
        (origin(), proptest::collection::vec(any::<u32>(), 0..=5)).prop_map(|(origin, words)| Reference::at(
            &origin, &words
        )
        .expect("at most 5 words")
        .into()),
        (text(), text(), any::<u8>())
            .prop_map(|(module, function, arity)| ExportFun { module, function, arity }.into()),
        Just(Term::nil()),
    ]
}

/// A term that may hold others.
pub(crate) fn term() -> impl Strategy<Value = Term> {
    leaf().prop_recursive(6, 60, 8, |inner| {
        let many = proptest::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            many.clone().prop_map(Term::tuple),
            many.clone().prop_map(Term::list),
            (many.clone(), inner.clone()).prop_map(|(elements, tail)| Term::improper(elements, tail)),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..8).prop_map(Term::map),
            (any::<bool>(), text(), text(), proptest::collection::vec((text(), inner), 0..4)).prop_map(
                |(exported, module, name, fields)| {
                    Term::Record(Box::new(Record { exported, module, name, fields }))
                }
            ),
        ]
    })
}
