//! Errors tell the way to the place.

use std::collections::BTreeMap;

use beamline_term::serde::{ErrorKind, Segment, from_bytes, to_bytes};
use beamline_term::{Term, atom, term};
use serde::{Deserialize, Serialize, Serializer};

use crate::common::read;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only the reading is looked at")]
struct Config {
    users: Vec<User>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only the reading is looked at")]
struct User {
    name: f64,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Circle(f64),
    Box { size: (u8, u8) },
    Dot,
}

type ByName = BTreeMap<String, Vec<(u8, Shape)>>;

#[test]
fn reading() {
    fn message<T: for<'a> Deserialize<'a>>(term: Term) -> String {
        read::<T>(term).map(drop).unwrap_err().to_string()
    }
    let user = || term!(%{name: 1.5});
    let users = Term::list([user(), user(), user(), term!(%{name: :x})]);
    assert_eq!(
        message::<Config>(term!(%{users: users})),
        ".users[3].name: expected a float, found the atom :x at byte 89"
    );
    assert_eq!(
        message::<ByName>(term!(%{"a" => [{1, :dot}, {300, :dot}]})),
        "[\"a\"][1].0: expected u8, found the integer 300 at byte 28"
    );
    assert_eq!(
        message::<ByName>(term!(%{"a" => [{1, {:circle, "r"}}]})),
        "[\"a\"][0].1:circle: expected a float, found the binary \"r\" at byte 31"
    );
    assert_eq!(
        message::<ByName>(term!(%{"a" => [{1, {:box, %{size: {1, nil}}}}]})),
        "[\"a\"][0].1:box.size.1: expected u8, found the atom nil at byte 43"
    );
    assert_eq!(
        message::<Shape>(term!(:ring)),
        "unknown variant `ring`, expected one of `circle`, `box`, `dot` at byte 1"
    );
    assert_eq!(
        message::<Shape>(term!({})),
        "expected an atom or a tuple that begins with one, found the tuple {} at byte 1"
    );
    assert_eq!(message::<Config>(term!(%{})), "the field users is missing at byte 1");
    assert_eq!(message::<Config>(term!(%{users: [%{}]})), ".users[0]: the field name is missing at byte 18");
    assert_eq!(
        message::<Vec<bool>>(term!([true, :maybe])),
        "[1]: expected a boolean, found the atom :maybe at byte 12"
    );
    assert_eq!(message::<(i64, i64)>(term!({1, 2, 3})), "there are 1 more elements than the type takes at byte 1");
    assert_eq!(message::<(i64, i64)>(term!({ 1 })), "invalid length 1, expected a tuple of size 2 at byte 1");
    assert_eq!(message::<Vec<i64>>(term!([1 | 2])), "expected the end of the list, found the integer 2 at byte 8");
    assert_eq!(message::<String>(term!(%{a: 1})), "expected a string, found the map %{a: 1} at byte 1");
    assert_eq!(message::<i64>(u64::MAX.into()), "expected i64, found the integer 18446744073709551615 at byte 1");
    assert_eq!(message::<()>(term!(:x)), "expected nil, found the atom :x at byte 1");
    let long = message::<i64>(Term::list((0..50).map(Term::from)));
    assert!(long.len() < 200 && long.starts_with("expected i64, found the list [0, 1, 2"), "{long}");
    let longer = message::<i64>(Term::from(vec![0; 10_000]));
    assert_eq!(longer, "expected i64, found a long binary at byte 1");
}

#[test]
fn the_parts_are_data() {
    let error = read::<ByName>(term!(%{"a" => [{1, {:circle, "r"}}]})).unwrap_err();
    let path: Vec<Segment> = error.path().cloned().collect();
    assert_eq!(
        path,
        [Segment::Key("a".into()), Segment::Index(0), Segment::Element(1), Segment::Variant("circle".into())]
    );
    assert_eq!(error.at(), Some(31));
    assert!(
        matches!(error.kind(), ErrorKind::Mismatch { expected, found } if expected == "a float" && found == "the binary \"r\"")
    );
}

#[test]
fn a_term_that_breaks_off() {
    let mut bytes = to_bytes(&vec![("ab", 1), ("cd", 2)]).unwrap();
    bytes.truncate(bytes.len() - 3);
    let error = from_bytes::<Vec<(String, i64)>>(&bytes.into()).unwrap_err();
    assert_eq!(error.to_string(), "[1].1: the term breaks off at byte 26: 1 more bytes are needed");
    assert!(matches!(error.kind(), ErrorKind::Decode(_)));
}

#[test]
fn writing() {
    #[derive(Serialize)]
    struct Reading {
        values: Vec<(i64, f64)>,
    }
    let error = to_bytes(&Reading { values: vec![(1, 1.0), (2, f64::NAN)] }).unwrap_err();
    assert_eq!(error.to_string(), ".values[1].1: Erlang has no float NaN");
    let map = BTreeMap::from([("k", Shape::Box { size: (1, 2) }), ("l", Shape::Circle(f64::INFINITY))]);
    assert_eq!(to_bytes(&map).unwrap_err().to_string(), "[\"l\"]:circle: Erlang has no float inf");

    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert_eq!(to_bytes(&(1, [Fails])).unwrap_err().to_string(), ".1.0: no");
    assert_eq!(to_bytes(&(atom("x"), Fails)).unwrap_err().at(), None);

    #[derive(Serialize)]
    struct Long(#[serde(with = "beamline_term::serde::atom")] String);
    let error = to_bytes(&[Long("x".repeat(256))][..]).unwrap_err();
    assert_eq!(error.to_string(), "[0]: an atom has at most 255 characters, this text has 256");
    assert!(to_bytes(&Long("é".repeat(255))).is_ok());
}
