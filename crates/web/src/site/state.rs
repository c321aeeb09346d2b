//! The site: what every page is made from.

use std::sync::Arc;

use beamline_node::Node;
use beamline_proto::NodeName;
use maud::{Markup, html};

use super::{Level, Permit, Power, Visitor};
use crate::dashboard::source::Sources;

/// The site, as one visitor sees it. A cheap clone.
#[derive(Clone)]
pub(crate) struct Site {
    inner: Arc<Inner>,
    visitor: Arc<Visitor>,
}

struct Inner {
    node: Node,
    base: String,
    sources: Sources,
    power: Power,
}

impl Site {
    pub(crate) fn new(node: Node, base: String, targets: Vec<NodeName>, power: Power) -> Self {
        let sources = Sources::new(&node, targets);
        let visitor = Arc::new(Visitor::nobody());
        Self { inner: Arc::new(Inner { node, base, sources, power }), visitor }
    }

    pub(super) fn seen_by(&self, visitor: Option<Arc<Visitor>>) -> Self {
        Self { inner: Arc::clone(&self.inner), visitor: visitor.unwrap_or_else(|| Arc::clone(&self.visitor)) }
    }

    /// The node from which the cluster is looked at.
    pub(crate) fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Where the site is mounted: empty, or `/beamline`.
    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    /// The address of one of the site's paths, for links: `site.path("/n/app@host")`. Parts that come from elsewhere must be
    /// percent-encoded before.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// What the dashboard knows of the cluster.
    pub(crate) fn sources(&self) -> &Sources {
        &self.inner.sources
    }

    /// The proof that the visitor may do something; `None` if not.
    pub(crate) fn permit<L: Level>(&self) -> Option<Permit<L>> {
        (self.visitor.power >= L::POWER).then(|| Permit::new(self.visitor.name.clone()))
    }

    /// What any visitor of this site may do at most.
    pub(crate) fn most(&self) -> Power {
        self.inner.power
    }

    /// What every form needs inside: `form method="post" action=(..) { (site.form_token()) .. }`. Scripts send the same as
    /// the header `x-form-token`; they find it in the page's `<meta name="form-token">`.
    pub(crate) fn form_token(&self) -> Markup {
        html! { input type="hidden" name="form_token" value=(self.visitor.form_token); }
    }

    pub(super) fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}
