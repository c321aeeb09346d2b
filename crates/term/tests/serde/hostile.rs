//! Types that hold themselves, and bytes that nest without end: the limit of the depth ends it, not the stack.

use std::collections::BTreeMap;

use beamline_term::codec::tag;
use beamline_term::serde::from_bytes;
use beamline_term::{DecodeError, Term, serde::ErrorKind};
use bytes::Bytes;
use serde::Deserialize;

#[derive(Deserialize, Debug)]
struct List(#[expect(dead_code, reason = "only its depth matters")] Vec<List>);

#[derive(Deserialize, Debug)]
struct Map(#[expect(dead_code, reason = "only its depth matters")] BTreeMap<String, Map>);

#[derive(Deserialize, Debug)]
struct Struct {
    #[expect(dead_code, reason = "only its depth matters")]
    x: Option<Box<Struct>>,
}

#[derive(Deserialize, Debug)]
struct Flat {
    #[serde(flatten)]
    #[expect(dead_code, reason = "only its depth matters")]
    all: BTreeMap<String, Flat>,
}

#[derive(Deserialize, Debug)]
struct Rest {
    #[serde(rename = "$rest")]
    #[expect(dead_code, reason = "only its depth matters")]
    all: BTreeMap<String, Rest>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only its depth matters")]
enum Chain {
    #[serde(rename = "x")]
    Link(Box<Chain>),
    #[serde(rename = "%A")]
    Same(Box<Chain>),
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its depth matters")]
enum Untagged {
    List(Vec<Untagged>),
    Map(BTreeMap<String, Untagged>),
    Term(Term),
}

#[derive(Deserialize, Debug)]
#[serde(tag = "t")]
#[expect(dead_code, reason = "only its depth matters")]
enum Tagged {
    A { x: Option<Box<Tagged>> },
}

#[derive(Deserialize, Debug)]
struct Keywords {
    #[serde(with = "beamline_term::serde::proplist", default)]
    #[expect(dead_code, reason = "only its depth matters")]
    x: Option<Box<Keywords>>,
}

fn nested(opening: &[u8], inner: &[u8]) -> Bytes {
    levels(200_000, opening, inner)
}

fn levels(levels: usize, opening: &[u8], inner: &[u8]) -> Bytes {
    let mut bytes = vec![tag::VERSION];
    bytes.extend(opening.repeat(levels));
    bytes.extend_from_slice(inner);
    bytes.into()
}

#[track_caller]
fn is_too_deep<T: for<'a> Deserialize<'a> + std::fmt::Debug>(bytes: &Bytes) {
    let error = from_bytes::<T>(bytes).map(drop).expect_err("too deep");
    assert!(matches!(error.kind(), ErrorKind::Decode(DecodeError::Limit { what: "depth", .. })), "{error:.200}");
    assert!(error.path().count() <= 1024);
}

#[test]
fn types_that_hold_themselves() {
    let list = nested(&[tag::LIST, 0, 0, 0, 1], &[tag::NIL]);
    let map = nested(&[tag::MAP, 0, 0, 0, 1, tag::SMALL_ATOM_UTF8, 1, b'x'], &[tag::NIL]);
    let tuple = nested(&[tag::SMALL_TUPLE, 2, tag::SMALL_ATOM_UTF8, 1, b'x'], &[tag::NIL]);
    is_too_deep::<List>(&list);
    is_too_deep::<Map>(&map);
    is_too_deep::<Struct>(&map);
    is_too_deep::<Flat>(&map);
    // What is left is read over before it is read: at every level that the limit allows, and no more.
    is_too_deep::<Rest>(&levels(2_000, &[tag::MAP, 0, 0, 0, 1, tag::SMALL_ATOM_UTF8, 1, b'x'], &[tag::NIL]));
    is_too_deep::<Chain>(&tuple);
    is_too_deep::<Untagged>(&list);
    is_too_deep::<Untagged>(&map);
    is_too_deep::<Term>(&list);
    is_too_deep::<serde_json::Value>(&map);
    let tagged = [
        &[tag::MAP, 0, 0, 0, 2, tag::SMALL_ATOM_UTF8, 1, b't', tag::SMALL_ATOM_UTF8, 1, b'A'][..],
        &[tag::SMALL_ATOM_UTF8, 1, b'x'],
    ];
    is_too_deep::<Tagged>(&nested(&tagged.concat(), &[tag::NIL]));
    let keywords = [tag::LIST, 0, 0, 0, 1, tag::SMALL_TUPLE, 2, tag::SMALL_ATOM_UTF8, 1, b'x'];
    is_too_deep::<Keywords>(&nested(&keywords, &[tag::NIL]));
    // A variant that is its own content takes nothing of the input.
    let own = term_with_struct();
    is_too_deep::<Chain>(&own);
}

fn term_with_struct() -> Bytes {
    beamline_term::term!(%{__struct__: :"Elixir.A"}).encode().into()
}

#[test]
fn a_length_cannot_be_claimed_again_at_every_level() {
    let size = 1_u32 << 20;
    let mut bytes = vec![tag::VERSION];
    for level in 0..500 {
        bytes.push(tag::LIST);
        bytes.extend_from_slice(&(size - 5 * (level + 1)).to_be_bytes());
    }
    bytes.resize(size as usize + 1, tag::NIL);
    let error = from_bytes::<List>(&bytes.into()).map(drop).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Decode(DecodeError::Truncated { .. })), "{error:.200}");
}

#[test]
fn the_key_of_an_error_is_read_within_the_limits() {
    // A value that is wrong, behind a key that nests to the limit.
    let mut bytes = vec![tag::VERSION, tag::MAP, 0, 0, 0, 1];
    bytes.extend([tag::SMALL_TUPLE, 1].repeat(500));
    bytes.extend([tag::NIL, tag::NIL]);
    let error = from_bytes::<BTreeMap<Key, i64>>(&bytes.into()).unwrap_err();
    assert!(error.to_string().contains("expected i64, found the list []"));
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key;

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Key)
    }
}
