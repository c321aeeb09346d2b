//! Whatever the bytes: no panic, and what was read is read again from what it is written as.
#![no_main]

use beamline_term::{Term, codec::Decoder};
use bytes::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let mut reader = Decoder::new(&bytes);
    let mut skipper = Decoder::new(&bytes);
    if let Ok(term) = reader.term() {
        if !matches!(data.first(), Some(80)) {
            assert!(skipper.skip().is_ok());
            assert_eq!(reader.position(), skipper.position());
        }
        let again = Bytes::from(term.encode());
        assert_eq!(Term::decode(&again).as_ref(), Ok(&term));
    }
});
