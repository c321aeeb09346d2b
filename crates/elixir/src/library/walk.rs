//! Functions that call functions: each is a small machine, which says what to call next and is told what that gave.

use super::{Cx, Outcome};
use crate::exception::Exception;
use crate::value::{Charge, SLOT, Value};

/// A function under way.
pub(crate) trait Walk: Send {
    /// What comes next; `last` is what the last call gave, and None at first.
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<Step, Exception>;
}

pub(crate) enum Step {
    Call(Value, Vec<Value>),
    Done(Value),
}

/// What is gone through.
pub(crate) enum Items {
    All(std::vec::IntoIter<Value>),
    Range { next: i64, step: i64, left: u64 },
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        match self {
            Items::All(items) => items.next(),
            Items::Range { next, step, left } => {
                *left = left.checked_sub(1)?;
                let number = *next;
                *next = next.wrapping_add(*step);
                Some(Value::integer(number))
            }
        }
    }
}

type Finish = Box<dyn FnOnce(&Cx<'_>, Vec<Value>, Vec<Value>) -> Outcome + Send>;

/// Calls a function with each item, until one result is as `stop` says; then `finish` makes the result of the items that
/// were passed and what they gave.
pub(crate) struct Each {
    items: Items,
    function: Value,
    pass: fn(&Cx<'_>, Value) -> Vec<Value>,
    passed: Vec<Value>,
    results: Vec<Value>,
    /// Neither is kept if the result needs neither.
    keep: bool,
    /// Whether the items are wanted beside their results.
    items_wanted: bool,
    stop: Option<bool>,
    finish: Option<Finish>,
    held: Charge,
}

impl Each {
    pub(crate) fn new(
        cx: &Cx<'_>,
        items: Items,
        function: Value,
        finish: impl FnOnce(&Cx<'_>, Vec<Value>, Vec<Value>) -> Outcome + Send + 'static,
    ) -> Each {
        Each {
            items,
            function,
            pass: |_, item| vec![item],
            passed: Vec::new(),
            results: Vec::new(),
            keep: true,
            items_wanted: true,
            stop: None,
            finish: Some(Box::new(finish)),
            held: cx.heap.charge(0),
        }
    }

    /// Ends at the first result that is truthy, or at the first that is not.
    pub(crate) fn until(mut self, truthy: bool) -> Each {
        self.stop = Some(truthy);
        self
    }

    /// How an item becomes arguments.
    pub(crate) fn pass(mut self, pass: fn(&Cx<'_>, Value) -> Vec<Value>) -> Each {
        self.pass = pass;
        self
    }

    /// Keeps the results without the items.
    pub(crate) fn results_only(mut self) -> Each {
        self.items_wanted = false;
        self
    }

    /// Keeps only the last item and its result.
    pub(crate) fn forget(mut self) -> Each {
        self.keep = false;
        self
    }
}

impl Walk for Each {
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<Step, Exception> {
        let mut ended = false;
        if let Some(result) = last {
            ended = self.stop == Some(result.is_truthy());
            if self.keep || ended {
                self.held.grow(if self.items_wanted { 2 * SLOT } else { SLOT });
                self.results.push(result);
            } else {
                self.passed.clear();
            }
        }
        if !ended && let Some(item) = self.items.next() {
            if !self.items_wanted {
                self.passed.clear();
            }
            self.passed.push(item.clone());
            return Ok(Step::Call(self.function.clone(), (self.pass)(cx, item)));
        }
        let (passed, results) = (std::mem::take(&mut self.passed), std::mem::take(&mut self.results));
        match self.finish.take() {
            Some(finish) => finish(cx, passed, results).map(Step::Done),
            None => Ok(Step::Done(Value::NIL)),
        }
    }
}

/// Calls a function with each item and what the call before gave.
pub(crate) struct Reduce {
    pub(crate) items: Items,
    pub(crate) function: Value,
    pub(crate) accumulator: Value,
    /// Whether what comes out is a pair of the mapped items and the accumulator.
    pub(crate) mapped: Option<Vec<Value>>,
    /// Whether all accumulators are the result.
    pub(crate) scanned: Option<Vec<Value>>,
    /// Whether `{:cont, acc}` and `{:halt, acc}` come out.
    pub(crate) guided: bool,
    pub(crate) held: Charge,
}

impl Reduce {
    pub(crate) fn new(cx: &Cx<'_>, items: Items, function: Value, accumulator: Value) -> Reduce {
        let held = cx.heap.charge(0);
        Reduce { items, function, accumulator, mapped: None, scanned: None, guided: false, held }
    }

    fn result(&mut self, cx: &Cx<'_>) -> Value {
        let accumulator = self.accumulator.clone();
        if let Some(mapped) = self.mapped.take() {
            return cx.heap.pair(cx.heap.list(mapped), accumulator);
        }
        self.scanned.take().map_or(accumulator, |scanned| cx.heap.list(scanned))
    }
}

impl Walk for Reduce {
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<Step, Exception> {
        if let Some(result) = last {
            if let Some(mapped) = &mut self.mapped {
                let Some((item, accumulator)) = result.as_pair() else {
                    return Err(Exception::error(
                        "MatchError",
                        format!("no match of right hand side value: {}", cx.show(&result)),
                    ));
                };
                mapped.push(item.clone());
                self.accumulator = accumulator.clone();
                self.held.grow(SLOT);
            } else if self.guided {
                match result.as_pair() {
                    Some((word, accumulator)) if word.is_atom("cont") => self.accumulator = accumulator.clone(),
                    Some((word, accumulator)) if word.is_atom("halt") => return Ok(Step::Done(accumulator.clone())),
                    _ => {
                        let message = format!("no case clause matching: {}", cx.show(&result));
                        return Err(Exception::error("CaseClauseError", message));
                    }
                }
            } else {
                if let Some(scanned) = &mut self.scanned {
                    scanned.push(result.clone());
                    self.held.grow(SLOT);
                }
                self.accumulator = result;
            }
        }
        match self.items.next() {
            Some(item) => Ok(Step::Call(self.function.clone(), vec![item, self.accumulator.clone()])),
            None => Ok(Step::Done(self.result(cx))),
        }
    }
}

type Then = Box<dyn FnOnce(&Cx<'_>, Value) -> Outcome + Send>;

/// Calls a function once, and makes the result of what it gave.
pub(crate) struct Once {
    call: Option<(Value, Vec<Value>)>,
    then: Option<Then>,
}

impl Once {
    pub(crate) fn new(
        function: Value,
        arguments: Vec<Value>,
        then: impl FnOnce(&Cx<'_>, Value) -> Outcome + Send + 'static,
    ) -> Once {
        Once { call: Some((function, arguments)), then: Some(Box::new(then)) }
    }
}

impl Walk for Once {
    fn next(&mut self, cx: &Cx<'_>, last: Option<Value>) -> Result<Step, Exception> {
        if let Some((function, arguments)) = self.call.take() {
            return Ok(Step::Call(function, arguments));
        }
        let last = last.unwrap_or(Value::NIL);
        match self.then.take() {
            Some(then) => then(cx, last).map(Step::Done),
            None => Ok(Step::Done(last)),
        }
    }
}
