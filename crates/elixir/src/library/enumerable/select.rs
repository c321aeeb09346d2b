//! Parts of what is enumerable: by place, by number, by function.

use super::super::operator::{Key, is_number};
use super::super::support::{argument, out_of_bounds, place, vector};
use super::{each, keyed, walk};
use crate::exception::Exception;
use crate::library::{Cx, Outcome, Task, natives};
use crate::value::Value;

fn count(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Result<i64, Exception> {
    arguments.get(1).and_then(Value::as_integer).ok_or_else(|| cx.clause(&format!("Enum.{name}"), arguments))
}

/// So many from the beginning, or, if negative, from the end; where the two parts meet.
fn cut(length: usize, count: i64) -> usize {
    if count >= 0 {
        usize::try_from(count).unwrap_or(usize::MAX).min(length)
    } else {
        length.saturating_sub(usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX))
    }
}

fn at(cx: &Cx<'_>, arguments: &[Value]) -> Result<Option<Value>, Exception> {
    let Some(index) = arguments[1].as_integer() else {
        return Err(cx.clause("Enum.at", &[arguments[0].clone(), arguments[1].clone(), argument(arguments, 2)]));
    };
    let items = vector(cx, &arguments[0])?;
    Ok(place(index, items.len()).and_then(|place| items.get(place)).cloned())
}

/// `Enum.slice/2` with a range and `Enum.slice/3`.
pub(crate) fn slice_bounds(length: usize, arguments: &[Value]) -> Option<(usize, usize, usize)> {
    let length = length as i64;
    match arguments {
        [range] => {
            let (first, last, step) = range.as_range()?;
            let from_end = |place: i64| if place < 0 { place + length } else { place };
            let (first, last) = (from_end(first).max(0), from_end(last).min(length - 1));
            let step = usize::try_from(step.max(1)).ok()?;
            if first > last { Some((0, 0, 1)) } else { Some((first as usize, last as usize + 1, step)) }
        }
        [start, amount] => {
            let (start, amount) = (start.as_integer()?, amount.as_integer().filter(|amount| *amount >= 0)?);
            let start = if start < 0 { (start + length).max(0) } else { start.min(length) };
            Some((start as usize, start.saturating_add(amount).min(length) as usize, 1))
        }
        _ => None,
    }
}

fn slice(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let items = vector(cx, &arguments[0])?;
    let bounds = slice_bounds(items.len(), &arguments[1..]).ok_or_else(|| cx.clause("Enum.slice", arguments))?;
    let (start, end, step) = bounds;
    Ok(cx.heap.list(items.get(start..end).unwrap_or_default().iter().step_by(step).cloned().collect()))
}

fn split(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let mut first = vector(cx, &arguments[0])?;
    let at = cut(first.len(), count(cx, "split", arguments)?);
    let second = first.split_off(at);
    Ok(cx.heap.pair(cx.heap.list(first), cx.heap.list(second)))
}

/// How many stand before the first that stops a walk.
fn before_stop(items: usize, results: &[Value]) -> usize {
    if results.last().is_some_and(|last| !last.is_truthy()) { items - 1 } else { items }
}

fn partition(cx: &Cx<'_>, items: Vec<Value>, results: Vec<Value>) -> Outcome {
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for (item, result) in items.into_iter().zip(results) {
        if result.is_truthy() { yes.push(item) } else { no.push(item) }
    }
    Ok(cx.heap.pair(cx.heap.list(yes), cx.heap.list(no)))
}

/// Items whose keys came before are left out.
fn unique(cx: &Cx<'_>, pairs: Vec<(Value, Value)>) -> Value {
    let mut seen = std::collections::BTreeSet::new();
    cx.heap.list(pairs.into_iter().filter(|(key, _)| seen.insert(Key(key.clone()))).map(|(_, item)| item).collect())
}

fn deduplicated(cx: &Cx<'_>, mut pairs: Vec<(Value, Value)>) -> Value {
    pairs.dedup_by(|later, kept| later.0 == kept.0);
    cx.heap.list(pairs.into_iter().map(|(_, item)| item).collect())
}

fn with_self(items: Vec<Value>) -> Vec<(Value, Value)> {
    items.into_iter().map(|item| (item.clone(), item)).collect()
}

/// The items from the stop on: all that were passed from there, and the rest of the source.
fn drop_while(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    let all = vector(cx, &arguments[0])?;
    walk(
        each(cx, &arguments, move |cx, items, results| {
            Ok(cx.heap.list(all[before_stop(items.len(), &results)..].to_vec()))
        })?
        .until(false),
    )
}

