//! `Kernel`, but for its operators; and what belongs to it from `Access`, `Function` and `Range`.

use beamline_term::{Atom, BigInt, Inspect, Term};

use super::operator::{bad_arithmetic, is_number};
use super::support::{argument, bad_map, key_error, vector};
use super::walk::Once;
use super::{Cx, Outcome, Task, natives, text};
use crate::exception::Exception;
use crate::value::{Data, Value, compare_loosely};

/// `div` and `rem`
fn integers(
    cx: &Cx<'_>,
    (name, arguments): (&str, &[Value]),
    small: fn(i64, i64) -> Option<i64>,
    big: fn(BigInt, BigInt) -> BigInt,
) -> Outcome {
    let wrong = || bad_arithmetic(cx, format_args!("{name}({}, {})", cx.show(&arguments[0]), cx.show(&arguments[1])));
    if let (Some(one), Some(two)) = (arguments[0].as_integer(), arguments[1].as_integer())
        && let Some(result) = small(one, two)
    {
        return Ok(Value::integer(result));
    }
    match (arguments[0].to_big(), arguments[1].to_big()) {
        (Some(one), Some(two)) if two != BigInt::ZERO => {
            cx.spend((one.bits() / 64 * (two.bits() / 64 + 1) / 16) as usize);
            Ok(Value::big(big(one, two)))
        }
        _ => Err(wrong()),
    }
}

/// A float as an integer, whatever its size.
fn whole(number: f64) -> Value {
    if number.abs() < 9.0e18 {
        return Value::integer(number as i64);
    }
    // All floats of that size are whole, so their decimal digits are exact.
    Value::big(format!("{number:.0}").parse().unwrap_or_default())
}

fn rounded(arguments: &[Value], round: fn(f64) -> f64) -> Outcome {
    match &arguments[0].0 {
        Data::Integer(_) | Data::Big(_) => Ok(arguments[0].clone()),
        Data::Float(number) => Ok(whole(round(*number))),
        _ => Err(Exception::bad_argument(1, "not a number")),
    }
}

fn is(arguments: &[Value], test: impl Fn(&Data) -> bool) -> Outcome {
    Ok(Value::bool(test(&arguments[0].0)))
}

fn is_other(arguments: &[Value], test: fn(&Term) -> bool) -> Outcome {
    is(arguments, |data| matches!(data, Data::Other(term) if test(term)))
}

fn is_exception(value: &Value) -> bool {
    value.struct_name().is_some()
        && value.as_map().is_some_and(|map| map.get_word("__exception__").is_some_and(|mark| mark.is_atom("true")))
}

/// `inspect/2`
pub(super) fn inspected(cx: &Cx<'_>, value: &Value, options: &Value) -> Result<String, Exception> {
    let term = value.to_shown();
    let mut inspect = Inspect::new(&term).like(cx.elixir);
    for option in vector(cx, options)? {
        let Some((key, setting)) = option.as_pair() else {
            continue;
        };
        let number = setting.as_integer().and_then(|number| usize::try_from(number).ok());
        let number = if setting.is_atom("infinity") { Some(usize::MAX) } else { number };
        match (key.as_atom().map(Atom::as_str), number) {
            (Some("limit"), Some(limit)) => inspect = inspect.limit(limit),
            (Some("printable_limit"), Some(limit)) => inspect = inspect.printable_limit(limit),
            (Some("pretty"), _) if setting.is_truthy() => inspect = inspect.width(80),
            (Some("structs"), _) => inspect = inspect.structs(setting.is_truthy()),
            (Some("charlists"), _) if setting.is_atom("as_lists") => {
                inspect = inspect.charlists(beamline_term::inspect::Charlists::Lists);
            }
            (Some("binaries"), _) if setting.is_atom("as_binaries") => {
                inspect = inspect.binaries(beamline_term::inspect::Binaries::Binaries);
            }
            (Some("binaries"), _) if setting.is_atom("as_strings") => {
                inspect = inspect.binaries(beamline_term::inspect::Binaries::Strings);
            }
            _ => {}
        }
    }
    cx.spend(value.size().bytes / 64);
    Ok(inspect.to_string())
}

