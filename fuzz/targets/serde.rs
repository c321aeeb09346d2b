//! Whatever the bytes: reading them into types ends in a value that comes back from its own bytes, or in an error that can
//! be printed.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use beamline_term::elixir::{DateTime, MapSet, Range};
use beamline_term::serde::{from_bytes, to_bytes};
use beamline_term::{Atom, Binary, Map, Pid, Reference, Term};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "%A", default)]
#[derive(Default)]
struct Fields {
    a: Option<Box<Fields>>,
    #[serde(with = "beamline_term::serde::bytes")]
    b: Vec<u8>,
    #[serde(with = "beamline_term::serde::proplist")]
    c: BTreeMap<String, Tree>,
    #[serde(rename = "$rest")]
    rest: BTreeMap<Atom, Term>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Tree {
    #[serde(rename = "a")]
    Leaf,
    #[serde(rename = "b")]
    Pair(Box<Tree>, i64),
    #[serde(rename = "%A")]
    Fields(Fields),
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code, reason = "only the reading is looked at")]
enum Loose {
    Number(i64),
    Pair(Box<Loose>, Atom),
    Map(BTreeMap<String, Loose>),
    Term(Term),
}

fn meet<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &Bytes) {
    match from_bytes::<T>(bytes) {
        Ok(value) => {
            let written = Bytes::from(to_bytes(&value).expect("what was read can be written"));
            assert_eq!(from_bytes::<T>(&written).expect("what was written can be read"), value);
        }
        Err(error) => drop(error.to_string()),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes: Bytes = [131].iter().chain(data).copied().collect();
    meet::<(Atom, Term)>(&bytes);
    meet::<Vec<(String, Option<i64>)>>(&bytes);
    meet::<BTreeMap<String, Vec<f64>>>(&bytes);
    meet::<(Pid, Reference, bool, char, ())>(&bytes);
    meet::<Vec<u8>>(&bytes);
    meet::<(Binary, u128, i128)>(&bytes);
    meet::<Fields>(&bytes);
    meet::<Tree>(&bytes);
    meet::<Map>(&bytes);
    meet::<(DateTime, Range)>(&bytes);
    meet::<MapSet<Atom>>(&bytes);
    drop(from_bytes::<Loose>(&bytes));
});
