//! What each kind of type becomes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use beamline_term::serde::{Options, from_bytes, from_term, to_bytes, to_term};
use beamline_term::{Atom, BigInt, Binary, Creation, ExportFun, Pid, Reference, Term, atom, term};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::common::{is, read, round_trip};

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Empty,
    Circle(f64),
    Box { width: i64, height: Option<i64> },
    Pair(i64, String),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Meters(f64);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Point(i64, i64);

#[test]
fn values_and_their_terms() {
    is(&(1, -300, u64::MAX), "{1, -300, 18446744073709551615}");
    is(&(i128::MIN, u128::MAX), "{-170141183460469231731687303715884105728, 340282366920938463463374607431768211455}");
    is(&(i64::MIN, i64::MAX, i32::MIN, u8::MAX), "{-9223372036854775808, 9223372036854775807, -2147483648, 255}");
    is(&(2.5, 0.5_f32), "{2.5, 0.5}");
    is(&(true, false), "{true, false}");
    is(&('é', "é".to_owned()), "{233, \"é\"}");
    is(&vec!["a".to_owned(), "b".to_owned()], "[\"a\", \"b\"]");
    is(&Vec::<i64>::new(), "[]");
    is(&vec![1_u8, 2], "[1, 2]");
    is(&(Some(true), None::<bool>), "{true, nil}");
    is(&((), Unit), "{nil, nil}");
    is(&(Meters(1.5), Point(1, 2)), "{1.5, {1, 2}}");
    is(&BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]), "%{\"a\" => 1, \"b\" => 2}");
    is(&BTreeMap::from([(atom("a"), 1)]), "%{a: 1}");
    is(&HashMap::from([((1, 2), vec![3])]), "%{{1, 2} => [3]}");
    is(&Shape::Empty, ":empty");
    is(&Shape::Circle(2.5), "{:circle, 2.5}");
    is(&Shape::Pair(1, "x".into()), "{:pair, 1, \"x\"}");
    is(&Shape::Box { width: 1, height: None }, "{:box, %{height: nil, width: 1}}");
    is(&(atom("ok"), Term::list([1.into(), atom("x").into()])), "{:ok, [1, :x]}");
}

#[test]
fn the_bytes_are_these() {
    let bytes = |value: &dyn Fn() -> Vec<u8>| value();
    for (written, expected) in [
        (bytes(&|| to_bytes(&5).unwrap()), &b"\x83a\x05"[..]),
        (bytes(&|| to_bytes("ab").unwrap()), b"\x83m\0\0\0\x02ab"),
        (bytes(&|| to_bytes(&[1_u8, 2][..]).unwrap()), b"\x83l\0\0\0\x02a\x01a\x02j"),
        (bytes(&|| to_bytes(&serde_bytes::Bytes::new(&[1, 2])).unwrap()), b"\x83m\0\0\0\x02\x01\x02"),
        (bytes(&|| to_bytes(&Shape::Empty).unwrap()), b"\x83w\x05empty"),
        (bytes(&|| to_bytes(&Shape::Circle(1.0)).unwrap()), b"\x83h\x02w\x06circleF\x3f\xf0\0\0\0\0\0\0"),
        (
            bytes(&|| to_bytes(&User::new()).unwrap()),
            b"\x83t\0\0\0\x03w\x0a__struct__w\x11Elixir.MyApp.Userw\x04namem\0\0\0\x01xw\x03agea\x07",
        ),
        (
            bytes(&|| to_bytes(&Limits::new()).unwrap()),
            b"\x83t\0\0\0\x01w\x04listl\0\0\0\x02h\x02w\x04porta\x01h\x02w\x02upw\x04truej",
        ),
        (
            bytes(&|| to_bytes(&Texts::new()).unwrap()),
            b"\x83t\0\0\0\x03w\x04namew\x02okw\x04filek\0\x02a\xe9w\x04nonew\x09undefined",
        ),
    ] {
        assert_eq!(written, expected, "{}", String::from_utf8_lossy(&written));
    }
}

