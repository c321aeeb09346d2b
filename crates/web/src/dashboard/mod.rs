//! The dashboard: what the nodes of a cluster say of themselves, as pages, and as JSON at the same addresses.
