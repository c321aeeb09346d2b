//! The top of a file: what stands before all Markdown, and which heading is the notebook's name.

use serde_json::Value;

use crate::scan::{Block, BlockKind};
use crate::warning::{Trouble, Warning};

/// The end of a byte order mark and of front matter: data between two lines of `---` at the very top, which other programs use.
/// Livebook has no idea of it and would make text of it.
pub(super) fn preamble(text: &str) -> usize {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut lines = text[start..].split_inclusive('\n');
    let mut end = start;
    for (number, line) in lines.by_ref().enumerate() {
        end += line.len();
        match (number, line.trim_end()) {
            (0, "---") => {}
            (0, _) | (1, "") => break,
            (2.., "---") => return end,
            (_, line) if line.starts_with("```") || line.starts_with("## ") => break,
            _ => {}
        }
    }
    start
}

/// Which block is what.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The name's heading.
    pub(super) name: Option<usize>,
    /// The comments above it.
    pub(super) comments: Vec<usize>,
    /// All others, in the notebook's order.
    pub(super) body: Vec<usize>,
    /// The name stands below other things.
    pub(super) moved: bool,
    /// All headings are one level lower than they look.
    pub(super) lowered: bool,
}

pub(super) fn shape(blocks: &[Block<'_>], warnings: &mut Vec<Warning>) -> Shape {
    let is_name = |block: &&Block<'_>| matches!(block.kind, BlockKind::Heading { level: 1, .. });
    let count = blocks.iter().filter(is_name).count();
    let Some(name) = blocks.iter().position(|block| is_name(&block)) else {
        return Shape { body: (0..blocks.len()).collect(), ..Shape::default() };
    };
    if count > 1 {
        warnings.push(Warning { line: blocks[name].line, trouble: Trouble::ManyNames { count } });
        return Shape { body: (0..blocks.len()).collect(), lowered: true, ..Shape::default() };
    }
    let is_comment = |block: &&Block<'_>| matches!(block.kind, BlockKind::Comment(_));
    let first = name - blocks[..name].iter().rev().take_while(is_comment).count();
    if first > 0 {
        warnings.push(Warning { line: blocks[name].line, trouble: Trouble::NameNotFirst });
    }
    Shape {
        name: Some(name),
        comments: (first..name).collect(),
        body: (0..first).chain(name + 1..blocks.len()).collect(),
        moved: first > 0,
        lowered: false,
    }
}

/// Whether an entry of the notebook's files says what it must.
pub(super) fn is_file_entry(entry: &Value) -> bool {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let file = |key: &str| entry.get("file").and_then(|file| file.get(key)).is_some_and(Value::is_string);
    text("name").is_some()
        && match text("type") {
            Some("attachment") => true,
            Some("url") => text("url").is_some(),
            Some("file") => ["file_system_id", "file_system_type", "path"].into_iter().all(file),
            _ => false,
        }
}
