//! Notebooks: files in Livebook's format, whose cells run at any node of the cluster.

pub mod livemd;
#[allow(dead_code, unused_imports, reason = "what serves it comes next")]
pub(crate) mod run;

use axum::Router;

use crate::site::Site;

/// Adds the notebook's pages and actions.
pub(crate) fn routes(_site: &Site, router: Router<Site>) -> Router<Site> {
    router
}
