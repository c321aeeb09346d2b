//! What one line is, looked at by itself, as EarmarkParser tells lines apart: the first rule that fits holds.

/// A line of the text.
#[derive(Debug)]
pub(in super::super) struct Line<'a> {
    /// Without its newline.
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// From 1.
    pub(super) number: usize,
    /// The columns of space before it; a tab goes on to the next multiple of four.
    pub(super) indent: usize,
    pub(super) kind: LineKind<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineKind<'a> {
    Blank,
    Comment,
    Rule {
        mark: char,
    },
    Heading {
        level: usize,
        name: &'a str,
    },
    Quote,
    Indented,
    Fence {
        marker: &'a str,
        info: &'a str,
    },
    /// The start of an HTML element that does not end on the line.
    Element {
        tag: &'a str,
    },
    ElementEnd {
        tag: &'a str,
    },
    /// A list's item, and the column where its text begins.
    Item {
        width: usize,
    },
    Table,
    /// What makes a heading of a line above.
    Underline {
        level: usize,
    },
    /// A block of its own: an element on one line, the target of a reference, attributes.
    Single,
    Text,
}

impl<'a> Line<'a> {
    /// The marks of a fence.
    pub(super) fn marker(&self) -> &'a str {
        match self.kind {
            LineKind::Fence { marker, .. } => marker,
            _ => "",
        }
    }
}

/// The lines of `text` from the byte `from` on; a line ends with `\n`, `\r\n` or `\r`.
pub(super) fn lines(text: &str, from: usize) -> Vec<Line<'_>> {
    let skipped = newlines(&text[..from]);
    let mut lines = Vec::new();
    let mut start = from;
    while start < text.len() {
        let rest = &text[start..];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = &rest[..length];
        let indent = indent(line);
        lines.push(Line { text: line, start, number: skipped + lines.len() + 1, indent, kind: kind(line, indent) });
        start += length + if rest[length..].starts_with("\r\n") { 2 } else { 1 };
    }
    lines
}

fn newlines(text: &str) -> usize {
    let returns = text.matches('\r').count();
    text.matches('\n').count() + returns - text.matches("\r\n").count()
}

fn indent(line: &str) -> usize {
    let mut column = 0;
    for byte in line.bytes() {
        match byte {
            b' ' => column += 1,
            b'\t' => column += 4 - column % 4,
            _ => break,
        }
    }
    column
}

fn kind(line: &str, indent: usize) -> LineKind<'_> {
    let content = line.trim_start_matches([' ', '\t']);
    let near = indent < 4;
    if content.is_empty() {
        return LineKind::Blank;
    }
    if near && content.starts_with("<!--") {
        return LineKind::Comment;
    }
    if let Some(mark) = ['-', '*', '_'].into_iter().find(|mark| near && is_rule(content, *mark)) {
        return LineKind::Rule { mark };
    }
    if let Some((level, name)) = heading(line) {
        return LineKind::Heading { level, name };
    }
    if near && content.starts_with('>') {
        return LineKind::Quote;
    }
    if !near {
        return LineKind::Indented;
    }
    fence(content)
        .or_else(|| element(line))
        .or_else(|| element_end(content))
        .or_else(|| is_reference(content).then_some(LineKind::Single))
        .or_else(|| item(content, indent))
        .or_else(|| is_table(content, line).then_some(LineKind::Table))
        .or_else(|| underline(line))
        .or_else(|| is_attributes(content).then_some(LineKind::Single))
        .unwrap_or(LineKind::Text)
}

/// Three or more of the mark, each with at most one space behind it.
fn is_rule(content: &str, mark: char) -> bool {
    let (mut marks, mut spaces) = (0, 1);
    for char in content.chars() {
        if char == mark {
            (marks, spaces) = (marks + 1, 0);
        } else if char.is_whitespace() && spaces == 0 {
            spaces = 1;
        } else {
            return false;
        }
    }
    marks >= 3
}

/// At the first column only. Number signs at the end are taken off, unless there are others within the name.
fn heading(line: &str) -> Option<(usize, &str)> {
    let line = without_attributes(line);
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = line.get(level..)?;
    if !(1..=6).contains(&level) || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let body = rest.trim();
    match body.find('#') {
        Some(first) if first > 0 && body[first..].bytes().all(|byte| byte == b'#') => {
            Some((level, body[..first].trim()))
        }
        _ => Some((level, body)),
    }
}

/// Without `{: .class}` at its end.
fn without_attributes(line: &str) -> &str {
    let Some(inner) = line.trim_end().strip_suffix('}') else { return line };
    let from = inner.rfind('}').map_or(0, |brace| brace + 1);
    match inner[from..].find("{:") {
        Some(at) if from + at > 0 && from + at + 2 < inner.len() => line[..from + at].trim_end(),
        _ => line,
    }
}

fn fence(content: &str) -> Option<LineKind<'_>> {
    let mark = content.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = content.len() - content.trim_start_matches(mark).len();
    let info = content[length..].trim();
    let plain = length >= 3 && !info.contains(|char: char| char == '`' || char.is_whitespace());
    plain.then(|| LineKind::Fence { marker: &content[..length], info })
}

