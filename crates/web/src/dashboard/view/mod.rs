//! What pages are put together from: figures with their units, tables that sort, charts, the picture of a mesh.
//!
//! Nothing here asks anything. All that comes from peers is text that maud escapes.

pub(crate) mod chart;
pub(crate) mod link;
pub(crate) mod mesh;
pub(crate) mod table;
pub(crate) mod unit;