/// `container[key]`
pub(super) fn access(cx: &Cx<'_>, container: &Value, key: &Value, default: &Value) -> Outcome {
    if container.is_nil() {
        return Ok(default.clone());
    }
    if let Some(name) = container.struct_name() {
        let message = format!("function {name}.fetch/2 is undefined ({name} does not implement the Access behaviour)");
        return Err(Exception::error("UndefinedFunctionError", message));
    }
    if let Some(map) = container.as_map() {
        return Ok(map.get(key).unwrap_or(default).clone());
    }
    let Some(list) = container.as_list() else {
        return Err(cx.clause("Access.get", &[container.clone(), key.clone(), default.clone()]));
    };
    if key.as_atom().is_none() {
        let message = "the Access calls for keywords expect the key to be an atom, got: ";
        return Err(Exception::argument(format!("{message}{}", cx.show(key))));
    }
    let found = list.iter().filter_map(Value::as_pair).find(|(own, _)| *own == key);
    Ok(found.map_or(default, |(_, value)| value).clone())
}

/// `put_in/3`, the value having been computed.
fn put_path(cx: &Cx<'_>, container: &Value, path: &[Value], value: &Value) -> Outcome {
    let Some((key, rest)) = path.split_first() else {
        return Ok(value.clone());
    };
    if container.is_nil() {
        let message = format!("could not put/update key {} on a nil value", cx.show(key));
        return Err(Exception::argument(message));
    }
    let inner = access(cx, container, key, &Value::NIL)?;
    let inner = put_path(cx, &inner, rest, value)?;
    if let Some(map) = container.as_map() {
        let mut pairs = map.pairs().to_vec();
        pairs.push((key.clone(), inner));
        return Ok(cx.heap.map(pairs));
    }
    let mut items = container.to_items().unwrap_or_default();
    items.retain(|item| item.as_pair().is_none_or(|(own, _)| own != key));
    items.insert(0, cx.heap.pair(key.clone(), inner));
    Ok(cx.heap.list(items))
}

fn path_value(cx: &Cx<'_>, container: &Value, path: &[Value]) -> Outcome {
    path.iter().try_fold(container.clone(), |inner, key| access(cx, &inner, key, &Value::NIL))
}

fn raised(cx: &Cx<'_>, arguments: &[Value]) -> Exception {
    let message = |options: &Value| match options.as_bytes() {
        Some(text) => Some(String::from_utf8_lossy(text).into_owned()),
        None => {
            let found = access(cx, options, &Value::word("message"), &Value::NIL).ok();
            found.and_then(|message| message.as_bytes().map(|text| String::from_utf8_lossy(text).into_owned()))
        }
    };
    let what = &arguments[0];
    if let Some(text) = what.as_bytes() {
        return Exception::error("RuntimeError", String::from_utf8_lossy(text));
    }
    let options = arguments.get(1);
    if is_exception(what)
        || (what.struct_name().is_some() && what.as_map().is_some_and(|map| map.get_word("message").is_some()))
    {
        return Exception::error(what.struct_name().unwrap_or_default(), message(what).unwrap_or_default());
    }
    let Some(name) = what.as_atom() else {
        let shown = cx.show(what);
        let text = "raise/1 and reraise/2 expect a module name, string or exception as the first argument, got: ";
        return Exception::argument(format!("{text}{shown}"));
    };
    let known = match name.as_str() {
        "Elixir.RuntimeError" => "runtime error",
        "Elixir.ArgumentError" => "argument error",
        "Elixir.ArithmeticError" => "bad argument in arithmetic expression",
        "Elixir.Enum.EmptyError" => "empty error",
        "Elixir.Enum.OutOfBoundsError" => "out of bounds error",
        _ => return Exception::undefined(name.as_str(), "exception", 1, &[]),
    };
    let text = options.and_then(message).unwrap_or_else(|| known.to_owned());
    Exception::error(name.as_str().trim_start_matches("Elixir."), text)
}

