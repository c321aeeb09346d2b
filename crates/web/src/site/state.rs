//! The site: what every page is made from.

use std::sync::Arc;

use beamline_doctor::Options;
use beamline_node::Node;
use beamline_proto::NodeName;
use maud::{Markup, html};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::Access;
use super::{Level, Permit, Power, Visitor};
use crate::dashboard::source::Sources;
use crate::notebook::Library;

/// Pages that are kept up to date at the same time, at most.
pub(super) const OPEN_PAGES: usize = 128;

/// The site, as one visitor sees it. A cheap clone.
#[derive(Clone)]
pub(crate) struct Site {
    inner: Arc<Inner>,
    visitor: Arc<Visitor>,
}

/// What a site is made of.
pub(crate) struct Setup {
    pub(crate) node: Node,
    /// Where it is mounted: empty, or `/beamline`.
    pub(crate) base: String,
    /// Whose cluster it shows; without any, that of the node itself.
    pub(crate) targets: Vec<NodeName>,
    /// How the doctor examines nodes; without, it does not.
    pub(crate) doctor: Option<Options>,
    /// What any of its visitors may do at most.
    pub(crate) power: Power,
    pub(crate) access: Access,
    pub(crate) figures: Option<Figures>,
    /// The notebooks that it shows, if it shows any.
    pub(crate) notebooks: Option<Library>,
}

/// Writes what the program has measured in Prometheus' text format.
pub(crate) type Figures = Arc<dyn Fn() -> String + Send + Sync>;

struct Inner {
    node: Node,
    base: String,
    sources: Sources,
    power: Power,
    access: Access,
    open_pages: Arc<Semaphore>,
    figures: Option<Figures>,
    notebooks: Option<Library>,
}

impl Site {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { node, base, targets, doctor, power, access, figures, notebooks } = setup;
        let sources = Sources::new(&node, targets, doctor);
        let open_pages = Arc::new(Semaphore::new(OPEN_PAGES));
        Self {
            inner: Arc::new(Inner { node, base, sources, power, access, open_pages, figures, notebooks }),
            visitor: Arc::new(Visitor::nobody()),
        }
    }

    /// The folder of notebooks that the site shows, if it shows one.
    pub(crate) fn notebooks(&self) -> Option<&Library> {
        self.inner.notebooks.as_ref()
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

    /// The address of one of the site's paths, for links: `site.path("/names")`. Parts that come from elsewhere go through
    /// [`segment`](super::segment) before: `site.path(&format!("/n/{}", segment(name)))`.
    pub(crate) fn path(&self, path: &str) -> String {
        match path {
            // A nested router answers to its own path without a slash behind it.
            "/" if !self.base().is_empty() => self.base().to_owned(),
            _ => format!("{}{path}", self.base()),
        }
    }

    /// What the dashboard knows of the cluster.
    pub(crate) fn sources(&self) -> &Sources {
        &self.inner.sources
    }

    /// What the program around the site has measured, if it tells.
    pub(crate) fn figures(&self) -> String {
        self.inner.figures.as_ref().map(|figures| figures()).unwrap_or_default()
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

    pub(super) fn access(&self) -> &Access {
        &self.inner.access
    }

    /// Whether the visitor's session still lasts; a page that is open uses it.
    pub(super) fn lasts(&self) -> bool {
        self.access().lasts(&self.visitor)
    }

    /// A place for a page that is kept up to date, if there is one.
    pub(super) fn open_page(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.open_pages).try_acquire_owned().ok()
    }

    pub(super) fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}
