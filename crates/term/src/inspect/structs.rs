//! The structs of Elixir's own library that have a form of their own (ranges, dates and times, sets, regular expressions),
//! and those whose fields stand in another order than that of their names.

use std::fmt::Write;

use crate::{Atom, Map, Term, atom, order};

/// How a struct is printed.
pub(super) enum Form<'a> {
    /// As this text.
    Text(String),
    /// `MapSet.new([..])` with these elements.
    Set(Vec<&'a Term>),
    /// `%Name{..}` with these fields.
    Fields(Vec<(&'a str, &'a Term)>),
}

/// Structs and the order of their fields; behind `?` those that are not shown while they have their usual value.
const FIELDS: &[(&str, &str)] = &[
    ("Version", "major minor patch ?pre ?build"),
    ("URI", "scheme ?authority userinfo host port path query fragment"),
    ("Duration", "?year ?month ?week ?day ?hour ?minute ?second ?microsecond"),
    ("BadArityError", "function args"),
    ("BadBooleanError", "term operator"),
    ("CompileError", "file line description"),
    ("File.CopyError", "reason source destination on action"),
    ("File.Error", "reason path action"),
    ("FunctionClauseError", "module function arity kind args clauses"),
    ("JSON.DecodeError", "message offset data"),
    ("KeyError", "key term message"),
    ("Protocol.UndefinedError", "protocol value description"),
    ("UndefinedFunctionError", "module function arity reason message"),
];

/// The form of a struct; `None` if its name is no alias, so that it looks like a map.
pub(super) fn form<'a>(name: &Atom, map: &'a Map) -> Option<Form<'a>> {
    let alias = name.as_str().strip_prefix("Elixir.")?;
    if let Some(text) = text_of(alias, map) {
        return Some(Form::Text(text));
    }
    if alias == "MapSet"
        && let Some(Term::Map(set)) = map.get_atom("map")
    {
        let mut elements: Vec<&Term> = set.iter().map(|(element, _)| element).collect();
        elements.sort_by(|one, two| order::of_keys(one, two));
        return Some(Form::Set(elements));
    }
    let known = FIELDS.iter().find(|(known, _)| *known == alias).and_then(|(_, order)| fields_of(order, map));
    Some(Form::Fields(known.or_else(|| all_fields(map))?))
}

/// The fields in the order of the struct's definition, if it has these and no others.
fn fields_of<'a>(order: &'static str, map: &'a Map) -> Option<Vec<(&'a str, &'a Term)>> {
    let hidden = 1 + usize::from(is_exception(map));
    let mut fields = Vec::new();
    let mut count = 0;
    for name in order.split(' ') {
        let (name, optional) = match name.strip_prefix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let value = map.get_atom(name)?;
        count += 1;
        if !(optional && is_usual(value)) {
            fields.push((name, value));
        }
    }
    (count + hidden == map.len()).then_some(fields)
}

/// `nil`, `[]`, 0 and `{0, 0}`.
fn is_usual(value: &Term) -> bool {
    match value {
        Term::Atom(atom) => *atom == "nil",
        Term::List(list) => list.is_empty(),
        Term::Integer(number) => *number == 0,
        Term::Tuple(pair) => matches!(pair[..], [Term::Integer(0), Term::Integer(0)]),
        _ => false,
    }
}

fn is_exception(map: &Map) -> bool {
    map.get_atom("__exception__").is_some_and(|value| value.is_atom("true"))
}

/// The fields in the order of their names; `None` if there are keys that no struct can have.
fn all_fields(map: &Map) -> Option<Vec<(&str, &Term)>> {
    let exception = is_exception(map);
    let mut fields = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        let key = key.as_atom()?.as_str();
        if key != "__struct__" && !(exception && key == "__exception__") {
            fields.push((key, value));
        }
    }
    fields.sort_by_key(|(key, _)| *key);
    Some(fields)
}

/// The text of a struct that Elixir prints by a rule of its own, if its fields are as they should be.
fn text_of(alias: &str, map: &Map) -> Option<String> {
    match alias {
        "Range" => range(map),
        "Date" => Some(format!("~D[{}]", date(map)?)),
        "Time" => Some(format!("~T[{}]", time(map)?)),
        "NaiveDateTime" => Some(format!("~N[{} {}]", date(map)?, time(map)?)),
        "DateTime" => date_time(map),
        "Date.Range" => date_range(map),
        "Regex" => regex(map),
        "Version.Requirement" => Some(format!("Version.parse_requirement!(\"{}\")", text(map, "source")?)),
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
    let [first, last, step] = ["first", "last", "step"]
        .map(|key| map.get_atom(key).filter(|value| matches!(value, Term::Integer(_) | Term::BigInteger(_))));
    let (first, last, step) = (first?, last?, step?);
    let plain = *step == Term::Integer(1) && last >= first;
    Some(if plain { format!("{first}..{last}") } else { format!("{first}..{last}//{step}") })
}

fn date_range(map: &Map) -> Option<String> {
    let day = |key| match map.get_atom(key)? {
        Term::Map(day) if day.struct_name() == Some(&atom("Elixir.Date")) => date(day),
        _ => None,
    };
    let (first, last, step) = (day("first")?, day("last")?, number(map, "step")?);
    let step = if step == 1 { String::new() } else { format!(", {step}") };
    Some(format!("Date.range(~D[{first}], ~D[{last}]{step})"))
}

/// `~r/source/options`. Up to Elixir 1.18 the options are letters, later also the list that `re` takes.
fn regex(map: &Map) -> Option<String> {
    let options = match map.get_atom("opts")? {
        Term::List(options) => letters(&options.to_vec())?,
        letters => letters.as_str()?.to_owned(),
    };
    let mut pattern = String::from("~r/");
    let mut source = text(map, "source")?.chars().peekable();
    while let Some(character) = source.next() {
        let escaped = match character {
            '\\' => match source.next() {
                // A sigil needs no backslash before its own delimiter but the one that is written anyway.
                Some('/') => "\\/".to_owned(),
                Some(next) => format!("\\{next}"),
                None => "\\".to_owned(),
            },
            '/' => "\\/".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '#' if source.peek() == Some(&'{') => "\\#".to_owned(),
            other => other.to_string(),
        };
        pattern.push_str(&escaped);
    }
    Some(format!("{pattern}/{options}"))
}

/// The letters for a list of `re`'s options, the last first, as Elixir does.
fn letters(mut options: &[Term]) -> Option<String> {
    let mut letters = String::new();
    while let Some((option, rest)) = options.split_first() {
        let (letter, count) = match (option.as_atom()?.as_str(), rest.first()) {
            ("dotall", Some(Term::Tuple(_))) => ('s', 2),
            ("unicode", Some(next)) if next.is_atom("ucp") => ('u', 2),
            ("caseless", _) => ('i', 1),
            ("extended", _) => ('x', 1),
            ("firstline", _) => ('f', 1),
            ("ungreedy", _) => ('U', 1),
            ("multiline", _) => ('m', 1),
            ("export", _) => ('E', 1),
            _ => return None,
        };
        letters.insert(0, letter);
        options = options.get(count..)?;
    }
    Some(letters)
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
