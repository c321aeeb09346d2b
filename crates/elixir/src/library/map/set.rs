//! `MapSet`.

use super::super::operator::member;
use super::super::support::vector;
use super::super::walk::Each;
use super::super::{Cx, Outcome, Task, natives};
use crate::exception::Exception;
use crate::value::Value;

fn elements(cx: &Cx<'_>, name: &str, arguments: &[Value], place: usize) -> Result<Vec<Value>, Exception> {
    match arguments[place].struct_name() {
        Some("MapSet") => vector(cx, &arguments[place]),
        _ => Err(cx.clause(&format!("MapSet.{name}"), arguments)),
    }
}

fn has(cx: &Cx<'_>, set: &Value, element: &Value) -> bool {
    member(cx, element, set).is_ok_and(|found| found.is_truthy())
}

/// Those of the first set that are in the second, or that are not.
fn select(cx: &Cx<'_>, name: &str, arguments: &[Value], wanted: bool) -> Outcome {
    elements(cx, name, arguments, 1)?;
    let own = elements(cx, name, arguments, 0)?;
    Ok(cx.heap.set(own.into_iter().filter(|element| has(cx, &arguments[1], element) == wanted).collect()))
}

natives! { "MapSet";
    "new" 0..2 heavy => Task |cx, arguments| match arguments.as_slice() {
        [] => Ok(Task::Done(cx.heap.set(Vec::new()))),
        [source] => Ok(Task::Done(cx.heap.set(vector(cx, source)?))),
        _ => {
            let items = super::super::support::items(cx, &arguments[0])?;
            let each = Each::new(cx, items, arguments[1].clone(), |cx, _, results| Ok(cx.heap.set(results)));
            Ok(Task::Walk(Box::new(each)))
        }
    },
    "put" 2 heavy => Pure |cx, arguments| {
        let mut all = elements(cx, "put", arguments, 0)?;
        all.push(arguments[1].clone());
        Ok(cx.heap.set(all))
    },
    "delete" 2 heavy => Pure |cx, arguments| {
        let mut all = elements(cx, "delete", arguments, 0)?;
        all.retain(|element| element != &arguments[1]);
        Ok(cx.heap.set(all))
    },
    "member?" 2 => Pure |cx, arguments| match arguments[0].struct_name() {
        Some("MapSet") => member(cx, &arguments[1], &arguments[0]),
        _ => Err(cx.clause("MapSet.member?", arguments)),
    },
    "size" 1 heavy => Pure |cx, arguments| Ok(Value::count(elements(cx, "size", arguments, 0)?.len())),
    "to_list" 1 heavy => Pure |cx, arguments| Ok(cx.heap.list(elements(cx, "to_list", arguments, 0)?)),
    "union" 2 heavy => Pure |cx, arguments| {
        let mut all = elements(cx, "union", arguments, 0)?;
        all.extend(elements(cx, "union", arguments, 1)?);
        Ok(cx.heap.set(all))
    },
    "intersection" 2 heavy => Pure |cx, arguments| select(cx, "intersection", arguments, true),
    "difference" 2 heavy => Pure |cx, arguments| select(cx, "difference", arguments, false),
    "subset?" 2 heavy => Pure |cx, arguments| {
        let own = elements(cx, "subset?", arguments, 0)?;
        elements(cx, "subset?", arguments, 1)?;
        Ok(Value::bool(own.iter().all(|element| has(cx, &arguments[1], element))))
    },
    "disjoint?" 2 heavy => Pure |cx, arguments| {
        let own = elements(cx, "disjoint?", arguments, 0)?;
        elements(cx, "disjoint?", arguments, 1)?;
        Ok(Value::bool(!own.iter().any(|element| has(cx, &arguments[1], element))))
    },
    "equal?" 2 heavy => Pure |_, arguments| Ok(Value::bool(arguments[0] == arguments[1])),
}
