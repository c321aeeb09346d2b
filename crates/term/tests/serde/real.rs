//! Real Elixir takes what is written for its own, and what it writes is read: `values.exs` has the same table as this.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::process::{Command, Stdio};

use beamline_term::elixir::{Date, DateTime, MapSet, Microsecond, NaiveDateTime, Range, Time};
use beamline_term::serde::{from_bytes, to_bytes};
use beamline_term::{Atom, Term, atom, term};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "%MyApp.User")]
struct User {
    name: String,
    age: u8,
    tags: Vec<Atom>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "%MyApp.Gone{__exception__: true}")]
struct Gone {
    message: String,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Listen {
    port: u16,
    up: bool,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Keyword<T: Serialize + DeserializeOwned>(#[serde(with = "beamline_term::serde::keyword")] T);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Charlist(#[serde(with = "beamline_term::serde::charlist")] String);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Circle(f64),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Plain {
    id: i64,
    text: String,
    #[serde(with = "beamline_term::serde::bytes")]
    bytes: Vec<u8>,
    list: Vec<u8>,
    none: Option<i64>,
    #[serde(with = "beamline_term::serde::undefined")]
    undefined: Option<i64>,
    #[serde(with = "beamline_term::serde::atom")]
    atom: String,
    pair: (i64, String),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Rest {
    name: String,
    #[serde(rename = "$rest")]
    rest: BTreeMap<Atom, Term>,
}

/// A value that is written for Elixir, and a check of what Elixir writes for the same.
struct Row {
    name: &'static str,
    written: Vec<u8>,
    check: Box<dyn Fn(&Bytes)>,
}

fn row<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(name: &'static str, value: T) -> Row {
    let written = to_bytes(&value).expect("it can be written");
    let check = move |bytes: &Bytes| {
        let read = from_bytes::<T>(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, value, "{name}");
    };
    Row { name, written, check: Box::new(check) }
}

fn rows() -> Vec<Row> {
    let leap_day = Date::new(2024, 2, 29).expect("a date");
    let noon = Time::new(12, 30, 0).expect("a time");
    let fraction = |value, precision| Microsecond::new(value, precision).expect("a fraction of a second");
    let summer = NaiveDateTime {
        date: Date::new(2024, 7, 1).expect("a date"),
        time: Time::new(12, 0, 0).expect("a time").with_microsecond(fraction(500_000, 1)),
    };
    let berlin = DateTime {
        local: summer,
        time_zone: "Europe/Berlin".into(),
        zone_abbr: "CEST".into(),
        utc_offset: 3600,
        std_offset: 3600,
    };
    let plain = Plain {
        id: 1,
        text: "é".into(),
        bytes: vec![0, 255],
        list: vec![0, 255],
        none: None,
        undefined: None,
        atom: "ok".into(),
        pair: (1, "x".into()),
    };
    let integers = [0, -1, 255, 256, -2_147_483_649, i64::MAX.into(), u64::MAX.into(), i128::MAX];
    vec![
        row("date", leap_day),
        row("early", Date::new(-44, 3, 15).expect("a date")),
        row("time", Time::new(23, 59, 59).expect("a time").with_microsecond(fraction(120_000, 3))),
        row("naive", NaiveDateTime { date: leap_day, time: noon.with_microsecond(fraction(1, 6)) }),
        row("utc", DateTime::utc(NaiveDateTime { date: leap_day, time: noon })),
        row("berlin", berlin),
        row("range", Range::from(1..=10)),
        row("steps", Range::new(10, 1, -3).expect("a range")),
        row("set", MapSet::from_iter([1, 2, 3])),
        row("user", User { name: "Zoë".into(), age: 36, tags: vec![atom("a")] }),
        row("gone", Gone { message: "away".into() }),
        row(
            "keyword",
            Keyword(vec![(atom("port"), term!(4369)), (atom("up"), term!(true)), (atom("a b"), term!(nil))]),
        ),
        row("options", Keyword(Listen { port: 1, up: false })),
        row("charlist", Charlist("hé日".into())),
        row("variant", Shape::Circle(2.5)),
        row("plain", plain),
        row("integers", integers.to_vec()),
        row(
            "rest",
            Rest { name: "x".into(), rest: [(atom("at"), term!({1, 2})), (atom("other"), term!([:a | :b]))].into() },
        ),
    ]
}

/// Says that the test did not run, and where the list of such tests is made.
fn skip(test: &str, needs: &str) {
    use std::io::Write;
    let line = format!("skipped: {test}: needs {needs}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os("BEAMLINE_SKIP_LOG") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the skip log can be written");
    }
}

/// Compares the tables with the Elixir that this command starts.
fn compare(test: &str, needs: &str, mut elixir: Command) {
    let rows = rows();
    elixir.args(["-e", include_str!("values.exs"), "--"]);
    elixir.args(rows.iter().flat_map(|row| [row.name.to_owned(), data_encoding::BASE64.encode(&row.written)]));
    elixir.env("HOME", "/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    let Ok(output) = elixir.output() else {
        return skip(test, needs);
    };
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() && (errors.contains("No such file") || errors.contains("not permitted")) {
        return skip(test, needs);
    }
    let mut answers = 0;
    for line in text.lines() {
        match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
            ["ok", name, bytes] => {
                let row = rows.iter().find(|row| row.name == name).expect("a name that was sent");
                (row.check)(&data_encoding::BASE64.decode(bytes.as_bytes()).expect("Base64").into());
                answers += 1;
            }
            _ => panic!("{line}"),
        }
    }
    assert_eq!(answers, rows.len(), "{text}\n{errors}");
}

fn in_tree(tree: &str) -> Command {
    // Not on every user's PATH, and of use to root only anyway.
    let mut command = Command::new("/usr/sbin/chroot");
    command.arg(tree).arg("elixir");
    command
}

#[test]
fn elixir_on_the_path() {
    compare("real::elixir_on_the_path", "elixir", Command::new("elixir"));
}

#[test]
fn otp27_with_its_elixir() {
    let needs = "otp27 (the tree of `cargo xtask tools`, entered by chroot as root)";
    compare("real::otp27_with_its_elixir", needs, in_tree("/var/cache/beamline/trixie"));
}

#[test]
fn otp29_with_its_elixir() {
    let needs = "otp29 (the tree of `cargo xtask tools`, entered by chroot as root)";
    compare("real::otp29_with_its_elixir", needs, in_tree("/var/cache/beamline/sid"));
}