fn tag(text: &str) -> Option<&str> {
    let end =
        text.find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

/// An element that begins at the first column.
fn element(line: &str) -> Option<LineKind<'_>> {
    const VOID: [&str; 5] = ["area", "br", "hr", "img", "wbr"];
    let inner = line.strip_prefix('<')?;
    if VOID.iter().any(|name| inner.starts_with(name)) && inner.contains('>') {
        return Some(LineKind::Single);
    }
    let tag = tag(inner)?;
    let rest = &inner[tag.len()..];
    if rest.starts_with("/>") {
        return Some(LineKind::Single);
    }
    let spaced = rest.starts_with(char::is_whitespace);
    let close = rest.find('>').filter(|close| spaced || *close == 0)?;
    let end = format!("</{tag}>");
    let single = rest[close..].contains(&end) || (spaced && rest.contains("/>"));
    Some(if single { LineKind::Single } else { LineKind::Element { tag } })
}

fn element_end(content: &str) -> Option<LineKind<'_>> {
    let tag = tag(content.strip_prefix("</")?)?;
    content[2 + tag.len()..].starts_with('>').then_some(LineKind::ElementEnd { tag })
}

/// `[id]: address "title"`
fn is_reference(content: &str) -> bool {
    let Some((id, rest)) = content.strip_prefix('[').and_then(|rest| rest.split_once("]:")) else { return false };
    let target = rest.trim();
    let (_, title) = target.split_once(char::is_whitespace).unwrap_or((target, ""));
    let title = title.trim();
    let quoted = |open, close| title.len() > 1 && title.starts_with(open) && title.ends_with(close);
    let titled = title.is_empty() || quoted('"', '"') || quoted('\'', '\'') || quoted('(', ')');
    !id.is_empty() && rest.starts_with(char::is_whitespace) && !target.is_empty() && titled
}

fn item(content: &str, indent: usize) -> Option<LineKind<'_>> {
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    let bullet = match content.as_bytes().get(digits)? {
        b'-' | b'*' | b'+' if digits == 0 => 1,
        b'.' | b')' if (1..=9).contains(&digits) => digits + 1,
        _ => return None,
    };
    let rest = &content[bullet..];
    let space = rest.chars().next().filter(|char| char.is_whitespace())?;
    let more = rest[space.len_utf8()..].chars().take_while(|char| char.is_whitespace()).count();
    let more = if bullet > 1 && more > 3 { 0 } else { more };
    Some(LineKind::Item { width: indent + bullet + 1 + more })
}

fn is_table(content: &str, line: &str) -> bool {
    let inner = content.trim_end().strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
    if inner.is_some_and(|inner| !inner.is_empty() && inner.split('|').all(|cell| !cell.is_empty())) {
        return true;
    }
    line.match_indices('|')
        .any(|(at, _)| line[..at].ends_with(char::is_whitespace) && line[at + 1..].starts_with(char::is_whitespace))
}

fn underline(line: &str) -> Option<LineKind<'_>> {
    let marks = line.trim_end();
    let fits = !marks.is_empty() && marks.bytes().all(|byte| matches!(byte, b'=' | b'-'));
    fits.then(|| LineKind::Underline { level: if marks.ends_with('=') { 1 } else { 2 } })
}

fn is_attributes(content: &str) -> bool {
    let inner = content.trim_end().strip_prefix("{:").and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('}'))
}

/// A comment that ends on its line with `-- >`, which is no end elsewhere.
pub(super) fn is_whole_comment(text: &str) -> bool {
    let inner = text.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| inner.trim_end().ends_with("--"))
}

/// The lines within a comment: one line is trimmed, of several the blank ones at both ends are dropped.
pub(super) fn comment<'a>(lines: &[Line<'a>]) -> Vec<&'a str> {
    let mut inner: Vec<&str> = lines.iter().map(|line| line.text).collect();
    if let Some(first) = inner.first_mut() {
        let content = first.trim_start_matches([' ', '\t']);
        *first = content.strip_prefix("<!--").unwrap_or(content);
    }
    if let Some(last) = inner.last_mut() {
        *last = match last.find("-->") {
            Some(end) => &last[..end],
            None => last.trim_end().strip_suffix('>').map_or(*last, |last| last.trim_end().trim_end_matches('-')),
        };
    }
    if let [line] = inner[..] {
        return vec![line.trim()];
    }
    let blank = |line: &&&str| line.trim().is_empty();
    let front = inner.iter().take_while(blank).count();
    let back = inner[front..].iter().rev().take_while(blank).count();
    inner[front..inner.len() - back].to_vec()
}

/// The length of the run of backquotes that is open at the end of a line, if `open` was at its start.
pub(super) fn backquotes(line: &str, mut open: Option<usize>) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = *byte == b'\\' && open.is_none();
        let from = at + usize::from(escaped);
        let run = bytes[from..].iter().take_while(|byte| **byte == b'`').count();
        match (escaped, run, open) {
            // A backslash takes the whole run that follows it, or another backslash.
            (true, 0, _) => at += if bytes.get(from) == Some(&b'\\') { 2 } else { 1 },
            (true, _, _) => at = from + run,
            (false, 0, _) => at += 1,
            (false, run, None) => (open, at) = (Some(run), at + run),
            (false, run, Some(opened)) => (open, at) = (if run == opened { None } else { open }, at + run),
        }
    }
    open
}
