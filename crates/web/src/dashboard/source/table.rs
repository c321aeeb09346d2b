//! The ETS tables of a BEAM node. What is in them is not asked for.

use beamline_term::{Term, atom};
use serde::Serialize;

use super::ask::Ask;
use super::read::Props;
use super::trouble::Trouble;

/// So many are shown.
pub(crate) const MOST: usize = 5000;

/// A table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// Of a table without a name.
    pub(crate) id: Option<String>,
    /// `public`, `protected` or `private`.
    pub(crate) protection: String,
    /// `set`, `ordered_set`, `bag` or `duplicate_bag`.
    pub(crate) kind: String,
    /// How many objects it has.
    pub(crate) size: u64,
    /// Bytes.
    pub(crate) memory: u64,
    pub(crate) owner: Option<String>,
    pub(crate) owner_name: Option<String>,
    pub(crate) is_compressed: bool,
}

/// Asks the node. Tables of Erlang's own, and those that only their owner may read, are left out unless they are wanted.
pub(crate) async fn tables(ask: &Ask<'_>, system: bool, unreadable: bool) -> Result<Vec<Table>, Trouble> {
    let option = |name, is_hidden: bool| Term::tuple([atom(name).into(), is_hidden.into()]);
    let options = Term::list([option("sys_hidden", !system), option("unread_hidden", !unreadable)]);
    let answer = ask.call("observer_backend", "get_table_list", (atom("ets"), options)).await?;
    let list = answer.as_list().ok_or_else(|| ask.strange("observer_backend:get_table_list"))?;
    Ok(list.iter().take(MOST).filter_map(|it| Props::of(&it)).map(|props| Table::of(&props)).collect())
}

impl Table {
    fn of(props: &Props) -> Table {
        Table {
            name: props.text("name").unwrap_or_default(),
            id: props.text("id"),
            protection: props.text("protection").unwrap_or_default(),
            kind: props.text("type").unwrap_or_default(),
            size: props.number("size").unwrap_or_default(),
            memory: props.number("memory").unwrap_or_default(),
            owner: props.pid("owner"),
            owner_name: props.text("reg_name"),
            is_compressed: props.flag("compressed"),
        }
    }
}
