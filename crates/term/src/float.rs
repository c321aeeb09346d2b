//! The shortest text that reads back as the same float, in the form of Erlang (`io_lib_format:fwrite_g`) and Elixir.

use std::fmt::{self, Write};

/// Floats from here on are whole numbers anyway, and are never written with zeros before the point.
const WHOLE: f64 = (1_u64 << 53) as f64;

/// As Erlang prints a float: with an exponent when that is shorter.
pub(crate) fn write(out: &mut dyn Write, number: f64) -> fmt::Result {
    write_with(out, number, false)
}

/// As Elixir does: with an exponent from 1.0e16 on, below 1 when that is shorter.
pub(crate) fn write_elixir(out: &mut dyn Write, number: f64) -> fmt::Result {
    write_with(out, number, number.abs() < 1.0e16)
}

fn write_with(out: &mut dyn Write, number: f64, plain: bool) -> fmt::Result {
    if number == 0.0 {
        return out.write_str(if number.is_sign_negative() { "-0.0" } else { "0.0" });
    }
    let text = format!("{:e}", number.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    if number < 0.0 {
        out.write_str("-")?;
    }
    // The point stands after so many digits.
    let place = exponent + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let cost = exponent.to_string().len() as i32 + 1 + if count == 1 { 2 } else { 1 };
    if place == 0 {
        write!(out, "0.{digits}")
    } else if place < 0 && 2 - place <= cost {
        write!(out, "0.{}{digits}", "0".repeat(place.unsigned_abs() as usize))
    } else if place > 0 && place < count {
        let (whole, rest) = digits.split_at(place as usize);
        write!(out, "{whole}.{rest}")
    } else if place >= count && (plain || place - count + 2 <= cost && number.abs() < WHOLE) {
        write!(out, "{digits}{}.0", "0".repeat((place - count) as usize))
    } else {
        let (first, rest) = digits.split_at(1);
        write!(out, "{first}.{}e{exponent}", if rest.is_empty() { "0" } else { rest })
    }
}
