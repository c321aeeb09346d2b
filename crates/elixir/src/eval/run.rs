//! What each operation does.

use std::sync::Arc;

use beamline_term::Atom;

use super::{Call, CodeFrame, Event, Frame, Machine};
use crate::bits;
use crate::code::{Failure, Op};
use crate::exception::{Exception, show};
use crate::library::{self, Body, Native, Step, Task, Walk};
use crate::pattern;
use crate::value::{Data, Value};

type Flow = Result<Option<Event>, Exception>;

/// What follows an operation.
enum Next {
    /// The one behind it.
    On,
    Jump(usize),
    /// The frame is to be left for another, and, if so, the host to be asked.
    Leave(Option<Event>),
    Return,
}

impl Machine {
    /// Runs a frame until it ends, calls, or has used its slice.
    pub(super) fn code(&mut self, mut frame: CodeFrame) -> Flow {
        let code = Arc::clone(&frame.code);
        while let Some(op) = code.ops.get(frame.at) {
            self.spend(1)?;
            self.slice = self.slice.saturating_sub(1);
            if self.slice == 0 {
                self.frames.push(Frame::Code(frame));
                return Ok(Some(Event::Pause));
            }
            frame.at += 1;
            let depth = self.frames.len();
            match self.operation(op, &mut frame) {
                Ok(Next::On) => {}
                Ok(Next::Jump(to)) => frame.at = to,
                Ok(Next::Leave(event)) => {
                    // Under what it called.
                    self.frames.insert(depth, Frame::Code(frame));
                    return Ok(event);
                }
                Ok(Next::Return) => break,
                Err(exception @ Exception::Limit { .. }) => return Err(exception),
                Err(exception) => match frame.guard.take() {
                    Some((to, height)) => {
                        self.stack.truncate(height);
                        frame.at = to;
                    }
                    None => return Err(exception),
                },
            }
        }
        let result = self.pop();
        if frame.main {
            self.variables = Some(self.stack.drain(frame.base..).take(code.slots).collect());
        }
        self.stack.truncate(frame.base);
        self.stack.push(result);
        Ok(None)
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(Value::NIL)
    }

    fn top(&self) -> Value {
        self.stack.last().cloned().unwrap_or(Value::NIL)
    }

