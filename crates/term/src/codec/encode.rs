//! Writing: each function appends one thing to `out`, without a version byte.

use num_bigint::{BigInt, Sign};

use super::{tag, write};
use crate::{Atom, Pid, Port, Reference, Term};

/// Any term, however deep it nests.
pub fn term(out: &mut Vec<u8>, value: &Term) {
    write::term(out, value);
}

pub(super) fn u16_of(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u16).to_be_bytes());
}

pub(super) fn u32_of(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u32).to_be_bytes());
}

#[inline]
pub(super) fn tagged_u32(out: &mut Vec<u8>, tag: u8, number: usize) {
    let [one, two, three, four] = (number as u32).to_be_bytes();
    out.extend_from_slice(&[tag, one, two, three, four]);
}

/// The version byte that opens a term outside a distribution frame.
pub fn version(out: &mut Vec<u8>) {
    out.push(tag::VERSION);
}

/// Opens a tuple; its elements follow.
#[inline]
pub fn tuple_header(out: &mut Vec<u8>, arity: usize) {
    if let Ok(arity) = u8::try_from(arity) {
        out.extend_from_slice(&[tag::SMALL_TUPLE, arity]);
    } else {
        out.push(tag::LARGE_TUPLE);
        u32_of(out, arity);
    }
}

/// Opens a list of `length` elements, at least one; they and the tail follow.
#[inline]
pub fn list_header(out: &mut Vec<u8>, length: usize) {
    tagged_u32(out, tag::LIST, length);
}

/// Opens a map of so many pairs; keys and values follow in turn.
#[inline]
pub fn map_header(out: &mut Vec<u8>, pairs: usize) {
    tagged_u32(out, tag::MAP, pairs);
}

/// The empty list.
#[inline]
pub fn nil(out: &mut Vec<u8>) {
    out.push(tag::NIL);
}

/// An integer.
#[inline]
pub fn integer(out: &mut Vec<u8>, number: i64) {
    if let Ok(small) = u8::try_from(number) {
        out.extend_from_slice(&[tag::SMALL_INTEGER, small]);
    } else if let Ok(middle) = i32::try_from(number) {
        let [one, two, three, four] = middle.to_be_bytes();
        out.extend_from_slice(&[tag::INTEGER, one, two, three, four]);
    } else {
        magnitude(out, number < 0, &number.unsigned_abs().to_le_bytes());
    }
}

/// An integer without sign.
pub fn unsigned(out: &mut Vec<u8>, number: u64) {
    match i64::try_from(number) {
        Ok(number) => integer(out, number),
        Err(_) => magnitude(out, false, &number.to_le_bytes()),
    }
}

/// An integer of any size.
pub fn big_integer(out: &mut Vec<u8>, number: &BigInt) {
    if let Ok(small) = i64::try_from(number) {
        return integer(out, small);
    }
    let (sign, bytes) = number.to_bytes_le();
    magnitude(out, sign == Sign::Minus, &bytes);
}

fn magnitude(out: &mut Vec<u8>, negative: bool, little_endian: &[u8]) {
    let length = little_endian.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if let Ok(short) = u8::try_from(length) {
        out.extend_from_slice(&[tag::SMALL_BIG, short, u8::from(negative)]);
    } else {
        out.push(tag::LARGE_BIG);
        u32_of(out, length);
        out.push(u8::from(negative));
    }
    out.extend_from_slice(&little_endian[..length]);
}

/// A float. Erlang has no infinities and no NaN: those are written as the atom `undefined`.
#[inline]
pub fn float(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        return atom_str(out, "undefined");
    }
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    out.extend_from_slice(&[tag::NEW_FLOAT, a, b, c, d, e, f, g, h]);
}

/// An atom.
#[inline]
pub fn atom(out: &mut Vec<u8>, atom: &Atom) {
    match atom.inline() {
        Some(few) => few.append_to::<2, 24>(out, [tag::SMALL_ATOM_UTF8, 0]),
        None => atom_bytes(out, atom.as_bytes()),
    }
}

/// The atom with this text, which must be short enough to be one.
#[inline]
pub fn atom_str(out: &mut Vec<u8>, text: &str) {
    atom_bytes(out, text.as_bytes());
}

#[inline(always)]
fn atom_bytes(out: &mut Vec<u8>, text: &[u8]) {
    if let Ok(length) = u8::try_from(text.len()) {
        out.extend_from_slice(&[tag::SMALL_ATOM_UTF8, length]);
    } else {
        out.push(tag::ATOM_UTF8);
        u16_of(out, text.len());
    }
    out.extend_from_slice(text);
}

/// Opens a binary; so many bytes follow.
#[inline]
pub fn binary_header(out: &mut Vec<u8>, length: usize) {
    tagged_u32(out, tag::BINARY, length);
}

/// A binary.
#[inline]
pub fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    binary_header(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// What opens an identifier, the node that it is of, and its numbers.
#[inline]
fn identifier<const HEAD: usize, const NUMBERS: usize>(
    out: &mut Vec<u8>,
    head: [u8; HEAD],
    node: &Atom,
    numbers: [[u8; 4]; NUMBERS],
) {
    let name = node.as_bytes();
    out.reserve(HEAD + 3 + name.len() + 4 * NUMBERS);
    out.extend_from_slice(&head);
    atom_bytes(out, name);
    // One by one: just written, they could not yet be read as one.
    numbers.iter().for_each(|number| out.extend_from_slice(number));
}

/// A pid.
pub fn pid(out: &mut Vec<u8>, pid: &Pid) {
    let numbers = [pid.id(), pid.serial(), pid.creation().get()];
    identifier(out, [tag::NEW_PID], pid.node(), numbers.map(u32::to_be_bytes));
}

pub(super) fn port(out: &mut Vec<u8>, port: &Port) {
    let (high, low) = ((port.id() >> 32) as u32, port.id() as u32);
    let numbers = [high, low, port.origin().creation().get()];
    identifier(out, [tag::V4_PORT], port.origin().node(), numbers.map(u32::to_be_bytes));
}

/// A reference.
pub fn reference(out: &mut Vec<u8>, reference: &Reference) {
    let (node, creation) = (reference.node(), reference.creation().get());
    match *reference.words() {
        [one, two, three] => {
            let numbers = [creation, one, two, three];
            identifier(out, [tag::NEWER_REFERENCE, 0, 3], node, numbers.map(u32::to_be_bytes));
        }
        ref words => {
            identifier(out, [tag::NEWER_REFERENCE, 0, words.len() as u8], node, [creation.to_be_bytes()]);
            out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
    }
}
