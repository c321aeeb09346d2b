//! `Keyword`: lists of pairs whose first is an atom.

use super::support::{argument, key_error, vector};
use super::walk::Once;
use super::{Cx, Outcome, Task, natives};
use crate::exception::Exception;
use crate::value::Value;

fn list(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Exception> {
    let key = arguments.get(1).is_none_or(|key| key.as_atom().is_some() || key.as_list().is_some());
    arguments[0].to_items().filter(|_| key).ok_or_else(|| cx.clause(&format!("Keyword.{name}"), arguments))
}

fn has(item: &Value, key: &Value) -> bool {
    item.as_pair().is_some_and(|(own, _)| own == key)
}

fn find<'a>(items: &'a [Value], key: &Value) -> Option<&'a Value> {
    items.iter().find(|item| has(item, key)).and_then(Value::as_pair).map(|(_, value)| value)
}

fn without(mut items: Vec<Value>, key: &Value) -> Vec<Value> {
    items.retain(|item| !has(item, key));
    items
}

fn put(cx: &Cx<'_>, items: Vec<Value>, key: &Value, value: Value) -> Value {
    let mut items = without(items, key);
    items.insert(0, cx.heap.pair(key.clone(), value));
    cx.heap.list(items)
}

fn is_keyword(value: &Value) -> bool {
    value
        .to_items()
        .is_some_and(|items| items.iter().all(|item| item.as_pair().is_some_and(|(key, _)| key.as_atom().is_some())))
}

/// Those whose key is, or is not, in the other list.
fn select(cx: &Cx<'_>, name: &str, arguments: &[Value], wanted: bool) -> Outcome {
    let keys = vector(cx, &arguments[1])?;
    let mut items = list(cx, name, arguments)?;
    items.retain(|item| item.as_pair().is_some_and(|(key, _)| keys.contains(key)) == wanted);
    Ok(cx.heap.list(items))
}

/// A pair's value replaced at its first place, and its other places left out.
fn update(cx: &Cx<'_>, arguments: Vec<Value>, default: Option<Value>) -> Result<Task, Exception> {
    let mut items = list(cx, "update", &arguments)?;
    let key = arguments[1].clone();
    let Some(place) = items.iter().position(|item| has(item, &key)) else {
        let default = default.ok_or_else(|| key_error(cx, &key, &arguments[0]))?;
        items.push(cx.heap.pair(key, default));
        return Ok(Task::Done(cx.heap.list(items)));
    };
    let old = find(&items, &key).cloned().unwrap_or(Value::NIL);
    let function = arguments.last().cloned().unwrap_or(Value::NIL);
    Ok(Task::Walk(Box::new(Once::new(function, vec![old], move |cx, new| {
        let rest = without(items.split_off(place + 1), &key);
        items[place] = cx.heap.pair(key, new);
        items.extend(rest);
        Ok(cx.heap.list(items))
    }))))
}

natives! { "Keyword";
    "new" 0..1 heavy => Pure |cx, arguments| match arguments.first() {
        None => Ok(Value::empty_list()),
        Some(source) => {
            // Of equal keys the last stays.
            let mut items: Vec<Value> = Vec::new();
            for item in vector(cx, source)? {
                let (key, _) = item.as_pair().ok_or_else(|| cx.clause("Keyword.new", arguments))?;
                items.retain(|own| !has(own, key));
                items.push(item);
            }
            Ok(cx.heap.list(items))
        }
    },
    "keyword?" 1 heavy => Pure |_, arguments| Ok(Value::bool(is_keyword(&arguments[0]))),
    "get" 2..3 heavy => Pure |cx, arguments| {
        let full = [arguments[0].clone(), arguments[1].clone(), argument(arguments, 2)];
        Ok(find(&list(cx, "get", &full)?, &arguments[1]).cloned().unwrap_or_else(|| argument(arguments, 2)))
    },
    "get_values" 2 heavy => Pure |cx, arguments| {
        let items = list(cx, "get_values", arguments)?;
        let values = items.iter().filter(|item| has(item, &arguments[1])).filter_map(Value::as_pair);
        Ok(cx.heap.list(values.map(|(_, value)| value.clone()).collect()))
    },
    "fetch" 2 heavy => Pure |cx, arguments| {
        Ok(find(&list(cx, "fetch", arguments)?, &arguments[1]).map_or(Value::ERROR, |value| cx.heap.ok(value.clone())))
    },
    "fetch!" 2 heavy => Pure |cx, arguments| {
        let items = list(cx, "fetch!", arguments)?;
        find(&items, &arguments[1]).cloned().ok_or_else(|| key_error(cx, &arguments[1], &arguments[0]))
    },
    "has_key?" 2 heavy => Pure |cx, arguments| Ok(Value::bool(find(&list(cx, "has_key?", arguments)?, &arguments[1]).is_some())),
    "put" 3 heavy => Pure |cx, arguments| Ok(put(cx, list(cx, "put", arguments)?, &arguments[1], arguments[2].clone())),
    "put_new" 3 heavy => Pure |cx, arguments| {
        let mut items = list(cx, "put_new", arguments)?;
        if find(&items, &arguments[1]).is_none() {
            items.insert(0, cx.heap.pair(arguments[1].clone(), arguments[2].clone()));
        }
        Ok(cx.heap.list(items))
    },
    "delete" 2 heavy => Pure |cx, arguments| Ok(cx.heap.list(without(list(cx, "delete", arguments)?, &arguments[1]))),
    "pop" 2..3 heavy => Pure |cx, arguments| {
        let items = list(cx, "pop", arguments)?;
        let value = find(&items, &arguments[1]).cloned().unwrap_or_else(|| argument(arguments, 2));
        Ok(cx.heap.pair(value, cx.heap.list(without(items, &arguments[1]))))
    },
    "keys" 1 heavy => Pure |cx, arguments| {
        let items = list(cx, "keys", arguments)?;
        Ok(cx.heap.list(items.iter().filter_map(Value::as_pair).map(|(key, _)| key.clone()).collect()))
    },
    "values" 1 heavy => Pure |cx, arguments| {
        let items = list(cx, "values", arguments)?;
        Ok(cx.heap.list(items.iter().filter_map(Value::as_pair).map(|(_, value)| value.clone()).collect()))
    },
    "merge" 2 heavy => Pure |cx, arguments| {
        let wrong = |value: &Value| {
            let message = format!("expected a keyword list as the first argument, got: {}", cx.show(value));
            Exception::argument(message)
        };
        let (mut items, second) = (list(cx, "merge", &arguments[..1])?, arguments[1].to_items());
        let second = second.ok_or_else(|| wrong(&arguments[1]))?;
        let keys: Vec<Value> = second.iter().filter_map(Value::as_pair).map(|(key, _)| key.clone()).collect();
        items.retain(|item| item.as_pair().is_none_or(|(key, _)| !keys.contains(key)));
        items.extend(second);
        Ok(cx.heap.list(items))
    },
    "take" 2 heavy => Pure |cx, arguments| select(cx, "take", arguments, true),
    "drop" 2 heavy => Pure |cx, arguments| select(cx, "drop", arguments, false),
    "to_list" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(list(cx, "to_list", arguments)?)),
    "update" 4 heavy => Task |cx, arguments| { let default = arguments[2].clone(); update(cx, arguments, Some(default)) },
    "update!" 3 heavy => Task |cx, arguments| update(cx, arguments, None),
}
