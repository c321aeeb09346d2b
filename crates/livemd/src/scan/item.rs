//! How far an item of a list reaches. Fences and headings in it do not shape the notebook.

use super::line::{Line, LineKind};

/// The line after the item whose first line is the one before `at`, and the fence in it that is not closed.
///
/// Up to a blank line all text belongs to it that begins nothing of its own; after that, what is indented as far as its text.
pub(super) fn end<'l, 'a>(lines: &'l [Line<'a>], mut at: usize, width: usize) -> (usize, Option<&'l Line<'a>>) {
    let mut head = true;
    while let Some(line) = lines.get(at) {
        match &line.kind {
            LineKind::Blank => {
                let blank = lines[at..].iter().take_while(|line| matches!(line.kind, LineKind::Blank)).count();
                match lines.get(at + blank) {
                    Some(next) if next.indent >= width => at += blank,
                    _ => return (at, None),
                }
                head = false;
                continue;
            }
            LineKind::Heading { .. } | LineKind::Quote | LineKind::Rule { .. } | LineKind::Item { .. }
                if line.indent < width =>
            {
                return (at, None);
            }
            LineKind::Fence { marker, .. } if head || line.indent >= width => {
                let within = line.indent >= width;
                let rest = &lines[at + 1..];
                let ends = |line: &Line<'_>| {
                    let closes = matches!(line.kind, LineKind::Fence { marker: other, .. } if other == *marker);
                    closes || (within && line.indent < width && !matches!(line.kind, LineKind::Blank))
                };
                match rest.iter().position(ends) {
                    Some(length) if matches!(rest[length].kind, LineKind::Fence { .. }) => at += length + 2,
                    Some(length) => return (at + 1 + length, None),
                    None => return (lines.len(), Some(line)),
                }
                continue;
            }
            _ if !head && line.indent < width => return (at, None),
            _ => {}
        }
        at += 1;
    }
    (at, None)
}
