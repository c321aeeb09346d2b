//! Between a notebook's file and the engine: what is to be run of it, and what came of that as a file keeps it.

use beamline_livemd::{Id, Kind, Notebook};

use super::outline::{CellId, CodeCell, Language, Outline, Section, SectionId};
use super::output::{Outcome, Output};

/// The engine's name of a cell.
pub(crate) fn cell_id(id: Id) -> CellId {
    CellId(u64::from(u32::from(id)))
}

/// The engine's name of a section.
pub(crate) fn section_id(id: Id) -> SectionId {
    SectionId(u64::from(u32::from(id)))
}

/// The code of a notebook.
pub(crate) fn outline(notebook: &Notebook) -> Outline {
    let sections = notebook.sections().iter().map(|section| Section {
        id: section_id(section.id()),
        parent: section.parent().map(section_id),
        cells: section.cells().iter().filter_map(code_cell).collect(),
    });
    Outline { setup: notebook.setup().first().and_then(code_cell), sections: sections.collect() }
}

/// A cell as the engine knows it; none if it is no code that anybody runs.
pub(crate) fn code_cell(cell: &beamline_livemd::Cell) -> Option<CodeCell> {
    let language = match (cell.kind(), cell.language()?) {
        (Kind::Markdown, _) | (_, beamline_livemd::Language::Pyproject) => return None,
        (_, beamline_livemd::Language::Elixir) => Language::Elixir,
        (_, beamline_livemd::Language::Erlang) => Language::Erlang,
        (_, beamline_livemd::Language::Python) => Language::Python,
    };
    Some(CodeCell {
        reevaluate_automatically: cell.reevaluates(),
        continue_on_error: cell.continues_on_error(),
        ..CodeCell::new(cell_id(cell.id()), language, cell.source())
    })
}

/// What a cell gave, as a file keeps it; none while it runs.
pub(crate) fn kept(output: &Output) -> Option<Vec<beamline_livemd::Output>> {
    let told = match output.result.as_ref()? {
        Outcome::Value { text, .. } => Some(text.as_str()),
        Outcome::Failed(failure) => Some(failure.message.as_str()),
        _ => None,
    };
    let printed = Some(output.printed.kept()).filter(|text| !text.is_empty());
    Some([printed, told].into_iter().flatten().map(beamline_livemd::Output::text).collect())
}
