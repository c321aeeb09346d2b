//! What could stand where the cursor is.

use beamline_livemd::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Which;
use crate::notebook::run::cell_id;
use crate::site::{Action, Done, Eval, Permit, Problem, Site};

/// So many words are offered.
const OFFERED: usize = 100;

/// Offers words.
pub(super) struct Complete;

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(default, deserialize_with = "super::edit::number")]
    cell: Option<Id>,
    /// The text of the cell before the cursor.
    before: String,
}

impl Action for Complete {
    type Power = Eval;
    type Ask = Which;
    type Form = Form;

    const PATH: &'static str = "/notebooks/complete/{*path}";

    async fn act(site: &Site, _: Permit<Eval>, which: Which, form: Form) -> Result<Done, Problem> {
        let session = which.session(site).await?;
        let cell = form.cell.ok_or_else(|| Problem::bad_address("no cell is named"))?;
        let found = session.engine().complete(cell_id(cell), &form.before).await;
        let words: Vec<Value> = found
            .into_iter()
            .take(OFFERED)
            .filter_map(|word| {
                // The page counts as JavaScript does: in units of UTF-16.
                let start = form.before.get(..word.start)?.encode_utf16().count();
                Some(json!({ "start": start, "text": word.text, "shown": word.shown }))
            })
            .collect();
        Ok(Done::Json(json!({ "words": words })))
    }
}
