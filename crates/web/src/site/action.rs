//! What a page's forms do: a POST that changes something, by a visitor who may, from a form of this site.
//!
//! That the form is this site's own is checked before any action, where sessions are ([`super::visitor`]).

use std::future::Future;

use axum::Json;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::de::DeserializeOwned;

use super::ask::{Form, asked, form_of};
use super::{Level, Permit, Problem, Site};

/// The longest form or JSON text that is taken, in bytes.
pub(crate) const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Something that is done by a POST.
pub(crate) trait Action: 'static {
    /// What the visitor must be allowed to. Where no visitor of the site may, the action has no route at all.
    type Power: Level;
    /// What the address asks: path parameters and query together.
    type Ask: DeserializeOwned + Clone + Send + Sync;
    /// What the form holds, or the same as JSON (`Content-Type: application/json`).
    type Form: DeserializeOwned + Send;

    /// The path as axum writes it, below the site's own.
    const PATH: &'static str;

    /// Does it.
    fn act(
        site: &Site,
        permit: Permit<Self::Power>,
        ask: Self::Ask,
        form: Self::Form,
    ) -> impl Future<Output = Result<Done, Problem>> + Send;
}

/// How an action ended.
#[derive(Debug)]
pub(crate) enum Done {
    /// The browser goes on to this path of the site; who asked for JSON gets `{"see": PATH}`.
    See(String),
    /// The browser goes on to this path of the site; who asked for JSON gets the value.
    Told { see: String, told: serde_json::Value },
    /// The answer itself, for scripts.
    Json(serde_json::Value),
}

/// Adds an action to the site, if any of its visitors may do it.
pub(crate) fn action<A: Action>(site: &Site, router: Router<Site>) -> Router<Site> {
    if site.most() < A::Power::POWER {
        return router;
    }
    router.route(A::PATH, post(perform::<A>))
}

async fn perform<A: Action>(site: Site, request: Request) -> Response {
    let form = form_of(request.headers());
    match attempt::<A>(&site, request).await {
        Ok(Done::See(path) | Done::Told { see: path, .. }) if form == Form::Html => {
            (StatusCode::SEE_OTHER, [(LOCATION, site.path(&path))]).into_response()
        }
        Ok(Done::See(path)) => Json(serde_json::json!({ "see": site.path(&path) })).into_response(),
        Ok(Done::Told { told: value, .. } | Done::Json(value)) => Json(value).into_response(),
        Err(problem) => problem.respond(&site, form),
    }
}

async fn attempt<A: Action>(site: &Site, request: Request) -> Result<Done, Problem> {
    let permit = site.permit().ok_or(Problem::Forbidden { needs: A::Power::POWER })?;
    let (mut parts, body) = request.into_parts();
    let ask = asked(&mut parts).await?;
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|error| Problem::bad_address(error.to_string()))?;
    let form = read::<A::Form>(&parts.headers, &bytes)?;
    A::act(site, permit, ask, form).await
}

fn read<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        return serde_json::from_slice(bytes).map_err(|error| Problem::bad_address(error.to_string()));
    }
    serde_urlencoded::from_bytes(bytes).map_err(|error| Problem::bad_address(error.to_string()))
}
