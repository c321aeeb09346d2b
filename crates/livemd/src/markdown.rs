//! Text that people write, made such that a file holds it as one cell or one heading, and is read back the same.

use super::cell::Language;
use super::notebook::{Notebook, Section};
use super::scan::{Block, BlockKind, scan};
use super::warning::Trouble;

/// The next block stays Markdown though it looks like a cell.
pub(super) const FORCE: &str = "<!-- livebook:{\"force_markdown\":true} -->";
/// Another Markdown cell begins.
pub(super) const BREAK: &str = "<!-- livebook:{\"break_markdown\":true} -->";
/// The next fence is an output.
pub(super) const OUTPUT: &str = "<!-- livebook:{\"output\":true} -->";

/// With `\n` at the end of each line.
pub(super) fn newlines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Without blank lines at its start, and space at its end.
pub(super) fn trimmed(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', '\n']);
    let first = text.find(|char| !matches!(char, ' ' | '\t' | '\n')).unwrap_or(0);
    &text[text[..first].rfind('\n').map_or(0, |newline| newline + 1)..]
}

/// The text of a Markdown cell, changed only as far as a file could not hold it.
pub(super) fn storable(source: &str) -> String {
    let mut text = trimmed(&newlines(source)).to_owned();
    for _ in 0..4 {
        if text.is_empty() || survives(&text) {
            return text;
        }
        let mended = trimmed(&mend(&text)).to_owned();
        if mended == text {
            break;
        }
        text = mended;
    }
    let fence = fence(&text);
    format!("{fence}text\n{text}\n{fence}")
}

/// Whether the text is read back as it is, and leaves alone what follows it: a mark, code, a heading.
fn survives(text: &str) -> bool {
    let cell = written(text);
    let marked = format!("## s\n\n{cell}\n\n{BREAK}\n\nx");
    let coded = format!("## s\n\n{cell}\n\n```elixir\ny\n```");
    let notebook = Notebook::read(&format!("# n\n\n{marked}\n\n{coded}\n\n## s\n\n{cell}\n\n## s\n"));
    let sources = |section: &Section| section.cells().iter().map(|cell| cell.source().to_owned()).collect();
    let read: Vec<Vec<String>> = notebook.sections().iter().map(sources).collect();
    read == [vec![text, "x"], vec![text, "y"], vec![text], vec![]]
}

/// Takes headings that would begin a section down, and closes what is open.
fn mend(text: &str) -> String {
    let (blocks, warnings) = scan(text, 0);
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for block in &blocks {
        out.push_str(&text[done..block.start]);
        done = block.end;
        match &block.kind {
            // Of one without a name the line below stays, if it has one.
            BlockKind::Heading { level: 1 | 2, name: "" } => {
                out.push_str(text[block.start..block.end].split_once('\n').map_or("", |(_, line)| line));
            }
            BlockKind::Heading { level: 1 | 2, name } => out.extend(["### ", name]),
            BlockKind::Comment(lines) if lines.first().is_some_and(|line| line.starts_with("livebook:")) => {
                out.push_str(&text[block.start..block.end].replacen("livebook:", "livebook :", 1));
            }
            _ => out.push_str(&text[block.start..block.end]),
        }
    }
    for warning in warnings.iter().rev() {
        match &warning.trouble {
            Trouble::FenceNotClosed { marker } => out.extend(["\n", marker]),
            Trouble::BackquotesNotClosed { marker } => out.extend([" ", marker]),
            Trouble::CommentNotClosed => out.push_str(" -->"),
            Trouble::ElementNotClosed { tag } => out.extend(["\n</", tag, ">"]),
            _ => {}
        }
    }
    out
}

/// A fence that no line of the text closes.
pub(super) fn fence(text: &str) -> String {
    let (mut longest, mut run) = (2, 0);
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest + 1)
}

/// The text of a cell as it stands in a file: code in it is marked as not being a cell.
pub(super) fn written(text: &str) -> String {
    let (blocks, _) = scan(text, 0);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for block in blocks.iter().filter(|block| is_code(block)) {
        out.extend([&text[done..block.start], FORCE, "\n\n"]);
        done = block.start;
    }
    out.push_str(&text[done..]);
    out
}

/// Whether a block would be a cell.
fn is_code(block: &Block<'_>) -> bool {
    matches!(block.kind, BlockKind::Fence { info, .. } if Language::from_info(info).is_some())
}

/// Whether a text would be taken for the output of the code above it.
pub(super) fn begins_as_output(text: &str) -> bool {
    text.trim_start().starts_with(['`', '~'])
}

/// The text of a heading: one line, changed only as far as no heading says it. Empty if nothing is left.
pub(super) fn heading(name: &str) -> String {
    let line = name.replace(|char: char| char.is_control(), " ");
    let mut name = line.trim().to_owned();
    while !name.is_empty() && heading_line(2, &name).is_none() {
        // What the form with number signs makes of it, which is shorter each time.
        let form = format!("## {name}");
        match scan(&form, 0).0.first() {
            Some(Block { kind: BlockKind::Heading { name: read, .. }, .. }) if read.len() < name.len() => {
                name = (*read).to_owned();
            }
            _ => drop(name.pop()),
        }
    }
    name
}

/// A heading of the first or second level. A name that ends in a number sign needs the form that is underlined.
pub(super) fn heading_line(level: usize, name: &str) -> Option<String> {
    let underlined = format!("{name}\n{}", if level == 1 { "===" } else { "---" });
    let forms = [format!("{} {name}", "#".repeat(level)), underlined];
    forms.into_iter().find(|form| match scan(form, 0).0.as_slice() {
        [Block { kind: BlockKind::Heading { level: read, name: said }, .. }] => *read == level && *said == name,
        _ => false,
    })
}

/// Whether a section of this name has an underlined heading.
pub(super) fn is_underlined(name: &str) -> bool {
    heading_line(2, name).is_some_and(|form| !form.starts_with('#'))
}
