//! Lists: runs of elements, each with a tail. What a literal or `Enum.map` gives is one run; `[head | tail]` puts a run of one
//! before another list without a copy.

use std::sync::Arc;

use super::{Charge, Data, SLOT, Size, Value};

/// A list from an element of a run on; without a run it is `[]`.
#[derive(Clone, Default)]
pub(crate) struct List {
    run: Option<Arc<Run>>,
    start: usize,
}

struct Run {
    items: Vec<Value>,
    /// A list, or anything else in an improper one.
    tail: Value,
    size: Size,
    _charge: Charge,
}

impl List {
    /// `items` is not empty.
    pub(super) fn new(items: Vec<Value>, tail: Value, charge: Charge) -> List {
        let below = tail.size();
        let own = Size::of(&items).around(SLOT);
        // A tail that is a list is on the same level.
        let depth = if tail.as_list().is_some() { below.depth.max(own.depth) } else { own.depth.max(below.depth + 1) };
        let size = Size { depth, bytes: own.bytes.saturating_add(below.bytes) };
        List { run: Some(Arc::new(Run { items, tail, size, _charge: charge })), start: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.run.is_none()
    }

    /// The size of the whole run, also if this is a part of it.
    pub(crate) fn size(&self) -> Size {
        self.run.as_ref().map_or(Size { depth: 0, bytes: SLOT }, |run| run.size)
    }

    /// The first element and the rest.
    pub(crate) fn split_first(&self) -> Option<(&Value, Value)> {
        let run = self.run.as_ref()?;
        let head = run.items.get(self.start)?;
        let tail = if self.start + 1 < run.items.len() {
            Value(Data::List(List { run: Some(Arc::clone(run)), start: self.start + 1 }))
        } else {
            run.tail.clone()
        };
        Some((head, tail))
    }

    /// The elements in order, and what comes behind them with [`Iter::tail`].
    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter { list: Some(self), at: self.start, tail: None }
    }

    /// The elements; None for an improper list.
    pub(crate) fn to_vec(&self) -> Option<Vec<Value>> {
        let mut iter = self.iter();
        let items = iter.by_ref().cloned().collect();
        iter.tail().is_none().then_some(items)
    }

    /// How many elements; None for an improper list.
    pub(crate) fn len(&self) -> Option<usize> {
        let (mut list, mut length) = (self, 0);
        loop {
            let Some(run) = &list.run else {
                return Some(length);
            };
            length += run.items.len() - list.start;
            list = run.tail.as_list()?;
        }
    }

    /// Whether both are the same part of the same run.
    pub(crate) fn is_same(&self, other: &List) -> bool {
        match (&self.run, &other.run) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two) && self.start == other.start,
            _ => false,
        }
    }
}

/// Goes through a list.
pub(crate) struct Iter<'a> {
    list: Option<&'a List>,
    at: usize,
    tail: Option<&'a Value>,
}

impl<'a> Iter<'a> {
    /// What an improper list ends in, once all elements have been passed.
    pub(crate) fn tail(&self) -> Option<&'a Value> {
        self.tail
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Value;

    fn next(&mut self) -> Option<&'a Value> {
        loop {
            let run = self.list?.run.as_ref()?;
            if let Some(item) = run.items.get(self.at) {
                self.at += 1;
                return Some(item);
            }
            self.list = run.tail.as_list();
            match self.list {
                Some(list) => self.at = list.start,
                None => self.tail = Some(&run.tail),
            }
        }
    }
}

impl Drop for Run {
    /// A list of many runs is freed one after the other.
    fn drop(&mut self) {
        let mut tail = std::mem::replace(&mut self.tail, Value::NIL);
        while let Data::List(List { run: Some(run), .. }) = tail.0 {
            match Arc::into_inner(run) {
                Some(mut run) => tail = std::mem::replace(&mut run.tail, Value::NIL),
                None => break,
            }
        }
    }
}
