//! `String`: texts by graphemes, as in Elixir. What needs regular expressions is not here.

pub(super) mod split;

use unicode_segmentation::UnicodeSegmentation;

use super::support::place;
use super::{Cx, Outcome, charlist, natives};
use crate::exception::Exception;
use crate::value::Value;

/// The text at a place of the arguments.
pub(super) fn text<'a>(cx: &Cx<'_>, name: &str, arguments: &'a [Value], place: usize) -> Result<&'a str, Exception> {
    let bytes = arguments.get(place).and_then(Value::as_bytes);
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.ok_or_else(|| cx.clause(&format!("String.{name}"), arguments))
}

fn graphemes(text: &str) -> Vec<&str> {
    text.graphemes(true).collect()
}

fn texts<'t>(cx: &Cx<'_>, texts: impl IntoIterator<Item = &'t str>) -> Value {
    cx.heap.list(texts.into_iter().map(|text| cx.text(text)).collect())
}

/// Arguments with the defaults that a message shows.
fn with(arguments: &[Value], defaults: &[Value]) -> Vec<Value> {
    arguments.iter().chain(defaults.iter().skip(arguments.len().saturating_sub(1))).cloned().collect()
}

fn cased(cx: &Cx<'_>, name: &str, arguments: &[Value], change: fn(&str) -> String) -> Outcome {
    let full = with(arguments, &[Value::word("default")]);
    Ok(cx.text(change(text(cx, name, &full, 0)?)))
}

fn capitalize(text: &str) -> String {
    let first = text.graphemes(true).next().unwrap_or_default();
    first.to_uppercase() + &text[first.len()..].to_lowercase()
}

fn at(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let text = text(cx, "at", arguments, 0)?;
    let index = arguments[1].as_integer().ok_or_else(|| cx.clause("String.at", arguments))?;
    let all = graphemes(text);
    Ok(place(index, all.len()).map_or(Value::NIL, |place| cx.text(all[place])))
}

fn slice(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let all = graphemes(text(cx, "slice", arguments, 0)?);
    let bounds = super::enumerable::select::slice_bounds(all.len(), &arguments[1..]);
    let (start, end, step) = bounds.ok_or_else(|| cx.clause("String.slice", arguments))?;
    let parts: Vec<&str> = all.get(start..end).unwrap_or_default().iter().step_by(step).copied().collect();
    Ok(cx.text(parts.concat()))
}

/// `pad_leading` and `pad_trailing`
fn pad(cx: &Cx<'_>, name: &str, arguments: &[Value], leading: bool) -> Outcome {
    let space = cx.text(" ");
    let full = with(arguments, &[Value::NIL, cx.heap.list(vec![space])]);
    let own = text(cx, name, &full, 0)?;
    let count = arguments[1].as_integer().and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or_else(|| cx.clause(&format!("String.{name}"), &full))?;
    let padding = match arguments.get(2) {
        None => vec![" ".to_owned()],
        Some(padding) => match (padding.as_bytes(), padding.to_items()) {
            (Some(_), _) => graphemes(text(cx, name, arguments, 2)?).into_iter().map(str::to_owned).collect(),
            (None, Some(items)) => {
                items.iter().filter_map(|item| super::support::string(item).map(|text| text.into_owned())).collect()
            }
            (None, None) => return Err(cx.clause(&format!("String.{name}"), arguments)),
        },
    };
    let missing = count.saturating_sub(own.graphemes(true).count());
    let longest = padding.iter().map(String::len).max().unwrap_or(0);
    cx.room(missing.saturating_mul(longest))?;
    let pad: String = padding.iter().cycle().take(if longest == 0 { 0 } else { missing }).map(String::as_str).collect();
    Ok(cx.text(if leading { pad + own } else { own.to_owned() + &pad }))
}

