//! Notebooks: files in Livebook's format, whose cells run at any node of the cluster.

mod page;
pub(crate) mod run;
mod session;

use axum::Router;

use crate::site::Site;

pub(crate) use session::Library;

/// Adds the notebook's pages and actions.
pub(crate) fn routes(site: &Site, router: Router<Site>) -> Router<Site> {
    page::routes(site, router)
}

/// Where a notebook or a folder of them is shown.
pub(crate) fn start(path: &str) -> String {
    page::start(path)
}
