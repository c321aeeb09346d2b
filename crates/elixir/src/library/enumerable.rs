//! `Enum`: going through what is enumerable. Functions that call functions are walks.

pub(super) mod combine;
pub(super) mod select;

use std::cmp::Ordering;

use super::operator::{add, member, multiply};
use super::sort::{Order, extreme, sort};
use super::support::{argument, empty_error, items, vector};
use super::walk::{Each, Items, Reduce};
use super::{Cx, Outcome, Task, natives};
use crate::exception::Exception;
use crate::value::Value;

fn zip(items: Vec<Value>, results: Vec<Value>) -> impl Iterator<Item = (Value, Value)> {
    items.into_iter().zip(results)
}

/// A walk over the first argument with the function that is the second.
fn each(
    cx: &Cx<'_>,
    arguments: &[Value],
    finish: impl FnOnce(&Cx<'_>, Vec<Value>, Vec<Value>) -> Outcome + Send + 'static,
) -> Result<Each, Exception> {
    Ok(Each::new(cx, items(cx, &arguments[0])?, argument(arguments, 1), finish))
}

fn walk(each: Each) -> Result<Task, Exception> {
    Ok(Task::Walk(Box::new(each)))
}

/// Keeps the items whose result is as wanted.
fn keep(cx: &Cx<'_>, arguments: &[Value], wanted: bool) -> Result<Task, Exception> {
    walk(each(cx, arguments, move |cx, items, results| {
        Ok(cx.heap.list(
            zip(items, results).filter(|(_, result)| result.is_truthy() == wanted).map(|(item, _)| item).collect(),
        ))
    })?)
}

/// Items with keys, which are what a function gives for them.
fn keyed(
    cx: &Cx<'_>,
    arguments: &[Value],
    finish: impl FnOnce(&Cx<'_>, Vec<(Value, Value)>) -> Outcome + Send + 'static,
) -> Result<Task, Exception> {
    walk(each(cx, arguments, move |cx, items, results| finish(cx, results.into_iter().zip(items).collect()))?)
}

fn extreme_of(arguments: &[Value], cx: &Cx<'_>, wanted: Ordering) -> Outcome {
    let pairs: Vec<_> = vector(cx, &arguments[0])?.into_iter().map(|item| (item.clone(), item)).collect();
    extreme(&pairs, wanted).cloned().ok_or_else(empty_error)
}

fn extreme_by(cx: &Cx<'_>, arguments: &[Value], wanted: Ordering) -> Result<Task, Exception> {
    keyed(cx, arguments, move |_, pairs| extreme(&pairs, wanted).cloned().ok_or_else(empty_error))
}

fn reduce(cx: &Cx<'_>, arguments: &[Value]) -> Result<Task, Exception> {
    let mut items = items(cx, &arguments[0])?;
    let (accumulator, function) = match arguments {
        [_, function] => (items.next().ok_or_else(empty_error)?, function.clone()),
        _ => (argument(arguments, 1), argument(arguments, 2)),
    };
    Ok(Task::Walk(Box::new(Reduce::new(cx, items, function, accumulator))))
}

/// Groups pairs of a key and a value, in the order of the values.
fn grouped(cx: &Cx<'_>, pairs: Vec<(Value, Value)>) -> Value {
    let mut groups: std::collections::BTreeMap<super::operator::Key, Vec<Value>> = std::collections::BTreeMap::new();
    for (key, value) in pairs {
        groups.entry(super::operator::Key(key)).or_default().push(value);
    }
    cx.heap.map(groups.into_iter().map(|(key, values)| (key.0, cx.heap.list(values))).collect())
}

pub(super) fn counted(cx: &Cx<'_>, keys: Vec<Value>) -> Value {
    let mut counts: std::collections::BTreeMap<super::operator::Key, usize> = std::collections::BTreeMap::new();
    for key in keys {
        *counts.entry(super::operator::Key(key)).or_default() += 1;
    }
    cx.heap.map(counts.into_iter().map(|(key, count)| (key.0, Value::count(count))).collect())
}

/// Whether some or all are truthy, or a function of them is.
fn quantified(cx: &Cx<'_>, arguments: &[Value], any: bool) -> Result<Task, Exception> {
    if arguments.len() == 1 {
        let items = vector(cx, &arguments[0])?;
        let found = items.iter().any(|item| item.is_truthy() == any);
        return Ok(Task::Done(Value::bool(found == any)));
    }
    let each = each(cx, arguments, move |_, _, results| {
        let found = results.last().is_some_and(|last| last.is_truthy() == any);
        Ok(Value::bool(found == any))
    })?;
    walk(each.until(any).forget())
}

/// The first item that is found, and what is made of it.
fn found(
    cx: &Cx<'_>,
    arguments: &[Value],
    make: fn(usize, Value, Value) -> Value,
    keep: bool,
) -> Result<Task, Exception> {
    let (source, default, function) = match arguments {
        [source, function] => (source, Value::NIL, function),
        _ => (&arguments[0], argument(arguments, 1), &arguments[2]),
    };
    let each = Each::new(cx, items(cx, source)?, function.clone(), move |_, mut items, mut results| {
        let place = items.len().saturating_sub(1);
        match items.pop().zip(results.pop()) {
            Some((item, result)) if result.is_truthy() => Ok(make(place, item, result)),
            _ => Ok(default),
        }
    });
    walk(if keep { each.until(true) } else { each.until(true).forget() })
}

fn map_reduce(cx: &Cx<'_>, arguments: &[Value], adjust: fn(&mut Reduce)) -> Result<Task, Exception> {
    let mut reduce = Reduce::new(cx, items(cx, &arguments[0])?, argument(arguments, 2), argument(arguments, 1));
    adjust(&mut reduce);
    Ok(Task::Walk(Box::new(reduce)))
}

fn scan(cx: &Cx<'_>, arguments: &[Value]) -> Result<Task, Exception> {
    let mut items = items(cx, &arguments[0])?;
    let (accumulator, function, first) = match arguments {
        [_, function] => match items.next() {
            Some(first) => (first.clone(), function.clone(), vec![first]),
            None => return Ok(Task::Done(Value::empty_list())),
        },
        _ => (argument(arguments, 1), argument(arguments, 2), Vec::new()),
    };
    let mut reduce = Reduce::new(cx, items, function, accumulator);
    reduce.scanned = Some(first);
    Ok(Task::Walk(Box::new(reduce)))
}

fn sorted(cx: &Cx<'_>, arguments: &[Value]) -> Result<Task, Exception> {
    let pairs = vector(cx, &arguments[0])?.into_iter().map(|item| (item.clone(), item)).collect();
    Ok(sort(cx, pairs, Order::of(cx, arguments.get(1))?, |cx, items| cx.heap.list(items)))
}

fn sorted_by(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    let order = Order::of(cx, arguments.get(2))?;
    // Two walks: the keys, then the order of them.
    let each = each(cx, &arguments, |cx, items, results| {
        let pairs = zip(items, results).map(|(item, key)| cx.heap.pair(key, item)).collect();
        Ok(cx.heap.list(pairs))
    })?;
    Ok(Task::Walk(Box::new(SortBy { each: Some(each), merge: None, order: Some(order) })))
}

/// Computes the keys, then sorts by them.
struct SortBy {
    each: Option<Each>,
    merge: Option<Box<dyn super::Walk>>,
    order: Option<Order>,
}

impl super::Walk for SortBy {
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<super::Step, Exception> {
        if let Some(merge) = &mut self.merge {
            return merge.next(cx, last);
        }
        let step = match &mut self.each {
            Some(each) => each.next(cx, last)?,
            None => return Ok(super::Step::Done(Value::NIL)),
        };
        let super::Step::Done(pairs) = step else {
            return Ok(step);
        };
        self.each = None;
        let pairs = pairs.to_items().unwrap_or_default();
        let pairs = pairs.iter().filter_map(Value::as_pair).map(|(key, item)| (key.clone(), item.clone())).collect();
        match sort(cx, pairs, self.order.take().unwrap_or(Order::Ascending), |cx, items| cx.heap.list(items)) {
            Task::Walk(mut merge) => {
                let step = merge.next(cx, None);
                self.merge = Some(merge);
                step
            }
            Task::Done(value) => Ok(super::Step::Done(value)),
            _ => Ok(super::Step::Done(Value::NIL)),
        }
    }
}

natives! { "Enum";
    "map" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, |cx, _, results| Ok(cx.heap.list(results)))?.results_only()),
    "filter" 2 heavy => Task |cx, arguments| keep(cx, &arguments, true),
    "reject" 2 heavy => Task |cx, arguments| keep(cx, &arguments, false),
    "each" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, |_, _, _| Ok(Value::OK))?.forget()),
    "flat_map" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, |cx, _, results| {
        let mut all = Vec::new();
        for result in &results {
            let items = vector(cx, result)?;
            cx.spend(items.len() / 4);
            cx.room((all.len() + items.len()).saturating_mul(crate::value::SLOT))?;
            all.extend(items);
        }
        Ok(cx.heap.list(all))
    })?.results_only()),
    "reduce" 2..3 heavy => Task |cx, arguments| reduce(cx, &arguments),
    "map_reduce" 3 heavy => Task |cx, arguments| map_reduce(cx, &arguments, |reduce| reduce.mapped = Some(Vec::new())),
    "reduce_while" 3 heavy => Task |cx, arguments| map_reduce(cx, &arguments, |reduce| reduce.guided = true),
    "scan" 2..3 heavy => Task |cx, arguments| scan(cx, &arguments),
    "all?" 1..2 heavy => Task |cx, arguments| quantified(cx, &arguments, false),
    "any?" 1..2 heavy => Task |cx, arguments| quantified(cx, &arguments, true),
    "find" 2..3 heavy => Task |cx, arguments| found(cx, &arguments, |_, item, _| item, false),
    "find_index" 2 heavy => Task |cx, arguments| found(cx, &arguments, |place, _, _| Value::count(place), true),
    "find_value" 2..3 heavy => Task |cx, arguments| found(cx, &arguments, |_, _, result| result, false),
    "count" 1..2 heavy => Task |cx, arguments| match arguments.as_slice() {
        [source] => match source.as_range() {
            Some((first, last, step)) => {
                Ok(Task::Done(Value::big(super::support::range_length(first, last, step).into())))
            }
            None => Ok(Task::Done(Value::count(vector(cx, source)?.len()))),
        },
        _ => walk(each(cx, &arguments, |_, _, results| {
            Ok(Value::count(results.iter().filter(|result| result.is_truthy()).count()))
        })?),
    },
    "sum" 1 heavy => Pure |cx, arguments| {
        items(cx, &arguments[0])?.try_fold(Value::integer(0), |sum, item| {
            cx.spend(1);
            within(cx)?;
            add(cx, &item, &sum)
        })
    },
    "product" 1 heavy => Pure |cx, arguments| {
        items(cx, &arguments[0])?.try_fold(Value::integer(1), |all, item| {
            cx.spend(1);
            within(cx)?;
            multiply(cx, &item, &all)
        })
    },
    "max" 1 heavy => Pure |cx, arguments| extreme_of(arguments, cx, Ordering::Greater),
    "min" 1 heavy => Pure |cx, arguments| extreme_of(arguments, cx, Ordering::Less),
    "min_max" 1 heavy => Pure |cx, arguments| {
        Ok(cx.heap.pair(extreme_of(arguments, cx, Ordering::Less)?, extreme_of(arguments, cx, Ordering::Greater)?))
    },
    "max_by" 2 heavy => Task |cx, arguments| extreme_by(cx, &arguments, Ordering::Greater),
    "min_by" 2 heavy => Task |cx, arguments| extreme_by(cx, &arguments, Ordering::Less),
    "sort" 1..2 heavy => Task |cx, arguments| sorted(cx, &arguments),
    "sort_by" 2..3 heavy => Task sorted_by,
    "group_by" 2..3 heavy => Task |cx, arguments| match arguments.as_slice() {
        [_, _] => keyed(cx, &arguments, |cx, pairs| Ok(grouped(cx, pairs))),
        _ => {
            let both = both(cx, &arguments[0], &arguments[1], &arguments[2])?;
            Ok(Task::Walk(Box::new(both)))
        }
    },
    "frequencies" 1 heavy => Pure |cx, arguments| Ok(counted(cx, vector(cx, &arguments[0])?)),
    "frequencies_by" 2 heavy => Task |cx, arguments| walk(each(cx, &arguments, |cx, _, results| Ok(counted(cx, results)))?),
    "member?" 2 heavy => Pure |cx, arguments| member(cx, &arguments[1], &arguments[0]),
    "to_list" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(vector(cx, &arguments[0])?)),
    "empty?" 1 => Pure |cx, arguments| Ok(Value::bool(items(cx, &arguments[0])?.next().is_none())),
}

