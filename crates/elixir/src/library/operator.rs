//! Operators: arithmetic, comparison, lists and binaries.

use std::cmp::Ordering;

use beamline_term::BigInt;

use super::{Cx, Outcome, Task, natives, support};
use crate::exception::Exception;
use crate::value::{Data, Value, compare, compare_loosely};

/// No integer has more bits: what is computed with it would take as long as all other steps.
const BITS: u64 = 1 << 18;

pub(crate) fn bad_arithmetic(cx: &Cx<'_>, what: std::fmt::Arguments<'_>) -> Exception {
    let _ = cx;
    Exception::error("ArithmeticError", format!("bad argument in arithmetic expression: {what}"))
}

fn bad(cx: &Cx<'_>, operator: &str, one: &Value, two: &Value) -> Exception {
    let shown = |value: &Value| cx.show(value);
    bad_arithmetic(cx, format_args!("{} {operator} {}", shown(one), shown(two)))
}

/// A number as a float; large integers may be out of its range.
pub(crate) fn to_float(value: &Value) -> Option<f64> {
    match &value.0 {
        Data::Integer(number) => Some(*number as f64),
        Data::Float(number) => Some(*number),
        Data::Big(number) => number.to_string().parse::<f64>().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

pub(crate) fn is_number(value: &Value) -> bool {
    matches!(value.0, Data::Integer(_) | Data::Big(_) | Data::Float(_))
}

/// An integer that is not larger than integers may be.
pub(crate) fn checked(number: BigInt) -> Outcome {
    if number.bits() > BITS {
        return Err(Exception::Limit { what: "the bits of an integer", limit: BITS });
    }
    Ok(Value::big(number))
}

fn arithmetic(
    cx: &Cx<'_>,
    (operator, one, two): (&str, &Value, &Value),
    small: fn(i64, i64) -> Option<i64>,
    big: fn(BigInt, BigInt) -> BigInt,
    float: fn(f64, f64) -> f64,
) -> Outcome {
    if let (Data::Integer(one), Data::Integer(two)) = (&one.0, &two.0)
        && let Some(result) = small(*one, *two)
    {
        return Ok(Value::integer(result));
    }
    if let (Some(left), Some(right)) = (one.to_big(), two.to_big()) {
        cx.spend(((left.bits() / 64 + 1) * (right.bits() / 64 + 1) / 16) as usize);
        return checked(big(left, right));
    }
    let result = to_float(one).zip(to_float(two)).map(|(one, two)| float(one, two));
    result.filter(|result| result.is_finite()).map(Value::float).ok_or_else(|| bad(cx, operator, one, two))
}

pub(crate) fn add(cx: &Cx<'_>, one: &Value, two: &Value) -> Outcome {
    arithmetic(cx, ("+", one, two), i64::checked_add, |one, two| one + two, |one, two| one + two)
}

pub(crate) fn subtract(cx: &Cx<'_>, one: &Value, two: &Value) -> Outcome {
    arithmetic(cx, ("-", one, two), i64::checked_sub, |one, two| one - two, |one, two| one - two)
}

pub(crate) fn multiply(cx: &Cx<'_>, one: &Value, two: &Value) -> Outcome {
    arithmetic(cx, ("*", one, two), i64::checked_mul, |one, two| one * two, |one, two| one * two)
}

fn divide(cx: &Cx<'_>, one: &Value, two: &Value) -> Outcome {
    let result = to_float(one).zip(to_float(two)).filter(|(_, two)| *two != 0.0).map(|(one, two)| one / two);
    result.filter(|result| result.is_finite()).map(Value::float).ok_or_else(|| bad(cx, "/", one, two))
}

/// `base ** exponent` of integers, the exponent not being negative.
pub(crate) fn power(cx: &Cx<'_>, base: &BigInt, exponent: &BigInt) -> Outcome {
    if base.magnitude().bits() <= 1 {
        // 0, 1 and -1 stay small, whatever the exponent.
        let odd = exponent.bit(0);
        let zero = *exponent == BigInt::ZERO;
        let one = BigInt::from(1);
        return Ok(Value::big(if zero {
            one
        } else if odd {
            base.clone()
        } else {
            base * base
        }));
    }
    let limit = Exception::Limit { what: "the bits of an integer", limit: BITS };
    let exponent = u32::try_from(exponent).map_err(|_| limit.clone())?;
    let bits = (base.bits() - 1).saturating_mul(u64::from(exponent));
    if bits > BITS {
        return Err(limit);
    }
    cx.spend(((bits / 64) * (bits / 64) / 16) as usize);
    checked(base.pow(exponent))
}

fn raise_to(cx: &Cx<'_>, one: &Value, two: &Value) -> Outcome {
    if let (Some(base), Some(exponent)) = (one.to_big(), two.to_big())
        && exponent >= BigInt::ZERO
    {
        return power(cx, &base, &exponent);
    }
    let result = to_float(one).zip(to_float(two)).map(|(one, two)| one.powf(two));
    let plain = || Exception::error("ArithmeticError", "bad argument in arithmetic expression");
    result.filter(|result| result.is_finite()).map(Value::float).ok_or_else(plain)
}

fn order(test: fn(Ordering) -> bool, arguments: &[Value]) -> Outcome {
    Ok(Value::bool(test(compare_loosely(&arguments[0], &arguments[1]))))
}

fn concatenate(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let items = arguments[0].to_items().ok_or_else(|| Exception::argument("argument error"))?;
    Ok(cx.heap.list_onto(items, arguments[1].clone()))
}

/// `--`: each element of the right takes one away from the left.
fn difference(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let both = arguments[0].to_items().zip(arguments[1].to_items());
    let (left, right) = both.ok_or_else(|| Exception::argument("argument error"))?;
    let mut away: std::collections::BTreeMap<Key, usize> = std::collections::BTreeMap::new();
    for item in right {
        *away.entry(Key(item)).or_default() += 1;
    }
    let kept = left.into_iter().filter(|item| match away.get_mut(&Key(item.clone())) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    Ok(cx.heap.list(kept.collect()))
}

/// A value by which others are found.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) Value);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        compare(&self.0, &other.0)
    }
}

fn join(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    if let Some(wrong) = arguments.iter().find(|argument| argument.as_bytes().is_none()) {
        let message = format!("expected binary argument in <> operator but got: {}", cx.show(wrong));
        return Err(Exception::argument(message));
    }
    let parts: Vec<&[u8]> = arguments.iter().filter_map(Value::as_bytes).collect();
    let length = parts.iter().map(|part| part.len()).sum();
    cx.room(length)?;
    cx.spend(length / 512);
    Ok(cx.heap.binary(parts.concat()))
}

fn range(cx: &Cx<'_>, first: &Value, last: &Value) -> Outcome {
    if first.as_integer().is_none() || last.as_integer().is_none() {
        let shown = format!("{}..{}", cx.show(first), cx.show(last));
        let form = if is_float_or_atom(first) || is_float_or_atom(last) { "first..last//step" } else { "first..last" };
        return Err(Exception::argument(format!("ranges ({form}) expect both sides to be integers, got: {shown}")));
    }
    let step = if first.as_integer() <= last.as_integer() { 1 } else { -1 };
    Ok(cx.heap.range(first.clone(), last.clone(), Value::integer(step)))
}

fn is_float_or_atom(value: &Value) -> bool {
    matches!(value.0, Data::Float(_) | Data::Atom(_))
}

pub(crate) fn stepped(cx: &Cx<'_>, first: &Value, last: &Value, step: &Value) -> Outcome {
    if first.as_integer().is_none() || last.as_integer().is_none() {
        let shown = format!("{}..{}//{}", cx.show(first), cx.show(last), cx.show(step));
        let message = format!("ranges (first..last//step) expect both sides to be integers, got: {shown}");
        return Err(Exception::argument(message));
    }
    if step.as_integer().is_none_or(|step| step == 0) {
        let message = "ranges (first..last//step) expect the step to be a non-zero integer";
        return Err(Exception::argument(format!("{message}, got: {}", cx.show(step))));
    }
    Ok(cx.heap.range(first.clone(), last.clone(), step.clone()))
}

/// Whether an element is in something enumerable.
pub(crate) fn member(cx: &Cx<'_>, element: &Value, of: &Value) -> Outcome {
    if let Some((first, last, step)) = of.as_range() {
        let inside = element.as_integer().is_some_and(|number| {
            let length = support::range_length(first, last, step);
            let far = i128::from(number) - i128::from(first);
            let step = i128::from(step);
            length > 0 && far % step == 0 && (0..i128::from(length)).contains(&(far / step))
        });
        return Ok(Value::bool(inside));
    }
    if of.struct_name() == Some("MapSet") {
        let inner = of.as_map().and_then(|map| map.get_word("map")).and_then(Value::as_map);
        return Ok(Value::bool(inner.is_some_and(|inner| inner.get(element).is_some())));
    }
    Ok(Value::bool(support::vector(cx, of)?.contains(element)))
}

natives! { "Kernel";
    "+" 2 erlang => Pure |cx, arguments| add(cx, &arguments[0], &arguments[1]),
    "-" 2 erlang => Pure |cx, arguments| subtract(cx, &arguments[0], &arguments[1]),
    "*" 2 erlang => Pure |cx, arguments| multiply(cx, &arguments[0], &arguments[1]),
    "/" 2 erlang => Pure |cx, arguments| divide(cx, &arguments[0], &arguments[1]),
    "**" 2 => Pure |cx, arguments| raise_to(cx, &arguments[0], &arguments[1]),
    "+" 1 erlang => Pure |cx, arguments| match is_number(&arguments[0]) {
        true => Ok(arguments[0].clone()),
        false => Err(bad_arithmetic(cx, format_args!("+({})", cx.show(&arguments[0])))),
    },
    "-" 1 erlang => Pure |cx, arguments| match &arguments[0].0 {
        Data::Float(number) => Ok(Value::float(-number)),
        _ => match arguments[0].to_big() {
            Some(number) => Ok(Value::big(-number)),
            None => Err(bad_arithmetic(cx, format_args!("-({})", cx.show(&arguments[0])))),
        },
    },
    "==" 2 heavy erlang => Pure |_, arguments| order(Ordering::is_eq, arguments),
    "!=" 2 heavy => Pure |_, arguments| order(Ordering::is_ne, arguments),
    "<" 2 heavy erlang => Pure |_, arguments| order(Ordering::is_lt, arguments),
    ">" 2 heavy erlang => Pure |_, arguments| order(Ordering::is_gt, arguments),
    "<=" 2 heavy => Pure |_, arguments| order(Ordering::is_le, arguments),
    ">=" 2 heavy erlang => Pure |_, arguments| order(Ordering::is_ge, arguments),
    "===" 2 heavy => Pure |_, arguments| Ok(Value::bool(compare(&arguments[0], &arguments[1]).is_eq())),
    "!==" 2 heavy => Pure |_, arguments| Ok(Value::bool(compare(&arguments[0], &arguments[1]).is_ne())),
    "!" 1 => Pure |_, arguments| Ok(Value::bool(!arguments[0].is_truthy())),
    "not" 1 erlang => Pure |_, arguments| {
        arguments[0].as_bool().map(|truth| Value::bool(!truth)).ok_or_else(|| Exception::argument("argument error"))
    },
    "++" 2 heavy erlang => Pure concatenate,
    "--" 2 heavy erlang => Pure difference,
    "<>" 2 => Pure join,
    "=~" 2 heavy => Pure |cx, arguments| match (arguments[0].as_bytes(), arguments[1].as_bytes()) {
        (Some(text), Some(part)) => Ok(Value::bool(super::text::find(text, part).is_some())),
        _ => Err(cx.clause("Kernel.=~", arguments)),
    },
    "in" 2 heavy => Pure |cx, arguments| member(cx, &arguments[0], &arguments[1]),
    ".." 2 => Pure |cx, arguments| range(cx, &arguments[0], &arguments[1]),
    "..//" 3 => Pure |cx, arguments| stepped(cx, &arguments[0], &arguments[1], &arguments[2]),
    "throw" 1 erlang => Task |_, arguments| Err(match arguments[0].to_term() {
        Ok(term) => Exception::Throw(term),
        Err(_) => Exception::Throw(arguments[0].to_shown()),
    }),
    "exit" 1 => Task |_, arguments| Err(match arguments[0].to_term() {
        Ok(term) => Exception::Exit(term),
        Err(_) => Exception::Exit(arguments[0].to_shown()),
    }),
    "apply" 2..3 => Task |cx, arguments| match arguments.as_slice() {
        [function, list] => match list.to_items() {
            Some(items) => Ok(Task::Invoke(function.clone(), items)),
            None => Err(cx.clause(":erlang.apply", &arguments)),
        },
        [module, function, list] => match (module.as_atom(), function.as_atom(), list.to_items()) {
            (Some(module), Some(function), Some(items)) => Ok(Task::Dispatch(module.clone(), function.clone(), items)),
            _ => Err(Exception::argument("argument error")),
        },
        _ => Ok(Task::Done(Value::NIL)),
    },
}
