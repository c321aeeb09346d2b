//! Splitting texts and replacing parts of them.

use super::super::support::argument;
use super::super::{Cx, Outcome, Task, natives};
use super::{text, texts};
use crate::exception::Exception;
use crate::library::kernel::access;
use crate::value::Value;

/// The parts to look for, of a text or a list of them.
fn patterns(value: &Value) -> Result<Vec<String>, Exception> {
    let wrong = || Exception::bad_argument(2, "not a valid pattern");
    let one = |value: &Value| {
        let bytes = value.as_bytes().ok_or_else(wrong)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| wrong())
    };
    match value.to_items() {
        Some(items) => items.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

/// The first of the patterns in a text: where, and how long.
fn first_of(text: &str, patterns: &[String]) -> Option<(usize, usize)> {
    let found = patterns
        .iter()
        .filter(|pattern| !pattern.is_empty())
        .filter_map(|pattern| text.find(pattern.as_str()).map(|at| (at, pattern.len())));
    // The longest of those that begin at the same place.
    found.min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length)))
}

fn split(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    if arguments[0].as_bytes().is_none() {
        return Err(if arguments.len() == 1 {
            Exception::bad_argument(1, "not a binary")
        } else {
            cx.clause("String.split", &full(arguments))
        });
    }
    let own = text(cx, "split", arguments, 0)?;
    cx.room(own.len().saturating_mul(8))?;
    if arguments.len() == 1 {
        return Ok(texts(cx, own.split_whitespace()));
    }
    let options = arguments.get(2).cloned().unwrap_or_else(Value::empty_list);
    let trim = access(cx, &options, &Value::word("trim"), &Value::FALSE)?.is_truthy();
    let parts = access(cx, &options, &Value::word("parts"), &Value::NIL)?.as_integer();
    let limit = parts.and_then(|parts| usize::try_from(parts).ok()).unwrap_or(usize::MAX);
    let mut out: Vec<&str> = Vec::new();
    if arguments[1].as_bytes() == Some(b"") {
        use unicode_segmentation::UnicodeSegmentation;
        // An empty pattern splits at each grapheme, and leaves the ends empty.
        out.push("");
        out.extend(own.graphemes(true));
        out.push("");
    } else {
        let patterns = patterns(&arguments[1])?;
        let mut rest = own;
        while out.len() + 1 < limit
            && let Some((at, length)) = first_of(rest, &patterns)
        {
            cx.spend((at + length) / 16 * patterns.len());
            if !(trim && at == 0) {
                out.push(&rest[..at]);
            }
            rest = &rest[at + length..];
        }
        out.push(rest);
    }
    if trim {
        out.retain(|part| !part.is_empty());
    }
    Ok(texts(cx, out))
}

fn full(arguments: &[Value]) -> Vec<Value> {
    vec![arguments[0].clone(), argument(arguments, 1), arguments.get(2).cloned().unwrap_or_else(Value::empty_list)]
}

/// `String.split_at/2`
fn split_at(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    use unicode_segmentation::UnicodeSegmentation;
    let own = text(cx, "split_at", arguments, 0)?;
    let at = arguments[1].as_integer().ok_or_else(|| cx.clause("String.split_at", arguments))?;
    let length = own.graphemes(true).count() as i64;
    let at = if at < 0 { (length + at).max(0) } else { at.min(length) };
    let offset = own.grapheme_indices(true).nth(at as usize).map_or(own.len(), |(offset, _)| offset);
    Ok(cx.heap.pair(cx.text(&own[..offset]), cx.text(&own[offset..])))
}

fn replace(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    let options = arguments.get(3).cloned().unwrap_or_else(Value::empty_list);
    let mut shown = arguments.clone();
    shown.resize(4, options.clone());
    let own = text(cx, "replace", &shown, 0)?;
    let global = access(cx, &options, &Value::word("global"), &Value::TRUE)?.is_truthy();
    if arguments[2].arity().is_none() && arguments[2].as_bytes().is_none() {
        return Err(cx.clause("String.replace", &shown));
    }
    let patterns = patterns(&arguments[1])?;
    let (mut kept, mut found, mut rest) = (Vec::new(), Vec::new(), own);
    while let Some((at, length)) = first_of(rest, &patterns) {
        kept.push(rest[..at].to_owned());
        found.push(cx.text(&rest[at..at + length]));
        rest = &rest[at + length..];
        cx.spend((at + length) / 16);
        cx.room(found.len() * 100)?;
        if !global {
            break;
        }
    }
    kept.push(rest.to_owned());
    let glue = move |cx: &Cx<'_>, replacements: &mut dyn Iterator<Item = Value>| -> Outcome {
        let mut out = Vec::new();
        for part in &kept {
            out.extend_from_slice(part.as_bytes());
            if let Some(replacement) = replacements.next() {
                out.extend_from_slice(replacement.as_bytes().unwrap_or_default());
                cx.room(out.len())?;
            }
        }
        Ok(cx.heap.binary(out))
    };
    if arguments[2].as_bytes().is_some() {
        let mut same = std::iter::repeat_n(arguments[2].clone(), found.len());
        return Ok(Task::Done(glue(cx, &mut same)?));
    }
    let items = super::super::walk::Items::All(found.into_iter());
    let each = super::super::walk::Each::new(cx, items, arguments[2].clone(), move |cx, _, results| {
        glue(cx, &mut results.into_iter())
    });
    Ok(Task::Walk(Box::new(each)))
}

natives! { "String";
    "split" 1..3 heavy => Pure split,
    "split_at" 2 heavy => Pure split_at,
    "replace" 3..4 heavy => Task replace,
}
