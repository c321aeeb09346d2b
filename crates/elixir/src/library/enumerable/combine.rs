//! Joining, pairing and grouping by place.

use super::super::support::{argument, vector};
use super::super::text::text_of;
use super::super::walk::{Each, Items};
use super::{each, walk};
use crate::exception::Exception;
use crate::library::{Cx, Outcome, Task, natives};
use crate::value::{Data, Value};

/// The texts of items with another between them.
fn joined(cx: &Cx<'_>, items: &[Value], joiner: Option<&Value>) -> Outcome {
    let joiner = match joiner {
        None => Vec::new(),
        Some(joiner) => text_of(cx, joiner)?.as_bytes().unwrap_or_default().to_vec(),
    };
    let mut out = Vec::new();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(&joiner);
        }
        out.extend_from_slice(text_of(cx, item)?.as_bytes().unwrap_or_default());
        cx.room(out.len())?;
    }
    Ok(cx.heap.binary(out))
}

fn zipped(cx: &Cx<'_>, sources: &[Value]) -> Result<Vec<Vec<Value>>, Exception> {
    let columns = sources.iter().map(|source| vector(cx, source)).collect::<Result<Vec<_>, _>>()?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok((0..length).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect())
}

fn zip(cx: &Cx<'_>, sources: &[Value]) -> Outcome {
    Ok(cx.heap.list(zipped(cx, sources)?.into_iter().map(|row| cx.heap.tuple(row)).collect()))
}

fn unzip(cx: &Cx<'_>, source: &Value) -> Outcome {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for item in vector(cx, source)? {
        let (one, two) = item.as_pair().ok_or_else(|| cx.clause("anonymous fn", std::slice::from_ref(&item)))?;
        left.push(one.clone());
        right.push(two.clone());
    }
    Ok(cx.heap.pair(cx.heap.list(left), cx.heap.list(right)))
}

/// `Enum.chunk_every/2..4`
fn chunked(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let items = vector(cx, &arguments[0])?;
    let step = arguments.get(2).or(arguments.get(1));
    let leftover = arguments.get(3).cloned().unwrap_or_else(Value::empty_list);
    let positive = |value: Option<&Value>| {
        value.and_then(Value::as_integer).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0)
    };
    let (Some(size), Some(step)) = (positive(arguments.get(1)), positive(step)) else {
        let full = [arguments[0].clone(), argument(arguments, 1), step.cloned().unwrap_or(Value::NIL), leftover];
        return Err(cx.clause("Enum.chunk_every", &full));
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let end = start.saturating_add(size);
        cx.room(size.min(items.len()) * crate::value::SLOT)?;
        cx.spend(size.min(items.len()) / 8);
        match items.get(start..end) {
            Some(chunk) => chunks.push(cx.heap.list(chunk.to_vec())),
            None if leftover.is_atom("discard") => break,
            None => {
                let mut rest = items[start..].to_vec();
                let missing = end - items.len();
                rest.extend(vector(cx, &leftover)?.into_iter().take(missing));
                chunks.push(cx.heap.list(rest));
                break;
            }
        }
        if cx.spent.get() > cx.limits.steps {
            break;
        }
        start = start.saturating_add(step);
    }
    Ok(cx.heap.list(chunks))
}

/// Neighbours with the same key together.
fn chunked_by(cx: &Cx<'_>, items: Vec<Value>, keys: Vec<Value>) -> Outcome {
    let mut chunks: Vec<(Value, Vec<Value>)> = Vec::new();
    for (item, key) in items.into_iter().zip(keys) {
        match chunks.last_mut() {
            Some((last, chunk)) if *last == key => chunk.push(item),
            _ => chunks.push((key, vec![item])),
        }
    }
    Ok(cx.heap.list(chunks.into_iter().map(|(_, chunk)| cx.heap.list(chunk)).collect()))
}

fn numbered(cx: &Cx<'_>, items: Vec<Value>, offset: i64) -> Vec<Value> {
    let number = |(place, item)| cx.heap.pair(item, Value::integer(offset.saturating_add(place as i64)));
    items.into_iter().enumerate().map(number).collect()
}

