//! An open page: server-sent events whose data is the page's new `<main>`, sent only where it differs from the last.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures_util::stream;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::ask::{Form, Refresh};
use super::state::OPEN_PAGES;
use super::{Page, Problem, Site};

/// Changes that follow each other faster than this are shown as one.
const LEAST: Duration = Duration::from_millis(200);

/// The stream of one open page. It begins with the present state, unless the browser says by `Last-Event-ID` or
/// `?version=` that it has it.
pub(super) fn stream<P: Page>(site: Site, ask: P::Ask, refresh: Refresh, parts: &Parts) -> Response {
    let Some(place) = site.open_page() else {
        return Problem::TooMany { what: "open pages", limit: OPEN_PAGES }.respond(&site, Form::Events);
    };
    let open = Open::<P> { site, ask, refresh, seen: seen(parts), first: true, is_over: false, _place: place };
    let events = stream::unfold(open, |mut open| async {
        if open.is_over {
            return None;
        }
        let node = open.site.node().clone();
        let event = tokio::select! {
            event = open.next() => event,
            // Nothing more will come, and an application that ends waits for its open requests.
            _ = node.stopped() => return None,
        };
        Some((Ok::<_, Infallible>(event), open))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

struct Open<P: Page> {
    site: Site,
    ask: P::Ask,
    refresh: Refresh,
    seen: String,
    first: bool,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl<P: Page> Open<P> {
    async fn next(&mut self) -> Event {
        let mut changed = None;
        loop {
            if !std::mem::take(&mut self.first) {
                let changed = changed.take().unwrap_or_else(|| P::changed(&self.site, &self.ask));
                let due = async {
                    match self.refresh {
                        Refresh::Every(seconds) => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
                        Refresh::Pause => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = due => {}
                    () = async { tokio::join!(changed, tokio::time::sleep(LEAST)); } => {}
                }
            }
            if !self.site.lasts() {
                self.is_over = true;
                return Event::default().event("over").data("the session is over");
            }
            changed = Some(P::changed(&self.site, &self.ask));
            let (title, main) = match P::load(&self.site, &self.ask).await {
                Ok(view) => (P::title(&self.ask, &view), P::body(&self.site, &self.ask, &view)),
                Err(problem) => (problem.to_string(), problem.markup()),
            };
            let version = version(&main.0);
            if version != self.seen {
                self.seen.clone_from(&version);
                let data = serde_json::json!({ "title": title, "main": main.0 });
                return Event::default().event("page").id(version).data(data.to_string());
            }
        }
    }
}

/// Tells one state of a page from another.
pub(super) fn version(main: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(main)[..8])
}

fn seen(parts: &Parts) -> String {
    let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let asked = || {
        let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(parts.uri.query()?).ok()?;
        pairs.into_iter().find(|(name, _)| name == "version").map(|(_, value)| value)
    };
    last.or_else(asked).unwrap_or_default()
}
