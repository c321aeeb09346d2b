//! Cuts text into the blocks that EarmarkParser would see at its top level. Only what the shape of a notebook hangs on is told
//! apart: headings, fences, comments. In one pass, without recursion, whatever the text.
//!
//! Two oddities of the parser are left out, since they only ever lose text: a `<!--` inside a fence that keeps the fence from
//! closing, and a fence inside a list item that ends at a blank line.

mod item;
mod line;

pub(super) use line::Line;
use line::LineKind;

use super::warning::{Trouble, Warning};

/// A run of lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) kind: BlockKind<'a>,
    /// The byte where its first line begins, and where its last ends, without its newline.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// It is not closed: whatever follows it belongs to it.
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlockKind<'a> {
    Heading {
        level: usize,
        name: &'a str,
    },
    Fence {
        info: &'a str,
        code: String,
    },
    /// The comment's lines, trimmed as Livebook does it.
    Comment(Vec<&'a str>),
    /// Any other: paragraphs, lists, quotes, tables, rules, HTML, indented code.
    Other,
}

/// The blocks of `text` from the byte `from` on, and what is not closed in it.
pub(super) fn scan(text: &str, from: usize) -> (Vec<Block<'_>>, Vec<Warning>) {
    let lines = line::lines(text, from);
    let mut scanner = Scanner { lines: &lines, at: 0, after_blank: true, warnings: Vec::new(), open: false };
    let mut blocks = Vec::new();
    while scanner.at < lines.len() {
        let first = scanner.at;
        scanner.open = false;
        if let Some(kind) = scanner.next() {
            let filled = lines[first..scanner.at].iter().rev().find(|line| line.kind != LineKind::Blank);
            let start = &lines[first];
            let last = filled.unwrap_or(start);
            let (line, open) = (start.number, scanner.open);
            blocks.push(Block { kind, start: start.start, end: last.start + last.text.len(), line, open });
        }
    }
    (blocks, scanner.warnings)
}

struct Scanner<'a, 'l> {
    lines: &'l [Line<'a>],
    at: usize,
    /// A line of text may be a heading that is underlined.
    after_blank: bool,
    warnings: Vec<Warning>,
    open: bool,
}

impl<'a> Scanner<'a, '_> {
    /// Takes the lines of the next block; nothing for a blank line.
    fn next(&mut self) -> Option<BlockKind<'a>> {
        let line = &self.lines[self.at];
        let after_blank = std::mem::replace(&mut self.after_blank, false);
        self.at += 1;
        Some(match &line.kind {
            LineKind::Blank => {
                self.after_blank = true;
                return None;
            }
            LineKind::Heading { level, name } => BlockKind::Heading { level: *level, name },
            LineKind::Fence { marker, info } => BlockKind::Fence { info, code: self.code(line, marker) },
            LineKind::Comment => self.comment(line),
            LineKind::Text if after_blank && self.underline().is_some() => {
                let level = self.underline().unwrap_or(2);
                self.at += 1;
                BlockKind::Heading { level, name: line.text.trim() }
            }
            LineKind::Element { tag } => self.element(line, tag),
            LineKind::Item { width } => {
                let (end, unclosed) = item::end(self.lines, self.at, *width);
                (self.at, self.after_blank) = (end, true);
                if let Some(fence) = unclosed {
                    self.warn(fence.number, Trouble::FenceNotClosed { marker: fence.marker().to_owned() });
                }
                BlockKind::Other
            }
            LineKind::Quote => self.take(|kind| matches!(kind, LineKind::Quote | LineKind::Text | LineKind::Table)),
            LineKind::Table => {
                self.after_blank = true;
                self.take(|kind| matches!(kind, LineKind::Text | LineKind::Table))
            }
            LineKind::Indented => self.take(|kind| matches!(kind, LineKind::Indented | LineKind::Blank)),
            LineKind::Text | LineKind::Underline { .. } | LineKind::ElementEnd { .. } => self.paragraph(line),
            LineKind::Rule { .. } | LineKind::Single => BlockKind::Other,
        })
    }

    fn take(&mut self, belongs: impl Fn(&LineKind<'a>) -> bool) -> BlockKind<'a> {
        self.at += self.lines[self.at..].iter().take_while(|line| belongs(&line.kind)).count();
        BlockKind::Other
    }

    fn warn(&mut self, line: usize, trouble: Trouble) {
        self.open = true;
        self.warnings.push(Warning { line, trouble });
    }

    /// The level of the heading that the next line makes of the last.
    fn underline(&self) -> Option<usize> {
        match self.lines.get(self.at)?.kind {
            LineKind::Underline { level } => Some(level),
            LineKind::Rule { mark: '-' } => Some(2),
            _ => None,
        }
    }

    /// The lines up to a fence of the same marks: neither a longer one nor what stands behind it matters.
    fn code(&mut self, opener: &Line<'a>, marker: &str) -> String {
        let rest = &self.lines[self.at..];
        let closes = |line: &Line<'_>| matches!(line.kind, LineKind::Fence { marker: other, .. } if other == marker);
        let length = rest.iter().position(closes);
        let mut code = &rest[..length.unwrap_or(rest.len())];
        self.at += length.map_or(rest.len(), |length| length + 1);
        if length.is_none() {
            while let [more @ .., Line { kind: LineKind::Blank, .. }] = code {
                code = more;
            }
            self.warn(opener.number, Trouble::FenceNotClosed { marker: marker.to_owned() });
        }
        let code: Vec<&str> = code.iter().map(|line| line.text).collect();
        code.join("\n")
    }

    /// The lines up to one that holds `-->`; what stands behind that is lost, to Livebook as here.
    fn comment(&mut self, opener: &Line<'a>) -> BlockKind<'a> {
        let first = self.at - 1;
        if !line::is_whole_comment(opener.text) {
            match self.lines[first..].iter().position(|line| line.text.contains("-->")) {
                Some(length) => self.at = first + length + 1,
                None => {
                    self.at = self.lines.len();
                    self.warn(opener.number, Trouble::CommentNotClosed);
                }
            }
        }
        BlockKind::Comment(line::comment(&self.lines[first..self.at]))
    }

    fn element(&mut self, opener: &Line<'a>, tag: &'a str) -> BlockKind<'a> {
        let mut within = vec![(tag, opener.number)];
        while let Some((tag, _)) = within.last() {
            let Some(line) = self.lines.get(self.at) else { break };
            self.at += 1;
            match line.kind {
                LineKind::ElementEnd { tag: end } if end == *tag => drop(within.pop()),
                LineKind::Element { tag } => within.push((tag, line.number)),
                _ => {}
            }
        }
        for (tag, line) in within {
            self.warn(line, Trouble::ElementNotClosed { tag: tag.to_owned() });
        }
        BlockKind::Other
    }

    /// Lines of text. A run of backquotes that is open at the end of a line takes in whatever follows, until it is closed.
    fn paragraph(&mut self, opener: &Line<'a>) -> BlockKind<'a> {
        let mut open = line::backquotes(opener.text, None).map(|run| (run, opener.number));
        while let Some(line) = self.lines.get(self.at) {
            if open.is_none() && !matches!(line.kind, LineKind::Text | LineKind::Table) {
                break;
            }
            let before = open;
            open = line::backquotes(line.text, open.map(|(run, _)| run)).map(|run| match before {
                Some((old, since)) if old == run => (run, since),
                _ => (run, line.number),
            });
            self.at += 1;
        }
        if let Some((run, line)) = open {
            self.warn(line, Trouble::BackquotesNotClosed { marker: "`".repeat(run) });
        }
        BlockKind::Other
    }
}
