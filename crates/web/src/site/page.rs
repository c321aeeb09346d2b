//! A page, and the one way in which all pages are served.
//!
//! A page says what its address asks, what is shown, and how. The same address gives it as HTML, as JSON
//! (`Accept: application/json`), and, while a browser has it open, as server-sent events (`Accept: text/event-stream`).

use std::future::Future;

use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ask::{Form, Refresh, asked, form_of};
use super::frame::{self, Inside};
use super::live;
use super::{Asset, Problem, Site};

/// A page. Implementations hold nothing: they are types that name functions.
pub(crate) trait Page: 'static {
    /// What the address asks: path parameters and query together. Fields that may be missing are `Option`s or have
    /// `#[serde(default)]`; parameters that no field names are not looked at.
    type Ask: DeserializeOwned + Clone + Send + Sync;
    /// What is shown. As JSON it is an object; the site adds `"schema_version"`.
    type View: Serialize + Send + Sync;

    /// The path as axum writes it, below the site's own: `/n/{node}/processes`.
    const PATH: &'static str;

    /// Finds out what is to be shown.
    fn load(site: &Site, ask: &Self::Ask) -> impl Future<Output = Result<Self::View, Problem>> + Send;

    /// What the browser's tab says before the site's name.
    fn title(ask: &Self::Ask, view: &Self::View) -> String;

    /// What stands inside `<main>`. Elements that stay from one refresh to the next have an `id`: the browser keeps its
    /// focus, selection, scroll position and open `<details>` by it.
    fn body(site: &Site, ask: &Self::Ask, view: &Self::View) -> Markup;

    /// Styles and scripts beside those of all pages.
    const ASSETS: &'static [&'static Asset] = &[];

    /// The node that the page is about: the frame shows its pages beside it.
    fn node(_ask: &Self::Ask) -> Option<String> {
        None
    }

    /// Ends when an open page should be shown anew before its interval is over; never, unless a page says otherwise. It is
    /// called before [`load`](Page::load), and what happens from the call on counts, even before the first poll: subscribe
    /// first, then return the future.
    fn changed(_site: &Site, _ask: &Self::Ask) -> impl Future<Output = ()> + Send + use<Self> {
        std::future::pending()
    }
}

/// The [`Ask`](Page::Ask) of a page whose address asks nothing.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Nothing {}

/// Adds a page to the site.
pub(crate) fn route<P: Page>(router: Router<Site>) -> Router<Site> {
    router.route(P::PATH, get(serve::<P>))
}

async fn serve<P: Page>(site: Site, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let form = form_of(&parts.headers);
    let ask = match asked::<P::Ask>(&mut parts).await {
        Ok(ask) => ask,
        Err(problem) => return problem.respond(&site, form),
    };
    let refresh = Refresh::of(&parts.uri);
    if form == Form::Events {
        return live::stream::<P>(site, ask, refresh, &parts);
    }
    let view = match P::load(&site, &ask).await {
        Ok(view) => view,
        Err(problem) => return problem.respond(&site, form),
    };
    match form {
        Form::Json => Json(Versioned { schema_version: 1, view: &view }).into_response(),
        _ => {
            let title = P::title(&ask, &view);
            let body = P::body(&site, &ask, &view);
            let node = P::node(&ask);
            let inside = Inside {
                uri: &parts.uri,
                node: node.as_deref(),
                refresh,
                assets: P::ASSETS,
                title: &title,
                body: &body,
            };
            frame::page(&site, &inside).into_response()
        }
    }
}

#[derive(Serialize)]
struct Versioned<'a, V> {
    schema_version: u32,
    #[serde(flatten)]
    view: &'a V,
}

/// A handler takes the site as the visitor of its request sees it.
impl FromRequestParts<Site> for Site {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Site, Problem> {
        Ok(site.seen_by(parts.extensions.get().cloned()))
    }
}
