//! Tables that the reader orders, searches and cuts; the address holds how.

use std::borrow::Borrow;
use std::cmp::Ordering;

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

/// A column of a table of such rows.
#[derive(Debug)]
pub(crate) struct Column<T> {
    /// As it stands in the address; empty for one that is not ordered by.
    key: &'static str,
    label: &'static str,
    /// What the figure means.
    hint: &'static str,
    /// Whether it holds numbers, of which the largest come first.
    is_number: bool,
    /// How two rows stand to each other, where the page orders them and not the node.
    order: Option<fn(&T, &T) -> Ordering>,
}

impl<T> Column<T> {
    pub(crate) const fn text(key: &'static str, label: &'static str, hint: &'static str) -> Column<T> {
        Column { key, label, hint, is_number: false, order: None }
    }

    pub(crate) const fn number(key: &'static str, label: &'static str, hint: &'static str) -> Column<T> {
        Column { key, label, hint, is_number: true, order: None }
    }

    /// Which rows come first by it, from the smallest on.
    pub(crate) const fn by(self, order: fn(&T, &T) -> Ordering) -> Column<T> {
        Column { order: Some(order), ..self }
    }

    /// Which way it is ordered if the address does not say.
    fn natural(&self) -> Direction {
        if self.is_number { Direction::Desc } else { Direction::Asc }
    }
}

/// By which of its columns a table is ordered, and which way.
#[derive(Debug)]
pub(crate) struct Sorting<T: 'static> {
    columns: &'static [Column<T>],
    column: &'static Column<T>,
    direction: Direction,
}

impl<T> Sorting<T> {
    /// What an address asks. Where it asks nothing, or for what is not offered, it is by the column `first`.
    pub(crate) fn of(
        columns: &'static [Column<T>],
        first: usize,
        sort: Option<&str>,
        direction: Option<Direction>,
    ) -> Sorting<T> {
        let asked = columns.iter().find(|column| !column.key.is_empty() && Some(column.key) == sort);
        let column = asked.unwrap_or(&columns[first]);
        Sorting { columns, column, direction: direction.unwrap_or(column.natural()) }
    }

    /// Orders rows. Those that are alike stay as they were.
    pub(crate) fn order(&self, rows: &mut [impl Borrow<T>]) {
        let Some(order) = self.column.order else { return };
        rows.sort_by(|a, b| match self.direction {
            Direction::Asc => order(a.borrow(), b.borrow()),
            Direction::Desc => order(b.borrow(), a.borrow()),
        });
    }

    /// Which way.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// An address that asks for the same.
    pub(crate) fn kept(&self, here: Address) -> Address {
        here.set("sort", self.column.key).set("dir", self.direction.name())
    }

    /// The head of the table: each column's name orders by it, the one that it is ordered by the other way round.
    pub(crate) fn head(&self, here: &Address) -> Markup {
        let Sorting { columns, column: by, direction } = self;
        let is_it = |column: &Column<T>| !column.key.is_empty() && column.key == by.key;
        let turned = |column: &Column<T>| if is_it(column) { direction.other() } else { column.natural() };
        let aria = |column: &Column<T>| {
            is_it(column).then_some(match direction {
                Direction::Asc => "ascending",
                Direction::Desc => "descending",
            })
        };
        html! {
            thead { tr {
                @for column in *columns {
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
}

/// Orders texts as people do, whatever the case.
pub(crate) fn by_text(a: &str, b: &str) -> Ordering {
    let small = |text: &str| text.to_lowercase();
    small(a).cmp(&small(b))
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

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column<(&str, u32)>] = &[
        Column::text("name", "Name", "").by(|a, b| by_text(a.0, b.0)),
        Column::text("", "Remark", ""),
        Column::number("size", "Size", "").by(|a, b| a.1.cmp(&b.1)),
    ];

    fn sorted(sort: Option<&str>, direction: Option<Direction>) -> Vec<&'static str> {
        let mut rows = [("b", 1), ("A", 3), ("c", 2)];
        Sorting::of(COLUMNS, 2, sort, direction).order(&mut rows);
        rows.map(|row| row.0).into()
    }

    #[test]
    fn an_address_says_how_rows_are_ordered() {
        assert_eq!(sorted(Some("name"), None), ["A", "b", "c"]);
        assert_eq!(sorted(Some("name"), Some(Direction::Desc)), ["c", "b", "A"]);
        assert_eq!(sorted(Some("size"), Some(Direction::Asc)), ["b", "c", "A"]);
    }

    #[test]
    fn where_it_does_not_the_largest_come_first() {
        for sort in [None, Some(""), Some("color")] {
            assert_eq!(sorted(sort, None), ["A", "c", "b"]);
        }
    }
}
