//! What happened in the cluster since the dashboard looks.

use std::time::UNIX_EPOCH;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::event::{Event, What};
use super::super::view::link::{self, Address};
use super::super::view::mesh;
use super::super::view::table::{filters, has, limit};
use super::super::view::unit;
use crate::site::{Page, Problem, Site};

/// `/events`
pub(super) struct Events;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    refresh: Option<String>,
}

/// The events as JSON shows them, the newest first.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// How many there were in all.
    count: u64,
    pub(crate) events: Vec<Row>,
}

/// An event.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    number: u64,
    /// Milliseconds since 1970.
    at_ms: u64,
    age_ms: u64,
    node: String,
    event: &'static str,
    text: String,
    is_bad: bool,
    /// The other end of a link.
    peer: Option<String>,
}

impl Row {
    fn of(event: &Event) -> Row {
        let peer = match &event.what {
            What::LinkMissing(peer) | What::LinkBack(peer) => Some(peer.to_string()),
            _ => None,
        };
        Row {
            number: event.number,
            at_ms: event.at.duration_since(UNIX_EPOCH).map(unit::milliseconds).unwrap_or_default(),
            age_ms: event.at.elapsed().map(unit::milliseconds).unwrap_or_default(),
            node: event.node.to_string(),
            event: event.what.name(),
            text: event.what.text(),
            is_bad: event.what.is_bad(),
            peer,
        }
    }
}

impl View {
    pub(super) fn load(site: &Site, q: &str, most: usize) -> View {
        site.sources().look();
        let (events, count) = site.sources().events(usize::MAX);
        let rows = events.iter().map(Row::of).filter(|row| has(&row.node, q) || has(&row.text, q) || has(row.event, q));
        View { count, events: rows.take(most).collect() }
    }
}

impl Page for Events {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/events";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        Ok(View::load(site, &ask.q, limit(ask.limit)))
    }

    fn title(_ask: &Asked, _view: &View) -> String {
        "Events".to_owned()
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let here = Address::of(site, "/events").set("q", &ask.q).keep("refresh", ask.refresh.as_ref());
        let here = here.keep("limit", ask.limit.as_ref());
        html! {
            h1 { "Events" }
            p.hint { "What the dashboard has noticed since it looks: " (unit::count(view.count)) " events. It remembers the last 1000." }
            (filters(&here, &ask.q, "Node or what happened", Some(limit(ask.limit))))
            @if view.events.is_empty() { p.quiet { "Nothing yet." } }
            div.scroll {
                table #events {
                    thead { tr { th scope="col" { "When" } th scope="col" { "Node" } th scope="col" { "What" } } }
                    tbody {
                        @for row in &view.events {
                            tr id={ "e" (row.number) } {
                                td { (unit::duration(std::time::Duration::from_millis(row.age_ms))) " ago" }
                                th scope="row" { (link::node(site, &row.node)) }
                                td {
                                    span.chip data-state=(if row.is_bad { "warn" } else { "ok" }) { (row.event.replace('_', " ")) } " "
                                    (row.text)
                                    @if row.event == "link_missing" {
                                        @if let Some(peer) = &row.peer { " " a href=(mesh::pair(site, &row.node, peer).href()) { "Why?" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn changed(site: &Site, _ask: &Asked) -> impl Future<Output = ()> + Send + use<> {
        site.sources().changed()
    }
}
