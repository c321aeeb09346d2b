//! Tables that the reader orders, searches and cuts; the address holds how.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::link::Address;

/// Which way a table is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Asc,
    Desc,
}

impl Direction {
    fn other(self) -> Direction {
        match self {
            Direction::Asc => Direction::Desc,
            Direction::Desc => Direction::Asc,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Asc => "asc",
            Direction::Desc => "desc",
        }
    }
}

/// How many rows a page offers to show.
pub(crate) const LIMITS: [usize; 4] = [50, 100, 500, 1000];

/// What an address asks, or the first of the offers.
pub(crate) fn limit(asked: Option<usize>) -> usize {
    asked.filter(|limit| LIMITS.contains(limit)).unwrap_or(LIMITS[0])
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// As it stands in the address; empty for one that is not ordered by.
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    /// What the figure means.
    pub(crate) hint: &'static str,
    /// Whether it holds numbers, of which the largest come first.
    pub(crate) is_number: bool,
}

impl Column {
    pub(crate) const fn text(key: &'static str, label: &'static str, hint: &'static str) -> Column {
        Column { key, label, hint, is_number: false }
    }

    pub(crate) const fn number(key: &'static str, label: &'static str, hint: &'static str) -> Column {
        Column { key, label, hint, is_number: true }
    }

    /// Which way it is ordered if the address does not say.
    pub(crate) fn natural(&self) -> Direction {
        if self.is_number { Direction::Desc } else { Direction::Asc }
    }
}

/// The head of a table: each column's name orders by it, the one that it is ordered by the other way round.
pub(crate) fn head(columns: &[Column], here: &Address, sort: &str, direction: Direction) -> Markup {
    let turned = |column: &Column| if column.key == sort { direction.other() } else { column.natural() };
    let aria = |column: &Column| {
        (!column.key.is_empty() && column.key == sort).then_some(match direction {
            Direction::Asc => "ascending",
            Direction::Desc => "descending",
        })
    };
    html! {
        thead { tr {
            @for column in columns {
                th scope="col" class=[column.is_number.then_some("num")] aria-sort=[aria(column)] title=(column.hint) {
                    @if column.key.is_empty() {
                        (column.label)
                    } @else {
                        a id={ "sort-" (column.key) }
                            href=(here.clone().set("sort", column.key).set("dir", turned(column).name()).href()) {
                            (column.label)
                        }
                    }
                }
            }
        } }
    }
}

/// Search, and how many rows: a form that works without a script.
pub(crate) fn filters(here: &Address, q: &str, hint: &str, rows: Option<usize>) -> Markup {
    html! {
        form.filters method="get" action=(here.path()) role="search" {
            (here.fields(&["q", "limit"]))
            input #q type="search" name="q" value=(q) placeholder=(hint) aria-label=(hint) maxlength="200";
            @if let Some(rows) = rows {
                label {
                    "Rows"
                    select name="limit" id="limit" {
                        @for limit in LIMITS { option value=(limit) selected[limit == rows] { (limit) } }
                    }
                }
            }
            button type="submit" { "Show" }
            @if !q.is_empty() { a.button href=(here.clone().set("q", "").href()) { "All" } }
        }
    }
}

/// Whether a text has what is searched for, whatever the case.
pub(crate) fn has(text: &str, search: &str) -> bool {
    search.is_empty() || text.to_lowercase().contains(&search.to_lowercase())
}

/// Orders rows by a key.
pub(crate) fn order<T, K: Ord>(rows: &mut [T], direction: Direction, key: impl Fn(&T) -> K) {
    rows.sort_by(|a, b| match direction {
        Direction::Asc => key(a).cmp(&key(b)),
        Direction::Desc => key(b).cmp(&key(a)),
    });
}
