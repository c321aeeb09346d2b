//! `List`.

use super::support::{argument, place, vector};
use super::walk::{Items, Once, Reduce};
use super::{Cx, Outcome, Task, natives, text, text_of};
use crate::exception::Exception;
use crate::value::{SLOT, Value, compare_loosely};

fn list(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Exception> {
    arguments[0].to_items().ok_or_else(|| cx.clause(&format!("List.{name}"), arguments))
}

fn end(cx: &Cx<'_>, name: &str, arguments: &[Value], last: bool) -> Outcome {
    let full = [arguments[0].clone(), argument(arguments, 1)];
    let mut items = list(cx, name, &full)?;
    let item = if last { items.pop() } else { items.into_iter().next() };
    Ok(item.unwrap_or_else(|| argument(arguments, 1)))
}

fn flatten(cx: &Cx<'_>, value: &Value, out: &mut Vec<Value>) -> Result<(), Exception> {
    let list = value.as_list().ok_or_else(|| cx.clause(":lists.flatten", std::slice::from_ref(value)))?;
    let mut iter = list.iter();
    for item in iter.by_ref() {
        if item.as_list().is_some() {
            flatten(cx, item, out)?;
        } else {
            out.push(item.clone());
        }
    }
    match iter.tail() {
        None => cx.room(out.len().saturating_mul(SLOT)),
        Some(tail) => Err(cx.clause(":lists.do_flatten", &[tail.clone(), Value::empty_list()])),
    }
}

fn index(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Result<i64, Exception> {
    arguments[1].as_integer().ok_or_else(|| cx.clause(&format!("List.{name}"), arguments))
}

fn insert(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let mut items = list(cx, "insert_at", arguments)?;
    let at = index(cx, "insert_at", arguments)?;
    let length = items.len() as i64;
    let at = if at < 0 { (length + at + 1).max(0) } else { at.min(length) };
    items.insert(at as usize, arguments[2].clone());
    Ok(cx.heap.list(items))
}

/// The place of a key among the elements of tuples, counted from 0.
fn position(cx: &Cx<'_>, value: &Value) -> Result<usize, Exception> {
    let _ = cx;
    value
        .as_integer()
        .and_then(|place| usize::try_from(place).ok())
        .ok_or_else(|| Exception::bad_argument(2, "out of range"))
}

fn keyed(cx: &Cx<'_>, arguments: &[Value]) -> Result<(Vec<Value>, Option<usize>), Exception> {
    let items = arguments[0].to_items().ok_or_else(|| Exception::bad_argument(3, "not a list"))?;
    let at = position(cx, &arguments[2])?;
    let found = items.iter().position(|item| {
        let own = item.as_tuple().and_then(|tuple| tuple.get(at));
        own.is_some_and(|own| compare_loosely(own, &arguments[1]).is_eq())
    });
    Ok((items, found))
}

natives! { "List";
    "first" 1..2 heavy => Pure |cx, arguments| end(cx, "first", arguments, false),
    "last" 1..2 heavy => Pure |cx, arguments| end(cx, "last", arguments, true),
    "flatten" 1..2 heavy => Pure |cx, arguments| {
        let mut out = Vec::new();
        flatten(cx, &arguments[0], &mut out)?;
        if let Some(tail) = arguments.get(1) {
            out.extend(vector(cx, tail)?);
        }
        Ok(cx.heap.list(out))
    },
    "delete" 2 heavy => Pure |cx, arguments| {
        let mut items = list(cx, "delete", arguments)?;
        if let Some(at) = items.iter().position(|item| item == &arguments[1]) {
            items.remove(at);
        }
        Ok(cx.heap.list(items))
    },
    "delete_at" 2 heavy => Pure |cx, arguments| {
        let mut items = list(cx, "delete_at", arguments)?;
        if let Some(at) = place(index(cx, "delete_at", arguments)?, items.len()) {
            items.remove(at);
        }
        Ok(cx.heap.list(items))
    },
    "pop_at" 2..3 heavy => Pure |cx, arguments| {
        let mut items = list(cx, "pop_at", arguments)?;
        let popped = place(index(cx, "pop_at", arguments)?, items.len()).map(|at| items.remove(at));
        Ok(cx.heap.pair(popped.unwrap_or_else(|| argument(arguments, 2)), cx.heap.list(items)))
    },
    "insert_at" 3 heavy => Pure insert,
    "replace_at" 3 heavy => Pure |cx, arguments| {
        let mut items = list(cx, "replace_at", arguments)?;
        if let Some(at) = place(index(cx, "replace_at", arguments)?, items.len()) {
            items[at] = arguments[2].clone();
        }
        Ok(cx.heap.list(items))
    },
    "update_at" 3 heavy => Task |cx, arguments| {
        let mut items = list(cx, "update_at", &arguments)?;
        let Some(at) = place(index(cx, "update_at", &arguments)?, items.len()) else {
            return Ok(Task::Done(arguments[0].clone()));
        };
        let old = items[at].clone();
        Ok(Task::Walk(Box::new(Once::new(arguments[2].clone(), vec![old], move |cx, new| {
            items[at] = new;
            Ok(cx.heap.list(items))
        }))))
    },
    "duplicate" 2 => Pure |cx, arguments| {
        let count = arguments[1].as_integer().and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or_else(|| cx.clause("List.duplicate", arguments))?;
        cx.room(count.saturating_mul(arguments[0].size().bytes.max(SLOT)))?;
        cx.spend(count);
        Ok(cx.heap.list(vec![arguments[0].clone(); count]))
    },
    "wrap" 1 => Pure |cx, arguments| match &arguments[0] {
        nil if nil.is_nil() => Ok(Value::empty_list()),
        list if list.as_list().is_some() => Ok(list.clone()),
        other => Ok(cx.heap.list(vec![other.clone()])),
    },
    "to_tuple" 1 heavy => Pure |cx, arguments| {
        Ok(cx.heap.tuple(arguments[0].to_items().ok_or_else(|| Exception::bad_argument(1, "not a list"))?))
    },
    "to_string" 1 heavy => Pure |cx, arguments| match arguments[0].as_list() {
        Some(_) => text_of(cx, &arguments[0]),
        None => Err(cx.clause("List.to_string", arguments)),
    },
    "to_charlist" 1 heavy => Pure |cx, arguments| {
        let text = text_of(cx, &arguments[0])?;
        super::charlist(cx, &text)
    },
    "to_integer" 1..2 heavy => Pure |cx, arguments| {
        let mut bytes = Vec::new();
        if arguments[0].as_list().is_none() || !text::chardata(cx, &arguments[0], &mut bytes)? {
            return Err(Exception::bad_argument(1, "not a list"));
        }
        let mut full = vec![cx.heap.binary(bytes)];
        full.extend(arguments.get(1).cloned());
        super::string::integer_of(cx, &full, 1)
    },
    "to_atom" 1 heavy => Pure |cx, arguments| {
        let mut bytes = Vec::new();
        let written = arguments[0].as_list().is_some() && text::chardata(cx, &arguments[0], &mut bytes)?;
        let text = String::from_utf8(bytes).ok().filter(|_| written);
        let atom = text.and_then(|text| beamline_term::Atom::new(&text).ok());
        atom.map(Value::atom).ok_or_else(|| Exception::bad_argument(1, "not a list of characters"))
    },
    "zip" 1 heavy => Task |_, arguments| {
        let module = beamline_term::Atom::from_static("Elixir.Enum");
        Ok(Task::Dispatch(module, beamline_term::Atom::from_static("zip"), arguments))
    },
    "foldl" 3 heavy => Task |cx, arguments| {
        let items = Items::All(list(cx, "foldl", &arguments)?.into_iter());
        Ok(Task::Walk(Box::new(Reduce::new(cx, items, argument(&arguments, 2), argument(&arguments, 1)))))
    },
    "foldr" 3 heavy => Task |cx, arguments| {
        let mut items = list(cx, "foldr", &arguments)?;
        items.reverse();
        let items = Items::All(items.into_iter());
        Ok(Task::Walk(Box::new(Reduce::new(cx, items, argument(&arguments, 2), argument(&arguments, 1)))))
    },
    "keyfind" 3..4 heavy => Pure |cx, arguments| {
        let (mut items, found) = keyed(cx, arguments)?;
        Ok(found.map_or_else(|| argument(arguments, 3), |at| items.swap_remove(at)))
    },
    "keymember?" 3 heavy => Pure |cx, arguments| Ok(Value::bool(keyed(cx, arguments)?.1.is_some())),
    "keydelete" 3 heavy => Pure |cx, arguments| {
        let (mut items, found) = keyed(cx, arguments)?;
        if let Some(at) = found {
            items.remove(at);
        }
        Ok(cx.heap.list(items))
    },
    "keystore" 4 heavy => Pure |cx, arguments| {
        let (mut items, found) = keyed(cx, arguments)?;
        match found {
            Some(at) => items[at] = arguments[3].clone(),
            None => items.push(arguments[3].clone()),
        }
        Ok(cx.heap.list(items))
    },
    "keysort" 2 heavy => Pure |cx, arguments| {
        let at = position(cx, &arguments[1])?;
        let mut items = list(cx, "keysort", arguments)?;
        if items.iter().any(|item| item.as_tuple().is_none_or(|tuple| tuple.len() <= at)) {
            return Err(Exception::bad_argument(2, "not a list of tuples with that element"));
        }
        let key = |item: &Value| item.as_tuple().and_then(|tuple| tuple.get(at)).cloned().unwrap_or(Value::NIL);
        items.sort_by(|one, two| compare_loosely(&key(one), &key(two)));
        Ok(cx.heap.list(items))
    },
    "starts_with?" 2 heavy => Pure |cx, arguments| {
        let (own, prefix) = (list(cx, "starts_with?", arguments)?, vector(cx, &arguments[1])?);
        Ok(Value::bool(own.starts_with(&prefix)))
    },
    "improper?" 1 heavy => Pure |cx, arguments| match arguments[0].as_list() {
        Some(list) => Ok(Value::bool(list.len().is_none())),
        None => Err(cx.clause("List.improper?", arguments)),
    },
    "ascii_printable?" 1..2 heavy => Pure |cx, arguments| {
        let items = list(cx, "ascii_printable?", arguments)?;
        let printable = |item: &Value| item.as_integer().is_some_and(|code| matches!(code, 7..=13 | 27 | 32..=126));
        Ok(Value::bool(items.iter().all(printable)))
    },
}