fn split_while(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    let mut all = vector(cx, &arguments[0])?;
    walk(
        each(cx, &arguments, move |cx, items, results| {
            let rest = all.split_off(before_stop(items.len(), &results));
            Ok(cx.heap.pair(cx.heap.list(all), cx.heap.list(rest)))
        })?
        .until(false),
    )
}

natives! { "Enum";
    "at" 2..3 heavy => Pure |cx, arguments| Ok(at(cx, arguments)?.unwrap_or_else(|| argument(arguments, 2))),
    "fetch" 2 heavy => Pure |cx, arguments| Ok(at(cx, arguments)?.map_or(Value::ERROR, |item| cx.heap.ok(item))),
    "fetch!" 2 heavy => Pure |cx, arguments| at(cx, arguments)?.ok_or_else(out_of_bounds),
    "take" 2 heavy => Pure |cx, arguments| {
        let number = count(cx, "take", arguments)?;
        if let (Some((first, _, step)), true) = (arguments[0].as_range(), number >= 0) {
            // Of a long range only as much as is taken.
            let items = super::items(cx, &arguments[0])?;
            let _ = (first, step);
            cx.room(usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(if number > 1_000_000 { 40 } else { 1 }))?;
            return Ok(cx.heap.list(items.take(usize::try_from(number).unwrap_or(usize::MAX)).collect()));
        }
        let mut items = vector(cx, &arguments[0])?;
        let at = cut(items.len(), number);
        Ok(cx.heap.list(if number < 0 { items.split_off(at) } else { items.truncate(at); items }))
    },
    "drop" 2 heavy => Pure |cx, arguments| {
        let number = count(cx, "drop", arguments)?;
        let mut items = vector(cx, &arguments[0])?;
        let at = cut(items.len(), number);
        Ok(cx.heap.list(if number < 0 { items.truncate(at); items } else { items.split_off(at) }))
    },
    "take_every" 2 heavy => Pure |cx, arguments| {
        let step = count(cx, "take_every", arguments)?;
        let items = vector(cx, &arguments[0])?;
        match usize::try_from(step) {
            Ok(0) => Ok(Value::empty_list()),
            Ok(step) => Ok(cx.heap.list(items.into_iter().step_by(step).collect())),
            Err(_) => Err(cx.clause("Enum.take_every", arguments)),
        }
    },
    "slice" 2..3 heavy => Pure slice,
    "split" 2 heavy => Pure split,
    "reverse" 1..2 heavy => Pure |cx, arguments| {
        let mut items = vector(cx, &arguments[0])?;
        items.reverse();
        let tail = arguments.get(1).map_or(Ok(Vec::new()), |tail| vector(cx, tail))?;
        items.extend(tail);
        Ok(cx.heap.list(items))
    },
    "uniq" 1 heavy => Pure |cx, arguments| Ok(unique(cx, with_self(vector(cx, &arguments[0])?))),
    "uniq_by" 2 heavy => Task |cx, arguments| keyed(cx, &arguments, |cx, pairs| Ok(unique(cx, pairs))),
    "dedup" 1 heavy => Pure |cx, arguments| Ok(deduplicated(cx, with_self(vector(cx, &arguments[0])?))),
    "dedup_by" 2 heavy => Task |cx, arguments| keyed(cx, &arguments, |cx, pairs| Ok(deduplicated(cx, pairs))),
    "take_while" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, |cx, mut items, results| {
        items.truncate(before_stop(items.len(), &results));
        Ok(cx.heap.list(items))
    })?.until(false)),
    "drop_while" 2 heavy => Task drop_while,
    "split_while" 2 heavy => Task split_while,
    "split_with" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, partition)?),
    "partition" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, partition)?),
    "concat" 1..2 heavy => Pure |cx, arguments| {
        let sources = if arguments.len() == 2 { arguments.to_vec() } else { vector(cx, &arguments[0])? };
        let mut all = Vec::new();
        for source in &sources {
            all.extend(vector(cx, source)?);
        }
        Ok(cx.heap.list(all))
    },
    "random" 1 heavy => Task |cx, arguments| {
        // Chance is the host's.
        let length = vector(cx, &arguments[0])?.len();
        if length == 0 || !is_number(&Value::count(length)) {
            return Err(super::super::support::empty_error());
        }
        let module = beamline_term::Atom::from_static("Elixir.Enum");
        Ok(Task::Host(module, beamline_term::Atom::from_static("random"), arguments))
    },
}
