//! A value as a table: a list of maps, or of keyword lists, with like keys.

use std::borrow::Cow;

use beamline_term::{Inspect, Term};

/// A value as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The first rows: a text for each column, empty where a row does not have it.
    pub rows: Vec<Vec<String>>,
    /// How many rows the value has.
    pub total: u64,
}

/// More columns than this make no table.
const COLUMNS: usize = 50;
/// So many characters of a value are shown.
const CHARACTERS: usize = 200;

impl Table {
    /// Of a value, with so many rows at most. Follows `table` of `session.exs`.
    pub(super) fn of(value: &Term, most: usize) -> Option<Table> {
        let list = value.as_list().filter(|list| most > 0 && !list.is_empty())?;
        let first: Vec<Term> = list.iter().take(most).map(Cow::into_owned).collect();
        let rows: Vec<Vec<(Term, Term)>> = first.iter().map(fields).collect::<Option<_>>()?;
        let mut keys: Vec<&Term> = Vec::new();
        for (key, _) in rows.iter().flatten() {
            if !keys.contains(&key) {
                keys.push(key);
            }
            if keys.len() > COLUMNS {
                return None;
            }
        }
        if rows.iter().any(|row| 2 * row.len() < keys.len()) {
            return None;
        }
        let find = |row: &Vec<(Term, Term)>, key: &Term| {
            row.iter().find(|(own, _)| own == key).map(|(_, value)| short(value)).unwrap_or_default()
        };
        let texts = rows.iter().map(|row| keys.iter().map(|key| find(row, key)).collect()).collect();
        Some(Table { columns: keys.into_iter().map(label).collect(), rows: texts, total: list.len() as u64 })
    }

    /// As `session.exs` tells it: `{Columns, Rows, Total}`.
    pub(super) fn told(term: &Term) -> Option<Table> {
        let [columns, rows, total] = term.as_tuple()? else { return None };
        let texts = |list: &Term| -> Option<Vec<String>> {
            list.as_list()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let rows = rows.as_list()?.iter().map(|row| texts(&row)).collect::<Option<_>>()?;
        Some(Table { columns: texts(columns)?, rows, total: total.as_u64()? })
    }
}

/// The pairs of a map that is no struct, or of a keyword list; none has no pairs.
fn fields(row: &Term) -> Option<Vec<(Term, Term)>> {
    let pairs: Vec<(Term, Term)> = match row {
        Term::Map(map) if map.struct_name().is_none() => {
            let mut pairs: Vec<_> = map.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            pairs.sort();
            pairs
        }
        Term::List(list) => {
            let pair = |item: Cow<'_, Term>| match item.as_tuple() {
                Some([key @ Term::Atom(_), value]) => Some((key.clone(), value.clone())),
                _ => None,
            };
            list.iter().map(pair).collect::<Option<_>>()?
        }
        _ => return None,
    };
    (!pairs.is_empty()).then_some(pairs)
}

fn label(key: &Term) -> String {
    key.as_atom().map_or_else(|| Inspect::new(key).to_string(), |name| name.as_str().to_owned())
}

fn short(value: &Term) -> String {
    let text = value.as_str().map_or_else(|| Inspect::new(value).to_string(), str::to_owned);
    text.chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use beamline_term::{atom, term};

    use super::*;

    #[test]
    fn like_rows_are_a_table() {
        let value = term!([%{name: "a", size: 1}, %{name: :b, size: 2}, %{name: "c"}]);
        let table = Table::of(&value, 2).expect("a table");
        assert_eq!(table.columns, ["name", "size"]);
        assert_eq!(table.rows, [["a", "1"], [":b", "2"]]);
        assert_eq!(table.total, 3);
        let keywords = Term::list([Term::list([Term::from((atom("z"), 1)), (atom("a"), 2).into()])]);
        assert_eq!(Table::of(&keywords, 9).expect("a table").columns, ["z", "a"]);
    }

    #[test]
    fn other_values_are_none() {
        for value in [term!([]), term!([1]), term!([%{}]), term!([%{a: 1}, 2]), term!(%{a: 1}), term!([[1]])] {
            assert_eq!(Table::of(&value, 9), None, "{value}");
        }
        let unlike = term!([%{a: 1, b: 1}, %{c: 1, d: 1}, %{e: 1}]);
        assert_eq!(Table::of(&unlike, 9), None);
        assert_eq!(Table::of(&term!([%{a: 1}]), 0), None);
    }
}
