//! How much memory hostile bytes get: inputs that are known to break other decoders (`eetf` 0.12, `erltf` 0.16), each with
//! the most that all allocations together may have while it is read, whether they were freed again or not.
//!
//! A program of its own with one test in it, so that nothing else is counted.

use std::alloc::System;

use beamline_term::codec::{Decoder, tag};
use beamline_term::{Term, serde};
use bytes::Bytes;
use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a refusal may cost: an error, and small buffers.
const SMALL: usize = 16 << 10;

struct Input {
    name: &'static str,
    bytes: Vec<u8>,
    /// The most that may be allocated.
    bound: usize,
}

fn input(name: &'static str, bytes: impl IntoIterator<Item = u8>, bound: usize) -> Input {
    Input { name, bytes: std::iter::once(tag::VERSION).chain(bytes).collect(), bound }
}

/// A tag with a length of 32 bits.
fn long(tag: u8, length: u32) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes()].concat()
}

fn packed(bytes: &[u8], claimed: u32) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).expect("memory");
    [long(tag::COMPRESSED, claimed), packer.finish().expect("memory")].concat()
}

fn inputs() -> Vec<Input> {
    let depth = 200_000;
    let nested = |opening: &[u8]| opening.repeat(depth).into_iter().chain([tag::NIL]);
    let claims: Vec<u8> = (0..100_000_u32).flat_map(|level| long(tag::LIST, 500_000 - 5 * (level + 1))).collect();
    let atom = [&[tag::ATOM_UTF8, 0, 255][..], &[b'a'; 255]].concat();
    let zeros = vec![0; 50 << 20];
    let bytes_as_list: Vec<u8> =
        [tag::LIST, 0, 0, 0xff, 0xff].into_iter().chain([97, 7].repeat(0xffff)).chain([106]).collect();
    vec![
        input("an atom of a cache that is not there: eetf panics", [82, 0], SMALL),
        input("a list of 2^32-1: eetf aborts, erltf takes 800 MB", long(tag::LIST, u32::MAX), SMALL),
        input("a list of 2^31-1", long(tag::LIST, i32::MAX as u32), SMALL),
        input("a tuple of 2^32-1", long(tag::LARGE_TUPLE, u32::MAX), SMALL),
        input("a map of 2^32-1", long(tag::MAP, u32::MAX), SMALL),
        input("a map of 2^31: twice that is 2^32", long(tag::MAP, 1 << 31), SMALL),
        input("a record of 2^32-1", long(tag::RECORD, u32::MAX), SMALL),
        input("a binary of 2^32-1", long(tag::BINARY, u32::MAX), SMALL),
        input("a bit string of 2^32-1", long(tag::BIT_BINARY, u32::MAX).into_iter().chain([1]), SMALL),
        input("a bit string of no bytes", long(tag::BIT_BINARY, 0).into_iter().chain([1]), SMALL),
        input("an integer of 2^32-1 bytes", long(tag::LARGE_BIG, u32::MAX).into_iter().chain([0]), SMALL),
        input("a fun of 2^32-1 bytes", long(tag::NEW_FUN, u32::MAX), SMALL),
        input("a fun that is shorter than its own size", long(tag::NEW_FUN, 3), SMALL),
        input(
            "a fun with 2^32-1 free variables",
            {
                let head = [&[0; 17][..], &[0, 0, 0, 0], &u32::MAX.to_be_bytes()].concat();
                [long(tag::NEW_FUN, head.len() as u32 + 4), head].concat()
            },
            SMALL,
        ),
        input("a reference of 65535 words", [tag::NEWER_REFERENCE, 0xff, 0xff, tag::SMALL_ATOM_UTF8, 1, b'a'], SMALL),
        input("an atom of 65535 bytes", [tag::ATOM_UTF8, 0xff, 0xff].into_iter().chain([b'a'; 0xffff]), SMALL),
        input("200 000 tuples in each other: both overflow the stack", nested(&[tag::SMALL_TUPLE, 1]), 128 << 10),
        input("200 000 lists in each other", nested(&[tag::LIST, 0, 0, 0, 1]), 128 << 10),
        input("200 000 maps in each other", nested(&[tag::MAP, 0, 0, 0, 1, tag::NIL]), 128 << 10),
        input("100 000 lists that each claim all that follows", claims, 24 << 20),
        input(
            "50 MB of zeros in 50 kB that claim to be 50 MB: erltf reads them all",
            packed(&zeros, 50 << 20),
            160 << 20,
        ),
        input("50 MB of zeros that claim to be one byte", packed(&zeros, 1), 128 << 10),
        input("compressed, 4 GB it says", packed(&[tag::NIL], u32::MAX), 128 << 10),
        // Not refused, but dear elsewhere.
        input(
            "a string of 65535 bytes: erltf makes terms of 80 bytes each",
            [tag::STRING, 0xff, 0xff].into_iter().chain([7; 0xffff]),
            1 << 20,
        ),
        input("the same, each byte a term", bytes_as_list, 4 << 20),
        input(
            "a tuple of 10 000 atoms of 255 bytes",
            [long(tag::LARGE_TUPLE, 10_000), atom.repeat(10_000)].concat(),
            8 << 20,
        ),
        input(
            "a tuple of a million empty lists",
            [long(tag::LARGE_TUPLE, 1 << 20), vec![tag::NIL; 1 << 20]].concat(),
            64 << 20,
        ),
    ]
}

/// What was allocated meanwhile.
fn allocated(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.total_allocated();
    work();
    ALLOCATOR.total_allocated() - before
}

#[test]
fn every_input_has_a_bound() {
    let mut wrong = Vec::new();
    for Input { name, bytes, bound } in inputs() {
        let bytes = Bytes::from(bytes);
        let read = allocated(|| drop(Term::decode(&bytes)));
        let typed = allocated(|| drop(serde::from_bytes::<Vec<u64>>(&bytes)));
        let skipped = allocated(|| drop(Decoder::new(&bytes.slice(1..)).skip()));
        println!("{read:>10} {typed:>10} {skipped:>8}  of {bound:>9}: {name}");
        if read > bound || typed > bound || skipped > bound {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "more than their bound: {wrong:#?}");
}
