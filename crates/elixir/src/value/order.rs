//! Equality, and Erlang's order of all terms. What is compared is bounded in depth, so recursion is.

use std::cmp::Ordering;
use std::sync::Arc;

use beamline_term::Term;

use super::convert::scalar;
use super::{Data, Value};

/// As `===` and the order of keys have it: `1` and `1.0` differ.
pub(crate) fn compare(one: &Value, two: &Value) -> Ordering {
    values(one, two, Numbers::Exact)
}

/// As `==` and `<` have it: `1` and `1.0` are the same.
pub(crate) fn compare_loosely(one: &Value, two: &Value) -> Ordering {
    values(one, two, Numbers::Loose)
}

/// The order of the keys in a map: integers before floats.
pub(super) fn compare_keys(one: &Value, two: &Value) -> Ordering {
    values(one, two, Numbers::Keys)
}

#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Exact,
    Loose,
    Keys,
}

fn rank(value: &Value) -> u8 {
    match &value.0 {
        Data::Integer(_) | Data::Big(_) | Data::Float(_) => 0,
        Data::Atom(_) => 1,
        Data::Other(term) => match term.as_ref() {
            Term::Reference(_) => 2,
            Term::Port(_) => 4,
            Term::Pid(_) => 5,
            Term::Record(_) => 6,
            _ => 3,
        },
        Data::Closure(_) | Data::Export(_) => 3,
        Data::Tuple(_) => 7,
        Data::Map(_) => 8,
        Data::List(list) if list.is_empty() => 9,
        Data::List(_) => 10,
        Data::Binary(_) | Data::Bits(_) => 11,
    }
}

fn values(one: &Value, two: &Value, numbers: Numbers) -> Ordering {
    let by_rank = rank(one).cmp(&rank(two));
    if by_rank != Ordering::Equal {
        return by_rank;
    }
    match (&one.0, &two.0) {
        (Data::Integer(one), Data::Integer(two)) => one.cmp(two),
        (Data::Atom(one), Data::Atom(two)) => one.cmp(two),
        (Data::Binary(one), Data::Binary(two)) => one.binary.as_ref().cmp(two.binary.as_ref()),
        (Data::Tuple(one), Data::Tuple(two)) => {
            if Arc::ptr_eq(one, two) {
                return Ordering::Equal;
            }
            let lengths = one.items.len().cmp(&two.items.len());
            lengths.then_with(|| sequence(one.items.iter().zip(&two.items), numbers))
        }
        (Data::List(one), Data::List(two)) => {
            if one.is_same(two) {
                return Ordering::Equal;
            }
            let (mut left, mut right) = (one.iter(), two.iter());
            loop {
                let order = match (left.next(), right.next()) {
                    (Some(one), Some(two)) => values(one, two, numbers),
                    (None, None) => {
                        return match (left.tail(), right.tail()) {
                            (None, None) => Ordering::Equal,
                            (Some(one), Some(two)) => values(one, two, numbers),
                            (Some(one), None) => rank(one).cmp(&9),
                            (None, Some(two)) => 9.cmp(&rank(two)),
                        };
                    }
                    // A list goes on where the other ends in something else.
                    (Some(_), None) => return 10.cmp(&left_rank(right.tail())),
                    (None, Some(_)) => return left_rank(left.tail()).cmp(&10),
                };
                if order != Ordering::Equal {
                    return order;
                }
            }
        }
        (Data::Map(one), Data::Map(two)) => {
            if one.is_same(two) {
                return Ordering::Equal;
            }
            let (one, two) = (one.pairs(), two.pairs());
            let pairs = || one.iter().zip(two);
            one.len()
                .cmp(&two.len())
                .then_with(|| sequence(pairs().map(|(one, two)| (&one.0, &two.0)), Numbers::Keys))
                .then_with(|| sequence(pairs().map(|(one, two)| (&one.1, &two.1)), numbers))
        }
        (Data::Closure(one), Data::Closure(two)) => {
            if Arc::ptr_eq(one, two) {
                return Ordering::Equal;
            }
            let code = |closure: &super::Closure| Arc::as_ptr(&closure.code) as usize;
            code(one).cmp(&code(two)).then_with(|| sequence(one.captured.iter().zip(&two.captured), numbers))
        }
        (Data::Closure(_), _) => Ordering::Less,
        (_, Data::Closure(_)) => Ordering::Greater,
        _ => scalars(one, two, numbers),
    }
}

fn left_rank(tail: Option<&Value>) -> u8 {
    tail.map_or(9, rank)
}

fn sequence<'a>(mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>, numbers: Numbers) -> Ordering {
    pairs
        .find_map(|(one, two)| Some(values(one, two, numbers)).filter(|order| order.is_ne()))
        .unwrap_or(Ordering::Equal)
}

/// What holds no other values is compared as the terms that it is.
fn scalars(one: &Value, two: &Value, numbers: Numbers) -> Ordering {
    let is_float = |value: &Value| matches!(value.0, Data::Float(_));
    if numbers == Numbers::Keys && is_float(one) != is_float(two) {
        return is_float(one).cmp(&is_float(two));
    }
    let loosely = scalar(one).loosely_compare(&scalar(two));
    match numbers {
        Numbers::Loose => loosely,
        _ => loosely.then_with(|| is_float(one).cmp(&is_float(two))),
    }
}
