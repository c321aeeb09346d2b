//! The processes of a node: the first by some order, searched and cut by the node's own stream.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::process::{Listing, Query, Row, Sort, list};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting, filters, limit};
use super::super::view::unit;
use super::subject::{Named, Subject, cost, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/processes`
pub(super) struct Processes;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    #[serde(default)]
    sort: Sort,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Row>] = &[
    Column::text("pid", "Pid", "As the node itself prints it."),
    Column::text(
        "name",
        "Name, label or first call",
        "The registered name, the label, or the function that it began with.",
    ),
    Column::number("memory", "Memory", "Bytes of its heap, stack and messages."),
    Column::number(
        "reductions",
        "Reductions",
        "Work since its start: calls, about. Of a Rust process, the messages that it has taken.",
    ),
    Column::number("queue", "Queue", "Messages that wait for it."),
    Column::text("current", "Where it is", "The function that it is in."),
];

/// The list as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    sort: &'static str,
    dir: Direction,
    limit: usize,
    /// How long asking took.
    took_ms: u64,
    #[serde(flatten)]
    listing: Listing,
}

impl Asked {
    fn sorting(&self) -> Sorting<Row> {
        Sorting::of(COLUMNS, 2, Some(self.sort.key()), self.dir)
    }

    fn query(&self) -> Query {
        let search: String = self.q.trim().chars().take(200).collect();
        let descending = self.sorting().direction() == Direction::Desc;
        Query { sort: self.sort, descending, search, limit: limit(self.limit) }
    }
}

impl Page for Processes {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/processes";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let query = ask.query();
        let what = format!("processes {query:?}");
        let (question, identity) = (subject.ask(), &subject.identity);
        let looked = subject.once(&what, || async { list(&question, identity, &query).await }).await?;
        Ok(View {
            node: ask.node.0.to_string(),
            sort: ask.sort.key(),
            dir: ask.sorting().direction(),
            limit: query.limit,
            took_ms: unit::milliseconds(looked.took),
            listing: Listing::clone(&looked.value),
        })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("{} processes of {}", unit::count(view.listing.total as u64), view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let here = Address::of_node(site, &view.node, "/processes");
        let here = here.set("sort", if view.sort == "memory" { "" } else { view.sort });
        let here = here.keep("dir", ask.dir.map(Direction::name).as_ref()).set("q", &ask.q);
        let here = here.keep("limit", ask.limit.as_ref());
        let here = here.keep("refresh", ask.refresh.as_ref());
        let listing = &view.listing;
        let (shown, total) = (unit::count(listing.rows.len() as u64), unit::count(listing.total as u64));
        html! {
            h1 { "Processes of " (view.node) }
            (note(listing.note))
            @if listing.unasked > 0 {
                p.hint role="note" #unasked {
                    "Only " (unit::count((listing.total - listing.unasked) as u64)) " processes were asked about, since this "
                    "node must be asked about each. The other " (unit::count(listing.unasked as u64))
                    " may come before those that are shown."
                }
            }
            (filters(&here, &ask.q, "Pid, name or function", Some(view.limit)))
            div.scroll {
                table #processes {
                    caption {
                        (shown) " of "
                        @if listing.matched < listing.total { (unit::count(listing.matched as u64)) " that fit, of " }
                        (total)
                    }
                    (ask.sorting().head(&here))
                    tbody {
                        @for row in &listing.rows {
                            tr id={ "p" (row.pid) } {
                                th scope="row" { (link::process(site, &view.node, &row.pid, &row.pid)) }
                                td { (row.name) }
                                td.num { (unit::bytes(row.memory)) }
                                td.num { (unit::count(row.reductions)) }
                                td.num.warn[row.queue >= 1000] {
                                    (unit::count(row.queue))
                                    @if row.queue >= 1000 { span title="Messages pile up." { " ▲" } }
                                }
                                td.mono { (row.current) }
                            }
                        }
                    }
                }
            }
            (cost(std::time::Duration::from_millis(view.took_ms), &format!("{shown} of {total}")))
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}
