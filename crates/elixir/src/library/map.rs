//! `Map`.

pub(super) mod set;

use super::support::{argument, bad_map, key_error, vector};
use super::walk::{Each, Items, Once};
use super::{Cx, Outcome, Task, natives};
use crate::exception::Exception;
use crate::value::{Map, Value};

fn map<'a>(cx: &Cx<'_>, arguments: &'a [Value]) -> Result<&'a Map, Exception> {
    arguments[0].as_map().ok_or_else(|| bad_map(cx, &arguments[0]))
}

/// The map with one pair more, or another value.
fn put(cx: &Cx<'_>, map: &Map, key: &Value, value: &Value) -> Value {
    cx.spend(map.len() / 2);
    let mut pairs = map.pairs().to_vec();
    match map.find(key) {
        Ok(place) => pairs[place].1 = value.clone(),
        Err(place) => pairs.insert(place, (key.clone(), value.clone())),
    }
    cx.heap.sorted_map(pairs)
}

fn without(cx: &Cx<'_>, map: &Map, keys: &[Value]) -> Value {
    cx.spend(map.len() / 2);
    let mut pairs = map.pairs().to_vec();
    if let [key] = keys {
        if let Ok(place) = map.find(key) {
            pairs.remove(place);
        }
    } else {
        let keys: std::collections::BTreeSet<_> = keys.iter().cloned().map(super::operator::Key).collect();
        pairs.retain(|(key, _)| !keys.contains(&super::operator::Key(key.clone())));
    }
    cx.heap.sorted_map(pairs)
}

fn only(cx: &Cx<'_>, map: &Map, keys: &[Value]) -> Value {
    cx.heap.map(keys.iter().filter_map(|key| map.get(key).map(|value| (key.clone(), value.clone()))).collect())
}

/// A map of pairs that are tuples.
fn of_pairs(cx: &Cx<'_>, items: Vec<Value>) -> Outcome {
    let pairs = items.iter().map(|item| {
        let pair = item.as_pair().map(|(key, value)| (key.clone(), value.clone()));
        pair.ok_or_else(|| Exception::argument("argument error"))
    });
    Ok(cx.heap.map(pairs.collect::<Result<_, _>>()?))
}

fn new(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    match arguments.as_slice() {
        [] => Ok(Task::Done(cx.heap.map(Vec::new()))),
        [source] if source.as_map().is_some() && source.struct_name().is_none() => Ok(Task::Done(source.clone())),
        [source] => Ok(Task::Done(of_pairs(cx, vector(cx, source)?)?)),
        _ => {
            let items = super::support::items(cx, &arguments[0])?;
            Ok(Task::Walk(Box::new(Each::new(cx, items, argument(&arguments, 1), |cx, _, results| {
                of_pairs(cx, results)
            }))))
        }
    }
}

fn merge(cx: &Cx<'_>, arguments: Vec<Value>) -> Result<Task, Exception> {
    let one = map(cx, &arguments)?;
    let two = arguments[1].as_map().ok_or_else(|| bad_map(cx, &arguments[1]))?;
    let mut pairs = one.pairs().to_vec();
    pairs.extend(two.pairs().iter().cloned());
    let Some(function) = arguments.get(2) else {
        return Ok(Task::Done(cx.heap.map(pairs)));
    };
    let both = two
        .pairs()
        .iter()
        .filter_map(|(key, new)| one.get(key).map(|old| cx.heap.tuple(vec![key.clone(), old.clone(), new.clone()])));
    let both: Vec<Value> = both.collect();
    let each = Each::new(cx, Items::All(both.into_iter()), function.clone(), move |cx, items, results| {
        let settled =
            items.iter().zip(results).filter_map(|(item, result)| Some((item.as_tuple()?.first()?.clone(), result)));
        pairs.extend(settled);
        Ok(cx.heap.map(pairs))
    });
    Ok(Task::Walk(Box::new(each.pass(|_, item| item.as_tuple().map(<[Value]>::to_vec).unwrap_or_default()))))
}

/// Puts what a function makes of the old value; without one the default, or an error.
fn update(cx: &Cx<'_>, arguments: Vec<Value>, default: Option<Value>) -> Result<Task, Exception> {
    let own = map(cx, &arguments)?.clone();
    let key = arguments[1].clone();
    let function = arguments.last().cloned().unwrap_or(Value::NIL);
    match (own.get(&key).cloned(), default) {
        (Some(old), _) => {
            Ok(Task::Walk(Box::new(Once::new(function, vec![old], move |cx, new| Ok(put(cx, &own, &key, &new))))))
        }
        (None, Some(default)) => Ok(Task::Done(put(cx, &own, &key, &default))),
        (None, None) => Err(key_error(cx, &key, &arguments[0])),
    }
}

/// Keeps the pairs for which a function of `{key, value}` is as wanted.
fn keep(cx: &Cx<'_>, arguments: &[Value], wanted: bool) -> Result<Task, Exception> {
    map(cx, arguments)?;
    let items = Items::All(vector(cx, &arguments[0])?.into_iter());
    let each = Each::new(cx, items, arguments[1].clone(), move |cx, items, results| {
        let kept =
            items.into_iter().zip(results).filter(|(_, result)| result.is_truthy() == wanted).map(|(item, _)| item);
        of_pairs(cx, kept.collect())
    });
    Ok(Task::Walk(Box::new(each)))
}

