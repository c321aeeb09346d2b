//! The pages, one file each: what an address asks, what is found out, and how it is shown.

mod applications;
mod charts;
mod cluster;
mod distribution;
mod doctor;
mod events;
mod functions;
mod home;
mod memory;
mod mesh;
mod names;
mod ports;
mod process;
mod processes;
mod snapshot;
mod subject;
mod tables;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::get;

use crate::site::{Place, Site, route};

/// The pages about the whole cluster, for the frame's navigation.
pub(crate) const PLACES: &[Place] = &[
    Place { label: "Cluster", path: "/" },
    Place { label: "Names", path: "/names" },
    Place { label: "Events", path: "/events" },
    Place { label: "Doctor", path: "/doctor" },
];

/// The pages about one node, from the node's own page on.
pub(crate) const NODE_PLACES: &[Place] = &[
    Place { label: "Home", path: "" },
    Place { label: "Charts", path: "/charts" },
    Place { label: "Processes", path: "/processes" },
    Place { label: "Applications", path: "/applications" },
    Place { label: "Ports", path: "/ports" },
    Place { label: "ETS", path: "/ets" },
    Place { label: "Memory", path: "/memory" },
    Place { label: "Distribution", path: "/distribution" },
    Place { label: "Functions", path: "/functions" },
];

/// Adds all pages.
pub(crate) fn routes(site: &Site, router: Router<Site>) -> Router<Site> {
    let router = route::<cluster::Cluster>(router);
    let router = route::<names::Names>(router);
    let router = route::<events::Events>(router);
    let router = route::<doctor::Doctor>(router);
    let router = route::<snapshot::Snapshot>(router);
    let router = route::<home::Home>(router);
    let router = route::<charts::Charts>(router);
    let router = route::<processes::Processes>(router);
    let router = route::<process::Detail>(router);
    let router = route::<applications::Applications>(router);
    let router = route::<ports::Ports>(router);
    let router = route::<tables::Tables>(router);
    let router = route::<memory::Memory>(router);
    let router = route::<distribution::Distribution>(router);
    let router = route::<functions::Functions>(router);
    let router = router.route(snapshot::FILE, get(snapshot::file));
    process::actions(site, router)
}
