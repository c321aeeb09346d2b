//! `Float`.

use super::super::{Cx, Outcome, natives};
use crate::exception::Exception;
use crate::value::{Data, Value};

/// Rounds to so many decimal digits, by the exact value of the float, halves away from zero.
fn rounded(cx: &Cx<'_>, name: &str, arguments: &[Value], adjust: fn(f64) -> f64) -> Outcome {
    let full = [arguments[0].clone(), arguments.get(1).cloned().unwrap_or(Value::integer(0))];
    let wrong = || cx.clause(&format!("Float.{name}"), &full);
    let number = match &full[0].0 {
        Data::Float(number) => *number,
        Data::Integer(_) | Data::Big(_) if name != "round" => return Err(wrong()),
        _ => return Err(wrong()),
    };
    let digits = full[1].as_integer().filter(|digits| (0..=15).contains(digits));
    let Some(digits) = digits else {
        return match full[1].as_integer() {
            Some(digits) => Err(Exception::argument(format!("precision {digits} is out of valid range of 0..15"))),
            None => Err(wrong()),
        };
    };
    if digits == 0 {
        return Ok(Value::float(adjust(number)));
    }
    if number.abs() >= 1.0e15 || number == 0.0 {
        return Ok(Value::float(number));
    }
    // The exact decimal expansion, cut at the wanted digit, tells which way to go.
    let exact = format!("{:.1100}", number.abs());
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    let (kept, rest) = fraction.split_at(digits as usize);
    let more = rest.bytes().any(|digit| digit != b'0');
    let negative = number < 0.0;
    let up = match name {
        "ceil" => more && !negative,
        "floor" => more && negative,
        _ => rest.as_bytes().first().is_some_and(|digit| *digit >= b'5'),
    };
    let mut scaled: beamline_term::BigInt = format!("{whole}{kept}").parse().unwrap_or_default();
    if up {
        scaled += 1;
    }
    let text = format!("{scaled:0>width$}", width = digits as usize + 1);
    let (whole, kept) = text.split_at(text.len() - digits as usize);
    let result: f64 = format!("{whole}.{kept}").parse().unwrap_or(number);
    Ok(Value::float(if negative { -result } else { result }))
}

/// `Float.parse/1`
fn parse(cx: &Cx<'_>, arguments: &[Value]) -> Outcome {
    let bytes = arguments[0].as_bytes().ok_or_else(|| cx.clause("Float.parse", arguments))?;
    let digits =
        |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|digit| digit.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    if whole == 0 {
        return Ok(Value::ERROR);
    }
    let mut end = sign + whole;
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    let text = String::from_utf8_lossy(&bytes[..end]);
    match text.parse::<f64>().ok().filter(|number| number.is_finite()) {
        Some(number) => Ok(cx.heap.pair(Value::float(number), cx.heap.binary(&bytes[end..]))),
        None => Err(Exception::argument("the value is out of the range of floats")),
    }
}

natives! { "Float";
    "round" 1..2 => Pure |cx, arguments| rounded(cx, "round", arguments, f64::round),
    "ceil" 1..2 => Pure |cx, arguments| rounded(cx, "ceil", arguments, f64::ceil),
    "floor" 1..2 => Pure |cx, arguments| rounded(cx, "floor", arguments, f64::floor),
    "to_string" 1 => Pure |cx, arguments| match &arguments[0].0 {
        Data::Float(_) => Ok(cx.text(cx.show(&arguments[0]))),
        _ => Err(Exception::bad_argument(1, "not a float")),
    },
    "parse" 1 heavy => Pure parse,
}
