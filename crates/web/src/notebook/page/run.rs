//! Running cells, ending them, and answering what they ask.

use beamline_livemd::Id;
use beamline_proto::NodeName;
use serde::Deserialize;
use serde_json::json;

use super::Which;
use crate::notebook::run::{Ask, cell_id, section_id};
use crate::site::{Action, Done, Eval, Permit, Problem, Site};

/// Runs cells, ends them, or answers what they ask.
pub(super) struct Run;

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(rename = "do")]
    what: String,
    #[serde(default, deserialize_with = "super::edit::number")]
    cell: Option<Id>,
    #[serde(default, deserialize_with = "super::edit::number")]
    section: Option<Id>,
    source: Option<String>,
    /// Which question is answered, and with what.
    #[serde(default, deserialize_with = "super::edit::number")]
    question: Option<u64>,
    #[serde(default)]
    text: String,
}

impl Action for Run {
    type Power = Eval;
    type Ask = Which;
    type Form = Form;

    const PATH: &'static str = "/notebooks/run/{*path}";

    async fn act(site: &Site, permit: Permit<Eval>, which: Which, form: Form) -> Result<Done, Problem> {
        let session = which.session(site).await?;
        let gone = || Problem::not_found("The cell is no longer there: somebody else has deleted it.");
        if let (Some(cell), Some(source)) = (form.cell, &form.source) {
            let is_new = session.snapshot().notebook.cell(cell).is_some_and(|it| it.source() != source);
            if is_new {
                session.edit(|notebook| notebook.cell_mut(cell).map(|it| it.set_source(source))).ok_or_else(gone)?;
            }
        }
        let engine = session.engine();
        let ask = match form.what.as_str() {
            "run" => Some(Ask::Cell(cell_id(form.cell.ok_or_else(gone)?))),
            "section" => Some(Ask::Section(section_id(form.section.ok_or_else(gone)?))),
            "stale" => Some(Ask::Stale),
            "all" => Some(Ask::All),
            "cancel" => {
                engine.cancel(cell_id(form.cell.ok_or_else(gone)?));
                None
            }
            "answer" | "end" => {
                let is_end = form.what == "end";
                if form.text.contains(['\n', '\r']) {
                    return Err(Problem::bad_address("an answer is one line"));
                }
                let cell = cell_id(form.cell.ok_or_else(gone)?);
                let late = || Problem::not_found("Nobody waits for that answer any more.");
                if !engine.answer(cell, form.question.ok_or_else(late)?, Some(form.text.as_str()).filter(|_| !is_end)) {
                    return Err(late());
                }
                let runtime = engine.since(u64::MAX).runtime;
                permit.audit("answer", runtime.node().map_or("", NodeName::as_str), session.path());
                None
            }
            "cancel-all" => {
                engine.cancel_all();
                None
            }
            other => return Err(Problem::bad_address(format!("{other:?} is nothing that can be done with cells"))),
        };
        if let Some(ask) = ask
            && !engine.run(ask, &permit)
        {
            return Err(Problem::Refused {
                what: "The notebook is attached to no node, so its cells cannot run.".to_owned(),
                advice: "attach it to a node, at the side of the page".to_owned(),
            });
        }
        let at = form.cell.map_or_else(|| which.page(), |cell| format!("{}#cell-{cell}", which.page()));
        Ok(Done::Told { see: at, told: json!({ "number": session.number() }) })
    }
}
