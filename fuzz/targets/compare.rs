//! Whatever the terms: their order is one, and agrees with equality and with the hash.
#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};

use beamline_term::{Term, codec::Decoder};
use bytes::Bytes;

fn hash(term: &Term) -> u64 {
    let mut hasher = DefaultHasher::new();
    term.hash(&mut hasher);
    hasher.finish()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let mut decoder = Decoder::new(&bytes);
    if let (Ok(one), Ok(two)) = (decoder.term(), decoder.term()) {
        assert_eq!(one.cmp(&two), two.cmp(&one).reverse());
        assert_eq!(one.cmp(&two).is_eq(), one == two);
        assert_eq!(one.loosely_compare(&two), two.loosely_compare(&one).reverse());
        if one == two {
            assert_eq!(hash(&one), hash(&two));
        }
        assert_eq!(one.clone(), one);
    }
});
