//! The cluster's names, as one of its nodes has them: those of `global`, and the registry's services.

use beamline_term::{ExportFun, Term, atom};
use serde::Serialize;

use super::ask::{Ask, optional};
use super::read::{local, text};
use super::trouble::Trouble;

/// So many names are shown.
pub(crate) const MOST: usize = 5000;

/// A name of the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Name {
    pub(crate) name: String,
    /// Who has it, as its own node prints it.
    pub(crate) pid: Option<String>,
    pub(crate) node: Option<String>,
}

/// A service of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) node: String,
}

/// What one node knows.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Names {
    pub(crate) global: Vec<Name>,
    /// `None` if the node has no NodeRegistry.
    pub(crate) registry: Option<Vec<Service>>,
    /// Whether there are more than are shown.
    pub(crate) is_cut: bool,
}

/// Asks a node.
pub(crate) async fn names(ask: &Ask<'_>) -> Result<Names, Trouble> {
    let (names, registry) =
        tokio::join!(ask.call("global", "registered_names", ()), ask.call("Elixir.NodeRegistry", "all", ()),);
    let names = names?;
    let names = names.as_list().ok_or_else(|| ask.strange("global:registered_names"))?;
    let is_cut = names.len() > MOST;
    let names: Vec<Term> = names.iter().take(MOST).map(|name| name.into_owned()).collect();
    let mut global: Vec<Name> = Vec::new();
    for (name, owner) in names.iter().zip(owners(ask, &names).await?) {
        let pid = owner.as_pid();
        global.push(Name {
            name: text(name),
            pid: pid.map(local),
            node: pid.map(|pid| text(&pid.node().clone().into())),
        });
    }
    global.sort_by(|a, b| a.name.cmp(&b.name));
    let registry = optional(registry)?;
    let registry = registry.as_ref().and_then(Term::as_map).map(|map| {
        let service = |(name, node): (&Term, &Term)| Service { name: text(name), node: text(node) };
        let mut services: Vec<Service> = map.iter().take(MOST).map(service).collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));
        services
    });
    Ok(Names { global, registry, is_cut })
}

/// Who has each of the names: in one call where the node can apply a function to a list, else one by one.
async fn owners(ask: &Ask<'_>, names: &[Term]) -> Result<Vec<Term>, Trouble> {
    let whereis = ExportFun { module: atom("global"), function: atom("whereis_name"), arity: 1 };
    let list = Term::list(names.iter().cloned());
    if let Some(answer) = optional(ask.call("lists", "map", (Term::from(whereis), list)).await)? {
        let owners = answer.as_list().map(|owners| owners.to_vec()).unwrap_or_default();
        return if owners.len() == names.len() { Ok(owners) } else { Err(ask.strange("lists:map")) };
    }
    let mut owners = Vec::with_capacity(names.len());
    for name in names {
        owners.push(ask.call("global", "whereis_name", (name,)).await?);
    }
    Ok(owners)
}
