//! All that the dashboard knows of the cluster at one moment, to keep or to send to somebody.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use maud::{Markup, html};
use serde::Serialize;

use super::super::source::process::{Listing, Query, Row, Sort, list};
use super::super::source::system::{System, system};
use super::super::view::unit;
use super::cluster;
use super::events;
use super::subject::{Named, Subject};
use crate::site::{Nothing, Page, Problem, Site};

/// `/snapshot`
pub(super) struct Snapshot;

/// Where a browser, which asks for pages, gets it as a file.
pub(super) const FILE: &str = "/snapshot.json";

/// The file.
pub(super) async fn file(site: Site) -> Result<Response, Problem> {
    let view = Snapshot::load(&site, &Nothing {}).await?;
    let name = "attachment; filename=\"beamline-cluster.json\"";
    Ok(([(CONTENT_DISPOSITION, name)], Json(view)).into_response())
}

/// So many nodes are asked for more than the cluster's page shows.
const NODES: usize = 64;

/// So many processes of each.
const PROCESSES: usize = 50;

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// Milliseconds since 1970.
    at_ms: u64,
    cluster: cluster::View,
    events: Vec<events::Row>,
    nodes: Vec<Node>,
}

/// A node in full.
#[derive(Debug, Serialize)]
struct Node {
    node: String,
    system: Option<System>,
    /// The first by memory.
    processes: Vec<Row>,
    /// How many were not asked about; they may come before these.
    processes_unasked: usize,
}

impl Page for Snapshot {
    type Ask = Nothing;
    type View = View;
    const PATH: &'static str = "/snapshot";

    async fn load(site: &Site, _ask: &Nothing) -> Result<View, Problem> {
        let cluster = cluster::View::load(site.sources()).await;
        let names = cluster.nodes.iter().filter(|node| node.state == "up").take(NODES);
        let names: Vec<Named> = names.filter_map(|node| node.node.parse().ok().map(Named)).collect();
        // One that fails meanwhile is left out.
        let nodes =
            join_all(names.iter().map(|name| one(site, name))).await.into_iter().filter_map(Result::ok).collect();
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map(unit::milliseconds).unwrap_or_default();
        Ok(View { at_ms, cluster, events: events::View::load(site, "", 1000).events, nodes })
    }

    fn title(_ask: &Nothing, _view: &View) -> String {
        "Snapshot".to_owned()
    }

    /// Read by people it is the same as for programs.
    fn body(site: &Site, _ask: &Nothing, view: &View) -> Markup {
        let text = serde_json::to_string_pretty(view).unwrap_or_default();
        html! {
            h1 { "Snapshot" }
            p.hint { a href=(site.path(FILE)) download { "Download it" } "; programs get it by " code { "Accept: application/json" } " too." }
            pre { (text) }
        }
    }
}

async fn one(site: &Site, name: &Named) -> Result<Node, Problem> {
    let subject = Subject::of(site, name).await?;
    let (question, identity) = (subject.ask(), &subject.identity);
    let query = Query { sort: Sort::Memory, descending: true, search: String::new(), limit: PROCESSES };
    let what = format!("processes {query:?}");
    let (system, processes) = tokio::join!(
        subject.once("system", || async { system(&question).await }),
        subject.once(&what, || async { list(&question, identity, &query).await }),
    );
    let listing = processes.map(|looked| Listing::clone(&looked.value)).unwrap_or_default();
    Ok(Node {
        node: subject.name.to_string(),
        system: system.ok().map(|looked| System::clone(&looked.value)),
        processes: listing.rows,
        processes_unasked: listing.unasked,
    })
}
