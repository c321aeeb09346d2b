//! Writing whole terms, however deep they nest, into whatever takes their bytes.

use super::{encode, tag};
use crate::{Atom, Binary, Term};

/// What takes the bytes of terms.
pub(super) trait Sink {
    /// Where all goes but large binaries.
    fn buffer(&mut self) -> &mut Vec<u8>;
    /// Takes a binary, its head included.
    fn binary(&mut self, binary: &Binary);
}

impl Sink for Vec<u8> {
    #[inline]
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }

    #[inline]
    fn binary(&mut self, binary: &Binary) {
        copy_binary(self, binary);
    }
}

#[inline]
pub(super) fn copy_binary(out: &mut Vec<u8>, binary: &Binary) {
    match binary.inline() {
        Some(few) => few.append_to::<5, 27>(out, [tag::BINARY, 0, 0, 0, 0]),
        None => encode::binary(out, binary),
    }
}

/// How deep terms are followed by recursion, which needs no memory of its own, before a list of what is open takes over.
const RECURSION: u32 = 16;

pub(super) fn term<S: Sink>(sink: &mut S, value: &Term) {
    one(sink, value, RECURSION);
}

/// What holds no others is written where it is met, without a call.
#[inline(always)]
fn one<S: Sink>(sink: &mut S, value: &Term, depth: u32) {
    match value {
        Term::Integer(number) => encode::integer(sink.buffer(), *number),
        Term::Atom(text) => encode::atom(sink.buffer(), text),
        Term::Binary(bytes) => sink.binary(bytes),
        Term::Float(number) => encode::float(sink.buffer(), *number),
        _ => nested(sink, value, depth),
    }
}

#[inline(never)]
fn nested<S: Sink>(sink: &mut S, value: &Term, depth: u32) {
    match value {
        Term::Tuple(tuple) if depth > 0 => {
            encode::tuple_header(sink.buffer(), tuple.len());
            all(sink, tuple, depth - 1);
        }
        Term::List(list) if depth > 0 => match list.terms() {
            Some(terms) if !terms.is_empty() && !fits_string(terms) => {
                encode::list_header(sink.buffer(), terms.len());
                all(sink, terms, depth - 1);
                encode::nil(sink.buffer());
            }
            _ => drop(head(sink, value)),
        },
        Term::ImproperList(list) if depth > 0 => {
            encode::list_header(sink.buffer(), list.elements().len());
            all(sink, &list.cells, depth - 1);
        }
        Term::Map(map) if depth > 0 => {
            encode::map_header(sink.buffer(), map.len());
            all(sink, &map.flat, depth - 1);
        }
        _ => match head(sink, value) {
            None => {}
            Some(open) if depth == 0 => deep(sink, open),
            Some(open) => open.for_each(|element| one(sink, element, depth - 1)),
        },
    }
}

/// Fewer elements are not looked at as a row.
const ROW: usize = 8;

fn all<S: Sink>(sink: &mut S, terms: &[Term], depth: u32) {
    let mut left = terms;
    while let Some((first, after)) = left.split_first() {
        let written = match (first, after.first()) {
            // Numbers come in long rows.
            (Term::Integer(_), Some(Term::Integer(_))) if left.len() >= ROW => {
                row(sink.buffer(), left, is_middle, middle)
            }
            (Term::Float(_), Some(Term::Float(_))) if left.len() >= ROW => row(sink.buffer(), left, is_finite, float),
            _ => 0,
        };
        if written > 0 {
            left = left.get(written..).unwrap_or_default();
        } else {
            one(sink, first, depth);
            left = after;
        }
    }
}

/// Writes those that stand first in a slice and take the same number of bytes each; gives how many.
fn row<const SIZE: usize>(
    out: &mut Vec<u8>,
    terms: &[Term],
    is_one: impl Fn(&Term) -> bool,
    write: impl Fn(&mut [u8; SIZE], &Term),
) -> usize {
    let length = terms.iter().position(|term| !is_one(term)).unwrap_or(terms.len());
    let start = out.len();
    out.resize(start + length * SIZE, 0);
    let (places, _) = out[start..].as_chunks_mut();
    for (place, term) in places.iter_mut().zip(terms) {
        write(place, term);
    }
    length
}

/// Whether it is an integer that does not fit a byte, but four.
#[inline]
fn is_middle(term: &Term) -> bool {
    matches!(term, Term::Integer(number) if u8::try_from(*number).is_err() && i32::try_from(*number).is_ok())
}

