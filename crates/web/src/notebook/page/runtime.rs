//! The node at which the cells run.

use std::fmt;

use beamline_proto::{Cookie, NodeName};
use serde::Deserialize;

use super::Which;
use crate::site::{Action, Done, Eval, Permit, Problem, Site};

/// Attaches the notebook to a node, or lets go of it.
pub(super) struct Attach;

#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    node: String,
    /// Used for this node alone; the node's own cookie without one.
    #[serde(default)]
    cookie: String,
}

/// The cookie is not in it.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("what", &self.what).field("node", &self.node).finish_non_exhaustive()
    }
}

impl Action for Attach {
    type Power = Eval;
    type Ask = Which;
    type Form = Form;

    const PATH: &'static str = "/notebooks/runtime/{*path}";

    async fn act(site: &Site, permit: Permit<Eval>, which: Which, form: Form) -> Result<Done, Problem> {
        let session = which.session(site).await?;
        let engine = session.engine();
        match form.what.as_str() {
            "attach" => {
                let node = name(site, form.node.trim())?;
                permit.audit("attach", node.as_str(), session.path());
                engine.attach(&node, Some(form.cookie).filter(|it| !it.is_empty()).map(|it| Cookie::from(it.as_str())));
            }
            "reconnect" => engine.reconnect(),
            "detach" => engine.detach(),
            other => return Err(Problem::bad_address(format!("{other:?} is nothing that can be done with a node"))),
        }
        Ok(Done::See(which.page()))
    }
}

/// A name without a host is one of our own host.
fn name(site: &Site, text: &str) -> Result<NodeName, Problem> {
    let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{}", site.node().name().host()) };
    whole.parse().map_err(|error| Problem::Refused {
        what: format!("{text:?} is no name of a node: {error}"),
        advice: "write it as app@127.0.0.1".to_owned(),
    })
}
