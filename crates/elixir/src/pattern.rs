//! Patterns: what stands left of `=`, `->` and `<-`.

use crate::bits::{self, Field};
use crate::value::Heap;
use crate::value::{Data, Value};

pub(crate) enum Pattern {
    Any,
    /// Binds a variable.
    Bind(usize),
    /// What this variable holds, be it pinned or bound earlier in the same pattern.
    Same(usize),
    Is(Value),
    Tuple(Vec<Pattern>),
    /// These, and a tail if there is one.
    List(Vec<Pattern>, Option<Box<Pattern>>),
    Map(Vec<(Key, Pattern)>),
    /// An atom that is a module: `%name{}`.
    Module(Box<Pattern>),
    Both(Box<Pattern>, Box<Pattern>),
    Bits(Vec<Field>),
}

pub(crate) enum Key {
    Is(Value),
    Slot(usize),
}

/// Whether a value matches; variables are bound on the way, also if it does not in the end.
pub(crate) fn matches(pattern: &Pattern, value: &Value, slots: &mut [Value], heap: &Heap) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Bind(slot) => slots.get_mut(*slot).map(|place| *place = value.clone()).is_some(),
        Pattern::Same(slot) => slots.get(*slot) == Some(value),
        Pattern::Is(own) => own == value,
        Pattern::Tuple(patterns) => match value.as_tuple() {
            Some(items) if items.len() == patterns.len() => {
                patterns.iter().zip(items).all(|(pattern, item)| matches(pattern, item, slots, heap))
            }
            _ => false,
        },
        Pattern::List(patterns, tail) => {
            let mut rest = value.clone();
            for pattern in patterns {
                let Some((head, after)) = rest.as_list().and_then(|list| list.split_first()) else {
                    return false;
                };
                if !matches(pattern, head, slots, heap) {
                    return false;
                }
                rest = after;
            }
            match tail {
                Some(tail) => matches(tail, &rest, slots, heap),
                None => rest.as_list().is_some_and(|list| list.is_empty()),
            }
        }
        Pattern::Map(keys) => {
            let Some(map) = value.as_map() else {
                return false;
            };
            keys.iter().all(|(key, pattern)| {
                let found = match key {
                    Key::Is(key) => map.get(key),
                    Key::Slot(slot) => slots.get(*slot).and_then(|key| map.get(key)),
                };
                found.is_some_and(|value| matches(pattern, value, slots, heap))
            })
        }
        Pattern::Module(inner) => matches!(value.0, Data::Atom(_)) && matches(inner, value, slots, heap),
        Pattern::Both(one, two) => matches(one, value, slots, heap) && matches(two, value, slots, heap),
        Pattern::Bits(fields) => bits::matches(fields, value, slots, heap),
    }
}