natives! { "Kernel";
    "abs" 1 erlang => Pure |_, arguments| match &arguments[0].0 {
        Data::Float(number) => Ok(Value::float(number.abs())),
        _ => match arguments[0].to_big() {
            Some(number) => Ok(Value::big(number.magnitude().clone().into())),
            None => Err(Exception::bad_argument(1, "not a number")),
        },
    },
    "div" 2 erlang => Pure |cx, arguments| integers(cx, ("div", arguments), i64::checked_div, |one, two| one / two),
    "rem" 2 erlang => Pure |cx, arguments| integers(cx, ("rem", arguments), i64::checked_rem, |one, two| one % two),
    "max" 2 erlang => Pure |_, arguments| {
        Ok(arguments[usize::from(compare_loosely(&arguments[0], &arguments[1]).is_lt())].clone())
    },
    "min" 2 erlang => Pure |_, arguments| {
        Ok(arguments[usize::from(compare_loosely(&arguments[0], &arguments[1]).is_gt())].clone())
    },
    "round" 1 erlang => Pure |_, arguments| rounded(arguments, f64::round),
    "trunc" 1 erlang => Pure |_, arguments| rounded(arguments, f64::trunc),
    "floor" 1 erlang => Pure |_, arguments| rounded(arguments, f64::floor),
    "ceil" 1 erlang => Pure |_, arguments| rounded(arguments, f64::ceil),
    "hd" 1 erlang => Pure |_, arguments| match arguments[0].as_list().and_then(|list| list.split_first()) {
        Some((head, _)) => Ok(head.clone()),
        None => Err(Exception::bad_argument(1, "not a nonempty list")),
    },
    "tl" 1 erlang => Pure |_, arguments| match arguments[0].as_list().and_then(|list| list.split_first()) {
        Some((_, tail)) => Ok(tail),
        None => Err(Exception::bad_argument(1, "not a nonempty list")),
    },
    "length" 1 erlang => Pure |cx, arguments| match arguments[0].as_list().and_then(|list| list.len()) {
        Some(length) => {
            cx.spend(length / 16);
            Ok(Value::count(length))
        }
        None => Err(Exception::bad_argument(1, "not a list")),
    },
    "elem" 2 erlang => Pure |_, arguments| {
        let items = arguments[0].as_tuple().ok_or_else(|| Exception::bad_argument(2, "not a tuple"))?;
        let index = arguments[1].as_integer().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| items.get(index)).cloned().ok_or_else(|| Exception::bad_argument(1, "out of range"))
    },
    "put_elem" 3 heavy => Pure |cx, arguments| {
        let items = arguments[0].as_tuple().ok_or_else(|| Exception::bad_argument(2, "not a tuple"))?;
        let mut items = items.to_vec();
        let index = arguments[1].as_integer().and_then(|index| usize::try_from(index).ok());
        let place = index.and_then(|index| items.get_mut(index));
        *place.ok_or_else(|| Exception::bad_argument(1, "out of range"))? = arguments[2].clone();
        Ok(cx.heap.tuple(items))
    },
    "map_size" 1 erlang => Pure |cx, arguments| {
        arguments[0].as_map().map(|map| Value::count(map.len())).ok_or_else(|| bad_map(cx, &arguments[0]))
    },
    "tuple_size" 1 erlang => Pure |_, arguments| {
        let items = arguments[0].as_tuple().ok_or_else(|| Exception::bad_argument(1, "not a tuple"))?;
        Ok(Value::count(items.len()))
    },
    "byte_size" 1 erlang => Pure |_, arguments| match &arguments[0].0 {
        Data::Binary(bytes) => Ok(Value::count(bytes.binary.len())),
        Data::Bits(bits) => Ok(Value::count(bits.bytes().len())),
        _ => Err(Exception::bad_argument(1, "not a bitstring")),
    },
    "bit_size" 1 erlang => Pure |_, arguments| match &arguments[0].0 {
        Data::Binary(bytes) => Ok(Value::count(bytes.binary.len() * 8)),
        Data::Bits(bits) => Ok(Value::count((bits.bytes().len() - 1) * 8 + usize::from(bits.last_bits()))),
        _ => Err(Exception::bad_argument(1, "not a bitstring")),
    },
    "binary_part" 3 erlang => Pure |cx, arguments| {
        let bytes = arguments[0].as_bytes().ok_or_else(|| Exception::bad_argument(1, "not a binary"))?;
        let number = |place: usize| arguments[place].as_integer().ok_or_else(|| Exception::bad_argument(place + 1, "not an integer"));
        let (start, length) = (number(1)?, number(2)?);
        let (start, length) = if length < 0 { (start.saturating_add(length), length.saturating_neg()) } else { (start, length) };
        let part = usize::try_from(start).ok().zip(usize::try_from(length).ok());
        let part = part.and_then(|(start, length)| bytes.get(start..start.checked_add(length)?));
        let place = if usize::try_from(start).is_ok_and(|start| start <= bytes.len()) { 3 } else { 2 };
        Ok(cx.heap.binary(part.ok_or_else(|| Exception::bad_argument(place, "out of range"))?))
    },
    "is_atom" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Atom(_))),
    "is_boolean" 1 erlang => Pure |_, arguments| Ok(Value::bool(arguments[0].as_bool().is_some())),
    "is_nil" 1 => Pure |_, arguments| Ok(Value::bool(arguments[0].is_nil())),
    "is_integer" 1 erlang => Pure |_, arguments| Ok(Value::bool(arguments[0].is_integer())),
    "is_float" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Float(_))),
    "is_number" 1 erlang => Pure |_, arguments| Ok(Value::bool(is_number(&arguments[0]))),
    "is_binary" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Binary(_))),
    "is_bitstring" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Binary(_) | Data::Bits(_))),
    "is_list" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::List(_))),
    "is_tuple" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Tuple(_))),
    "is_map" 1 erlang => Pure |_, arguments| is(arguments, |data| matches!(data, Data::Map(_))),
    "is_pid" 1 erlang => Pure |_, arguments| is_other(arguments, |term| matches!(term, Term::Pid(_))),
    "is_port" 1 erlang => Pure |_, arguments| is_other(arguments, |term| matches!(term, Term::Port(_))),
    "is_reference" 1 erlang => Pure |_, arguments| is_other(arguments, |term| matches!(term, Term::Reference(_))),
    "is_function" 1..2 erlang => Pure |_, arguments| {
        let arity = arguments[0].arity();
        Ok(Value::bool(arity.is_some() && arguments.get(1).is_none_or(|wanted| wanted.as_integer() == arity.map(|arity| arity as i64))))
    },
    "is_struct" 1..2 => Pure |_, arguments| {
        let map = arguments[0].as_map().and_then(|map| map.get_word("__struct__"));
        let name = map.filter(|name| name.as_atom().is_some());
        Ok(Value::bool(name.is_some_and(|name| arguments.get(1).is_none_or(|wanted| wanted == name))))
    },
    "is_exception" 1 => Pure |_, arguments| Ok(Value::bool(is_exception(&arguments[0]))),
    "is_map_key" 2 erlang => Pure |cx, arguments| {
        let (map, key) = if arguments[0].as_map().is_some() { (&arguments[0], &arguments[1]) } else { (&arguments[1], &arguments[0]) };
        let map = map.as_map().ok_or_else(|| bad_map(cx, &arguments[0]))?;
        Ok(Value::bool(map.get(key).is_some()))
    },
    "inspect" 1..2 => Pure |cx, arguments| {
        let options = arguments.get(1).cloned().unwrap_or_else(Value::empty_list);
        Ok(cx.text(inspected(cx, &arguments[0], &options)?))
    },
    "to_string" 1 heavy => Pure |cx, arguments| text::text_of(cx, &arguments[0]),
    "to_charlist" 1 heavy => Pure |cx, arguments| text::charlist(cx, &arguments[0]),
    "raise" 1..2 => Pure |cx, arguments| Err(raised(cx, arguments)),
    "get_in" 2 => Pure |cx, arguments| path_value(cx, &arguments[0], &vector(cx, &arguments[1])?),
    "put_in" 3 heavy => Pure |cx, arguments| put_path(cx, &arguments[0], &vector(cx, &arguments[1])?, &arguments[2]),
    "update_in" 3 heavy => Task |cx, arguments| {
        let path = vector(cx, &arguments[1])?;
        let (container, old) = (arguments[0].clone(), path_value(cx, &arguments[0], &path)?);
        let once = Once::new(argument(&arguments, 2), vec![old], move |cx, new| put_path(cx, &container, &path, &new));
        Ok(Task::Walk(Box::new(once)))
    },
}

