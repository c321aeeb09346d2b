//! A table of the configuration file, read key by key; what is never asked for is unknown.

use std::{cell::RefCell, net::Ipv4Addr, ops::RangeInclusive, sync::Arc, time::Duration};

use beamline_proto::NodeName;
use toml::de::{DeTable, DeValue};

use super::Problem;
use crate::strategy::{BUILT_IN, BuiltIn};

/// The text, and what was found wrong in it.
pub(super) struct Source<'t> {
    text: &'t str,
    file: Arc<str>,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str, file: &str) -> Self {
        Self { text, file: file.into(), problems: RefCell::default() }
    }

    /// Something wrong at this byte.
    pub(super) fn problem(&self, at: usize, text: &str) -> Problem {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Problem {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: text.to_owned(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems
    }
}

/// One table.
pub(crate) struct Section<'s> {
    source: &'s Source<'s>,
    table: Option<&'s DeTable<'s>>,
    /// Where it begins, for what is missing in it.
    at: usize,
    known: Vec<String>,
}

impl<'s> Section<'s> {
    pub(super) fn new(source: &'s Source<'s>, table: &'s DeTable<'s>, at: usize) -> Self {
        Self { source, table: Some(table), at, known: Vec::new() }
    }

    /// The names of its keys, in the order of the file.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.table.iter().flat_map(|table| table.keys()).collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().to_string()).collect()
    }

    /// The table under this key, if there is one.
    pub(super) fn section(&mut self, key: &str) -> Option<Section<'s>> {
        let (at, value) = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.source, table, at)),
            other => {
                self.report(value.span().start, format!("`{key}` must be a table, not {}", kind(other)));
                None
            }
        }
    }

    /// The same; without one, a table of nothing.
    pub(super) fn section_or_empty(&mut self, key: &str) -> Section<'s> {
        let empty = Section { source: self.source, table: None, at: self.at, known: Vec::new() };
        self.section(key).unwrap_or(empty)
    }

    /// A value that may be missing. `expected` says in an error what it should be.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let (_, value) = self.get(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            let found = shown(value.get_ref());
            self.report(value.span().start, format!("`{key}` must be {expected}, not {found}"));
        }
        read
    }

    /// A value that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.get(key).is_none() {
            let likely = self.nearest_unknown(key);
            // The misspelt key says it better, at its own place.
            if likely.is_none() {
                self.report(self.at, format!("the key `{key}` is missing: {expected}"));
            }
        }
        self.optional(key, expected, read)
    }

    /// A text.
    pub(crate) fn string(&mut self, key: &str) -> Option<String> {
        self.optional(key, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there.
    #[cfg(any(feature = "dns", feature = "kubernetes"))]
    pub(crate) fn required_string(&mut self, key: &str, expected: &str) -> Option<String> {
        self.required(key, expected, |value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// Texts that can be read as something: one of them, or a list.
    #[cfg(feature = "dns")]
    pub(crate) fn list<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        self.optional(key, expected, |value| match value {
            DeValue::String(text) => Some(vec![read(text)?]),
            DeValue::Array(list) => list.iter().map(|item| read(item.get_ref().as_str()?)).collect(),
            _ => None,
        })
    }

    /// One of these words, and what it stands for.
    #[cfg(any(feature = "dns", feature = "kubernetes"))]
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let expected = format!("one of {}", all.join(", "));
        self.optional(key, &expected, |value| {
            let found = value.as_str()?;
            words.iter().find(|(word, _)| *word == found).map(|(_, meaning)| *meaning)
        })
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.optional(key, "true or false", |value| value.as_bool())
    }

    /// A whole number of this range.
    pub(crate) fn integer(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.optional(key, &expected, |value| integer(value).filter(|number| range.contains(number)))
    }

    /// A port.
    pub(crate) fn port(&mut self, key: &str) -> Option<u16> {
        self.integer(key, 1..=u64::from(u16::MAX)).and_then(|port| port.try_into().ok())
    }

    /// A time in milliseconds, as libcluster has all its times; `"infinity"` is none.
    pub(crate) fn milliseconds(&mut self, key: &str) -> Option<Duration> {
        self.optional(key, "a time in milliseconds", |value| match value {
            DeValue::String(text) if text == "infinity" => Some(None),
            other => integer(other).map(|number| Some(Duration::from_millis(number))),
        })
        .flatten()
    }

    /// An address, as a text or as Erlang's tuple of four numbers.
    pub(crate) fn ipv4(&mut self, key: &str) -> Option<Ipv4Addr> {
        self.optional(key, "an IPv4 address such as \"192.168.1.1\"", |value| match value {
            DeValue::String(text) => text.parse().ok(),
            DeValue::Array(parts) => {
                let parts: Option<Vec<u8>> =
                    parts.iter().map(|part| integer(part.get_ref())?.try_into().ok()).collect();
                <[u8; 4]>::try_from(parts?).ok().map(Ipv4Addr::from)
            }
            _ => None,
        })
    }

    /// Names of nodes, which must be there. Each that is wrong is told.
    pub(crate) fn names(&mut self, key: &str) -> Option<Vec<NodeName>> {
        let expected = "a list of node names such as [\"app_a@127.0.0.1\"]";
        let (_, value) = self.get(key).or_else(|| {
            self.required(key, expected, |_| None::<()>);
            None
        })?;
        let DeValue::Array(list) = value.get_ref() else {
            self.report(value.span().start, format!("`{key}` must be {expected}, not {}", shown(value.get_ref())));
            return None;
        };
        let mut names = Vec::new();
        for item in list {
            match item.get_ref().as_str().map(str::parse) {
                Some(Ok(name)) => names.push(name),
                Some(Err(error)) => {
                    let error: beamline_proto::NameError = error;
                    self.report(item.span().start, error.to_string());
                }
                None => {
                    let found = shown(item.get_ref());
                    self.report(item.span().start, format!("`{key}` must have names of nodes, not {found}"));
                }
            }
        }
        (names.len() == list.len()).then_some(names)
    }

    /// A key that has no place here, and why.
    pub(crate) fn refuse(&mut self, key: &str, why: &str) {
        if let Some((at, _)) = self.entry(key) {
            self.report(at, format!("`{key}` {why}"));
            self.ignore(key);
        }
    }

    /// A key that is not looked at.
    pub(super) fn ignore(&mut self, key: &str) {
        self.known.push(key.to_owned());
    }

    /// A value that is wrong for another reason than its type.
    pub(crate) fn wrong(&self, key: &str, text: &str) {
        let at = self.entry(key).map_or(self.at, |(_, value)| value.span().start);
        self.report(at, text.to_owned());
    }

    /// The value of `strategy` is none.
    pub(super) fn unknown_strategy(&self, name: &str) {
        let all = BUILT_IN.iter().flat_map(|built_in| [built_in.short, built_in.module]);
        let text = match nearest(name, all) {
            Some(near) => format!("unknown strategy {name:?}; did you mean {near:?}?"),
            None => {
                let all: Vec<_> = BuiltIn::present().collect();
                format!("unknown strategy {name:?}; there are: {}", all.join(", "))
            }
        };
        self.wrong("strategy", &text);
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if self.known.iter().any(|known| known == name) {
                continue;
            }
            let text = match nearest(name, self.known.iter().map(String::as_str)) {
                Some(near) => format!("unknown key `{name}`; did you mean `{near}`?"),
                None if self.known.is_empty() => format!("unknown key `{name}`; there are none here"),
                None => format!("unknown key `{name}`; there are: {}", self.known.join(", ")),
            };
            self.report(key.span().start, text);
        }
    }

    fn get(&mut self, key: &str) -> Option<(usize, &'s toml::Spanned<DeValue<'s>>)> {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
        self.entry(key)
    }

    fn entry(&self, key: &str) -> Option<(usize, &'s toml::Spanned<DeValue<'s>>)> {
        let (key, value) = self.table?.get_key_value(key)?;
        Some((key.span().start, value))
    }

    /// A key of the table that is likely this one, misspelt.
    fn nearest_unknown(&self, key: &str) -> Option<&'s str> {
        let table = self.table?;
        let unknown = table.keys().map(|found| -> &str { found.get_ref() });
        nearest(key, unknown.filter(|found| !self.known.iter().any(|known| known == found)))
    }

    fn report(&self, at: usize, text: String) {
        let problem = self.source.problem(at, &text);
        self.source.problems.borrow_mut().push(problem);
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What stands there, if it is short; a string is never shown, since it may be a secret at a wrong key.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(is) => is.to_string(),
        other => kind(other).to_owned(),
    }
}

/// The most alike of these, if it is alike enough to be meant.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let (distance, near) = names.map(|other| (distance(other), other)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.len().min(near.len()) / 4).then_some(near)
}
