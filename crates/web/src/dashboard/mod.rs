//! The dashboard: what the nodes of a cluster say of themselves, as pages, and as JSON at the same addresses.

pub(crate) mod source;

use axum::Router;

use crate::site::{Place, Site};

/// The pages about the whole cluster, for the frame's navigation.
pub(crate) const PLACES: &[Place] = &[Place { label: "Cluster", path: "/" }];

/// The pages about one node, from the node's own page on.
pub(crate) const NODE_PLACES: &[Place] = &[Place { label: "Home", path: "" }];

/// Adds the dashboard's pages.
pub(crate) fn routes(_site: &Site, router: Router<Site>) -> Router<Site> {
    router
}
