//! What some operations of the machine do.

use beamline_term::Atom;

use super::support::{bad_map, key_error};
use super::{Cx, Outcome};
use crate::exception::Exception;
use crate::value::Value;

/// `%{map | key: value}`: every key has to be there.
pub(crate) fn update(cx: &Cx<'_>, map: &Value, changes: &[Value]) -> Outcome {
    let own = map.as_map().ok_or_else(|| bad_map(cx, map))?;
    let mut pairs = own.pairs().to_vec();
    cx.spend(pairs.len());
    for change in changes.chunks_exact(2) {
        let place = own.find(&change[0]).ok().and_then(|place| pairs.get_mut(place));
        place.ok_or_else(|| key_error(cx, &change[0], map))?.1 = change[1].clone();
    }
    Ok(cx.heap.sorted_map(pairs))
}

/// The words of `~w`.
pub(crate) fn words(cx: &Cx<'_>, text: &Value, modifier: char) -> Outcome {
    let text = String::from_utf8_lossy(text.as_bytes().unwrap_or_default()).into_owned();
    let words = text.split_whitespace().map(|word| match modifier {
        'a' => Atom::new(word).map(Value::atom).map_err(|error| Exception::argument(error.to_string())),
        'c' => Ok(cx.heap.charlist(word)),
        _ => Ok(cx.text(word)),
    });
    Ok(cx.heap.list(words.collect::<Result<_, _>>()?))
}
