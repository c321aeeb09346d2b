//! The ETS tables of a node. What is in them is not shown.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::table::{Table, tables};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting, by_text, filters, has, limit};
use super::super::view::unit;
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/ets`
pub(super) struct Tables;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    sort: Option<String>,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    /// With Erlang's own tables, and those that only their owner may read.
    #[serde(default)]
    all: bool,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Table>] = &[
    Column::text("name", "Table", "Its name; of one without, its reference.").by(|a, b| by_text(&a.name, &b.name)),
    Column::text(
        "",
        "Protection",
        "Who may read and write: public all, protected its owner writes, private its owner alone.",
    ),
    Column::text("", "Type", "How many objects may have the same key."),
    Column::number("size", "Objects", "How many are in it.").by(|a, b| a.size.cmp(&b.size)),
    Column::number("memory", "Memory", "Bytes.").by(|a, b| a.memory.cmp(&b.memory)),
    Column::text("", "Owner", "The table ends with it."),
];

impl Asked {
    fn sorting(&self) -> Sorting<Table> {
        Sorting::of(COLUMNS, 4, self.sort.as_deref(), self.dir)
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
        let looked = subject.once(&format!("tables {all}"), || tables(&question, all, all)).await;
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
        ask.sorting().order(&mut rows);
        let memory_bytes = rows.iter().map(|table| table.memory).fold(0, u64::saturating_add);
        rows.truncate(limit(ask.limit));
        Ok(View { node: subject.name.to_string(), total: found.len(), matched, memory_bytes, tables: rows, note })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("ETS tables of {}", view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let sorting = ask.sorting();
        let here = sorting.kept(Address::of_node(site, &view.node, "/ets")).set("q", &ask.q);
        let here = here.set("all", if ask.all { "true" } else { "" });
        let here = here.keep("limit", ask.limit.as_ref()).keep("refresh", ask.refresh.as_ref());
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
                    (sorting.head(&here))
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
