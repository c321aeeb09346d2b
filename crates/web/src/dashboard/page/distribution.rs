//! The connections of a node with its peers, and what goes over them.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::distribution::{self as source, Connection, distribution};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting};
use super::super::view::unit;
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/distribution`
pub(super) struct Distribution;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    sort: Option<String>,
    dir: Option<Direction>,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Connection>] = &[
    Column::text("peer", "Peer", "The node at the other end.").by(|a, b| a.peer.cmp(&b.peer)),
    Column::number("in", "Received", "Bytes since the connection was made.").by(|a, b| a.bytes_in.cmp(&b.bytes_in)),
    Column::number("out", "Sent", "Bytes since the connection was made.").by(|a, b| a.bytes_out.cmp(&b.bytes_out)),
    Column::number("", "Frames in", "Messages, or parts of such."),
    Column::number("", "Frames out", "Messages, or parts of such."),
    Column::number(
        "",
        "Ticks in",
        "Frames that only say that the peer is alive. BEAM nodes count them among the others.",
    ),
    Column::number("", "Ticks out", "Frames that only say that this node is alive."),
    Column::number("queue", "Queue", "Bytes that wait to be sent: much of it means a peer or a network that is slow.")
        .by(|a, b| a.queue.cmp(&b.queue)),
    Column::text("", "Address", "The peer's end."),
];

impl Asked {
    fn sorting(&self) -> Sorting<Connection> {
        Sorting::of(COLUMNS, 0, self.sort.as_deref(), self.dir)
    }
}

/// The connections as JSON shows them.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    #[serde(flatten)]
    distribution: source::Distribution,
}

impl Page for Distribution {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/distribution";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let (question, identity) = (subject.ask(), &subject.identity);
        let looked = subject.once("distribution", || async { distribution(&question, identity).await });
        let mut distribution = source::Distribution::clone(&looked.await?.value);
        ask.sorting().order(&mut distribution.connections);
        Ok(View { node: subject.name.to_string(), distribution })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Distribution of {}", view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let here = Address::of_node(site, &view.node, "/distribution").keep("refresh", ask.refresh.as_ref());
        let View { distribution, .. } = view;
        html! {
            h1 { "Distribution of " (view.node) }
            (note(distribution.note.as_deref()))
            ul.cards {
                (unit::card("Connections", "With visible and hidden nodes.", unit::count(distribution.connections.len() as u64), ""))
                (unit::card("Buffer", "So much may wait for a peer before senders to it wait.", unit::or_dash(distribution.limit.map(unit::bytes)), "a peer"))
                (unit::card("Tick time", "After so long a silence a peer is down.", unit::or_dash(distribution.tick_time.map(|time| format!("{time} s"))), ""))
            }
            div.scroll {
                table #connections {
                    caption.hidden { "The connections of the node" }
                    (ask.sorting().head(&here))
                    tbody { @for row in &distribution.connections { (line(site, row, distribution.limit)) } }
                }
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}

fn line(site: &Site, row: &Connection, limit: Option<u64>) -> Markup {
    let bytes = |figure: Option<u64>| unit::or_dash(figure.map(unit::bytes));
    let count = |figure: Option<u64>| unit::or_dash(figure.map(unit::count));
    let share = row.queue.zip(limit).map_or(0.0, |(queue, limit)| queue as f64 / limit.max(1) as f64);
    let fullness = unit::Fullness::of(share);
    html! {
        tr id={ "peer-" (row.peer) } {
            th scope="row" {
                @if row.is_hidden { (row.peer) " " span.chip { "hidden" } } @else { (link::node(site, &row.peer)) }
            }
            td.num { (bytes(row.bytes_in)) }
            td.num { (bytes(row.bytes_out)) }
            td.num { (count(row.frames_in)) }
            td.num { (count(row.frames_out)) }
            td.num { (count(row.ticks_in)) }
            td.num { (count(row.ticks_out)) }
            td.num class=(fullness.class()) { (bytes(row.queue)) " " (fullness.word()) }
            td.mono { (row.remote.as_deref().unwrap_or_default()) }
        }
    }
}
