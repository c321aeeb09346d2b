//! What the compiler makes of expressions, and the machine runs: operations on a stack of values.

use std::sync::Arc;

use beamline_term::Atom;

use crate::bits::Segment;
use crate::library::Native;
use crate::pattern::Pattern;
use crate::value::Value;

/// A function, or the whole text.
pub(crate) struct Code {
    pub(crate) arity: usize,
    /// How many places for variables it has, the arguments first.
    pub(crate) slots: usize,
    /// Where the captured values go.
    pub(crate) captures: Vec<usize>,
    pub(crate) ops: Vec<Op>,
}

pub(crate) enum Op {
    /// One of the expressions of the text begins, at this byte of it.
    Begin(usize),
    Push(Value),
    Load(usize),
    Pop,
    Duplicate,
    /// Of so many values a tuple.
    Tuple(usize),
    /// Of so many values a list, the last being its tail if so.
    List(usize, bool),
    /// Of so many pairs a map.
    Map(usize),
    /// Changes so many keys of the map under them; all must be there.
    Update(usize),
    /// Puts `__struct__` into a map.
    Struct(Atom),
    /// Joins so many binaries.
    Join(usize),
    /// Any value as a string, as `to_string/1`.
    ToText,
    ToCharlist,
    ToAtom,
    /// Of so many values a list of words of the top binary, with the modifier of `~w`.
    Words(char),
    /// The values of these segments, sizes behind them, as a binary.
    Bits(Box<[Segment]>),
    Jump(usize),
    JumpIfFalsy(usize),
    /// Jumps with the value if it is falsy, otherwise drops it.
    KeepIfFalsy(usize),
    KeepIfTruthy(usize),
    /// The left side of this operator has to be a boolean. Jumps with it if it decides.
    Decides(&'static str, usize),
    /// The value has to match; it stays.
    Match(Box<Pattern>),
    /// Takes the value and jumps if it does not match.
    TryMatch(Box<Pattern>, usize),
    /// From here to the check an error is as if it were false, which jumps.
    GuardBegin(usize),
    GuardCheck(usize),
    Closure(Arc<Code>, Box<[usize]>),
    Call(&'static Native, usize),
    /// A function that is not ours; without a module one of the host's own.
    External(Option<Atom>, Atom, usize),
    /// A function of the module that lies under so many arguments.
    Dynamic(Atom, usize),
    /// A field of a map, or a call without arguments.
    Field(Atom),
    /// Calls the function that lies under so many arguments.
    Apply(usize),
    Return,
    Fail(Failure),
}

#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// No clause for the value.
    Case,
    /// No clause of `with`'s `else` for the value.
    With,
    Cond,
    /// No clause for the arguments.
    Function,
}
