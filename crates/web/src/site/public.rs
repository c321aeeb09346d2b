//! What stands around the pages: the assets, the health for load balancers, the answer to unknown addresses, and the guard.

use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::access::guard;
use super::ask::form_of;
use super::{Problem, Site, assets};

/// Puts all of it around the site's pages.
pub(crate) fn around(site: &Site, pages: Router<Site>) -> Router {
    assets::routes(pages)
        .route("/public/health", get(health))
        .fallback(unknown)
        .layer(from_fn_with_state(site.clone(), guard))
        .with_state(site.clone())
}

/// That the site answers, and nothing else: whoever asks need not have entered.
async fn health() -> Json<Value> {
    Json(json!({ "application": "beamline" }))
}

async fn unknown(site: Site, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    Problem::not_found(format!("There is no page {path}.")).respond(&site, form_of(request.headers()))
}
