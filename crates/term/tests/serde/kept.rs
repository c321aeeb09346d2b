//! Where serde keeps a part of the input for later (`flatten`, untagged and internally tagged enums), and other formats.

use std::collections::BTreeMap;

use beamline_term::serde::{from_term, to_term};
use beamline_term::{
    Atom, BigInt, Binary, BitString, Creation, ExportFun, Map, Pid, Port, Reference, Term, Tuple, atom, term,
};
use serde::{Deserialize, Serialize};

use crate::common::{is, read, round_trip};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<Atom, Term>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct FlatStruct {
    id: i64,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    Text { body: String, from: Pid, extra: Term },
    Numbers { list: Vec<i64>, pair: (i64, f64), maybe: Option<Box<Message>> },
    Ping,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Loose {
    Number(i64),
    Text(String),
    Pid(Pid),
    Pair(i64, String),
    Named { name: String },
    Any(Term),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    One(Term),
    Two(i64, Reference),
}

fn pid() -> Pid {
    Pid::new(atom("a@b"), 1, 0, Creation::new(5))
}

/// Terms of every kind that keeps its nature. Only tuples do not: see below.
fn kinds() -> Vec<Term> {
    let origin = pid().origin().clone();
    vec![
        term!(:ok),
        term!(true),
        term!(nil),
        term!(:undefined),
        term!("text"),
        Term::from(&[255_u8, 0][..]),
        term!(-5),
        u64::MAX.into(),
        BigInt::from(u128::MAX).into(),
        Term::from(BigInt::from(i128::MIN) * 1000),
        term!(1.5),
        pid().into(),
        Port::at(&origin, 7).into(),
        Reference::at(&origin, &[1, 2, 3]).expect("3 words").into(),
        ExportFun { module: atom("m"), function: atom("f"), arity: 1 }.into(),
        BitString::new(Binary::from(&[160_u8][..]), 3).expect("3 bits").into(),
        Term::charlist("abc"),
        term!([]),
        term!([1, :a, "b", [%{1 => :c, "d" => 2.5, nil => :e}]]),
        term!([:alias | (pid())]),
        term!(%{}),
        term!(%{__struct__: :"Elixir.Date", day: 1}),
    ]
}

#[test]
fn a_term_survives_being_kept() {
    for term in kinds() {
        let flat = Flat { name: "x".into(), rest: BTreeMap::from([(atom("k"), term.clone())]) };
        round_trip(&flat);
        round_trip(&FlatStruct { id: 1, flat });
        round_trip(&Message::Text { body: "b".into(), from: pid(), extra: term.clone() });
        round_trip(&Adjacent::One(term.clone()));
        if term.as_i64().is_none() && term.as_str().is_none() && !matches!(term, Term::Pid(_)) && !term.is_atom("ok") {
            assert_eq!(read::<Loose>(term.clone()).unwrap(), Loose::Any(term));
        }
    }
}

#[test]
fn a_tuple_that_is_kept_becomes_a_list() {
    let flat: Flat = read(term!(%{name: "x", at: {1, {:a, "b"}}})).unwrap();
    assert_eq!(flat.rest[&atom("at")], term!([1, [:a, "b"]]));
    // A field that asks for a tuple gets one.
    assert!(read::<Message>(term!(%{type: :numbers, list: [1], pair: {1, 2.0}})).is_ok());
}

#[test]
fn enums_of_every_representation() {
    let text = Message::Text { body: "b".into(), from: pid(), extra: term!(:x) };
    is(&text, "%{body: \"b\", extra: :x, from: #PID<a@b.1.0>, type: \"text\"}");
    let inner = Some(Box::new(Message::Ping));
    round_trip(&Message::Numbers { list: vec![1, -2], pair: (1, 2.5), maybe: inner });
    is(&Message::Ping, "%{type: \"ping\"}");
    // The tag may be an atom, and stand anywhere; keys may be texts.
    assert_eq!(read::<Message>(term!(%{type: :ping})).unwrap(), Message::Ping);
    let texts = term!(%{"list" => [3], "maybe" => :undefined, "pair" => {1, 2}, "type" => :numbers});
    assert_eq!(read::<Message>(texts).unwrap(), Message::Numbers { list: vec![3], pair: (1, 2.0), maybe: None });
    is(&Adjacent::Two(1, Reference::at(pid().origin(), &[1]).unwrap()), "%{c: {1, #Reference<a@b.1>}, t: :Two}");
    for (loose, printed) in [
        (Loose::Number(5), "5"),
        (Loose::Text("t".into()), "\"t\""),
        (Loose::Pid(pid()), "#PID<a@b.1.0>"),
        (Loose::Pair(1, "a".into()), "{1, \"a\"}"),
        (Loose::Named { name: "n".into() }, "%{name: \"n\"}"),
        (Loose::Any(term!(1.5)), "1.5"),
    ] {
        is(&loose, printed);
    }
}

#[test]
fn structs_that_are_kept_are_written_whole() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Inner {
        Wide { any: Term, pid: Pid },
    }
    #[derive(Serialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Outer {
        Held(Inner),
    }
    // serde keeps the inner variant before it writes it.
    let term = to_term(&Outer::Held(Inner::Wide { any: term!({:a, "b"}), pid: pid() })).unwrap();
    assert_eq!(term.to_string(), "%{\"Wide\" => %{any: {:a, \"b\"}, pid: #PID<a@b.1.0>}, \"kind\" => \"Held\"}");
}

#[test]
fn a_term_in_json() {
    let term = term!(%{:ok => [1, 2.5, nil, true], "text" => {:a, :"b c"}, 5 => %{}, {1} => (pid())});
    let json: serde_json::Value = serde_json::to_value(&term).unwrap();
    let expected = serde_json::json!({
        "ok": [1, 2.5, null, true], "text": ["a", "b c"], "5": {}, "{1}": "#PID<a@b.1.0>"
    });
    assert_eq!(json, expected);
    let text = r#"{"a": [1, -2, 2.5, null, true, "x\ny"], "big": 18446744073709551615}"#;
    let term: Term = serde_json::from_str(text).unwrap();
    assert_eq!(term, term!(%{"a" => [1, -2, 2.5, nil, true, "x\ny"], "big" => (u64::MAX)}));
    assert_eq!(serde_json::to_string(&atom("ok")).unwrap(), "\"ok\"");
    assert_eq!(serde_json::from_str::<Atom>("\"o\\u006b\"").unwrap(), atom("ok"));
    assert_eq!(serde_json::from_str::<Binary>("\"ok\"").unwrap(), Binary::from("ok"));
    assert!(serde_json::from_str::<Pid>("\"ok\"").is_err());
    assert_eq!(serde_json::to_value(Map::new([(term!(:a), term!(1))])).unwrap(), serde_json::json!({"a": 1}));
    assert_eq!(serde_json::to_value(Tuple::new([term!(:a)])).unwrap(), serde_json::json!(["a"]));
}

#[test]
fn any_term_as_json() {
    let term = term!(%{name: "x", list: [1, :b, 2.5], at: {1, nil}});
    let json = from_term::<serde_json::Value>(&term).unwrap();
    assert_eq!(json, serde_json::json!({"name": "x", "list": [1, "b", 2.5], "at": [1, null]}));
    assert_eq!(
        to_term(&json).unwrap().to_string(),
        "%{\"at\" => [1, nil], \"list\" => [1, \"b\", 2.5], \"name\" => \"x\"}"
    );
    assert!(from_term::<serde_json::Value>(&pid().into()).is_err());
}