/// What only a process or a node knows.
pub(super) const TASKS: &[super::Native] = tasks::FUNCTIONS;

mod tasks {
    use super::*;

    fn host(function: &'static str, arguments: Vec<Value>) -> Result<Task, Exception> {
        Ok(Task::Host(Atom::from_static("erlang"), Atom::from_static(function), arguments))
    }

    natives! { "Kernel";
        "self" 0 => Task |_, arguments| host("self", arguments),
        "node" 0..1 => Task |_, arguments| match arguments.first().map(|of| &of.0) {
            None => host("node", arguments),
            Some(Data::Other(term)) => match term.as_ref() {
                Term::Pid(pid) => Ok(Task::Done(Value::atom(pid.node().clone()))),
                Term::Port(port) => Ok(Task::Done(Value::atom(port.origin().node().clone()))),
                Term::Reference(reference) => Ok(Task::Done(Value::atom(reference.node().clone()))),
                _ => Err(Exception::bad_argument(1, "not a pid, reference or port")),
            },
            Some(_) => Err(Exception::bad_argument(1, "not a pid, reference or port")),
        },
        "make_ref" 0 => Task |_, arguments| host("make_ref", arguments),
        "send" 2 => Task |_, arguments| host("send", arguments),
    }
}

/// Modules of a function or two.
pub(super) mod small {
    use super::*;

