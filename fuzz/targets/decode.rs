//! Whatever the bytes: no panic, and what was read is read again from each way in which it can be written.
#![no_main]

use beamline_term::{Limits, Term, codec::Decoder, codec::Rope};
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
        assert_eq!(Term::decode(&term.encode_compressed().into()).as_ref(), Ok(&term));
        let mut rope = Rope::new();
        rope.term(&term);
        assert_eq!(rope.into_pieces().concat(), again[1..]);
        // With less memory and depth it is the same term or none.
        let limits = Limits::default().with_memory_bytes(40 * data.len()).with_depth(40).with_input_bytes(200);
        if let Ok(other) = Decoder::with_limits(&bytes, limits).term() {
            assert_eq!(other, term);
        }
    }
});
