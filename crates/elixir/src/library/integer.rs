//! `Integer`.

pub(super) mod float;

use beamline_term::BigInt;

use super::{Cx, Outcome, natives};
use crate::exception::Exception;
use crate::value::Value;

fn integer(arguments: &[Value], place: usize) -> Result<BigInt, Exception> {
    arguments[place].to_big().ok_or_else(|| Exception::bad_argument(place + 1, "not an integer"))
}

fn clause(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Exception {
    cx.clause(&format!("Integer.{name}"), arguments)
}

fn base(arguments: &[Value], place: usize) -> Result<u32, Exception> {
    let base = match arguments.get(place) {
        None => return Ok(10),
        Some(base) => base.as_integer().and_then(|base| u32::try_from(base).ok()),
    };
    base.filter(|base| (2..=36).contains(base))
        .ok_or_else(|| Exception::bad_argument(place + 1, "not an integer in the range 2 through 36"))
}

fn text(arguments: &[Value]) -> Result<String, Exception> {
    Ok(integer(arguments, 0)?.to_str_radix(base(arguments, 1)?).to_uppercase())
}

/// `Integer.parse/2`: the number at the beginning of a text, and the rest.
fn parse(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let base = base(arguments, 1)?;
    let bytes = arguments[0]
        .as_bytes()
        .ok_or_else(|| clause(cx, "parse", &[arguments[0].clone(), Value::integer(i64::from(base))]))?;
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = bytes[sign..].iter().take_while(|digit| char::from(**digit).is_digit(base)).count();
    if digits == 0 {
        return Ok(Value::ERROR);
    }
    let (number, rest) = bytes.split_at(sign + digits);
    let number = BigInt::parse_bytes(number, base).unwrap_or_default();
    Ok(cx.heap.pair(super::operator::checked(number)?, cx.heap.binary(rest)))
}

/// Division that rounds down.
fn floored(cx: &Cx<'_>, name: &str, arguments: &[Value]) -> Result<(BigInt, BigInt), Exception> {
    let (Some(one), Some(two)) = (arguments[0].to_big(), arguments[1].to_big()) else {
        let call = format!("Integer.{name}({}, {})", cx.show(&arguments[0]), cx.show(&arguments[1]));
        return Err(super::operator::bad_arithmetic(cx, format_args!("{call}")));
    };
    if two == BigInt::ZERO {
        return Err(super::operator::bad_arithmetic(
            cx,
            format_args!("{}({one}, {two})", if name == "mod" { "rem" } else { "div" }),
        ));
    }
    let (mut quotient, mut rest) = (&one / &two, &one % &two);
    if rest != BigInt::ZERO && (rest < BigInt::ZERO) != (two < BigInt::ZERO) {
        quotient -= 1;
        rest += two;
    }
    Ok((quotient, rest))
}

fn digits(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let full = [arguments[0].clone(), arguments.get(1).cloned().unwrap_or(Value::integer(10))];
    let base = full[1].to_big().filter(|base| *base >= BigInt::from(2)).ok_or_else(|| clause(cx, "digits", &full))?;
    let mut number = full[0].to_big().ok_or_else(|| clause(cx, "digits", &full))?;
    let mut all = Vec::new();
    while all.is_empty() || number != BigInt::ZERO {
        cx.spend(number.bits() as usize / 64);
        all.push(Value::big(&number % &base));
        number /= &base;
    }
    all.reverse();
    Ok(cx.heap.list(all))
}

fn undigits(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let full = [arguments[0].clone(), arguments.get(1).cloned().unwrap_or(Value::integer(10))];
    let base = full[1].to_big().filter(|base| *base >= BigInt::from(2)).ok_or_else(|| clause(cx, "undigits", &full))?;
    let digits = full[0].to_items().ok_or_else(|| clause(cx, "undigits", &full))?;
    let mut number = BigInt::ZERO;
    for digit in digits {
        let digit = digit.to_big().ok_or_else(|| clause(cx, "undigits", &full))?;
        if digit >= base {
            return Err(Exception::argument(format!("invalid digit {digit} in base {base}")));
        }
        cx.spend(number.bits() as usize / 64);
        number = number * &base + digit;
        super::operator::checked(number.clone())?;
    }
    Ok(Value::big(number))
}

fn gcd(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let both = arguments[0].to_big().zip(arguments[1].to_big());
    let (mut one, mut two) = both.ok_or_else(|| clause(cx, "gcd", arguments))?;
    while two != BigInt::ZERO {
        cx.spend((one.bits() / 64) as usize);
        (one, two) = (two.clone(), one % two);
    }
    Ok(Value::big(one.magnitude().clone().into()))
}

fn parity(cx: &Cx<'_>, name: &str, arguments: &[Value], odd: bool) -> Outcome {
    let Some(number) = arguments[0].to_big() else {
        let shown = cx.show(&arguments[0]);
        let _ = name;
        return Err(super::operator::bad_arithmetic(cx, format_args!("Bitwise.band({shown}, 1)")));
    };
    Ok(Value::bool(number.bit(0) == odd))
}

natives! { "Integer";
    "to_string" 1..2 => Pure |cx, arguments| {
        cx.spend(arguments[0].size().bytes);
        Ok(cx.text(text(arguments)?))
    },
    "to_charlist" 1..2 => Pure |cx, arguments| {
        cx.spend(arguments[0].size().bytes);
        Ok(cx.heap.charlist(&text(arguments)?))
    },
    "parse" 1..2 heavy => Pure parse,
    "mod" 2 => Pure |cx, arguments| Ok(Value::big(floored(cx, "mod", arguments)?.1)),
    "floor_div" 2 => Pure |cx, arguments| Ok(Value::big(floored(cx, "floor_div", arguments)?.0)),
    "pow" 2 => Pure |cx, arguments| match arguments[0].to_big().zip(arguments[1].to_big()) {
        Some((base, exponent)) if exponent >= BigInt::ZERO => super::operator::power(cx, &base, &exponent),
        Some(_) => Err(Exception::error("ArithmeticError", "bad argument in arithmetic expression")),
        None => Err(clause(cx, "pow", arguments)),
    },
    "digits" 1..2 => Pure digits,
    "undigits" 1..2 heavy => Pure undigits,
    "gcd" 2 => Pure gcd,
    "is_odd" 1 => Pure |cx, arguments| parity(cx, "is_odd", arguments, true),
    "is_even" 1 => Pure |cx, arguments| parity(cx, "is_even", arguments, false),
}
