//! The node that a page is about: named in the address, known to the cluster, and answering.

use std::sync::Arc;
use std::time::Duration;

use beamline_node::NodeName;
use maud::{Markup, html};
use serde::{Deserialize, Deserializer};

use super::super::source::Sources;
use super::super::source::ask::Ask;
use super::super::source::identity::Identity;
use super::super::source::memo::{AsyncAsk, Looked};
use super::super::source::state::{Member, Reach};
use super::super::source::trouble::Trouble;
use super::super::view::unit;
use crate::site::{Problem, Site};

/// A node's name in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named(pub(super) NodeName);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Named).map_err(serde::de::Error::custom)
    }
}

/// A name that a form may leave empty.
pub(super) fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Named>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" => Ok(None),
        text => text.parse().map(|name| Some(Named(name))).map_err(serde::de::Error::custom),
    }
}

impl Named {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A node that answers.
pub(super) struct Subject<'a> {
    pub(super) sources: &'a Sources,
    pub(super) name: &'a NodeName,
    pub(super) identity: Arc<Identity>,
}

impl<'a> Subject<'a> {
    /// The node of an address.
    pub(super) async fn of(site: &'a Site, name: &'a Named) -> Result<Subject<'a>, Problem> {
        let member = member(site, name).await?;
        match (&member.reach, &member.identity) {
            (Reach::Down { why, .. }, _) => Err(why.clone().into()),
            (_, Some(identity)) => {
                Ok(Subject { sources: site.sources(), name: &name.0, identity: Arc::clone(identity) })
            }
            (_, None) => {
                let (node, question) = (name.0.clone(), "who it is".to_owned());
                Err(Trouble::Late { node, question, after: Duration::from_secs(3) }.into())
            }
        }
    }

    pub(super) fn ask(&self) -> Ask<'a> {
        Ask::new(self.sources.node(), self.name)
    }

    /// The answer to a question to this node, which is asked once for all who look. `what` tells it from other questions.
    pub(super) async fn once<T: Send + Sync + 'static>(
        &self,
        what: &str,
        ask: impl AsyncAsk<T>,
    ) -> Result<Looked<T>, Trouble> {
        self.sources.once(self.key(what), ask).await
    }

    /// The key of a question to this node.
    pub(super) fn key(&self, question: &str) -> String {
        format!("{} {} {question}", self.name, self.identity.creation)
    }
}

/// What is known of the node of an address.
pub(super) async fn member(site: &Site, name: &Named) -> Result<Member, Problem> {
    Ok(site.sources().member(&name.0).await?)
}

/// What a node lacks, in a sentence.
pub(super) fn note(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p.hint role="note" { (text) } } }
}

/// What it cost to find out.
pub(super) fn cost(took: Duration, what: &str) -> Markup {
    html! { p.hint { "Asking took " (unit::short(took)) ", " (what) "." } }
}
