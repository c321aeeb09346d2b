//! Writing: each function appends one thing to `out`, without a version byte.

use num_bigint::{BigInt, Sign};

use super::tag;
use crate::{Atom, Creation, Pid, Reference, Term};

fn u16_of(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u16).to_be_bytes());
}

fn u32_of(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u32).to_be_bytes());
}

fn tagged_u32(out: &mut Vec<u8>, tag: u8, number: usize) {
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
pub fn list_header(out: &mut Vec<u8>, length: usize) {
    tagged_u32(out, tag::LIST, length);
}

/// Opens a map of so many pairs; keys and values follow in turn.
pub fn map_header(out: &mut Vec<u8>, pairs: usize) {
    out.push(tag::MAP);
    u32_of(out, pairs);
}

/// The empty list.
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
    let mut all = [tag::NEW_FLOAT; 9];
    all[1..].copy_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&all);
}

/// An atom.
#[inline]
pub fn atom(out: &mut Vec<u8>, atom: &Atom) {
    atom_str(out, atom.as_str());
}

/// The atom with this text, which must be short enough to be one.
#[inline]
pub fn atom_str(out: &mut Vec<u8>, text: &str) {
    if let Ok(length) = u8::try_from(text.len()) {
        out.extend_from_slice(&[tag::SMALL_ATOM_UTF8, length]);
    } else {
        out.push(tag::ATOM_UTF8);
        u16_of(out, text.len());
    }
    out.extend_from_slice(text.as_bytes());
}

/// A binary.
#[inline]
pub fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    tagged_u32(out, tag::BINARY, bytes.len());
    out.extend_from_slice(bytes);
}

fn creation(out: &mut Vec<u8>, creation: Creation) {
    out.extend_from_slice(&creation.get().to_be_bytes());
}

/// A pid.
pub fn pid(out: &mut Vec<u8>, pid: &Pid) {
    out.push(tag::NEW_PID);
    atom(out, pid.node());
    out.extend_from_slice(&pid.id().to_be_bytes());
    out.extend_from_slice(&pid.serial().to_be_bytes());
    creation(out, pid.creation());
}

/// A reference.
pub fn reference(out: &mut Vec<u8>, reference: &Reference) {
    out.push(tag::NEWER_REFERENCE);
    u16_of(out, reference.words().len());
    atom(out, reference.node());
    creation(out, reference.creation());
    for word in reference.words() {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

/// A list of bytes, as a short string where the format allows that.
fn byte_list(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        0 => nil(out),
        length @ 1..=65_535 => {
            out.push(tag::STRING);
            u16_of(out, length);
            out.extend_from_slice(bytes);
        }
        length => {
            list_header(out, length);
            bytes.iter().for_each(|byte| out.extend_from_slice(&[tag::SMALL_INTEGER, *byte]));
            nil(out);
        }
    }
}

/// How deep terms are followed by recursion, which needs no memory of its own, before a list of what is open takes over.
const RECURSION: u32 = 64;

/// Any term, however deep it nests.
pub fn term(out: &mut Vec<u8>, value: &Term) {
    nested(out, value, RECURSION);
}

fn nested(out: &mut Vec<u8>, value: &Term, depth: u32) {
    // What is met most often goes without the detour over a list of what is open.
    match value {
        Term::Integer(number) => integer(out, *number),
        Term::Atom(text) => atom(out, text),
        Term::Binary(bytes) => binary(out, bytes),
        Term::Float(number) => float(out, *number),
        Term::Tuple(elements) if depth > 0 => {
            tuple_header(out, elements.len());
            for element in elements.iter() {
                nested(out, element, depth - 1);
            }
        }
        Term::List(list) if depth > 0 => match list.terms() {
            Some(terms) if !terms.is_empty() && !fits_string(terms) => {
                list_header(out, terms.len());
                for element in terms {
                    nested(out, element, depth - 1);
                }
                nil(out);
            }
            _ => open(out, value, depth),
        },
        _ => open(out, value, depth),
    }
}

fn open(out: &mut Vec<u8>, value: &Term, depth: u32) {
    let Some(open) = head(out, value) else { return };
    match open {
        open if depth == 0 => deep(out, open),
        open => open.for_each(|element| nested(out, element, depth - 1)),
    }
}

/// What has been opened and still has to be written, the innermost last.
fn deep<'a>(out: &mut Vec<u8>, first: Open<'a>) {
    let mut waiting = vec![first];
    while let Some(open) = waiting.last_mut() {
        match open.next() {
            Some(element) => waiting.extend(head(out, element)),
            None => {
                if open.ends_in_nil() {
                    nil(out);
                }
                waiting.pop();
            }
        }
    }
}

