//! Erlang's `=:=` and the hash that goes with it, without recursion over what is nested.

use std::hash::{Hash, Hasher};

use crate::order::sorted;
use crate::{List, Map, Term};

/// What is still to be compared: two slices of the same length.
type Waiting<'a> = Vec<(&'a [Term], &'a [Term])>;

/// Whether two terms are identical.
pub(crate) fn terms(one: &Term, two: &Term) -> bool {
    slices(std::slice::from_ref(one), std::slice::from_ref(two))
}

/// Whether two slices hold identical terms.
pub(crate) fn slices(one: &[Term], two: &[Term]) -> bool {
    let mut waiting = Waiting::new();
    let (mut one, mut two) = (one, two);
    loop {
        if one.len() != two.len() || !one.iter().zip(two).all(|(one, two)| step(one, two, &mut waiting)) {
            return false;
        }
        match waiting.pop() {
            Some(next) => (one, two) = next,
            None => return true,
        }
    }
}

/// Compares two terms as far as that goes without looking into them, and leaves the rest to `waiting`.
fn step<'a>(one: &'a Term, two: &'a Term, waiting: &mut Waiting<'a>) -> bool {
    match (one, two) {
        (Term::Integer(one), Term::Integer(two)) => one == two,
        (Term::BigInteger(one), Term::BigInteger(two)) => one == two,
        (Term::Float(one), Term::Float(two)) => one.to_bits() == two.to_bits(),
        (Term::Atom(one), Term::Atom(two)) => one == two,
        (Term::Binary(one), Term::Binary(two)) => one == two,
        (Term::BitString(one), Term::BitString(two)) => one == two,
        (Term::Pid(one), Term::Pid(two)) => one == two,
        (Term::Port(one), Term::Port(two)) => one == two,
        (Term::Reference(one), Term::Reference(two)) => one == two,
        (Term::Fun(one), Term::Fun(two)) => one == two,
        (Term::Export(one), Term::Export(two)) => one == two,
        (Term::Tuple(one), Term::Tuple(two)) => {
            waiting.push((one, two));
            true
        }
        (Term::List(one), Term::List(two)) => match (one.terms(), two.terms()) {
            (Some(one), Some(two)) => {
                waiting.push((one, two));
                true
            }
            (None, None) => one.as_bytes() == two.as_bytes(),
            // One of them is kept as bytes, so equal lists hold nothing but small integers.
            _ => one.len() == two.len() && one.as_bytes() == two.as_bytes(),
        },
        (Term::ImproperList(one), Term::ImproperList(two)) => {
            waiting.push((one.elements(), two.elements()));
            waiting.push((std::slice::from_ref(one.tail()), std::slice::from_ref(two.tail())));
            true
        }
        (Term::Map(one), Term::Map(two)) => maps(one, two, waiting),
        (Term::Record(one), Term::Record(two)) => {
            let heads = (one.exported, &one.module, &one.name) == (two.exported, &two.module, &two.name);
            heads
                && one.fields.len() == two.fields.len()
                && one.fields.iter().zip(&two.fields).all(|((one_name, one), (two_name, two))| {
                    waiting.push((std::slice::from_ref(one), std::slice::from_ref(two)));
                    one_name == two_name
                })
        }
        _ => false,
    }
}

/// Whether two maps hold identical pairs.
pub(crate) fn maps_alone(one: &Map, two: &Map) -> bool {
    let mut waiting = Waiting::new();
    maps(one, two, &mut waiting) && waiting.into_iter().all(|(one, two)| slices(one, two))
}

/// Maps mostly come with their keys in the same order; otherwise they are put into the same. Keys that hold other terms always
/// stand in order.
fn maps<'a>(one: &'a Map, two: &'a Map, waiting: &mut Waiting<'a>) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let is_same = |(one, two): (&[Term; 2], &[Term; 2])| leaves(&one[0], &two[0]);
    if one.keys_nest() || one.pairs().iter().zip(two.pairs()).all(is_same) {
        waiting.push((&one.flat, &two.flat));
        return true;
    }
    sorted(one).into_iter().zip(sorted(two)).all(|(one, two)| {
        waiting.push((&one[1..], &two[1..]));
        leaves(&one[0], &two[0])
    })
}

/// Whether two terms are the same one that holds no others.
fn leaves(one: &Term, two: &Term) -> bool {
    let mut waiting = Waiting::new();
    step(one, two, &mut waiting) && waiting.iter().all(|(one, two)| one.is_empty() && two.is_empty())
}

/// Feeds a term to a hasher.
pub(crate) fn hash<H: Hasher>(term: &Term, state: &mut H) {
    let mut waiting = Vec::new();
    shallow(term, state, &mut waiting);
    while let Some(next) = waiting.pop() {
        shallow(next, state, &mut waiting);
    }
}

fn shallow<'a, H: Hasher>(term: &'a Term, state: &mut H, waiting: &mut Vec<&'a Term>) {
    std::mem::discriminant(term).hash(state);
    match term {
        Term::Integer(number) => number.hash(state),
        Term::BigInteger(number) => number.hash(state),
        Term::Float(number) => number.to_bits().hash(state),
        Term::Atom(atom) => atom.hash(state),
        Term::Binary(bytes) => bytes.hash(state),
        Term::BitString(bits) => bits.hash(state),
        Term::Pid(pid) => pid.hash(state),
        Term::Port(port) => port.hash(state),
        Term::Reference(reference) => reference.hash(state),
        Term::Fun(fun) => fun.hash(state),
        Term::Export(fun) => fun.hash(state),
        Term::Tuple(elements) => {
            state.write_usize(elements.len());
            waiting.extend(elements.iter());
        }
        Term::List(list) => hash_list(list, state, waiting),
        Term::ImproperList(list) => {
            state.write_usize(list.elements().len());
            waiting.extend(list.elements());
            waiting.push(list.tail());
        }
        Term::Map(map) => {
            // Equal maps may hold their pairs in different orders.
            state.write_usize(map.len());
            waiting.extend(sorted(map).into_iter().flatten());
        }
        Term::Record(record) => {
            record.name.hash(state);
            waiting.extend(record.fields.iter().map(|(_, value)| value));
        }
    }
}

/// The same for a list that is kept as bytes and for one that is not.
fn hash_list<'a, H: Hasher>(list: &'a List, state: &mut H, waiting: &mut Vec<&'a Term>) {
    state.write_usize(list.len());
    match (list.terms(), list.as_bytes()) {
        (_, Some(bytes)) => state.write(&bytes),
        (Some(terms), None) => waiting.extend(terms),
        (None, None) => {}
    }
}
