//! The dashboard: what the nodes of a cluster say of themselves, as pages, and as JSON at the same addresses.

pub(crate) mod source;

use axum::Router;

use crate::site::Site;

/// Adds the dashboard's pages.
pub(crate) fn routes(_site: &Site, router: Router<Site>) -> Router<Site> {
    router
}