/// The terms inside a term whose head has been written, in the order of the wire.
enum Open<'a> {
    Tuple(std::slice::Iter<'a, Term>),
    List(std::slice::Iter<'a, Term>),
    Improper(std::slice::Iter<'a, Term>, Option<&'a Term>),
    Map(std::slice::Iter<'a, (Term, Term)>, Option<&'a Term>),
    Record(std::slice::Iter<'a, (Atom, Term)>),
}

impl Open<'_> {
    fn ends_in_nil(&self) -> bool {
        matches!(self, Open::List(_))
    }
}

impl<'a> Iterator for Open<'a> {
    type Item = &'a Term;

    fn next(&mut self) -> Option<&'a Term> {
        match self {
            Open::Tuple(elements) | Open::List(elements) => elements.next(),
            Open::Improper(elements, tail) => elements.next().or_else(|| tail.take()),
            Open::Map(pairs, value) => value.take().or_else(|| {
                let (key, after) = pairs.next()?;
                *value = Some(after);
                Some(key)
            }),
            Open::Record(fields) => fields.next().map(|(_, value)| value),
        }
    }
}

/// Writes a term, or of one that holds others its head, and gives those others.
fn head<'a>(out: &mut Vec<u8>, value: &'a Term) -> Option<Open<'a>> {
    match value {
        Term::Integer(number) => integer(out, *number),
        Term::BigInteger(number) => big_integer(out, number),
        Term::Float(number) => float(out, *number),
        Term::Atom(text) => atom(out, text),
        Term::Binary(bytes) => binary(out, bytes),
        Term::BitString(bits) => {
            out.push(tag::BIT_BINARY);
            u32_of(out, bits.bytes().len());
            out.push(bits.last_bits());
            out.extend_from_slice(bits.bytes());
        }
        Term::Tuple(elements) => {
            tuple_header(out, elements.len());
            return Some(Open::Tuple(elements.iter()));
        }
        Term::List(list) => match list.terms() {
            None | Some([]) => byte_list(out, &list.as_bytes().unwrap_or_default()),
            Some(terms) if fits_string(terms) => {
                out.push(tag::STRING);
                u16_of(out, terms.len());
                out.extend(terms.iter().filter_map(byte));
            }
            Some(terms) => {
                list_header(out, terms.len());
                return Some(Open::List(terms.iter()));
            }
        },
        Term::ImproperList(list) => {
            list_header(out, list.elements().len());
            return Some(Open::Improper(list.elements().iter(), Some(list.tail())));
        }
        Term::Map(map) => {
            map_header(out, map.len());
            return Some(Open::Map(map.0.iter(), None));
        }
        Term::Pid(own) => pid(out, own),
        Term::Port(port) => {
            out.push(tag::V4_PORT);
            atom(out, port.origin().node());
            out.extend_from_slice(&port.id().to_be_bytes());
            creation(out, port.origin().creation());
        }
        Term::Reference(own) => reference(out, own),
        Term::Fun(fun) => {
            out.push(tag::NEW_FUN);
            u32_of(out, fun.body().len() + 4);
            out.extend_from_slice(fun.body());
        }
        Term::Export(fun) => {
            out.push(tag::EXPORT);
            atom(out, &fun.module);
            atom(out, &fun.function);
            integer(out, i64::from(fun.arity));
        }
        Term::Record(record) => {
            out.push(tag::RECORD);
            u32_of(out, record.fields.len());
            out.push(u8::from(record.exported));
            atom(out, &record.module);
            atom(out, &record.name);
            record.fields.iter().for_each(|(name, _)| atom(out, name));
            return Some(Open::Record(record.fields.iter()));
        }
    }
    None
}

#[inline]
fn byte(term: &Term) -> Option<u8> {
    match term {
        Term::Integer(number) => u8::try_from(*number).ok(),
        _ => None,
    }
}

/// Whether Erlang would write the list of these as a short string.
fn fits_string(terms: &[Term]) -> bool {
    terms.len() <= 65_535 && terms.iter().all(|term| byte(term).is_some())
}