    /// The last so many values.
    fn take(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len().saturating_sub(count))
    }

    fn push(&mut self, value: Value) -> Result<Next, Exception> {
        self.check(&value)?;
        self.stack.push(value);
        Ok(Next::On)
    }

    fn matches(&mut self, pattern: &pattern::Pattern, value: &Value, base: usize) -> bool {
        let slots = self.stack.get_mut(base..).unwrap_or_default();
        pattern::matches(pattern, value, slots, &self.heap)
    }

    fn operation(&mut self, op: &Op, frame: &mut CodeFrame) -> Result<Next, Exception> {
        match op {
            Op::Begin(place) => self.place = *place,
            Op::Push(value) => self.stack.push(value.clone()),
            Op::Load(slot) => {
                let value = self.stack.get(frame.base + slot).cloned().unwrap_or(Value::NIL);
                self.stack.push(value);
            }
            Op::Pop => drop(self.pop()),
            Op::Duplicate => {
                let top = self.top();
                self.stack.push(top);
            }
            Op::Jump(to) => return Ok(Next::Jump(*to)),
            Op::JumpIfFalsy(to) => {
                if !self.pop().is_truthy() {
                    return Ok(Next::Jump(*to));
                }
            }
            Op::KeepIfFalsy(to) | Op::KeepIfTruthy(to) => {
                if self.top().is_truthy() == matches!(op, Op::KeepIfTruthy(_)) {
                    return Ok(Next::Jump(*to));
                }
                self.pop();
            }
            Op::Decides(operator, to) => return self.decides(operator, *to),
            Op::Match(pattern) => {
                let value = self.top();
                if !self.matches(pattern, &value, frame.base) {
                    let message = format!("no match of right hand side value: {}", show(&value, self.elixir));
                    return Err(Exception::error("MatchError", message));
                }
            }
            Op::TryMatch(pattern, to) => {
                let value = self.pop();
                if !self.matches(pattern, &value, frame.base) {
                    return Ok(Next::Jump(*to));
                }
            }
            Op::GuardBegin(to) => frame.guard = Some((*to, self.stack.len())),
            Op::GuardCheck(to) => {
                frame.guard = None;
                if !self.pop().is_atom("true") {
                    return Ok(Next::Jump(*to));
                }
            }
            Op::Closure(code, captures) => {
                let captured = captures.iter().map(|slot| self.stack.get(frame.base + slot).cloned());
                let captured = captured.map(|value| value.unwrap_or(Value::NIL)).collect();
                let closure = self.heap.closure(Arc::clone(code), captured);
                return self.push(closure);
            }
            Op::Call(native, count) => {
                let arguments = self.take(*count);
                return self.native(native, arguments);
            }
            Op::External(module, function, count) => {
                let arguments = self.take(*count);
                return self.host(module.clone(), function.clone(), &arguments);
            }
            Op::Dynamic(function, count) => {
                let arguments = self.take(*count);
                let module = self.pop();
                return self.dynamic(&module, function, arguments);
            }
            Op::Field(name) => return self.field(name),
            Op::Apply(count) => {
                let arguments = self.take(*count);
                let function = self.pop();
                return self.invoke(&function, arguments);
            }
            Op::Return => return Ok(Next::Return),
            Op::Fail(failure) => return Err(self.failure(*failure, frame)),
            _ => return self.construct(op),
        }
        Ok(Next::On)
    }

    fn construct(&mut self, op: &Op) -> Result<Next, Exception> {
        let value = match op {
            Op::Tuple(count) => {
                let items = self.take(*count);
                self.heap.tuple(items)
            }
            Op::List(count, tail) => {
                let tail = if *tail { self.pop() } else { Value::empty_list() };
                let items = self.take(*count);
                self.heap.list_onto(items, tail)
            }
            Op::Map(count) => {
                let mut items = self.take(count * 2).into_iter();
                let mut pairs = Vec::with_capacity(*count);
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                self.heap.map(pairs)
            }
            Op::Update(count) => {
                let changes = self.take(count * 2);
                let map = self.pop();
                self.context(|cx| library::operations::update(cx, &map, &changes))?
            }
            Op::Struct(name) => {
                let map = self.pop();
                let mut pairs = map.as_map().map(|map| map.pairs().to_vec()).unwrap_or_default();
                pairs.push((Value::word("__struct__"), Value::atom(name.clone())));
                self.spend(pairs.len() as u64)?;
                self.heap.map(pairs)
            }
            Op::Join(count) => {
                let parts = self.take(*count);
                let bytes: Vec<&[u8]> = parts.iter().filter_map(Value::as_bytes).collect();
                self.heap.binary(bytes.concat())
            }
            Op::ToText => {
                let value = self.pop();
                self.context(|cx| library::text_of(cx, &value))?
            }
            Op::ToCharlist => {
                let value = self.pop();
                self.context(|cx| library::charlist(cx, &value))?
            }
            Op::ToAtom => {
                let value = self.pop();
                let text = value.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
                let atom = text.and_then(|text| Atom::new(text).ok());
                Value::atom(atom.ok_or_else(|| Exception::bad_argument(1, "not a valid atom text"))?)
            }
            Op::Words(modifier) => {
                let value = self.pop();
                self.context(|cx| library::operations::words(cx, &value, *modifier))?
            }
            Op::Bits(segments) => {
                let given = segments.iter().filter(|one| matches!(one.length, bits::Length::Given(_))).count();
                let values = self.take(segments.len() + given);
                let limit = self.limits.memory_bytes.saturating_sub(self.heap.live());
                bits::build(segments, &values, &self.heap, limit, self.elixir)?
            }
            _ => return Ok(Next::On),
        };
        // What shares its parts with others costs no more than what is new in it.
        if let Some(bytes) = value.as_bytes() {
            self.spend(bytes.len() as u64 / 512)?;
        }
        self.push(value)
    }

    /// The left side of `and` and `or`.
    fn decides(&mut self, operator: &str, to: usize) -> Result<Next, Exception> {
        let value = self.top();
        match value.as_bool() {
            Some(truth) if truth == (operator == "or") => Ok(Next::Jump(to)),
            Some(_) => {
                self.pop();
                Ok(Next::On)
            }
            None => {
                let shown = show(&value, self.elixir);
                let message = format!("expected a boolean on left-side of \"{operator}\", got: {shown}");
                Err(Exception::error("BadBooleanError", message))
            }
        }
    }

    fn failure(&self, failure: Failure, frame: &CodeFrame) -> Exception {
        let shown = || show(&self.top(), self.elixir);
        match failure {
            Failure::Case => Exception::error("CaseClauseError", format!("no case clause matching: {}", shown())),
            Failure::With => Exception::error("WithClauseError", format!("no with clause matching: {}", shown())),
            Failure::Cond => Exception::error("CondClauseError", "no cond clause evaluated to a truthy value"),
            Failure::Function => {
                let arguments = self.stack.get(frame.base..frame.base + frame.code.arity).unwrap_or_default();
                Exception::clause(":erl_eval.\"-inside-an-interpreted-fun-\"", arguments, self.elixir)
            }
        }
    }

    /// Calls a function value.
    fn invoke(&mut self, function: &Value, arguments: Vec<Value>) -> Result<Next, Exception> {
        match function.arity() {
            None => {
                let message = format!("expected a function, got: {}", show(function, self.elixir));
                return Err(Exception::error("BadFunctionError", message));
            }
            Some(arity) if arity != arguments.len() => return Err(self.bad_arity(function, arity, &arguments)),
            Some(_) => {}
        }
        match &function.0 {
            Data::Closure(closure) => {
                if self.frames.len() >= self.limits.call_depth {
                    let limit = self.limits.call_depth as u64;
                    return Err(Exception::Limit { what: "the depth of calls", limit });
                }
                self.spend(closure.code.slots as u64 / 16)?;
                self.enter(Arc::clone(&closure.code), arguments, &closure.captured, false);
                Ok(Next::Leave(None))
            }
            Data::Export(export) => {
                let export = Arc::clone(export);
                self.dispatch(&export.module, &export.function, arguments)
            }
            _ => Err(Exception::error("BadFunctionError", "a function of another node cannot be called here")),
        }
    }

    fn bad_arity(&self, function: &Value, arity: usize, arguments: &[Value]) -> Exception {
        let shown: Vec<String> = arguments.iter().map(|argument| show(argument, self.elixir)).collect();
        let given = match shown.len() {
            0 => "no arguments".to_owned(),
            1 => format!("1 argument ({})", shown.join(", ")),
            count => format!("{count} arguments ({})", shown.join(", ")),
        };
        let function = show(function, self.elixir);
        Exception::error("BadArityError", format!("{function} with arity {arity} called with {given}"))
    }

    /// Calls a function by its names: ours, or else the host's.
    fn dispatch(&mut self, module: &Atom, function: &Atom, arguments: Vec<Value>) -> Result<Next, Exception> {
        match library::find(module.as_str(), function.as_str(), arguments.len()) {
            Some(native) => self.native(native, arguments),
            None => self.host(Some(module.clone()), function.clone(), &arguments),
        }
    }

    fn dynamic(&mut self, module: &Value, function: &Atom, arguments: Vec<Value>) -> Result<Next, Exception> {
        match module.as_atom() {
            Some(module) => self.dispatch(&module.clone(), function, arguments),
            // As Elixir 1.14 does, with a warning.
            None if arguments.is_empty() && module.as_map().is_some() => {
                self.stack.push(module.clone());
                self.field(function)
            }
            None => {
                let function = show(&Value::atom(function.clone()), self.elixir);
                Err(Exception::argument(format!(
                    "you attempted to apply a function named {function} on {}. If you are using Kernel.apply/3, make sure the \
                     module is an atom. If you are using the dot syntax, such as module.function(), make sure the left-hand \
                     side of the dot is a module atom",
                    show(module, self.elixir)
                )))
            }
        }
    }

    /// `left.name`
    fn field(&mut self, name: &Atom) -> Result<Next, Exception> {
        let left = self.pop();
        let shown = || (show(&Value::atom(name.clone()), self.elixir), show(&left, self.elixir));
        if let Some(map) = left.as_map() {
            let value = map.get(&Value::atom(name.clone())).cloned().ok_or_else(|| {
                let (name, left) = shown();
                Exception::error("KeyError", format!("key {name} not found in: {left}"))
            })?;
            self.stack.push(value);
            return Ok(Next::On);
        }
        match left.as_atom() {
            Some(module) if !left.is_nil() && left.as_bool().is_none() => {
                self.dispatch(&module.clone(), name, Vec::new())
            }
            _ => {
                let (name, left) = shown();
                Err(Exception::error(
                    "KeyError",
                    format!(
                        "key {name} not found in: {left}. If you are using the dot syntax, such as map.field, make sure \
                         the left-hand side of the dot is a map"
                    ),
                ))
            }
        }
    }

    /// Gives a call to the host.
    fn host(&mut self, module: Option<Atom>, function: Atom, arguments: &[Value]) -> Result<Next, Exception> {
        let arguments = arguments.iter().map(Value::to_term).collect::<Result<Vec<_>, _>>();
        let arguments = arguments.map_err(|error| Exception::argument(error.to_string()))?;
        Ok(Next::Leave(Some(Event::Call(Call { module, function, arguments }))))
    }

    fn native(&mut self, native: &'static Native, arguments: Vec<Value>) -> Result<Next, Exception> {
        if native.heavy {
            let bytes: usize = arguments.iter().map(|argument| argument.size().bytes).sum();
            self.spend(bytes as u64 / 64)?;
        }
        match native.body {
            Body::Pure(body) => {
                let value = self.context(|cx| body(cx, &arguments))?;
                self.push(value)
            }
            Body::Task(body) => {
                let task = self.context(|cx| body(cx, arguments))?;
                self.task(task)
            }
        }
    }

    fn task(&mut self, task: Task) -> Result<Next, Exception> {
        match task {
            Task::Done(value) => self.push(value),
            Task::Walk(walk) => {
                if self.frames.len() >= self.limits.call_depth {
                    let limit = self.limits.call_depth as u64;
                    return Err(Exception::Limit { what: "the depth of calls", limit });
                }
                self.frames.push(Frame::Walk { walk, begun: false });
                Ok(Next::Leave(None))
            }
            Task::Invoke(function, arguments) => self.invoke(&function, arguments),
            Task::Dispatch(module, function, arguments) => self.dispatch(&module, &function, arguments),
            Task::Host(module, function, arguments) => self.host(Some(module), function, &arguments),
            Task::Output(text, value) => {
                self.stack.push(value);
                Ok(Next::Leave(Some(Event::Output(text))))
            }
        }
    }

    /// One step of a function that calls functions.
    pub(super) fn walk(&mut self, mut walk: Box<dyn Walk>, begun: bool) -> Flow {
        self.spend(1)?;
        self.slice = self.slice.saturating_sub(1);
        if self.slice == 0 {
            self.frames.push(Frame::Walk { walk, begun });
            return Ok(Some(Event::Pause));
        }
        let last = begun.then(|| self.pop());
        let step = self.context(|cx| walk.next(cx, last))?;
        match step {
            Step::Done(value) => {
                // What it held is in the value now.
                drop(walk);
                self.push(value)?;
                Ok(None)
            }
            Step::Call(function, arguments) => {
                self.check(&Value::NIL)?;
                let depth = self.frames.len();
                let next = self.invoke(&function, arguments)?;
                self.frames.insert(depth, Frame::Walk { walk, begun: true });
                match next {
                    Next::Leave(event) => Ok(event),
                    _ => Ok(None),
                }
            }
        }
    }
}
