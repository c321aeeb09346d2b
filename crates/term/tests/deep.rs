//! Terms that nest 200 000 levels deep, in each way there is, on a thread with a small stack: nothing that the crate does with a
//! term may call itself for each level, and nothing may take time with the square of them.

use std::hash::{BuildHasher, RandomState};

use beamline_term::codec::{Decoder, Rope};
use beamline_term::print::Erlang;
use beamline_term::{Inspect, Limits, Map, Term, Tuple, serde};
use bytes::Bytes;

const LEVELS: usize = 200_000;
/// Without optimization each call takes more of it.
const STACK: usize = if cfg!(debug_assertions) { 512 << 10 } else { 256 << 10 };

/// Runs on a thread with a small stack.
fn with_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

type Wrap = fn(Term) -> Term;

/// The ways in which a term may hold another. Two keys make that they have to be put in order.
const WRAPS: [(&str, Wrap); 9] = [
    ("tuples", |inner| Term::tuple([inner])),
    ("lists", |inner| Term::list([inner])),
    ("lists of two", |inner| Term::list([inner, Term::nil()])),
    ("elements of improper lists", |inner| Term::improper([inner], 1.into())),
    ("improper tails", |inner| Term::improper([1.into()], Term::tuple([inner]))),
    ("values", |inner| Term::map([(1.into(), inner), (2.into(), Term::nil())])),
    ("keys", |inner| Term::map([(inner, 1.into())])),
    ("keys beside keys", |inner| {
        Term::map([
            (Term::map([(Term::tuple([1.into()]), 1.into()), (1.into(), 1.into())]), 3.into()),
            (inner, 1.into()),
        ])
    }),
    ("records", record),
];

/// A record has no constructor, since only nodes of OTP 29 define them.
fn record(inner: Term) -> Term {
    let mut record = match Term::decode(&Bytes::from_static(&[
        131, 67, 0, 0, 0, 1, 1, 119, 1, 109, 119, 1, 114, 119, 1, 102, 106,
    ])) {
        Ok(Term::Record(record)) => record,
        other => panic!("a record: {other:?}"),
    };
    record.fields[0].1 = inner;
    Term::Record(record)
}

fn nested(wrap: Wrap, innermost: i64) -> Term {
    (0..LEVELS).fold(Term::from(innermost), |inner, _| wrap(inner))
}

/// Every operation on a term, on two that are equal, and on two of which only the innermost differ.
fn all_operations(name: &str, wrap: Wrap) {
    let (one, greater) = (nested(wrap, 300), nested(wrap, 301));
    let copy = one.clone();
    assert!(copy == one && one != greater, "{name}: equality");
    assert!(one.cmp(&copy).is_eq() && one.cmp(&greater).is_lt() && greater.cmp(&one).is_gt(), "{name}: order");
    assert!(one.loosely_equals(&copy) && !one.loosely_equals(&greater), "{name}: loose equality");
    let state = RandomState::new();
    assert_eq!(state.hash_one(&one), state.hash_one(&copy), "{name}: hash");
    assert_ne!(state.hash_one(&one), state.hash_one(&greater), "{name}: hash");
    let bytes = Bytes::from(one.encode());
    let mut rope = Rope::new();
    rope.term(&one);
    assert!(rope.into_pieces().concat() == bytes[1..], "{name}: pieces");
    let limits = Limits::default().with_depth(u32::MAX);
    let mut decoder = Decoder::with_limits(&bytes, limits);
    decoder.version().expect("a version");
    assert!(decoder.term().is_ok_and(|term| term == one), "{name}: decoding");
    let mut decoder = Decoder::with_limits(&bytes, limits);
    decoder.version().expect("a version");
    assert!(serde::read::<Term>(&mut decoder).is_ok_and(|term| term == one), "{name}: serde");
    assert!(serde::to_bytes(&one).is_ok_and(|written| written == bytes), "{name}: serde");
    // What has no form there is a text.
    assert!(serde_json::to_string(&one).map_or(true, |json| json.contains("...")), "{name}: another format of serde");
    let mut decoder = Decoder::new(&bytes);
    decoder.version().expect("a version");
    assert_eq!(decoder.skip().map(|bytes| bytes.len()), Ok(bytes.len() - 1), "{name}: skipping");
    assert!(Term::decode(&bytes).is_err(), "{name}: the limit");
    assert!(serde::from_term::<Term>(&one).is_err(), "{name}: the limit");
    for text in [
        one.to_string(),
        format!("{one:#?}"),
        Inspect::new(&one).limit(usize::MAX).to_string(),
        Inspect::new(&one).limit(usize::MAX).width(40).to_string(),
        Erlang::new(&one).to_string(),
        Erlang::raw(&one).width(40).to_string(),
    ] {
        assert!(text.contains("..."), "{name}: {text}");
    }
    match (one, copy) {
        (Term::Tuple(one), Term::Tuple(two)) => {
            let copy: Tuple = one.clone();
            assert!(copy == two);
        }
        (Term::Map(one), Term::Map(two)) => {
            let copy: Map = one.clone();
            assert!(copy == two);
        }
        _ => {}
    }
}

#[test]
fn long_nothing_follows_the_levels_by_recursion() {
    for (name, wrap) in WRAPS {
        println!("{name}");
        with_small_stack(move || all_operations(name, wrap));
    }
}

#[test]
fn nor_where_they_are_mixed() {
    with_small_stack(|| {
        let mixed = |innermost: i64| {
            (0..LEVELS).fold(Term::from(innermost), |inner, level| WRAPS[level % WRAPS.len()].1(inner))
        };
        let (one, two) = (mixed(1), mixed(2));
        assert!(one.clone() == one && one != two && one < two);
        let bytes = Bytes::from(one.encode());
        let mut decoder = Decoder::with_limits(&bytes, Limits::default().with_depth(u32::MAX));
        decoder.version().expect("a version");
        assert!(decoder.term().is_ok_and(|term| term == one));
    });
}

#[test]
fn a_list_beside_an_improper_one_takes_no_stack_either() {
    with_small_stack(|| {
        let one = (0..LEVELS).fold(Term::from(1), |inner, _| Term::list([inner, 1.into()]));
        let two = (0..LEVELS).fold(Term::from(2), |inner, _| Term::improper([inner], 1.into()));
        assert!(one.cmp(&two).is_lt() && two.cmp(&one).is_gt() && !one.loosely_equals(&two));
    });
}

#[test]
fn what_is_cut_off_is_freed() {
    with_small_stack(|| {
        for (_, wrap) in WRAPS {
            let bytes = Bytes::from(nested(wrap, 1).encode());
            let half = bytes.slice(..bytes.len() / 2);
            let mut decoder = Decoder::with_limits(&half, Limits::default().with_depth(u32::MAX));
            decoder.version().expect("a version");
            assert!(decoder.term().is_err());
        }
    });
}