fn trimmed<'t>(text: &'t str, of: Option<&str>, leading: bool, trailing: bool) -> &'t str {
    let mut text = text;
    match of {
        None => {
            text = if leading { text.trim_start() } else { text };
            if trailing { text.trim_end() } else { text }
        }
        Some("") => text,
        Some(of) => {
            while leading && let Some(rest) = text.strip_prefix(of) {
                text = rest;
            }
            while trailing && let Some(rest) = text.strip_suffix(of) {
                text = rest;
            }
            text
        }
    }
}

fn trim(cx: &Cx<'_>, name: &str, arguments: &[Value], leading: bool, trailing: bool) -> Outcome {
    let own = text(cx, name, arguments, 0)?;
    let of = if arguments.len() > 1 { Some(text(cx, name, arguments, 1)?) } else { None };
    Ok(cx.text(trimmed(own, of, leading, trailing)))
}

/// Whether one of some texts stands somewhere in a text.
fn has(cx: &Cx<'_>, name: &str, arguments: &[Value], test: fn(&[u8], &[u8]) -> bool) -> Outcome {
    let own = arguments[0].as_bytes().ok_or_else(|| cx.clause(&format!("String.{name}"), arguments))?;
    let wrong = || Exception::bad_argument(2, "not a valid pattern");
    let parts = match arguments[1].as_bytes() {
        Some(_) => vec![arguments[1].clone()],
        None => arguments[1].to_items().ok_or_else(wrong)?,
    };
    for part in &parts {
        if test(own, part.as_bytes().ok_or_else(wrong)?) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub(super) fn integer_of(cx: &Cx<'_>, arguments: &[Value], place: usize) -> Outcome {
    let _ = cx;
    let bytes = arguments[0].as_bytes().ok_or_else(|| Exception::bad_argument(place, "not a binary"))?;
    let base = match arguments.get(1) {
        None => 10,
        Some(base) => base
            .as_integer()
            .and_then(|base| u32::try_from(base).ok())
            .filter(|base| (2..=36).contains(base))
            .ok_or_else(|| Exception::bad_argument(2, "not an integer in the range 2 through 36"))?,
    };
    let digits = bytes.strip_prefix(b"+").or(bytes.strip_prefix(b"-")).unwrap_or(bytes);
    let valid = !digits.is_empty() && digits.iter().all(|digit| char::from(*digit).is_digit(base));
    let number = valid.then(|| beamline_term::BigInt::parse_bytes(bytes, base)).flatten();
    let number = number.ok_or_else(|| Exception::bad_argument(place, "not a textual representation of an integer"))?;
    super::operator::checked(number)
}

fn float_of(arguments: &[Value]) -> Outcome {
    let bytes = arguments[0].as_bytes().ok_or_else(|| Exception::bad_argument(1, "not a binary"))?;
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let shaped = !digits.is_empty()
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && rest.starts_with(|first: char| first.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|number| shaped && number.is_finite());
    number.map(Value::float).ok_or_else(|| Exception::bad_argument(1, "not a textual representation of a float"))
}

fn atom_of(arguments: &[Value]) -> Outcome {
    let bytes = arguments[0].as_bytes().ok_or_else(|| Exception::bad_argument(1, "not a binary"))?;
    let text = std::str::from_utf8(bytes).ok();
    let atom = text.and_then(|text| beamline_term::Atom::new(text).ok());
    atom.map(Value::atom).ok_or_else(|| Exception::error("SystemLimitError", "a system limit has been reached"))
}

natives! { "String";
    "length" 1 heavy => Pure |cx, arguments| Ok(Value::count(text(cx, "length", arguments, 0)?.graphemes(true).count())),
    "upcase" 1 heavy => Pure |cx, arguments| cased(cx, "upcase", arguments, str::to_uppercase),
    "downcase" 1 heavy => Pure |cx, arguments| cased(cx, "downcase", arguments, str::to_lowercase),
    "capitalize" 1 heavy => Pure |cx, arguments| cased(cx, "capitalize", arguments, capitalize),
    "trim" 1..2 heavy => Pure |cx, arguments| trim(cx, "trim", arguments, true, true),
    "trim_leading" 1..2 heavy => Pure |cx, arguments| trim(cx, "trim_leading", arguments, true, false),
    "trim_trailing" 1..2 heavy => Pure |cx, arguments| trim(cx, "trim_trailing", arguments, false, true),
    "at" 2 heavy => Pure at,
    "slice" 2..3 heavy => Pure slice,
    "first" 1 heavy => Pure |cx, arguments| {
        Ok(text(cx, "first", arguments, 0)?.graphemes(true).next().map_or(Value::NIL, |first| cx.text(first)))
    },
    "last" 1 heavy => Pure |cx, arguments| {
        Ok(text(cx, "last", arguments, 0)?.graphemes(true).next_back().map_or(Value::NIL, |last| cx.text(last)))
    },
    "reverse" 1 heavy => Pure |cx, arguments| {
        Ok(cx.text(text(cx, "reverse", arguments, 0)?.graphemes(true).rev().collect::<String>()))
    },
    "graphemes" 1 heavy => Pure |cx, arguments| {
        let own = text(cx, "graphemes", arguments, 0)?;
        cx.room(own.len().saturating_mul(crate::value::SLOT))?;
        Ok(texts(cx, own.graphemes(true)))
    },
    "codepoints" 1 heavy => Pure |cx, arguments| {
        let own = text(cx, "codepoints", arguments, 0)?;
        cx.room(own.len().saturating_mul(crate::value::SLOT))?;
        Ok(cx.heap.list(own.chars().map(|next| cx.text(next)).collect()))
    },
    "duplicate" 2 heavy => Pure |cx, arguments| {
        let own = arguments[0].as_bytes().ok_or_else(|| Exception::bad_argument(1, "not a binary"))?;
        let count = arguments[1].as_integer().and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or_else(|| Exception::bad_argument(2, "out of range"))?;
        cx.room(own.len().saturating_mul(count))?;
        Ok(if own.is_empty() { cx.text("") } else { cx.heap.binary(own.repeat(count)) })
    },
    "pad_leading" 2..3 heavy => Pure |cx, arguments| pad(cx, "pad_leading", arguments, true),
    "pad_trailing" 2..3 heavy => Pure |cx, arguments| pad(cx, "pad_trailing", arguments, false),
    "contains?" 2 heavy => Pure |cx, arguments| has(cx, "contains?", arguments, |text, part| super::text::find(text, part).is_some()),
    "starts_with?" 2 heavy => Pure |cx, arguments| has(cx, "starts_with?", arguments, |text, part| text.starts_with(part)),
    "ends_with?" 2 heavy => Pure |cx, arguments| has(cx, "ends_with?", arguments, |text, part| text.ends_with(part)),
    "to_integer" 1..2 heavy => Pure |cx, arguments| integer_of(cx, arguments, 1),
    "to_float" 1 heavy => Pure |_, arguments| float_of(arguments),
    "to_atom" 1 => Pure |_, arguments| atom_of(arguments),
    // No table of atoms is kept here, so that all of them exist.
    "to_existing_atom" 1 => Pure |_, arguments| atom_of(arguments),
    "to_charlist" 1 heavy => Pure |cx, arguments| {
        text(cx, "to_charlist", arguments, 0)?;
        charlist(cx, &arguments[0])
    },
    "valid?" 1 heavy => Pure |cx, arguments| match arguments[0].as_bytes() {
        Some(bytes) => Ok(Value::bool(std::str::from_utf8(bytes).is_ok())),
        None => Err(cx.clause("String.valid?", arguments)),
    },
    "printable?" 1 heavy => Pure |cx, arguments| {
        let printable = |next: char| !next.is_control() || matches!(next, '\n' | '\r' | '\t' | '\u{7}' | '\u{8}' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{7f}');
        let bytes = arguments[0].as_bytes().ok_or_else(|| cx.clause("String.printable?", arguments))?;
        Ok(Value::bool(std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(printable))))
    },
}
