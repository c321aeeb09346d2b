//! The structs of Elixir's own library that have a form of their own: ranges, dates and times, sets.

use std::fmt::Write;

use crate::{Map, Term};

/// The text of a struct that Elixir prints by a rule of its own, if its fields are as they should be.
pub(super) fn known(map: &Map) -> Option<String> {
    match map.struct_name()?.as_str() {
        "Elixir.Range" => range(map),
        "Elixir.Date" => Some(format!("~D[{}]", date(map)?)),
        "Elixir.Time" => Some(format!("~T[{}]", time(map)?)),
        "Elixir.NaiveDateTime" => Some(format!("~N[{} {}]", date(map)?, time(map)?)),
        "Elixir.DateTime" => date_time(map),
        _ => None,
    }
}

fn number(map: &Map, key: &str) -> Option<i64> {
    map.get_atom(key)?.as_i64()
}

fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get_atom(key)?.as_str()
}

fn range(map: &Map) -> Option<String> {
    let (first, last, step) = (number(map, "first")?, number(map, "last")?, number(map, "step")?);
    Some(if step == 1 { format!("{first}..{last}") } else { format!("{first}..{last}//{step}") })
}

/// `2024-02-29`; only Elixir's default calendar.
fn date(map: &Map) -> Option<String> {
    if !map.get_atom("calendar")?.is_atom("Elixir.Calendar.ISO") {
        return None;
    }
    let (year, month, day) = (number(map, "year")?, number(map, "month")?, number(map, "day")?);
    let sign = if year < 0 { "-" } else { "" };
    Some(format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs()))
}

/// `12:30:00.123`, with as many digits of the second as were given.
fn time(map: &Map) -> Option<String> {
    if !map.get_atom("calendar")?.is_atom("Elixir.Calendar.ISO") {
        return None;
    }
    let mut time = format!("{:02}:{:02}:{:02}", number(map, "hour")?, number(map, "minute")?, number(map, "second")?);
    match map.get_atom("microsecond")?.as_tuple()? {
        [_, Term::Integer(0)] => {}
        [Term::Integer(value @ 0..1_000_000), Term::Integer(precision @ 1..=6)] => {
            let digits = format!("{value:06}");
            write!(time, ".{}", digits.get(..usize::try_from(*precision).ok()?)?).ok()?;
        }
        _ => return None,
    }
    Some(time)
}

fn date_time(map: &Map) -> Option<String> {
    let (date, time) = (date(map)?, time(map)?);
    let offset = number(map, "utc_offset")?.checked_add(number(map, "std_offset")?)?;
    let (zone, abbreviation) = (text(map, "time_zone")?, text(map, "zone_abbr")?);
    if zone == "Etc/UTC" {
        return Some(format!("~U[{date} {time}Z]"));
    }
    let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Some(format!("#DateTime<{date} {time}{sign}{hours:02}:{minutes:02} {abbreviation} {zone}>"))
}
