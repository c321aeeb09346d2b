//! What holds for all values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use beamline_term::elixir::{Date, DateTime, MapSet, Microsecond, NaiveDateTime, Range, Time};
use beamline_term::serde::{from_bytes, from_term, to_bytes, to_term};
use beamline_term::{Atom, Term};
use bytes::Bytes;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::common::round_trip;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(rename = "%MyApp.Everything")]
struct Everything {
    integers: (i8, i16, i32, i64, u8, u16, u32, u64),
    wide: (i128, u128),
    float: f64,
    character: char,
    text: String,
    #[serde(with = "beamline_term::serde::bytes")]
    bytes: Vec<u8>,
    list: Vec<u8>,
    #[serde(with = "beamline_term::serde::charlist")]
    charlist: String,
    #[serde(with = "beamline_term::serde::undefined")]
    maybe: Option<bool>,
    map: BTreeMap<(i64, String), Vec<Tree>>,
    #[serde(with = "beamline_term::serde::keyword")]
    keyword: BTreeMap<String, Tree>,
    #[serde(rename = "$rest")]
    rest: HashMap<String, Tree>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Tree {
    Leaf,
    Number(i64),
    Node(Box<Tree>, Option<Box<Tree>>),
    Named {
        name: String,
        children: Vec<Tree>,
    },
    #[serde(rename = "%MyApp.Node")]
    Struct {
        inner: Box<Tree>,
    },
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![Just(Tree::Leaf), any::<i64>().prop_map(Tree::Number)];
    leaf.prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            (inner.clone(), option::of(inner.clone())).prop_map(|(one, two)| Tree::Node(one.into(), two.map(Box::new))),
            ("\\PC{0,8}", vec(inner.clone(), 0..4)).prop_map(|(name, children)| Tree::Named { name, children }),
            inner.prop_map(|inner| Tree::Struct { inner: inner.into() }),
        ]
    })
}

fn float() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("Erlang has finite floats only", |number| number.is_finite())
}

fn everything() -> impl Strategy<Value = Everything> {
    let simple = (any::<(i8, i16, i32, i64, u8, u16, u32, u64)>(), any::<(i128, u128)>(), float(), any::<char>());
    let texts = ("\\PC{0,20}", vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..10), "\\PC{0,12}", any::<Option<bool>>());
    let maps = (
        btree_map((any::<i64>(), "[a-z]{0,5}".prop_map(String::from)), vec(tree(), 0..3), 0..3),
        btree_map("[a-zé ]{1,6}", tree(), 0..3),
        btree_map("r[a-z]{1,6}", tree(), 0..3),
    );
    (simple, texts, maps).prop_map(|(simple, texts, maps)| {
        let (integers, wide, float, character) = simple;
        let (text, bytes, list, charlist, maybe) = texts;
        let (map, keyword, rest) = maps;
        let rest = rest.into_iter().collect();
        Everything { integers, wide, float, character, text, bytes, list, charlist, maybe, map, keyword, rest }
    })
}

fn date() -> impl Strategy<Value = Date> {
    (-4_000_000..=2_932_896_i64).prop_map(|days| Date::from_days_since_1970(days).expect("in range"))
}

fn time() -> impl Strategy<Value = Time> {
    (0..86_400_000_000_u64, 0..=6_u8).prop_map(|(microseconds, precision)| {
        let time = Time::from_microseconds_since_midnight(microseconds);
        time.with_microsecond(Microsecond::new(time.microsecond().value(), precision).expect("in range"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_value_comes_back_from_its_bytes(value in everything()) {
        let bytes = round_trip(&value);
        let term = Term::decode(&bytes).unwrap();
        prop_assert_eq!(term.encode().len() <= bytes.len(), true);
        prop_assert_eq!(from_term::<Everything>(&term).unwrap(), value);
    }

    #[test]
    fn elixirs_types_come_back(
        date in date(), time in time(), offset in -50_000..50_000_i32,
        range in any::<(i64, i64, i64)>(), set in btree_set(any::<i64>(), 0..10),
    ) {
        let local = NaiveDateTime { date, time };
        let moment = DateTime { utc_offset: offset, time_zone: "X/Y".into(), ..DateTime::utc(local) };
        round_trip(&(date, time, local, moment.clone()));
        let again = DateTime::from_unix_microseconds(moment.unix_microseconds()).unwrap();
        prop_assert_eq!(again.unix_microseconds(), moment.unix_microseconds());
        if let Ok(range) = Range::new(range.0, range.1, range.2) {
            round_trip(&range);
        }
        round_trip(&MapSet(set));
    }

    #[test]
    fn no_damage_makes_it_panic(
        value in everything(), place in any::<prop::sample::Index>(), byte in any::<u8>(), length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = to_bytes(&value).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        for bytes in [bytes.clone(), bytes[..length.index(bytes.len())].to_vec()] {
            let bytes = Bytes::from(bytes);
            if let Err(error) = from_bytes::<Everything>(&bytes) {
                prop_assert!(!error.to_string().is_empty());
            }
            drop(from_bytes::<BTreeMap<Atom, serde_json::Value>>(&bytes));
            drop(from_bytes::<BTreeSet<Atom>>(&bytes));
        }
    }

    #[test]
    fn json_that_goes_through_a_term_comes_back(numbers in vec(any::<i64>(), 0..5), text in "\\PC{0,10}") {
        let json = serde_json::json!({"numbers": numbers, "text": text, "nothing": null, "nested": [{"a": true}]});
        prop_assert_eq!(from_term::<serde_json::Value>(&to_term(&json).unwrap()).unwrap(), json);
    }
}