natives! { "Map";
    "new" 0..2 heavy => Task new,
    "from_keys" 2 heavy => Pure |cx, arguments| {
        Ok(cx.heap.map(vector(cx, &arguments[0])?.into_iter().map(|key| (key, arguments[1].clone())).collect()))
    },
    "get" 2..3 => Pure |cx, arguments| Ok(map(cx, arguments)?.get(&arguments[1]).cloned().unwrap_or_else(|| argument(arguments, 2))),
    "fetch" 2 => Pure |cx, arguments| Ok(map(cx, arguments)?.get(&arguments[1]).map_or(Value::ERROR, |value| cx.heap.ok(value.clone()))),
    "fetch!" 2 => Pure |cx, arguments| {
        map(cx, arguments)?.get(&arguments[1]).cloned().ok_or_else(|| key_error(cx, &arguments[1], &arguments[0]))
    },
    "has_key?" 2 => Pure |cx, arguments| Ok(Value::bool(map(cx, arguments)?.get(&arguments[1]).is_some())),
    "put" 3 => Pure |cx, arguments| Ok(put(cx, map(cx, arguments)?, &arguments[1], &arguments[2])),
    "put_new" 3 => Pure |cx, arguments| match map(cx, arguments)?.get(&arguments[1]) {
        Some(_) => Ok(arguments[0].clone()),
        None => Ok(put(cx, map(cx, arguments)?, &arguments[1], &arguments[2])),
    },
    "replace" 3 => Pure |cx, arguments| match map(cx, arguments)?.get(&arguments[1]) {
        Some(_) => Ok(put(cx, map(cx, arguments)?, &arguments[1], &arguments[2])),
        None => Ok(arguments[0].clone()),
    },
    "replace!" 3 => Pure |cx, arguments| match map(cx, arguments)?.get(&arguments[1]) {
        Some(_) => Ok(put(cx, map(cx, arguments)?, &arguments[1], &arguments[2])),
        None => Err(key_error(cx, &arguments[1], &arguments[0])),
    },
    "delete" 2 => Pure |cx, arguments| Ok(without(cx, map(cx, arguments)?, &arguments[1..2])),
    "drop" 2 heavy => Pure |cx, arguments| Ok(without(cx, map(cx, arguments)?, &vector(cx, &arguments[1])?)),
    "take" 2 heavy => Pure |cx, arguments| Ok(only(cx, map(cx, arguments)?, &vector(cx, &arguments[1])?)),
    "split" 2 heavy => Pure |cx, arguments| {
        let (map, keys) = (map(cx, arguments)?, vector(cx, &arguments[1])?);
        Ok(cx.heap.pair(only(cx, map, &keys), without(cx, map, &keys)))
    },
    "keys" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(map(cx, arguments)?.pairs().iter().map(|(key, _)| key.clone()).collect())),
    "values" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(map(cx, arguments)?.pairs().iter().map(|(_, value)| value.clone()).collect())),
    "to_list" 1 heavy => Pure |cx, arguments| {
        let pairs = map(cx, arguments)?.pairs().iter().map(|(key, value)| cx.heap.pair(key.clone(), value.clone()));
        Ok(cx.heap.list(pairs.collect()))
    },
    "pop" 2..3 => Pure |cx, arguments| {
        let own = map(cx, arguments)?;
        let value = own.get(&arguments[1]).cloned().unwrap_or_else(|| argument(arguments, 2));
        Ok(cx.heap.pair(value, without(cx, own, &arguments[1..2])))
    },
    "pop!" 2 => Pure |cx, arguments| {
        let own = map(cx, arguments)?;
        let value = own.get(&arguments[1]).cloned().ok_or_else(|| key_error(cx, &arguments[1], &arguments[0]))?;
        Ok(cx.heap.pair(value, without(cx, own, &arguments[1..2])))
    },
    "merge" 2..3 heavy => Task merge,
    "update" 4 => Task |cx, arguments| { let default = arguments[2].clone(); update(cx, arguments, Some(default)) },
    "update!" 3 => Task |cx, arguments| update(cx, arguments, None),
    "get_lazy" 3 => Task |cx, arguments| match map(cx, &arguments)?.get(&arguments[1]) {
        Some(value) => Ok(Task::Done(value.clone())),
        None => Ok(Task::Invoke(arguments[2].clone(), Vec::new())),
    },
    "put_new_lazy" 3 => Task |cx, arguments| {
        let own = map(cx, &arguments)?.clone();
        match own.get(&arguments[1]) {
            Some(_) => Ok(Task::Done(arguments[0].clone())),
            None => {
                let key = arguments[1].clone();
                let once = Once::new(arguments[2].clone(), Vec::new(), move |cx, new| Ok(put(cx, &own, &key, &new)));
                Ok(Task::Walk(Box::new(once)))
            }
        }
    },
    "filter" 2 heavy => Task |cx, arguments| keep(cx, &arguments, true),
    "reject" 2 heavy => Task |cx, arguments| keep(cx, &arguments, false),
    "equal?" 2 heavy => Pure |_, arguments| Ok(Value::bool(arguments[0] == arguments[1])),
    "from_struct" 1 heavy => Pure |cx, arguments| Ok(without(cx, map(cx, arguments)?, &[Value::word("__struct__")])),
}