#[inline]
fn middle(place: &mut [u8; 5], term: &Term) {
    if let Term::Integer(number) = term {
        place[0] = tag::INTEGER;
        place[1..].copy_from_slice(&(*number as i32).to_be_bytes());
    }
}

#[inline]
fn is_finite(term: &Term) -> bool {
    matches!(term, Term::Float(number) if number.is_finite())
}

#[inline]
fn float(place: &mut [u8; 9], term: &Term) {
    if let Term::Float(number) = term {
        place[0] = tag::NEW_FLOAT;
        place[1..].copy_from_slice(&number.to_be_bytes());
    }
}

/// What has been opened and still has to be written, the innermost last.
fn deep<'a, S: Sink>(sink: &mut S, first: Open<'a>) {
    let mut waiting = vec![first];
    while let Some(open) = waiting.last_mut() {
        match open.next() {
            Some(element) => waiting.extend(head(sink, element)),
            None => {
                if open.ends_in_nil() {
                    encode::nil(sink.buffer());
                }
                waiting.pop();
            }
        }
    }
}

/// The terms inside a term whose head has been written, in the order of the wire.
enum Open<'a> {
    /// Also maps and improper lists.
    Tuple(std::slice::Iter<'a, Term>),
    List(std::slice::Iter<'a, Term>),
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
            Open::Record(fields) => fields.next().map(|(_, value)| value),
        }
    }
}

/// Writes a term, or of one that holds others its head, and gives those others.
fn head<'a, S: Sink>(sink: &mut S, value: &'a Term) -> Option<Open<'a>> {
    if let Term::Binary(bytes) = value {
        sink.binary(bytes);
        return None;
    }
    let out = sink.buffer();
    match value {
        Term::Integer(number) => encode::integer(out, *number),
        Term::BigInteger(number) => encode::big_integer(out, number),
        Term::Float(number) => encode::float(out, *number),
        Term::Atom(text) => encode::atom(out, text),
        Term::Binary(bytes) => encode::binary(out, bytes),
        Term::BitString(bits) => {
            encode::tagged_u32(out, tag::BIT_BINARY, bits.bytes().len());
            out.push(bits.last_bits());
            out.extend_from_slice(bits.bytes());
        }
        Term::Tuple(elements) => {
            encode::tuple_header(out, elements.len());
            return Some(Open::Tuple(elements.iter()));
        }
        Term::List(list) => match list.terms() {
            None | Some([]) => byte_list(out, &list.as_bytes().unwrap_or_default()),
            Some(terms) if fits_string(terms) => {
                out.push(tag::STRING);
                encode::u16_of(out, terms.len());
                out.extend(terms.iter().filter_map(byte));
            }
            Some(terms) => {
                encode::list_header(out, terms.len());
                return Some(Open::List(terms.iter()));
            }
        },
        Term::ImproperList(list) => {
            encode::list_header(out, list.elements().len());
            return Some(Open::Tuple(list.cells.iter()));
        }
        Term::Map(map) => {
            encode::map_header(out, map.len());
            return Some(Open::Tuple(map.flat.iter()));
        }
        Term::Pid(own) => encode::pid(out, own),
        Term::Port(own) => encode::port(out, own),
        Term::Reference(own) => encode::reference(out, own),
        Term::Fun(fun) => {
            encode::tagged_u32(out, tag::NEW_FUN, fun.body().len() + 4);
            out.extend_from_slice(fun.body());
        }
        Term::Export(fun) => {
            out.push(tag::EXPORT);
            encode::atom(out, &fun.module);
            encode::atom(out, &fun.function);
            encode::integer(out, i64::from(fun.arity));
        }
        Term::Record(record) => {
            encode::tagged_u32(out, tag::RECORD, record.fields.len());
            out.push(u8::from(record.exported));
            encode::atom(out, &record.module);
            encode::atom(out, &record.name);
            record.fields.iter().for_each(|(name, _)| encode::atom(out, name));
            return Some(Open::Record(record.fields.iter()));
        }
    }
    None
}

/// A list of bytes, as a short string where the format allows that.
fn byte_list(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        0 => encode::nil(out),
        length @ 1..=65_535 => {
            out.push(tag::STRING);
            encode::u16_of(out, length);
            out.extend_from_slice(bytes);
        }
        length => {
            encode::list_header(out, length);
            out.extend(bytes.iter().flat_map(|byte| [tag::SMALL_INTEGER, *byte]));
            encode::nil(out);
        }
    }
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
