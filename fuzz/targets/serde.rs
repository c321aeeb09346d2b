//! Whatever the bytes: reading them into types ends in a value or an error.
#![no_main]

use std::collections::BTreeMap;

use beamline_term::{Atom, Pid, Reference, Term, serde::from_bytes};
use bytes::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes: Bytes = [131].iter().chain(data).copied().collect();
    drop(from_bytes::<(Atom, Term)>(&bytes));
    drop(from_bytes::<Vec<(String, Option<i64>)>>(&bytes));
    drop(from_bytes::<BTreeMap<String, Vec<f64>>>(&bytes));
    drop(from_bytes::<(Pid, Reference, bool, char, ())>(&bytes));
    drop(from_bytes::<Vec<u8>>(&bytes));
});
