//! The rules of the format and the oddities of its parser, each as a case; and the laws of reading and writing.

mod edits;
mod laws;
mod quirks;
mod shape;
mod writing;

use super::{Cell, Kind, Notebook};

/// What was read, a line for each part; warnings at the end.
fn outline(text: &str) -> String {
    let notebook = Notebook::read(text);
    assert_eq!(notebook.write(), text, "what is not edited is written as it was read");
    let mut lines = vec![format!("# {}", notebook.name)];
    lines.extend(notebook.comments.iter().map(|comment| format!("comment {comment:?}")));
    if !notebook.metadata.is_empty() {
        lines.push(notebook.metadata.comment());
    }
    lines.extend(notebook.setup.iter().map(|cell| format!("setup {}", of_cell(cell))));
    for section in &notebook.sections {
        let parent = notebook.parent_index(section).map_or(String::new(), |parent| format!(" <- {parent}"));
        let data = if section.metadata.is_empty() { String::new() } else { format!(" {}", section.metadata.comment()) };
        lines.push(format!("## {}{parent}{data}", section.name));
        lines.extend(section.cells.iter().map(of_cell));
    }
    lines.extend(notebook.warnings.iter().map(|warning| format!("! {warning}")));
    lines.join("\n")
}

fn of_cell(cell: &Cell) -> String {
    let kind = match cell.kind {
        Kind::Markdown => "text",
        Kind::Code(language) => language.info(),
        Kind::Smart => "smart",
    };
    let mut line = format!("{kind} {:?}", cell.source);
    if !cell.metadata.is_empty() {
        line = format!("{line} {}", cell.metadata.comment());
    }
    cell.outputs.iter().for_each(|output| line.push_str(&format!(" => {}{:?}", output.info, output.text)));
    line
}

/// The same for a text whose lines begin at the column of the first.
fn outline_of(lines: &[&str]) -> String {
    outline(&(lines.join("\n") + "\n"))
}
