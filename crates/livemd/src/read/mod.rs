//! From blocks to a notebook: which block is whose, as Livebook decides it.

mod build;
mod comment;
mod head;

use serde_json::Value;

use super::cell::{Id, Language};
use super::metadata::Metadata;
use super::notebook::{Notebook, Origin};
use super::scan::{BlockKind, scan};
use super::warning::{Trouble, Warning};

use build::Builder;
use comment::Said;

pub(super) fn read(text: &str) -> Notebook {
    let preamble = head::preamble(text);
    let (blocks, mut warnings) = scan(text, preamble);
    let shape = head::shape(&blocks, &mut warnings);
    let mut notebook = Notebook::empty();
    notebook.origin = Origin {
        text: text.into(),
        preamble,
        whole: shape.lowered || shape.moved,
        crlf: text.find('\n').is_some_and(|end| text[..end].ends_with('\r')),
        ..Origin::default()
    };
    let mut builder = Builder::new(text, notebook, warnings, shape.lowered);
    builder.head(&blocks, &shape);
    let mut at = 0;
    while let Some(index) = shape.body.get(at) {
        let block = &blocks[*index];
        at += 1;
        let mut rest = shape.body[at..].iter().map(|index| &blocks[*index]);
        match &block.kind {
            BlockKind::Heading { level: 2, name } if !shape.lowered => builder.section(block, name),
            BlockKind::Heading { level: 1, name } if shape.lowered => builder.section(block, name),
            BlockKind::Fence { info, code } if Language::from_info(info).is_some() => {
                builder.code(block, Language::from_info(info).unwrap_or(Language::Elixir), code);
                at += builder.outputs(rest);
            }
            BlockKind::Comment(lines) => match comment::said(lines) {
                Said::Force => match rest.next() {
                    Some(next) => {
                        builder.forced(block, next);
                        at += 1;
                    }
                    None => builder.orphan(block),
                },
                said => builder.comment(block, said, at == shape.body.len()),
            },
            _ => builder.markdown(block),
        }
    }
    builder.finish()
}

/// What Livebook ignores or drops without a word, and a reader should know.
fn notices(notebook: &Notebook, warnings: &mut Vec<Warning>) {
    let entries = notebook.metadata.get("file_entries").and_then(Value::as_array);
    if entries.is_some_and(|entries| !entries.iter().all(head::is_file_entry)) {
        warnings.push(Warning { line: 1, trouble: Trouble::FileEntry });
    }
}

/// Lets sections branch from those that they name, where that can be.
fn parents(notebook: &mut Notebook, wanted: &[(Option<Value>, usize)], warnings: &mut Vec<Warning>) {
    for (index, (parent, line)) in wanted.iter().enumerate() {
        let Some(parent) = parent else { continue };
        let name = notebook.sections[index].name.clone();
        let earlier = parent.as_u64().and_then(|parent| usize::try_from(parent).ok()).filter(|parent| *parent < index);
        let trouble = match earlier {
            None => Trouble::ParentLater { section: name },
            Some(parent) if notebook.sections[parent].parent.is_some() => Trouble::ParentBranches { section: name },
            Some(parent) => {
                notebook.sections[index].parent = Some(notebook.sections[parent].id);
                continue;
            }
        };
        warnings.push(Warning { line: *line, trouble });
    }
}