/// Puts items into a map, a list, a set or a text.
pub(crate) fn into(cx: &Cx<'_>, items: Vec<Value>, target: &Value) -> Outcome {
    match &target.0 {
        Data::List(_) => {
            let mut all = vector(cx, target)?;
            all.extend(items);
            Ok(cx.heap.list(all))
        }
        Data::Map(_) if target.struct_name() == Some("MapSet") => {
            let mut all = vector(cx, target)?;
            all.extend(items);
            Ok(cx.heap.set(all))
        }
        Data::Map(map) if target.struct_name().is_none() => {
            let mut pairs = map.pairs().to_vec();
            for item in items {
                let (key, value) = item.as_pair().ok_or_else(|| Exception::argument("argument error"))?;
                pairs.push((key.clone(), value.clone()));
            }
            Ok(cx.heap.map(pairs))
        }
        Data::Binary(bytes) => {
            let mut out = bytes.binary.to_vec();
            for item in items {
                let part = item
                    .as_bytes()
                    .ok_or_else(|| Exception::argument("collecting into a binary requires a bitstring"))?;
                out.extend_from_slice(part);
                cx.room(out.len())?;
            }
            Ok(cx.heap.binary(out))
        }
        _ => Err(super::super::support::not_implemented(cx, "Collectable", target)),
    }
}

fn map_then(
    cx: &Cx<'_>,
    source: &Value,
    function: &Value,
    finish: impl FnOnce(&Cx<'_>, Vec<Value>) -> Outcome + Send + 'static,
) -> Result<Task, Exception> {
    let items = super::items(cx, source)?;
    walk(Each::new(cx, items, function.clone(), move |cx, _, results| finish(cx, results)))
}

natives! { "Enum";
    "join" 1..2 heavy => Pure |cx, arguments| joined(cx, &vector(cx, &arguments[0])?, arguments.get(1)),
    "map_join" 2..3 heavy => Task |cx, arguments| {
        let (joiner, function) = if arguments.len() == 3 { (Some(argument(&arguments, 1)), 2) } else { (None, 1) };
        map_then(cx, &arguments[0], &arguments[function], move |cx, results| joined(cx, &results, joiner.as_ref()))
    },
    "intersperse" 2 heavy => Pure |cx, arguments| {
        let mut all = Vec::new();
        for (place, item) in vector(cx, &arguments[0])?.into_iter().enumerate() {
            if place > 0 {
                all.push(arguments[1].clone());
            }
            all.push(item);
        }
        Ok(cx.heap.list(all))
    },
    "zip" 1..2 heavy => Pure |cx, arguments| match arguments {
        [sources] => zip(cx, &vector(cx, sources)?),
        sources => zip(cx, sources),
    },
    "zip_with" 3 heavy => Task |cx, arguments| {
        let rows = zipped(cx, &arguments[..2])?.into_iter().map(|row| cx.heap.tuple(row)).collect::<Vec<_>>();
        let each = Each::new(cx, Items::All(rows.into_iter()), argument(&arguments, 2), |cx, _, results| Ok(cx.heap.list(results)));
        walk(each.pass(|_, row| row.as_tuple().map(<[Value]>::to_vec).unwrap_or_default()))
    },
    "unzip" 1 heavy => Pure |cx, arguments| unzip(cx, &arguments[0]),
    "with_index" 1..2 heavy => Task |cx, arguments| {
        let items = vector(cx, &arguments[0])?;
        match arguments.get(1) {
            None => Ok(Task::Done(cx.heap.list(numbered(cx, items, 0)))),
            Some(offset) if offset.as_integer().is_some() => {
                Ok(Task::Done(cx.heap.list(numbered(cx, items, offset.as_integer().unwrap_or(0)))))
            }
            Some(function) => {
                let pairs = numbered(cx, items, 0);
                let each = Each::new(cx, Items::All(pairs.into_iter()), function.clone(), |cx, _, results| Ok(cx.heap.list(results)));
                walk(each.pass(|_, pair| pair.as_tuple().map(<[Value]>::to_vec).unwrap_or_default()))
            }
        }
    },
    "chunk_every" 2..4 heavy => Pure chunked,
    "chunk_by" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, chunked_by)?),
    "into" 2..3 heavy => Task |cx, arguments| match arguments.as_slice() {
        [source, target] => Ok(Task::Done(into(cx, vector(cx, source)?, target)?)),
        _ => {
            let target = argument(&arguments, 1);
            map_then(cx, &arguments[0], &arguments[2], move |cx, results| into(cx, results, &target))
        }
    },
}
