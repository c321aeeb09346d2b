//! Where values are made, and the count of what is alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use beamline_term::{Binary, BitString};

use super::{Bytes, Closure, Data, List, Map, SLOT, Size, Tuple, Value};
use crate::code::Code;

/// Counts the bytes of the values of one session. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heap {
    live: Arc<AtomicUsize>,
}

/// Bytes that are counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    live: Arc<AtomicUsize>,
    bytes: usize,
}

impl Charge {
    /// Counts so many more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.live.fetch_add(bytes, Relaxed);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.live.fetch_sub(self.bytes, Relaxed);
    }
}

/// What a shared allocation costs beside what is in it.
const HEADER: usize = 80;

impl Heap {
    /// The bytes of all that is alive.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    pub(crate) fn charge(&self, bytes: usize) -> Charge {
        self.live.fetch_add(bytes, Relaxed);
        Charge { live: Arc::clone(&self.live), bytes }
    }

    pub(crate) fn tuple(&self, items: Vec<Value>) -> Value {
        let own = items.capacity() * SLOT;
        let size = Size::of(&items).around(SLOT);
        Value(Data::Tuple(Arc::new(Tuple { size, _charge: self.charge(HEADER + own), items })))
    }

    pub(crate) fn pair(&self, one: Value, two: Value) -> Value {
        self.tuple(vec![one, two])
    }

    /// `{:ok, value}`
    pub(crate) fn ok(&self, value: Value) -> Value {
        self.pair(Value::OK, value)
    }

    pub(crate) fn list(&self, items: Vec<Value>) -> Value {
        self.list_onto(items, Value::empty_list())
    }

    /// These items before a tail, which need be no list.
    pub(crate) fn list_onto(&self, items: Vec<Value>, tail: Value) -> Value {
        if items.is_empty() {
            return tail;
        }
        let charge = self.charge(HEADER + items.capacity() * SLOT);
        Value(Data::List(List::new(items, tail, charge)))
    }

    /// A map of these pairs; of equal keys the last counts.
    pub(crate) fn map(&self, pairs: Vec<(Value, Value)>) -> Value {
        Value(Data::Map(self.raw_map(pairs)))
    }

    pub(crate) fn raw_map(&self, pairs: Vec<(Value, Value)>) -> Map {
        Map::new(pairs, |room| self.charge(HEADER + room * 2 * SLOT))
    }

    /// A map of pairs that are sorted by key and have no key twice.
    pub(crate) fn sorted_map(&self, pairs: Vec<(Value, Value)>) -> Value {
        Value(Data::Map(Map::sorted(pairs, |room| self.charge(HEADER + room * 2 * SLOT))))
    }

    pub(crate) fn binary(&self, bytes: impl Into<Binary>) -> Value {
        let binary = bytes.into();
        let charge = (binary.len() > 22).then(|| Arc::new(self.charge(HEADER + binary.len())));
        Value(Data::Binary(Bytes { binary, _charge: charge }))
    }

    pub(crate) fn bits(&self, bits: BitString) -> Value {
        match bits.last_bits() {
            8 => self.binary(bits.bytes()),
            _ => Value(Data::Bits(Arc::new(bits))),
        }
    }

    pub(crate) fn charlist(&self, text: &str) -> Value {
        self.list(text.chars().map(|next| Value::integer(i64::from(u32::from(next)))).collect())
    }

    pub(crate) fn closure(&self, code: Arc<Code>, captured: Vec<Value>) -> Value {
        let own = HEADER + captured.capacity() * SLOT;
        let size = Size::of(&captured).around(SLOT);
        Value(Data::Closure(Arc::new(Closure { code, captured, size, _charge: self.charge(own) })))
    }

    /// `first..last//step`
    pub(crate) fn range(&self, first: Value, last: Value, step: Value) -> Value {
        let word = Value::word;
        self.map(vec![
            (word("__struct__"), word("Elixir.Range")),
            (word("first"), first),
            (word("last"), last),
            (word("step"), step),
        ])
    }

    /// A `MapSet` of these elements.
    pub(crate) fn set(&self, items: Vec<Value>) -> Value {
        let word = Value::word;
        let inner = self.map(items.into_iter().map(|item| (item, Value::empty_list())).collect());
        self.map(vec![
            (word("__struct__"), word("Elixir.MapSet")),
            (word("map"), inner),
            (word("version"), Value::integer(2)),
        ])
    }
}
