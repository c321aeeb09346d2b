//! The ETS tables of a node. What is in them is not shown.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::table::{Table, tables};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, filters, has, head, limit, order};
use super::super::view::unit;
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/ets`
pub(super) struct Tables;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    #[serde(default)]
    sort: Sort,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    /// With Erlang's own tables, and those that only their owner may read.
    #[serde(default)]
    all: bool,
    refresh: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Name,
    Size,
    #[default]
    Memory,
}

const COLUMNS: &[Column] = &[
    Column::text("name", "Table", "Its name; of one without, its reference."),
    Column::text(
        "",
        "Protection",
        "Who may read and write: public all, protected its owner writes, private its owner alone.",
    ),
    Column::text("", "Type", "How many objects may have the same key."),
    Column::number("size", "Objects", "How many are in it."),
    Column::number("memory", "Memory", "Bytes."),
    Column::text("", "Owner", "The table ends with it."),
];

fn column(sort: Sort) -> &'static Column {
    match sort {
        Sort::Name => &COLUMNS[0],
        Sort::Size => &COLUMNS[3],
        Sort::Memory => &COLUMNS[4],
    }
}

/// The tables as JSON shows them, ordered and cut as the address says.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    total: usize,
    matched: usize,
    memory_bytes: u64,
    tables: Vec<Table>,
    note: Option<&'static str>,
}

impl Page for Tables {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/ets";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let (question, all) = (subject.ask(), ask.all);
        let looked = subject.sources.once(subject.key(&format!("tables {all}")), || tables(&question, all, all)).await;
        let (found, note) = match looked {
            Ok(looked) => (looked.value, None),
            Err(trouble) if trouble.is_missing() => (Default::default(), subject.identity.without_observer()),
            Err(trouble) => return Err(trouble.into()),
        };
        let fits = |table: &&Table| {
            has(&table.name, &ask.q) || table.owner_name.as_ref().is_some_and(|name| has(name, &ask.q))
        };
        let mut rows: Vec<Table> = found.iter().filter(fits).cloned().collect();
        let matched = rows.len();
        let direction = ask.dir.unwrap_or(column(ask.sort).natural());
        match ask.sort {
            Sort::Name => order(&mut rows, direction, |table| table.name.to_lowercase()),
            Sort::Size => order(&mut rows, direction, |table| table.size),
            Sort::Memory => order(&mut rows, direction, |table| table.memory),
        }
        let memory_bytes = rows.iter().map(|table| table.memory).fold(0, u64::saturating_add);
        rows.truncate(limit(ask.limit));
        Ok(View { node: subject.name.to_string(), total: found.len(), matched, memory_bytes, tables: rows, note })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("ETS tables of {}", view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let column = column(ask.sort);
        let direction = ask.dir.unwrap_or(column.natural());
        let here = Address::of_node(site, &view.node, "/ets").set("sort", column.key).set("dir", direction.name());
        let here = here.set("q", &ask.q).set("all", if ask.all { "true" } else { "" });
        let here = here.set("limit", ask.limit.map(|limit| limit.to_string()).unwrap_or_default());
        let here = here.keep("refresh", ask.refresh.as_ref());
        html! {
            h1 { "ETS tables of " (view.node) }
            (note(view.note))
            (filters(&here, &ask.q, "Name of a table or its owner", Some(limit(ask.limit))))
            p.hint {
                @if ask.all {
                    a href=(here.clone().set("all", "").href()) { "Without Erlang's own and unreadable tables" }
                } @else {
                    a href=(here.clone().set("all", "true").href()) { "With Erlang's own and unreadable tables" }
                }
            }
            div.scroll {
                table #tables {
                    caption { (view.tables.len()) " of " (view.matched) ", " (unit::bytes(view.memory_bytes)) " in all" }
                    (head(COLUMNS, &here, column.key, direction))
                    tbody {
                        @for table in &view.tables {
                            tr {
                                th scope="row" { (table.name) @if let Some(id) = &table.id { " " span.quiet.mono { (id) } } }
                                td { (table.protection) }
                                td { (table.kind) @if table.is_compressed { ", compressed" } }
                                td.num { (unit::count(table.size)) }
                                td.num { (unit::bytes(table.memory)) }
                                td {
                                    @if let Some(owner) = &table.owner {
                                        (link::process(site, &view.node, owner, table.owner_name.as_ref().unwrap_or(owner)))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}
