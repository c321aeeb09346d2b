//! What is said when another term stands there than was asked for.

use serde::de::Visitor;

use crate::codec::{Decoder, tag};
use crate::serde::error::Error;
use crate::serde::passing;

/// What the visitor expects, in words that fit a term.
pub(super) struct Wanted<'a, V>(pub(super) &'a V);

impl<'de, V: Visitor<'de>> std::fmt::Display for Wanted<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }
}

/// How much of a term is read again to say what it is.
const SHOWN: usize = 4096;

#[cold]
pub(super) fn wrong(decoder: &Decoder<'_>, expected: impl std::fmt::Display) -> Error {
    let place = decoder.position();
    Error::mismatch(expected, found(&mut decoder.revisit(place))).located(place)
}

/// What stands there, for a person.
fn found(ahead: &mut Decoder<'_>) -> String {
    let place = ahead.position();
    let is_short = ahead.skip().is_ok_and(|bytes| bytes.len() <= SHOWN);
    if is_short && let Ok(term) = ahead.revisit(place).term() {
        return passing::describe(&term);
    }
    match ahead.revisit(place).peek_tag() {
        Ok(tag::BINARY) => "a long binary".to_owned(),
        Ok(tag::LIST | tag::STRING) => "a long list".to_owned(),
        Ok(tag::SMALL_TUPLE | tag::LARGE_TUPLE) => "a large tuple".to_owned(),
        Ok(tag::MAP) => "a large map".to_owned(),
        Ok(tag::COMPRESSED) => "a compressed term, which only Term::decode can read".to_owned(),
        Ok(tag) => format!("the tag {tag}"),
        Err(error) => error.to_string(),
    }
}