#[test]
fn what_is_read_besides() {
    assert_eq!(read::<String>(term!(:text)).unwrap(), "text");
    assert_eq!(read::<String>(Term::charlist("é日")).unwrap(), "é日");
    assert_eq!(read::<String>(Term::nil()).unwrap(), "");
    assert_eq!(read::<f64>(7).unwrap(), 7.0);
    assert_eq!(read::<f64>(u64::MAX).unwrap(), 18_446_744_073_709_551_615.0);
    assert_eq!(read::<char>("é").unwrap(), 'é');
    assert_eq!(read::<(i64, i64)>(term!([1, 2])).unwrap(), (1, 2));
    assert_eq!(read::<Vec<i64>>(term!({1, 2})).unwrap(), [1, 2]);
    assert_eq!(read::<Vec<Option<char>>>(Term::charlist("ab")).unwrap(), [Some('a'), Some('b')]);
    assert_eq!(read::<Vec<Term>>(Term::charlist("a")).unwrap(), [Term::from(97)]);
    assert_eq!(read::<Vec<f64>>(Term::charlist("a")).unwrap(), [97.0]);
    for nothing in [term!(nil), term!(:undefined)] {
        assert_eq!(read::<Option<i64>>(nothing.clone()).unwrap(), None);
        read::<()>(nothing.clone()).unwrap();
        read::<Unit>(nothing).unwrap();
    }
    for nothing in [Term::nil(), term!({})] {
        read::<()>(nothing).unwrap();
    }
    assert_eq!(read::<Option<Atom>>(term!(:x)).unwrap(), Some(atom("x")));
    for empty in [term!(:empty), term!("empty"), term!({:empty})] {
        assert_eq!(read::<Shape>(empty).unwrap(), Shape::Empty);
    }
    let wide = Shape::Box { width: 1, height: Some(2) };
    for fields in
        [term!(%{width: 1, height: 2}), term!(%{"width" => 1, "height" => 2}), term!([{:width, 1}, {:height, 2}])]
    {
        assert_eq!(read::<Shape>((atom("box"), fields)).unwrap(), wide);
    }
    assert_eq!(
        read::<serde_bytes::ByteBuf>(Term::list([300.into()])).unwrap_err().to_string(),
        "[0]: expected u8, found the integer 300 at byte 6"
    );
    assert_eq!(read::<serde_bytes::ByteBuf>(Term::charlist("ab")).unwrap(), "ab".as_bytes());
}

#[test]
fn keys_that_are_no_fields_are_passed_over() {
    let plain =
        term!(%{0 => "x", "other" => 1, {1, 2} => 3, width: 1, height: 2, 1 => "y", (Term::from(&[255_u8][..])) => 4});
    assert_eq!(read::<Shape>((atom("box"), plain)).unwrap(), Shape::Box { width: 1, height: Some(2) });
}

#[test]
fn texts_and_bytes_are_borrowed_from_the_input() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Borrowed<'a> {
        name: &'a str,
        #[serde(with = "beamline_term::serde::bytes")]
        data: &'a [u8],
        #[serde(borrow)]
        cow: Cow<'a, str>,
    }
    let value = Borrowed { name: "n", data: &[1, 255], cow: "c".into() };
    let bytes = Bytes::from(to_bytes(&value).unwrap());
    let read: Borrowed = from_bytes(&bytes).unwrap();
    assert_eq!(read, value);
    assert!(matches!(read.cow, Cow::Borrowed("c")));
    assert!(bytes.as_ptr_range().contains(&read.data.as_ptr()));
    assert_eq!(from_bytes::<(&str, i64)>(&to_bytes(&("add", 2)).unwrap().into()).unwrap(), ("add", 2));
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct ByteFields {
    #[serde(with = "beamline_term::serde::bytes")]
    vector: Vec<u8>,
    #[serde(with = "beamline_term::serde::bytes")]
    array: [u8; 3],
    #[serde(with = "beamline_term::serde::bytes")]
    shared: Bytes,
    #[serde(with = "beamline_term::serde::bytes")]
    maybe: Option<Box<[u8]>>,
    binary: Binary,
    list: Vec<u8>,
}

