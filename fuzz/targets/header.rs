//! Whatever the bytes behind a distribution header: no panic, and with the header's atoms written out they are the same term.
#![no_main]

use beamline_term::{Term, atom, codec::Decoder};
use bytes::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let atoms = [atom("ok"), atom("node@host"), atom("an atom too long to be stored in place"), atom("")];
    // The first byte says how many atoms the header has.
    let Some((count, data)) = data.split_first() else { return };
    let atoms = &atoms[..usize::from(*count) % (atoms.len() + 1)];
    let bytes = Bytes::copy_from_slice(data);
    let mut reader = Decoder::new(&bytes).with_atoms(atoms);
    let Ok(term) = reader.term() else { return };
    if data.first() == Some(&80) {
        return;
    }
    let mut skipper = Decoder::new(&bytes).with_atoms(atoms);
    assert!(skipper.skip().is_ok());
    let mut expander = Decoder::new(&bytes).with_atoms(atoms);
    let expanded = expander.expand().expect("what can be read can be written out");
    assert_eq!([skipper.position(), expander.position()], [reader.position(); 2]);
    let mut plain = Decoder::new(&expanded);
    assert_eq!(plain.term().as_ref(), Ok(&term));
    assert!(plain.finish().is_ok());
    assert_eq!(Term::decode(&term.encode().into()).as_ref(), Ok(&term));
});
