//! What is written as a rope has the bytes that it has otherwise, and shares its large binaries.

use beamline_term::serde::{Error, to_bytes, to_rope, write};
use beamline_term::{Binary, Term, atom};
use bytes::Bytes;
use proptest::prelude::*;
use serde::{Serialize, Serializer};

const LEAST: usize = 1000;

fn binary(size: usize) -> Binary {
    Bytes::from((0..size).map(|place| place as u8).collect::<Vec<u8>>()).into()
}

fn written(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out).expect("it has a form");
    out
}

/// The rope's bytes, checked, and how many pieces it has.
fn pieces(value: &impl Serialize) -> usize {
    let rope = to_rope(value, LEAST).expect("it has a form");
    assert_eq!(rope.len(), written(value).len());
    assert_eq!(rope.pieces().collect::<Vec<_>>().concat(), written(value));
    rope.pieces().count()
}

#[derive(Serialize)]
struct Upload {
    name: String,
    content: Binary,
    more: Vec<Term>,
    #[serde(with = "beamline_term::serde::keyword")]
    options: Options,
    #[serde(flatten)]
    rest: Options,
    copied: Sealed,
    last: Option<Binary>,
}

#[derive(Serialize, Clone)]
struct Options {
    preview: Binary,
    icon: (u8, Binary),
}

/// Writes what is in it on its own, in ways that must not meddle with what is being written around it.
struct Sealed(Binary);

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_eq!(to_rope(&self.0, LEAST).expect("it has a form").pieces().count(), 2);
        assert!(to_rope(&(1, f64::NAN), LEAST).is_err());
        serializer.serialize_bytes(&to_bytes(&(7, &self.0)).expect("it has a form"))
    }
}

#[test]
fn large_binaries_are_shared_wherever_they_are() {
    let options = Options { preview: binary(3000), icon: (1, binary(LEAST)) };
    let upload = Upload {
        name: "x".repeat(5000),
        content: binary(4000),
        more: vec![binary(999).into(), Term::tuple([binary(2000).into(), atom("a").into()])],
        options: options.clone(),
        rest: options,
        copied: Sealed(binary(6000)),
        last: Some(binary(1001)),
    };
    // Seven of them, and what is before each.
    assert_eq!(pieces(&upload), 14);
    assert_eq!(pieces(&binary(LEAST - 1)), 1);
    let content = binary(LEAST);
    let rope = to_rope(&content, LEAST).expect("it has a form");
    assert_eq!(rope.pieces().last().map(<[u8]>::as_ptr), Some(content.as_ptr()));
}

#[test]
fn a_value_that_fails_leaves_nothing_behind() {
    let broken = (binary(2000), f64::NAN);
    assert!(matches!(to_rope(&broken, LEAST), Err(Error { .. })));
    assert_eq!(pieces(&(1, 2)), 1);
    assert_eq!(written(&binary(2000)).len(), 2005);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_rope_has_the_bytes_of_the_value(value in prop::collection::vec((any::<i64>(), 0..3000usize, ".{0,8}"), 0..12)) {
        let value: Vec<(i64, Term, String)> =
            value.into_iter().map(|(number, size, text)| (number, binary(size).into(), text)).collect();
        let large = value.iter().filter(|(_, term, _)| term.as_binary().is_some_and(|bytes| bytes.len() >= LEAST)).count();
        // A number or the end is between two of them.
        prop_assert_eq!(pieces(&value), 2 * large + 1);
    }
}
