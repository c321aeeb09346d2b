//! The machine: it runs code step by step on a stack of its own, and stops where the host has to do something.

mod host;
mod run;
mod session;

use std::sync::Arc;

use beamline_term::inspect::Elixir;
use beamline_term::{Atom, Term};

use crate::code::Code;
use crate::exception::Exception;
use crate::library::{Cx, Walk};
use crate::limits::Limits;
use crate::value::{Heap, Value};
pub use host::Host;
pub use session::{EvalError, Session};

/// A call that is not ours: of a module that the host or its node knows, or, without a module, of a helper of the host
/// (see [`Session::offer`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The module's atom, such as `Elixir.Node` or `erlang`. `self()` and `node()` are `erlang:self/0` and `erlang:node/0`.
    pub module: Option<Atom>,
    /// The function.
    pub function: Atom,
    /// The arguments.
    pub arguments: Vec<Term>,
}

impl Call {
    /// The exception for a function that nobody has.
    pub fn undefined(&self) -> Exception {
        let module = self.module.as_ref().map_or("nil", Atom::as_str);
        Exception::undefined(module, self.function.as_str(), self.arguments.len(), &[])
    }
}

/// What a running expression has come to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call for the host, which [`Evaluation::answer`] takes the result of.
    Call(Call),
    /// Text that is written, as `IO.puts` does. Nothing has to be answered.
    Output(Vec<u8>),
    /// Some ten thousand steps have passed: a host with others to serve may do that now.
    Pause,
    /// The end. The bindings of the session are changed if there is a value, and only then.
    Done(Result<Value, Exception>),
}

/// One expression under way. Nothing runs but in [`Evaluation::resume`]; dropping it cancels it, and leaves the bindings as
/// they were.
pub struct Evaluation<'s> {
    session: &'s mut Session,
    /// The names that the text has, with their slots, the last of a name being what it is bound to at the end.
    names: Vec<(String, usize)>,
    machine: Machine,
}

impl Evaluation<'_> {
    /// Runs until something happens that the host has to know. After [`Event::Done`] the result is an exception.
    pub fn resume(&mut self) -> Event {
        let event = self.machine.run();
        if let (Event::Done(Ok(_)), Some(variables)) = (&event, self.machine.variables.take()) {
            for (name, slot) in self.names.drain(..) {
                if let Some(value) = variables.get(slot) {
                    self.session.set(name, value.clone());
                }
            }
        }
        event
    }

    /// Gives the result of the last [`Event::Call`].
    pub fn answer(&mut self, result: Result<Term, Exception>) {
        self.machine.answer(result);
    }

    /// Where in the text the expression begins that runs, or ran last, in bytes: of several in a row the one that failed.
    pub fn place(&self) -> usize {
        self.machine.place
    }

    /// How many steps it has taken.
    pub fn steps(&self) -> u64 {
        self.machine.limits.steps.saturating_sub(self.machine.steps)
    }
}

/// So many steps until a pause.
const SLICE: u32 = 10_000;

struct Machine {
    frames: Vec<Frame>,
    stack: Vec<Value>,
    heap: Heap,
    limits: Limits,
    elixir: Elixir,
    /// How many steps are left.
    steps: u64,
    slice: u32,
    /// Where in the text it is.
    place: usize,
    state: State,
    /// The slots of the text itself, once it has ended.
    variables: Option<Vec<Value>>,
}

enum State {
    Ready,
    /// A call is with the host.
    Waiting,
    Failed(Exception),
    Ended,
}

enum Frame {
    Code(CodeFrame),
    Walk { walk: Box<dyn Walk>, begun: bool },
}

struct CodeFrame {
    code: Arc<Code>,
    at: usize,
    /// Where its variables begin on the stack.
    base: usize,
    /// Where to go on after an error in a guard, and how high the stack was.
    guard: Option<(usize, usize)>,
    main: bool,
}