/// Ends a long loop in one function when the steps are used up.
fn within(cx: &Cx<'_>) -> Result<(), Exception> {
    if cx.spent.get() > cx.limits.steps {
        return Err(Exception::Limit { what: "the number of steps", limit: cx.limits.steps });
    }
    Ok(())
}

/// Groups by one function what another makes of the items.
fn both(cx: &Cx<'_>, source: &Value, key: &Value, value: &Value) -> Result<Both, Exception> {
    let all = vector(cx, source)?;
    let keys =
        Each::new(cx, Items::All(all.clone().into_iter()), key.clone(), |cx, _, results| Ok(cx.heap.list(results)));
    let values = Each::new(cx, Items::All(all.into_iter()), value.clone(), |cx, _, results| Ok(cx.heap.list(results)));
    Ok(Both { keys: Some(keys), values, known: Vec::new() })
}

struct Both {
    keys: Option<Each>,
    values: Each,
    known: Vec<Value>,
}

impl super::Walk for Both {
    fn next(&mut self, cx: &Cx<'_>, mut last: Option<Value>) -> Result<super::Step, Exception> {
        if let Some(keys) = &mut self.keys {
            match keys.next(cx, last.take())? {
                super::Step::Done(all) => self.known = all.to_items().unwrap_or_default(),
                step => return Ok(step),
            }
            self.keys = None;
        }
        match self.values.next(cx, last)? {
            super::Step::Done(all) => {
                let values = all.to_items().unwrap_or_default();
                let pairs = std::mem::take(&mut self.known).into_iter().zip(values).collect();
                Ok(super::Step::Done(grouped(cx, pairs)))
            }
            step => Ok(step),
        }
    }
}