#[test]
fn byte_strings_are_binaries_where_asked() {
    let value = ByteFields {
        vector: vec![0, 255],
        array: [1, 2, 3],
        shared: Bytes::from(vec![7; 1000]),
        maybe: None,
        binary: vec![200; 100].into(),
        list: vec![1],
    };
    let bytes = round_trip(&value);
    let read: ByteFields = from_bytes(&bytes).unwrap();
    for place in [read.shared.as_ptr(), read.binary.as_ptr()] {
        assert!(bytes.as_ptr_range().contains(&place), "no copy");
    }
    let term = Term::decode(&bytes).unwrap();
    assert_eq!(term.as_map().unwrap().get_atom("list"), Some(&term!([1])));
    assert_eq!(term.as_map().unwrap().get_atom("maybe"), Some(&term!(nil)));
    assert_eq!(term.as_map().unwrap().get_atom("array"), Some(&Term::from(vec![1, 2, 3])));
    let shorter = ByteFields { maybe: Some([9].into()), ..value };
    round_trip(&shorter);
    let json = serde_json::to_string(&shorter).unwrap();
    assert_eq!(serde_json::from_str::<ByteFields>(&json).unwrap(), shorter);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Texts {
    #[serde(with = "beamline_term::serde::atom")]
    name: String,
    #[serde(with = "beamline_term::serde::charlist")]
    file: String,
    #[serde(with = "beamline_term::serde::undefined")]
    none: Option<i64>,
}

impl Texts {
    fn new() -> Texts {
        Texts { name: "ok".into(), file: "aé".into(), none: None }
    }
}

#[test]
fn fields_ask_for_other_forms() {
    is(&Texts::new(), "%{file: [97, 233], name: :ok, none: :undefined}");
    let other = Texts { name: "a b".into(), file: "日".into(), none: Some(1) };
    is(&other, "%{file: [26085], name: :\"a b\", none: 1}");
    is(&Texts { file: String::new(), ..other }, "%{file: [], name: :\"a b\", none: 1}");
    let json = serde_json::to_string(&Texts::new()).unwrap();
    assert_eq!(json, r#"{"name":"ok","file":"aé","none":null}"#);
    assert_eq!(serde_json::from_str::<Texts>(&json).unwrap(), Texts::new());

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Many {
        #[serde(with = "beamline_term::serde::atom")]
        names: Vec<String>,
        #[serde(with = "beamline_term::serde::charlist")]
        file: Option<String>,
    }
    is(&Many { names: vec!["a".into(), "b".into()], file: Some("x".into()) }, "%{file: ~c\"x\", names: [:a, :b]}");
}

#[test]
fn nothing_is_nil_or_undefined_by_choice() {
    let value = (None::<i64>, Some(1), vec![None::<bool>], BTreeMap::from([(1, None::<()>)]));
    assert_eq!(to_term(&value).unwrap().to_string(), "{nil, 1, [nil], %{1 => nil}}");
    let erlang = Options::new().undefined().to_term(&value).unwrap();
    assert_eq!(erlang.to_string(), "{:undefined, 1, [:undefined], %{1 => :undefined}}");
    assert_eq!(
        from_term::<(Option<i64>, Option<i64>, Vec<Option<bool>>, BTreeMap<i64, Option<()>>)>(&erlang).unwrap(),
        value
    );
    let shape = Options::new().undefined().to_term(&Shape::Box { width: 1, height: None }).unwrap();
    assert_eq!(shape.to_string(), "{:box, %{height: :undefined, width: 1}}");
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Default, Clone)]
#[serde(default)]
struct Listen {
    port: u16,
    up: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Limits {
    #[serde(with = "beamline_term::serde::keyword")]
    list: Listen,
}

impl Limits {
    fn new() -> Limits {
        Limits { list: Listen { port: 1, up: true, host: None } }
    }
}

#[test]
fn keyword_lists() {
    is(&Limits::new(), "%{list: [port: 1, up: true]}");

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Lists {
        #[serde(with = "beamline_term::serde::keyword")]
        map: BTreeMap<String, i64>,
        #[serde(with = "beamline_term::serde::keyword")]
        pairs: Vec<(Atom, Term)>,
        #[serde(with = "beamline_term::serde::keyword")]
        texts: Vec<(String, i64)>,
        #[serde(with = "beamline_term::serde::keyword")]
        maybe: Option<Listen>,
        #[serde(with = "beamline_term::serde::keyword")]
        atoms: HashMap<Atom, ()>,
    }
    let value = Lists {
        map: [("a".to_owned(), 1), ("b c".to_owned(), 2)].into(),
        pairs: vec![(atom("x"), term!({1, 2})), (atom("x"), term!(nil))],
        texts: vec![("k".into(), 1)],
        maybe: None,
        atoms: HashMap::new(),
    };
    is(&value, "%{atoms: [], map: [a: 1, \"b c\": 2], maybe: nil, pairs: [x: {1, 2}, x: nil], texts: [k: 1]}");
    is(
        &Lists { maybe: Some(Listen::default()), ..value },
        "%{atoms: [], map: [a: 1, \"b c\": 2], maybe: [port: 0, up: false], pairs: [x: {1, 2}, x: nil], texts: [k: 1]}",
    );

    // The first of two equal keys counts for a struct; a map is read too, with either kind of key.
    let twice = term!(%{list: [{:port, 1}, {:other, [1]}, {:up, true}, {:port, :no_port}]});
    assert_eq!(read::<Limits>(twice).unwrap(), Limits::new());
    assert_eq!(read::<Limits>(term!(%{list: %{"port" => 1, up: true}})).unwrap(), Limits::new());
    assert_eq!(read::<Limits>(term!(%{list: []})).unwrap().list, Listen::default());
    assert!(
        to_bytes(&Keys(BTreeMap::from([(1, 2)]))).unwrap_err().to_string().contains("keys of a keyword list are atoms")
    );
    assert!(to_bytes(&Keys(5)).is_err());
    assert_eq!(serde_json::to_string(&Limits::new()).unwrap(), r#"{"list":{"port":1,"up":true}}"#);
    assert_eq!(serde_json::from_str::<Limits>(r#"{"list":{"port":1,"up":true}}"#).unwrap(), Limits::new());
}

#[derive(Serialize)]
struct Keys<T: Serialize>(#[serde(with = "beamline_term::serde::keyword")] T);

#[test]
fn property_lists_have_bare_atoms() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Holder<T: Serialize + for<'a> Deserialize<'a>>(#[serde(with = "beamline_term::serde::proplist")] T);

    let listen = Listen { port: 1, up: true, host: None };
    let list = term!([:binary, :up, {:port, 1}, {:up, false}, "stray"]);
    let error = read::<Holder<Listen>>(list).unwrap_err();
    assert_eq!(error.to_string(), "[4]: expected a pair of a key and a value, found the binary \"stray\" at byte 41");
    let list = term!([:binary, :up, {:port, 1}, {:up, false}]);
    assert_eq!(read::<Holder<Listen>>(list.clone()).unwrap().0, listen);
    assert_eq!(
        read::<Holder<Vec<(Atom, Term)>>>(list.clone()).unwrap().0,
        [
            (atom("binary"), term!(true)),
            (atom("up"), term!(true)),
            (atom("port"), term!(1)),
            (atom("up"), term!(false))
        ]
    );
    assert_eq!(read::<Holder<Vec<Term>>>(list.clone()).unwrap().0, list.as_list().unwrap().to_vec());
    let map: BTreeMap<String, Option<Term>> = read::<Holder<_>>(term!([:a, {:b, 2}])).unwrap().0;
    assert_eq!(map, BTreeMap::from([("a".to_owned(), Some(term!(true))), ("b".to_owned(), Some(term!(2)))]));
    is(&Holder(listen), "[port: 1, up: true]");
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(rename = "%MyApp.User")]
struct User {
    name: String,
    age: u8,
}

impl User {
    fn new() -> User {
        User { name: "x".into(), age: 7 }
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "%MyApp.Gone{__exception__: true}")]
struct Gone {
    message: String,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "Elixir.MyApp.Empty", deny_unknown_fields)]
struct Empty {}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "%MyApp.Unit")]
struct UnitStruct;

#[test]
fn elixir_structs_by_name() {
    is(&User::new(), "%MyApp.User{age: 7, name: \"x\"}");
    is(&vec![Some(User::new()), None], "[%MyApp.User{age: 7, name: \"x\"}, nil]");
    is(&Gone { message: "m".into() }, "%MyApp.Gone{message: \"m\"}");
    let gone = to_term(&Gone { message: "m".into() }).unwrap();
    assert_eq!(gone, term!(%{__struct__: :"Elixir.MyApp.Gone", __exception__: true, message: "m"}));
    is(&Empty {}, "%MyApp.Empty{}");
    is(&UnitStruct, "%MyApp.Unit{}");

    let other = term!(%{__struct__: :"Elixir.MyApp.Other", name: "x", age: 7});
    let error = read::<Vec<User>>(Term::list([other])).unwrap_err();
    assert!(
        error.to_string().starts_with("[0]: expected the struct MyApp.User, found the struct MyApp.Other"),
        "{error}"
    );
    // A plain map is read too, as from Erlang, or from before the struct was.
    assert_eq!(read::<User>(term!(%{"name" => "x", age: 7})).unwrap(), User::new());
    // The module as a text, as from JSON.
    assert_eq!(read::<User>(term!(%{"__struct__" => "Elixir.MyApp.User", name: "x", age: 7})).unwrap(), User::new());
    // A plain type reads a struct.
    assert_eq!(read::<Listen>(term!(%{__struct__: :"Elixir.Any", port: 1, up: true})).unwrap().port, 1);
    assert!(read::<Empty>(term!(%{__struct__: :"Elixir.MyApp.Empty", x: 1})).is_err());
    assert!(read::<UnitStruct>(term!(%{__struct__: :"Elixir.MyApp.Other"})).is_err());
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Event {
    #[serde(rename = "%MyApp.Joined")]
    Joined { name: String },
    #[serde(rename = "%MyApp.User")]
    User(User),
    #[serde(rename = "%MyApp.Closed")]
    Closed,
    #[serde(rename = "tick")]
    Tick,
    #[serde(rename = "Elixir.MyApp.Module")]
    Module,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "__struct__")]
enum Tagged {
    #[serde(rename = "Elixir.MyApp.Joined")]
    Joined { name: String, at: (i64, i64) },
}

#[test]
fn elixir_structs_are_variants() {
    is(&Event::Joined { name: "x".into() }, "%MyApp.Joined{name: \"x\"}");
    is(&Event::User(User::new()), "%MyApp.User{age: 7, name: \"x\"}");
    is(&Event::Closed, "%MyApp.Closed{}");
    is(&Event::Tick, ":tick");
    is(&Event::Module, "MyApp.Module");
    is(&Tagged::Joined { name: "x".into(), at: (1, 2) }, "%MyApp.Joined{at: {1, 2}, name: \"x\"}");
    let error = read::<Event>(term!(%{a: 1, __struct__: :"Elixir.MyApp.Other"})).unwrap_err().to_string();
    assert!(error.contains("expected a struct of one of the modules that the variants name"), "{error}");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct WithRest {
    name: String,
    #[serde(rename = "$rest")]
    rest: BTreeMap<Atom, Term>,
}

#[test]
fn a_field_takes_the_rest() {
    let rest = BTreeMap::from([(atom("at"), term!({1, 2})), (atom("who"), pid().into()), (atom("s"), term!(:ok))]);
    is(&WithRest { name: "x".into(), rest }, "%{at: {1, 2}, name: \"x\", s: :ok, who: #PID<a@b.1.0>}");
    is(&WithRest { name: "x".into(), rest: BTreeMap::new() }, "%{name: \"x\"}");

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(rename = "%MyApp.Any")]
    struct AnyRest {
        #[serde(rename = "$rest")]
        rest: beamline_term::Map,
        last: i64,
    }
    let rest = beamline_term::Map::new([(term!({ 1 }), term!([1 | 2])), ("b".into(), 1.into())]);
    is(&AnyRest { rest, last: 1 }, "%{:__struct__ => MyApp.Any, :last => 1, {1} => [1 | 2], \"b\" => 1}");
    let error = read::<WithRest>(term!(%{name: "x", "text" => 1})).unwrap_err();
    assert_eq!(error.to_string(), "expected an atom, found the binary \"text\" at byte 18");
}

fn pid() -> Pid {
    Pid::new(atom("a@b"), 1, 0, Creation::new(5))
}

#[test]
fn terms_are_parts_of_types() {
    let reference = Reference::at(pid().origin(), &[1, 2, 3]).unwrap();
    let port = beamline_term::Port::at(pid().origin(), 7);
    let fun = ExportFun { module: atom("lists"), function: atom("map"), arity: 2 };
    round_trip(&(pid(), reference.clone(), port, fun, atom("é")));
    round_trip(&(Binary::from("x"), beamline_term::Tuple::new([term!(1)]), beamline_term::List::new([term!(:a)])));
    round_trip(&beamline_term::Map::new([(term!(1), term!({}))]));
    round_trip(&Some(Some(term!([1 | 2]))));
    assert_eq!(to_term(&term!(:ok)).unwrap(), term!(:ok));

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Big(#[serde(with = "beamline_term::serde::bigint")] BigInt);
    is(&Big(BigInt::from(5)), "5");
    is(&Big(BigInt::from(u128::MAX) * 10), "3402823669209384634633746074317682114550");
    assert_eq!(read::<Pid>(1).unwrap_err().to_string(), "expected a pid, found the integer 1 at byte 1");
    assert_eq!(
        read::<Reference>(pid()).unwrap_err().to_string(),
        "expected a reference, found the pid #PID<a@b.1.0> at byte 1"
    );
}
