//! Elixir's own data types: how they print, and what is refused.

use std::collections::{BTreeSet, HashSet};

use beamline_term::elixir::{Date, DateTime, MapSet, Microsecond, NaiveDateTime, Range, Time};
use beamline_term::term;
use serde::{Deserialize, Serialize};

use crate::common::{is, read, round_trip};

#[test]
fn each_is_the_struct_that_elixir_has() {
    let date = Date::new(2024, 2, 29).unwrap();
    let time = Time::new(12, 30, 0).unwrap().with_microsecond(Microsecond::new(123_000, 3).unwrap());
    let naive = NaiveDateTime { date, time };
    is(&date, "~D[2024-02-29]");
    is(&time, "~T[12:30:00.123]");
    is(&naive, "~N[2024-02-29 12:30:00.123]");
    is(&DateTime::utc(naive), "~U[2024-02-29 12:30:00.123Z]");
    let berlin = DateTime {
        utc_offset: 3600,
        zone_abbr: "CET".into(),
        time_zone: "Europe/Berlin".into(),
        ..DateTime::utc(naive)
    };
    is(&berlin, "#DateTime<2024-02-29 12:30:00.123+01:00 CET Europe/Berlin>");
    is(&Range::from(1..=10), "1..10");
    is(&Range::new(10, 1, -3).unwrap(), "10..1//-3");
    is(&MapSet::from_iter([1, 2]), "MapSet.new([1, 2])");
    is(&MapSet::<String>::default(), "MapSet.new([])");
}

#[test]
fn older_forms_are_read() {
    let old = term!(%{__struct__: :"Elixir.MapSet", map: %{1 => [], 2 => []}, version: 2});
    assert_eq!(read::<MapSet<i64>>(old.clone()).unwrap(), MapSet::from_iter([1, 2]));
    assert_eq!(HashSet::from(read::<MapSet<i64>>(old).unwrap()), HashSet::from([1, 2]));
    for (first, last, step) in [(1, 3, 1), (3, 1, -1), (1, 1, 1)] {
        let range = read::<Range>(term!(%{__struct__: :"Elixir.Range", first: first, last: last})).unwrap();
        assert_eq!(range, Range::new(first, last, step).unwrap());
    }
}

#[test]
fn what_is_no_such_value_is_refused() {
    let date = |month: i64, day: i64| term!(%{__struct__: :"Elixir.Date", calendar: :"Elixir.Calendar.ISO", year: 2023, month: month, day: day});
    assert!(read::<Date>(date(2, 28)).is_ok());
    let error = read::<Vec<Date>>(term!([(date(13, 1))])).unwrap_err().to_string();
    assert_eq!(error, "[0]: 2023-13-1 is no date of the years -9999 to 9999 at byte 6");
    assert!(read::<Date>(date(2, 29)).is_err());
    let error = read::<Date>(date(300, 1)).unwrap_err().to_string();
    assert!(error.starts_with(".month: expected u8, found the integer 300"), "{error}");
    let other = term!(%{__struct__: :"Elixir.Date", calendar: :"Elixir.Cal.Mars", year: 2023, month: 1, day: 1});
    assert!(read::<Date>(other).unwrap_err().to_string().contains("Cal.Mars is not known here"));
    let error = read::<Time>(date(1, 1)).unwrap_err().to_string();
    assert!(error.starts_with("expected the struct Time, found the struct Date at byte"), "{error}");
    let time = |hour: i64, micro: i64, precision: i64| term!(%{calendar: :"Elixir.Calendar.ISO", hour: hour, minute: 0, second: 0, microsecond: {micro, precision}});
    assert!(read::<Time>(time(23, 999_999, 6)).is_ok());
    for bad in [time(24, 0, 0), time(0, 1_000_000, 6), time(0, 0, 7)] {
        assert!(read::<Time>(bad).is_err());
    }
    assert!(read::<Range>(term!(%{first: 1, last: 2, step: 0})).is_err());
    assert!(read::<MapSet<i64>>(term!(%{__struct__: :"Elixir.MapSet", map: %{:a => []}})).is_err());
    assert!(read::<MapSet<i64>>(term!(%{__struct__: :"Elixir.MapSet"})).is_err());
}

#[test]
fn any_set_can_be_a_field() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Sets {
        #[serde(with = "beamline_term::elixir::map_set")]
        ordered: BTreeSet<String>,
        #[serde(with = "beamline_term::elixir::map_set")]
        hashed: HashSet<i64>,
        #[serde(with = "beamline_term::elixir::map_set")]
        list: Vec<(i64, bool)>,
    }
    let sets = Sets { ordered: ["a".to_owned()].into(), hashed: [5].into(), list: vec![(1, true)] };
    is(&sets, "%{hashed: MapSet.new([5]), list: MapSet.new([{1, true}]), ordered: MapSet.new([\"a\"])}");
}

#[test]
fn they_are_read_where_serde_keeps_them_first() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Event {
        Booked { at: DateTime, days: Range, tags: MapSet<String> },
    }
    let time = Time::new(1, 2, 3).unwrap();
    let at = DateTime::utc(NaiveDateTime { date: Date::new(1999, 12, 31).unwrap(), time });
    round_trip(&Event::Booked { at, days: Range::from(1..=3), tags: MapSet::from_iter(["x".to_owned()]) });
}
