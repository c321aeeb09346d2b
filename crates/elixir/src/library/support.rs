//! What many functions need: going through what is enumerable, arguments with a type, and two small modules.

use super::walk::Items;
use super::{Cx, Outcome, natives};
use crate::exception::Exception;
use crate::value::{SLOT, Value, module_atom};

/// The elements of something enumerable.
pub(crate) fn items(cx: &Cx<'_>, value: &Value) -> Result<Items, Exception> {
    if let Some((first, last, step)) = value.as_range() {
        let left = range_length(first, last, step);
        return Ok(Items::Range { next: first, step, left });
    }
    Ok(Items::All(vector(cx, value)?.into_iter()))
}

/// How many numbers a range has.
pub(crate) fn range_length(first: i64, last: i64, step: i64) -> u64 {
    let distance = i128::from(last) - i128::from(first);
    let step = i128::from(step);
    if step == 0 || (distance != 0 && (distance > 0) != (step > 0)) {
        return 0;
    }
    u64::try_from(distance / step + 1).unwrap_or(u64::MAX)
}

/// The elements of something enumerable, all of them.
pub(crate) fn vector(cx: &Cx<'_>, value: &Value) -> Result<Vec<Value>, Exception> {
    if let Some(list) = value.as_list() {
        return list.to_vec().ok_or_else(|| cx.clause("Enumerable.List.reduce", std::slice::from_ref(value)));
    }
    if let Some((first, last, step)) = value.as_range() {
        let left = range_length(first, last, step);
        cx.room(usize::try_from(left).unwrap_or(usize::MAX).saturating_mul(SLOT))?;
        cx.spend(left as usize);
        return Ok(Items::Range { next: first, step, left }.collect());
    }
    match value.as_map() {
        Some(map) if value.struct_name() == Some("MapSet") => {
            let inner = map.get_word("map").and_then(Value::as_map);
            Ok(inner.map(|inner| inner.pairs().iter().map(|(key, _)| key.clone()).collect()).unwrap_or_default())
        }
        Some(map) if value.struct_name().is_none() => {
            Ok(map.pairs().iter().map(|(key, value)| cx.heap.pair(key.clone(), value.clone())).collect())
        }
        _ => Err(not_implemented(cx, "Enumerable", value)),
    }
}

/// A protocol that a value does not implement.
pub(crate) fn not_implemented(cx: &Cx<'_>, protocol: &str, value: &Value) -> Exception {
    let kind = if value.struct_name().is_some() { " (a struct)" } else { "" };
    let message =
        format!("protocol {protocol} not implemented for {} of type {}{kind}", cx.show(value), value.type_name());
    Exception::error("Protocol.UndefinedError", message)
}

pub(crate) fn bad_map(cx: &Cx<'_>, value: &Value) -> Exception {
    Exception::error("BadMapError", format!("expected a map, got: {}", cx.show(value)))
}

pub(crate) fn key_error(cx: &Cx<'_>, key: &Value, container: &Value) -> Exception {
    Exception::error("KeyError", format!("key {} not found in: {}", cx.show(key), cx.show(container)))
}

pub(crate) fn empty_error() -> Exception {
    Exception::error("Enum.EmptyError", "empty error")
}

pub(crate) fn out_of_bounds() -> Exception {
    Exception::error("Enum.OutOfBoundsError", "out of bounds error")
}

/// The text of a binary that is UTF-8; what is not is shown by replacement characters.
pub(crate) fn string(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    value.as_bytes().map(String::from_utf8_lossy)
}

/// An argument, or nil.
pub(crate) fn argument(arguments: &[Value], place: usize) -> Value {
    arguments.get(place).cloned().unwrap_or(Value::NIL)
}

/// A place counted from the beginning, or, if negative, from the end.
pub(crate) fn place(index: i64, length: usize) -> Option<usize> {
    let place = if index < 0 { index + length as i64 } else { index };
    usize::try_from(place).ok().filter(|place| *place < length)
}

pub(super) const TUPLE: &[super::Native] = tuple::FUNCTIONS;
pub(super) const ATOM: &[super::Native] = atom::FUNCTIONS;

mod tuple {
    use super::*;

