//! Whatever the term: it can be printed in both languages.
#![no_main]

use beamline_term::{Term, print::Erlang};
use bytes::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes: Bytes = [131].iter().chain(data).copied().collect();
    if let Ok(term) = Term::decode(&bytes) {
        assert!(!term.to_string().is_empty());
        assert!(!Erlang::new(&term).to_string().is_empty());
        assert!(!Erlang::raw(&term).to_string().is_empty());
    }
});
