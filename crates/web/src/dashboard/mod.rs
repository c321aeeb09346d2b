//! The dashboard: what the nodes of a cluster say of themselves, as pages, and as JSON at the same addresses.
//!
//! [`source`] asks nodes and remembers, [`page`] has a file for each page, [`view`] what pages are put together from.

mod page;
pub(crate) mod source;
mod view;

pub(crate) use page::{NODE_PLACES, PLACES, routes};
