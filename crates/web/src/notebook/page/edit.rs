//! Edits: of a cell's text, and of the order of things.

use std::fmt;
use std::str::FromStr;

use beamline_livemd::{Direction, Id, Kind, Notebook};
use serde::Deserialize;
use serde_json::json;

use super::Which;
use crate::site::{Action, Done, Eval, Permit, Problem, Site};

/// Changes the notebook.
pub(super) struct Edit;

/// What a form of the page says; which fields there are hangs on what is to be done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(rename = "do")]
    what: String,
    #[serde(default, deserialize_with = "number")]
    cell: Option<Id>,
    #[serde(default, deserialize_with = "number")]
    section: Option<Id>,
    index: Option<String>,
    source: Option<String>,
    text: Option<String>,
}

/// A number, which forms send as text; an empty one is none.
pub(super) fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    let text = match Option::<Either>::deserialize(deserializer)? {
        Some(Either::Number(number)) => number.to_string(),
        Some(Either::Text(text)) if !text.is_empty() => text,
        _ => return Ok(None),
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Action for Edit {
    type Power = Eval;
    type Ask = Which;
    type Form = Form;

    const PATH: &'static str = "/notebooks/edit/{*path}";

    async fn act(site: &Site, _: Permit<Eval>, which: Which, form: Form) -> Result<Done, Problem> {
        let session = which.session(site).await?;
        let shown = session.edit(|notebook| change(notebook, &form)).ok_or_else(|| {
            Problem::not_found("The cell or section is no longer there: somebody else has deleted it.")
        })?;
        let number = session.number();
        Ok(match shown {
            Shown::Cell(id) => Done::Told {
                see: format!("{}#cell-{id}", which.page()),
                told: json!({ "cell": u32::from(id), "number": number }),
            },
            Shown::Section(id) => Done::Told {
                see: format!("{}#section-{id}", which.page()),
                told: json!({ "section": u32::from(id), "number": number }),
            },
            Shown::Page => Done::Told { see: which.page(), told: json!({ "number": number }) },
        })
    }
}

/// What is to be looked at after an edit.
enum Shown {
    Page,
    Cell(Id),
    Section(Id),
}

/// None if what is to be changed is not there.
fn change(notebook: &mut Notebook, form: &Form) -> Option<Shown> {
    let text = form.text.as_deref().unwrap_or_default();
    let index = form.index.as_deref().and_then(|index| index.parse().ok()).unwrap_or(usize::MAX);
    // Whatever a cell's form is sent for, its text comes along.
    if let (Some(cell), Some(source)) = (form.cell, &form.source) {
        notebook.cell_mut(cell)?.set_source(source);
    }
    let cell = || form.cell.ok_or(()).ok();
    match form.what.as_str() {
        "source" => cell().map(Shown::Cell),
        "insert-code" => {
            let kind = Kind::Code(notebook.default_language());
            Some(Shown::Cell(notebook.insert_cell(form.section?, index, kind)?))
        }
        "insert-text" => Some(Shown::Cell(notebook.insert_cell(form.section?, index, Kind::Markdown)?)),
        "insert-section" => {
            let name = if text.trim().is_empty() { "Section" } else { text };
            Some(Shown::Section(notebook.insert_section(index, name)?))
        }
        "delete" => notebook.remove_cell(cell()?).map(|_| Shown::Page),
        "up" | "down" => {
            let direction = if form.what == "up" { Direction::Up } else { Direction::Down };
            notebook.move_cell(cell()?, direction);
            cell().map(Shown::Cell)
        }
        "reevaluate" => {
            let it = notebook.cell_mut(cell()?)?;
            it.set_reevaluates(!it.reevaluates());
            cell().map(Shown::Cell)
        }
        "continue" => {
            let it = notebook.cell_mut(cell()?)?;
            it.set_continues_on_error(!it.continues_on_error());
            cell().map(Shown::Cell)
        }
        "rename" => {
            notebook.rename(text);
            Some(Shown::Page)
        }
        "rename-section" => notebook.rename_section(form.section?, text).then_some(Shown::Section(form.section?)),
        "delete-section" => notebook.remove_section(form.section?).map(|_| Shown::Page),
        "branch" => {
            notebook.set_parent(form.section?, text.parse().ok());
            form.section.map(Shown::Section)
        }
        "persist" => {
            notebook.set_persists_outputs(!notebook.persists_outputs());
            Some(Shown::Page)
        }
        "setup" => {
            notebook.set_setup("# Runs before all other cells\n");
            notebook.setup().first().map(|cell| Shown::Cell(cell.id()))
        }
        _ => None,
    }
}