    pub(in crate::library) mod access_functions {
        use super::*;
        natives! { "Access";
            "get" 2..3 => Pure |cx, arguments| access(cx, &arguments[0], &arguments[1], &argument(arguments, 2)),
            "fetch" 2 => Pure |cx, arguments| {
                let missing = cx.heap.tuple(vec![Value::word("$missing")]);
                let found = access(cx, &arguments[0], &arguments[1], &missing)?;
                Ok(if found == missing { Value::ERROR } else { cx.heap.ok(found) })
            },
            "fetch!" 2 => Pure |cx, arguments| {
                let missing = cx.heap.tuple(vec![Value::word("$missing")]);
                let found = access(cx, &arguments[0], &arguments[1], &missing)?;
                if found == missing { Err(key_error(cx, &arguments[1], &arguments[0])) } else { Ok(found) }
            },
        }
    }

    pub(in crate::library) mod function_functions {
        use super::*;
        natives! { "Function";
            "identity" 1 => Pure |_, arguments| Ok(arguments[0].clone()),
            "capture" 3 => Pure |_, arguments| {
                let arity = arguments[2].as_integer().and_then(|arity| u8::try_from(arity).ok());
                match (arguments[0].as_atom(), arguments[1].as_atom(), arity) {
                    (Some(module), Some(function), Some(arity)) => {
                        let export = beamline_term::ExportFun { module: module.clone(), function: function.clone(), arity };
                        Ok(Value(Data::Export(std::sync::Arc::new(export))))
                    }
                    _ => Err(Exception::argument("argument error")),
                }
            },
        }
    }

    pub(in crate::library) mod range_functions {
        use super::*;
        use crate::library::operator::stepped;
        use crate::library::support::range_length;
        natives! { "Range";
            "new" 2..3 => Pure |cx, arguments| {
                let default = if arguments[0].as_integer() <= arguments[1].as_integer() { 1 } else { -1 };
                let step = arguments.get(2).cloned().unwrap_or(Value::integer(default));
                stepped(cx, &arguments[0], &arguments[1], &step)
            },
            "size" 1 => Pure |cx, arguments| match arguments[0].as_range() {
                Some((first, last, step)) => Ok(Value::big(range_length(first, last, step).into())),
                None => Err(cx.clause("Range.size", arguments)),
            },
        }
    }
}
