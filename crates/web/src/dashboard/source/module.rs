//! The modules of a node and what they export.

use beamline_term::{Atom, Term, atom};
use serde::Serialize;

use super::ask::Ask;
use super::read::{cut, module};
use super::trouble::Trouble;

/// So many modules, and so many functions of each, are shown.
pub(crate) const MOST: usize = 5000;

/// A module that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Module {
    /// As its language writes it.
    pub(crate) name: String,
    /// As the node knows it.
    pub(crate) atom: String,
}

/// A function, `hello/0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) arity: u64,
}

/// The modules that are loaded.
pub(crate) async fn modules(ask: &Ask<'_>) -> Result<Vec<Module>, Trouble> {
    let answer = ask.call("code", "all_loaded", ()).await?;
    let list = answer.as_list().ok_or_else(|| ask.strange("code:all_loaded"))?;
    let names = list.iter().take(4 * MOST).filter_map(|it| Some(it.as_tuple()?.first()?.as_atom()?.clone()));
    let mut all: Vec<Module> =
        names.map(|name| Module { name: module(&name), atom: name.as_str().to_owned() }).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// What a module exports.
pub(crate) async fn functions(ask: &Ask<'_>, module: &str) -> Result<Vec<Function>, Trouble> {
    let absent = || Trouble::Absent { what: format!("{} has no module {}.", ask.peer(), cut(module.to_owned(), 100)) };
    let name = Atom::new(module).map_err(|_| absent())?;
    let answer = match ask.call("erlang", "get_module_info", (name, atom("exports"))).await {
        Err(Trouble::Failed { .. }) => return Err(absent()),
        answer => answer?,
    };
    let list = answer.as_list().ok_or_else(|| ask.strange("erlang:get_module_info"))?;
    let mut all: Vec<Function> = list.iter().take(MOST).filter_map(|it| Function::of(&it)).collect();
    all.sort();
    Ok(all)
}

impl Function {
    fn of(term: &Term) -> Option<Function> {
        let [name, arity] = term.as_tuple()? else { return None };
        Some(Function { name: cut(name.as_atom()?.as_str().to_owned(), 100), arity: arity.as_u64()? })
    }
}
