//! Links to the pages: an address holds the whole state of its page.

use maud::{Markup, html};

use crate::site::{Site, segment};

/// The address of a page with what it asks.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    path: String,
    pairs: Vec<(&'static str, String)>,
}

impl Address {
    /// A page of the site.
    pub(crate) fn of(site: &Site, path: &str) -> Address {
        Address { path: site.path(path), pairs: Vec::new() }
    }

    /// A page about a node: `""`, `/processes`.
    pub(crate) fn of_node(site: &Site, node: &str, path: &str) -> Address {
        Address::of(site, &format!("/n/{}{path}", segment(node)))
    }

    /// With this in the query, in place of what was there under this name; not at all if it is empty.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Address {
        let value = value.into();
        self.pairs.retain(|(before, _)| *before != name);
        if !value.is_empty() {
            self.pairs.push((name, value));
        }
        self
    }

    /// With what the page's own address says, if it does.
    pub(crate) fn keep(self, name: &'static str, value: Option<&impl ToString>) -> Address {
        match value {
            Some(value) => self.set(name, value.to_string()),
            None => self,
        }
    }

    /// For `href` and `action`.
    pub(crate) fn href(&self) -> String {
        if self.pairs.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, serde_urlencoded::to_string(&self.pairs).unwrap_or_default())
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What a form must send along, but for the fields that it has itself.
    pub(crate) fn fields(&self, own: &[&str]) -> Markup {
        html! {
            @for (name, value) in self.pairs.iter().filter(|(name, _)| !own.contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }
}

/// A node's name, which leads to its page.
pub(crate) fn node(site: &Site, name: &str) -> Markup {
    html! { a href=(Address::of_node(site, name, "").href()) { (name) } }
}

/// A process, which leads to its page. `pid` is as its own node prints it.
pub(crate) fn process(site: &Site, node: &str, pid: &str, text: &str) -> Markup {
    let inner = pid.trim_start_matches('<').trim_end_matches('>');
    html! { a.mono href=(Address::of_node(site, node, &format!("/processes/{}", segment(inner))).href()) { (text) } }
}