    fn elements(arguments: &[Value]) -> Result<&[Value], Exception> {
        arguments.first().and_then(Value::as_tuple).ok_or_else(|| Exception::bad_argument(1, "not a tuple"))
    }

    fn index(arguments: &[Value], length: usize, what: usize) -> Result<usize, Exception> {
        let index = arguments.get(1).and_then(Value::as_integer).and_then(|index| usize::try_from(index).ok());
        index.filter(|index| *index < length).ok_or_else(|| Exception::bad_argument(what, "out of range"))
    }

    natives! { "Tuple";
        "to_list" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(elements(arguments)?.to_vec())),
        "append" 2 heavy => Pure |cx, arguments| {
            let mut items = elements(arguments)?.to_vec();
            items.push(argument(arguments, 1));
            Ok(cx.heap.tuple(items))
        },
        "insert_at" 3 heavy => Pure |cx, arguments| {
            let mut items = elements(arguments)?.to_vec();
            items.insert(index(arguments, items.len() + 1, 1)?, argument(arguments, 2));
            Ok(cx.heap.tuple(items))
        },
        "delete_at" 2 heavy => Pure |cx, arguments| {
            let mut items = elements(arguments)?.to_vec();
            items.remove(index(arguments, items.len(), 1)?);
            Ok(cx.heap.tuple(items))
        },
        "duplicate" 2 => Pure |cx, arguments| {
            let size = arguments[1].as_integer().and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or_else(|| Exception::bad_argument(1, "out of range"))?;
            cx.room(size.saturating_mul(SLOT.max(arguments[0].size().bytes)))?;
            cx.spend(size);
            Ok(cx.heap.tuple(vec![arguments[0].clone(); size]))
        },
        "sum" 1 heavy => Pure |cx, arguments| {
            elements(arguments)?.iter().try_fold(Value::integer(0), |sum, item| crate::library::operator::add(cx, &sum, item))
        },
        "product" 1 heavy => Pure |cx, arguments| {
            elements(arguments)?.iter().try_fold(Value::integer(1), |all, item| crate::library::operator::multiply(cx, &all, item))
        },
    }
}

mod atom {
    use super::*;

    fn text(arguments: &[Value]) -> Result<&str, Exception> {
        let atom = arguments.first().and_then(Value::as_atom);
        atom.map(beamline_term::Atom::as_str).ok_or_else(|| Exception::bad_argument(1, "not an atom"))
    }

    /// `Module.concat`: the parts without their `Elixir.`, joined.
    fn concat(parts: &[Value]) -> Outcome {
        let mut name = String::new();
        for part in parts {
            let bytes = part.as_bytes().map(String::from_utf8_lossy);
            let text = part.as_atom().map(|atom| atom.as_str().into()).or(bytes).unwrap_or_default();
            let text = text.strip_prefix("Elixir.").unwrap_or(&text);
            if !text.is_empty() && text != "nil" {
                name.push_str(if name.is_empty() { "" } else { "." });
                name.push_str(text);
            }
        }
        module_atom(&name).map(Value::atom).ok_or_else(|| Exception::bad_argument(1, "not a valid name of a module"))
    }

    natives! { "Atom";
        "to_string" 1 => Pure |cx, arguments| Ok(cx.text(text(arguments)?)),
        "to_charlist" 1 => Pure |cx, arguments| Ok(cx.heap.charlist(text(arguments)?)),
    }

    pub(crate) const MODULE: &[crate::library::Native] = module::FUNCTIONS;

    mod module {
        use super::*;
        natives! { "Module";
            "concat" 1..2 => Pure |cx, arguments| match arguments {
                [list] => concat(&vector(cx, list)?),
                parts => concat(parts),
            },
            "split" 1 => Pure |cx, arguments| {
                let name = text(arguments)?;
                let parts = name.strip_prefix("Elixir.").ok_or_else(|| {
                    Exception::argument(format!("expected an Elixir module, got: {}", cx.show(&arguments[0])))
                })?;
                Ok(cx.heap.list(parts.split('.').map(|part| cx.text(part)).collect()))
            },
        }
    }
}

pub(super) const MODULE: &[super::Native] = atom::MODULE;