impl Machine {
    fn new(code: Arc<Code>, captured: Vec<Value>, heap: Heap, limits: Limits, elixir: Elixir) -> Machine {
        let steps = limits.steps;
        let mut machine = Machine {
            frames: Vec::new(),
            stack: Vec::new(),
            heap,
            limits,
            elixir,
            steps,
            slice: SLICE,
            place: 0,
            state: State::Ready,
            variables: None,
        };
        machine.enter(code, Vec::new(), &captured, true);
        machine
    }

    /// Makes a frame; the caller has seen to the number of arguments.
    fn enter(&mut self, code: Arc<Code>, arguments: Vec<Value>, captured: &[Value], main: bool) {
        let base = self.stack.len();
        self.stack.extend(arguments);
        self.stack.resize(base + code.slots, Value::NIL);
        for (slot, value) in code.captures.iter().zip(captured) {
            if let Some(place) = self.stack.get_mut(base + slot) {
                *place = value.clone();
            }
        }
        self.frames.push(Frame::Code(CodeFrame { code, at: 0, base, guard: None, main }));
    }

    fn run(&mut self) -> Event {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Ready => {}
            State::Waiting => return self.fail(Exception::argument("the host did not answer a call")),
            State::Failed(exception) => return self.fail(exception),
            State::Ended => return self.fail(Exception::argument("the evaluation has ended")),
        }
        self.slice = SLICE;
        loop {
            let flow = match self.frames.pop() {
                None => {
                    self.state = State::Ended;
                    return Event::Done(Ok(self.stack.pop().unwrap_or(Value::NIL)));
                }
                Some(Frame::Code(frame)) => self.code(frame),
                Some(Frame::Walk { walk, begun }) => self.walk(walk, begun),
            };
            match flow {
                Ok(None) => {}
                Ok(Some(event)) => {
                    if matches!(event, Event::Call(_)) {
                        self.state = State::Waiting;
                    }
                    return event;
                }
                Err(exception) => return self.fail(exception),
            }
        }
    }

    fn fail(&mut self, exception: Exception) -> Event {
        self.frames.clear();
        self.stack.clear();
        self.state = State::Ended;
        Event::Done(Err(exception))
    }

    fn answer(&mut self, result: Result<Term, Exception>) {
        if !matches!(self.state, State::Waiting) {
            return;
        }
        self.state = match result.map(|term| self.heap.of_term(&term, self.limits.value_depth)) {
            Ok(Ok(value)) => match self.check(&value) {
                Ok(()) => {
                    self.stack.push(value);
                    State::Ready
                }
                Err(exception) => State::Failed(exception),
            },
            Ok(Err(_)) => State::Failed(self.too_deep()),
            Err(exception) => State::Failed(exception),
        };
    }

    fn too_deep(&self) -> Exception {
        Exception::Limit { what: "the nesting of a value", limit: self.limits.value_depth as u64 }
    }

    /// Takes steps from what is left.
    fn spend(&mut self, steps: u64) -> Result<(), Exception> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Exception::Limit { what: "the number of steps", limit: self.limits.steps }),
        }
    }

    /// Whether a value that was made, and all that is alive, is within the limits.
    fn check(&self, value: &Value) -> Result<(), Exception> {
        let size = value.size();
        if size.depth > self.limits.value_depth {
            return Err(self.too_deep());
        }
        if size.bytes > self.limits.memory_bytes || self.heap.live() > self.limits.memory_bytes {
            let limit = self.limits.memory_bytes as u64;
            return Err(Exception::Limit { what: "the memory of the values", limit });
        }
        Ok(())
    }

    fn context<T>(&mut self, call: impl FnOnce(&Cx<'_>) -> Result<T, Exception>) -> Result<T, Exception> {
        let context =
            Cx { heap: &self.heap, limits: &self.limits, elixir: self.elixir, spent: std::cell::Cell::new(0) };
        let result = call(&context);
        let spent = context.spent.get();
        self.spend(spent)?;
        result
    }
}
