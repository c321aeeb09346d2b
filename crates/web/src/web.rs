//! The public face: what is served, from which node, to whom.

use axum::Router;
use beamline_node::Node;
use beamline_proto::NodeName;

use crate::dashboard;
use crate::notebook;
use crate::site::{Power, Site};

/// The site of a node: set up here, then served, or mounted into an axum application.
#[derive(Debug)]
pub struct Web {
    node: Node,
    base: String,
    targets: Vec<NodeName>,
    power: Power,
}

impl Web {
    /// The site of this node. It shows the node's cluster, to whom has its token.
    pub fn new(node: &Node) -> Self {
        Self { node: node.clone(), base: String::new(), targets: Vec::new(), power: Power::View }
    }

    /// Where the site is mounted, such as `/beamline`: its links begin with it.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.base = path.trim_end_matches('/').to_owned();
        self
    }

    /// Shows the cluster of this node, in place of that of the site's own: for tools, which are no members.
    #[must_use]
    pub fn target(mut self, node: NodeName) -> Self {
        self.targets.push(node);
        self
    }

    /// The site's routes, to be nested where [`at`](Web::at) says.
    pub fn router(self) -> Router {
        let site = Site::new(self.node, self.base, self.targets, self.power);
        let router = dashboard::routes(&site, Router::new());
        notebook::routes(&site, router).with_state(site)
    }
}
