//! `Bitwise`: functions, as its operators would have to be imported.

use beamline_term::BigInt;

use super::operator::{bad_arithmetic, checked};
use super::{Cx, Outcome, natives};
use crate::exception::Exception;
use crate::value::Value;

fn both(cx: &Cx<'_>, name: &str, arguments: &[Value], join: fn(BigInt, BigInt) -> BigInt) -> Outcome {
    match arguments[0].to_big().zip(arguments[1].to_big()) {
        Some((one, two)) => Ok(Value::big(join(one, two))),
        None => Err(bad(cx, name, arguments)),
    }
}

fn bad(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Exception {
    bad_arithmetic(cx, format_args!("Bitwise.{name}({}, {})", cx.show(&arguments[0]), cx.show(&arguments[1])))
}

fn shift(cx: &Cx<'_>, name: &str, arguments: &[Value], left: bool) -> Outcome {
    let (Some(number), Some(by)) = (arguments[0].to_big(), arguments[1].as_integer()) else {
        return Err(bad(cx, name, arguments));
    };
    let by = if left { by } else { by.saturating_neg() };
    let bits = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
    if by < 0 {
        return Ok(Value::big(number >> bits.min(1 << 20)));
    }
    if number == BigInt::ZERO {
        return Ok(Value::integer(0));
    }
    checked(number << bits.min(1 << 20))
}

natives! { "Bitwise";
    "band" 2 erlang => Pure |cx, arguments| both(cx, "band", arguments, |one, two| one & two),
    "bor" 2 erlang => Pure |cx, arguments| both(cx, "bor", arguments, |one, two| one | two),
    "bxor" 2 erlang => Pure |cx, arguments| both(cx, "bxor", arguments, |one, two| one ^ two),
    "bnot" 1 erlang => Pure |cx, arguments| match arguments[0].to_big() {
        Some(number) => Ok(Value::big(-number - 1)),
        None => Err(bad_arithmetic(cx, format_args!("Bitwise.bnot({})", cx.show(&arguments[0])))),
    },
    "bsl" 2 erlang => Pure |cx, arguments| shift(cx, "bsl", arguments, true),
    "bsr" 2 erlang => Pure |cx, arguments| shift(cx, "bsr", arguments, false),
}
