//! `IO`: what is written goes to the host.

use super::kernel::inspected;
use super::support::argument;
use super::text::{chardata, iodata, text_of};
use super::{Cx, Task, natives};
use crate::exception::Exception;
use crate::value::Value;

/// The text of an argument of `IO.puts` or `IO.write`; a device before it has to be the usual one.
fn written(cx: &Cx<'_>, arguments: &[Value]) -> Result<Vec<u8>, Exception> {
    let what = match arguments {
        [device, _] if !(device.is_atom("stdio") || device.is_atom("standard_io") || device.is_atom("stderr")) => {
            let message = format!("only :stdio and :stderr can be written to here, not {}", cx.show(device));
            return Err(Exception::argument(message));
        }
        [_, what] => what,
        _ => &arguments[0],
    };
    let mut out = Vec::new();
    if what.as_list().is_some() && chardata(cx, what, &mut out)? {
        return Ok(out);
    }
    Ok(text_of(cx, what)?.as_bytes().unwrap_or_default().to_vec())
}

/// `IO.inspect/1..3`: the value is printed and given back.
fn inspect(cx: &Cx<'_>, arguments: &[Value]) -> Result<Task, Exception> {
    let (value, options) = match arguments {
        [value] => (value.clone(), Value::empty_list()),
        [value, options] => (value.clone(), options.clone()),
        _ => (argument(arguments, 1), argument(arguments, 2)),
    };
    let label = super::kernel::access(cx, &options, &Value::word("label"), &Value::NIL)?;
    let mut text = Vec::new();
    if !label.is_nil() {
        text.extend_from_slice(text_of(cx, &label)?.as_bytes().unwrap_or_default());
        text.extend_from_slice(b": ");
    }
    let pretty = cx.heap.list(vec![cx.heap.pair(Value::word("pretty"), Value::TRUE)]);
    let options = if options.as_list().is_some_and(|list| list.is_empty()) { pretty } else { options };
    text.extend_from_slice(inspected(cx, &value, &options)?.as_bytes());
    text.push(b'\n');
    Ok(Task::Output(text, value))
}

natives! { "IO";
    "puts" 1..2 heavy => Task |cx, arguments| {
        let mut text = written(cx, &arguments)?;
        text.push(b'\n');
        Ok(Task::Output(text, Value::OK))
    },
    "write" 1..2 heavy => Task |cx, arguments| Ok(Task::Output(written(cx, &arguments)?, Value::OK)),
    "inspect" 1..3 heavy => Task |cx, arguments| inspect(cx, &arguments),
    "dbg" 2 heavy => Task |cx, arguments| {
        let mut text = arguments[1].as_bytes().unwrap_or_default().to_vec();
        text.extend_from_slice(cx.show(&arguments[0]).as_bytes());
        text.push(b'\n');
        Ok(Task::Output(text, argument(&arguments, 0)))
    },
    "iodata_to_binary" 1 heavy => Pure |cx, arguments| {
        let mut out = Vec::new();
        match iodata(cx, &arguments[0], &mut out)? {
            true => Ok(cx.heap.binary(out)),
            false => Err(Exception::bad_argument(1, "not an iodata term")),
        }
    },
    "iodata_length" 1 heavy => Pure |cx, arguments| {
        let mut out = Vec::new();
        match iodata(cx, &arguments[0], &mut out)? {
            true => Ok(Value::count(out.len())),
            false => Err(Exception::bad_argument(1, "not an iodata term")),
        }
    },
    "chardata_to_string" 1 heavy => Pure |cx, arguments| {
        let mut out = Vec::new();
        match chardata(cx, &arguments[0], &mut out)? {
            true => Ok(cx.heap.binary(out)),
            false => Err(cx.clause("IO.chardata_to_string", arguments)),
        }
    },
}
