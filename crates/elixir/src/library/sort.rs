//! Sorting, also by functions, which the machine has to call: a merge sort that can stop at each comparison.

use std::cmp::Ordering;

use super::walk::{Step, Walk};
use super::{Cx, Task};
use crate::exception::Exception;
use crate::value::{Charge, SLOT, Value, compare_loosely};

/// How `Enum.sort/2` and its like order.
pub(crate) enum Order {
    Ascending,
    Descending,
    /// By a function of two arguments that says whether the first may stand before the second.
    By(Value),
}

impl Order {
    pub(crate) fn of(cx: &Cx<'_>, argument: Option<&Value>) -> Result<Order, Exception> {
        match argument {
            None => Ok(Order::Ascending),
            Some(word) if word.is_atom("asc") => Ok(Order::Ascending),
            Some(word) if word.is_atom("desc") => Ok(Order::Descending),
            Some(function) if function.arity().is_some() => Ok(Order::By(function.clone())),
            Some(other) => Err(cx.clause("Enum.to_sort_fun", std::slice::from_ref(other))),
        }
    }
}

/// Sorts items by their keys.
pub(crate) fn sort(
    cx: &Cx<'_>,
    mut pairs: Vec<(Value, Value)>,
    order: Order,
    finish: fn(&Cx<'_>, Vec<Value>) -> Value,
) -> Task {
    let length = pairs.len();
    cx.spend(length * (length.max(2).ilog2() as usize));
    match order {
        Order::Ascending => pairs.sort_by(|one, two| compare_loosely(&one.0, &two.0)),
        // Of equal keys the first stays first.
        Order::Descending => pairs.sort_by(|one, two| compare_loosely(&two.0, &one.0)),
        Order::By(function) => {
            let held = cx.heap.charge(length * 4 * SLOT);
            return Task::Walk(Box::new(Merge::new(pairs, function, finish, held)));
        }
    }
    Task::Done(finish(cx, pairs.into_iter().map(|(_, item)| item).collect()))
}

/// Bottom-up merging: runs of `width` are merged into runs of twice that.
struct Merge {
    from: Vec<(Value, Value)>,
    to: Vec<(Value, Value)>,
    width: usize,
    /// Where the two runs go on, and where the second ends.
    left: usize,
    right: usize,
    middle: usize,
    end: usize,
    function: Value,
    finish: fn(&Cx<'_>, Vec<Value>) -> Value,
    _held: Charge,
}

impl Merge {
    fn new(
        from: Vec<(Value, Value)>,
        function: Value,
        finish: fn(&Cx<'_>, Vec<Value>) -> Value,
        held: Charge,
    ) -> Merge {
        let mut merge = Merge {
            from,
            to: Vec::new(),
            width: 1,
            left: 0,
            right: 0,
            middle: 0,
            end: 0,
            function,
            finish,
            _held: held,
        };
        merge.begin(0);
        merge
    }

    /// Turns to the two runs that begin there.
    fn begin(&mut self, start: usize) {
        self.left = start;
        self.middle = (start + self.width).min(self.from.len());
        self.right = self.middle;
        self.end = (start + 2 * self.width).min(self.from.len());
    }

    fn take_left(&mut self) {
        self.to.push(self.from[self.left].clone());
        self.left += 1;
    }

    fn take_right(&mut self) {
        self.to.push(self.from[self.right].clone());
        self.right += 1;
    }
}

impl Walk for Merge {
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<Step, Exception> {
        if let Some(result) = last {
            if result.is_truthy() { self.take_left() } else { self.take_right() }
        }
        loop {
            if self.left < self.middle && self.right < self.end {
                let (one, two) = (self.from[self.left].0.clone(), self.from[self.right].0.clone());
                return Ok(Step::Call(self.function.clone(), vec![one, two]));
            }
            while self.left < self.middle {
                self.take_left();
            }
            while self.right < self.end {
                self.take_right();
            }
            if self.end < self.from.len() {
                self.begin(self.end);
                continue;
            }
            if self.width >= self.from.len() {
                let sorted = if self.to.len() == self.from.len() { &mut self.to } else { &mut self.from };
                let items = std::mem::take(sorted).into_iter().map(|(_, item)| item).collect();
                return Ok(Step::Done((self.finish)(cx, items)));
            }
            self.from = std::mem::take(&mut self.to);
            self.width *= 2;
            self.begin(0);
        }
    }
}

/// The first of the greatest, or of the least.
pub(crate) fn extreme(pairs: &[(Value, Value)], wanted: Ordering) -> Option<&Value> {
    let mut pairs = pairs.iter();
    let mut best = pairs.next()?;
    for pair in pairs {
        if compare_loosely(&pair.0, &best.0) == wanted {
            best = pair;
        }
    }
    Some(&best.1)
}
