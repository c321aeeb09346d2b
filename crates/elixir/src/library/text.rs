//! Values as texts: `to_string/1`, iodata, and finding one text in another.

use super::support::not_implemented;
use super::{Cx, Outcome};
use crate::exception::Exception;
use crate::value::{Data, Value};

/// `to_string/1`
pub(crate) fn text_of(cx: &Cx<'_>, value: &Value) -> Outcome {
    Ok(match &value.0 {
        Data::Binary(_) => value.clone(),
        Data::Atom(atom) if *atom == *"nil" => cx.text(""),
        Data::Atom(atom) => cx.text(atom.as_str()),
        Data::Integer(_) | Data::Big(_) | Data::Float(_) => cx.text(cx.show(value)),
        Data::List(_) => {
            let mut bytes = Vec::new();
            if !chardata(cx, value, &mut bytes)? {
                let message = format!(
                    "cannot convert the given list to a string.\n\nTo be converted to a string, a list must either be empty or \
                     only\ncontain the following elements:\n\n  * strings\n  * integers representing Unicode code points\n  \
                     * a list containing one of these three elements\n\nPlease check the given list or call inspect/1 to get \
                     the list representation, got:\n\n{}\n",
                    cx.show(value)
                );
                return Err(Exception::argument(message));
            }
            cx.heap.binary(bytes)
        }
        Data::Map(_) if matches!(value.struct_name(), Some("Date" | "Time" | "NaiveDateTime" | "DateTime")) => {
            // They are printed as sigils around their text.
            let shown = cx.show(value);
            let inner = shown.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
            match inner {
                Some(text) => cx.text(text),
                None => return Err(not_implemented(cx, "String.Chars", value)),
            }
        }
        _ => return Err(not_implemented(cx, "String.Chars", value)),
    })
}

/// Writes a list of characters, strings and such lists; false if there is anything else in it.
pub(crate) fn chardata(cx: &Cx<'_>, value: &Value, out: &mut Vec<u8>) -> Result<bool, Exception> {
    write_nested(cx, value, out, |number, out| {
        let character = u32::try_from(number).ok().and_then(char::from_u32);
        character.map(|character| out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())).is_some()
    })
}

/// The same with bytes in place of characters.
pub(crate) fn iodata(cx: &Cx<'_>, value: &Value, out: &mut Vec<u8>) -> Result<bool, Exception> {
    write_nested(cx, value, out, |number, out| u8::try_from(number).map(|byte| out.push(byte)).is_ok())
}

fn write_nested(
    cx: &Cx<'_>,
    value: &Value,
    out: &mut Vec<u8>,
    number: fn(i64, &mut Vec<u8>) -> bool,
) -> Result<bool, Exception> {
    match &value.0 {
        Data::Binary(bytes) => {
            out.extend_from_slice(&bytes.binary);
            cx.room(out.len())?;
            Ok(true)
        }
        Data::List(list) => {
            let mut iter = list.iter();
            for item in iter.by_ref() {
                let written = match &item.0 {
                    Data::Integer(code) => number(*code, out),
                    Data::List(_) | Data::Binary(_) => write_nested(cx, item, out, number)?,
                    _ => false,
                };
                if !written {
                    return Ok(false);
                }
            }
            match iter.tail() {
                None => Ok(true),
                Some(tail) if tail.as_bytes().is_some() => write_nested(cx, tail, out, number),
                Some(_) => Ok(false),
            }
        }
        _ => Ok(false),
    }
}

/// `to_charlist/1`
pub(crate) fn charlist(cx: &Cx<'_>, value: &Value) -> Outcome {
    if value.as_list().is_some() {
        return Ok(value.clone());
    }
    let text = text_of(cx, value).map_err(|_| not_implemented(cx, "List.Chars", value))?;
    match std::str::from_utf8(text.as_bytes().unwrap_or_default()) {
        Ok(text) => {
            cx.room(text.len().saturating_mul(crate::value::SLOT))?;
            Ok(cx.heap.charlist(text))
        }
        Err(error) => {
            let rest = &text.as_bytes().unwrap_or_default()[error.valid_up_to()..];
            let rest = cx.show(&cx.heap.binary(rest));
            Err(Exception::error("UnicodeConversionError", format!("invalid encoding starting at {rest}")))
        }
    }
}

/// Where one text begins in another. An empty one is nowhere, as for `:binary.match/2`, but see the callers.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    match (std::str::from_utf8(text), std::str::from_utf8(part)) {
        (Ok(text), Ok(part)) => text.find(part),
        _ => text.windows(part.len()).position(|window| window == part),
    }
}
