//! The functions that are known here. None does I/O: what needs a process, a node or a terminal is given to the host.

mod bitwise;
mod docs;
mod enumerable;
mod integer;
mod io;
mod kernel;
mod keyword;
mod list;
mod map;
pub(crate) mod operations;
mod operator;
mod sort;
mod string;
mod support;
mod text;
mod walk;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::OnceLock;

use beamline_term::Atom;
use beamline_term::inspect::Elixir;

use crate::exception::Exception;
use crate::limits::Limits;
use crate::value::{Heap, Value};
pub use docs::{Documentation, documentation};
pub(crate) use text::{charlist, text_of};
pub(crate) use walk::{Step, Walk};

pub(crate) type Outcome = Result<Value, Exception>;

/// A function that is known here.
pub(crate) struct Native {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) least: usize,
    pub(crate) most: usize,
    /// Whether it takes time by the size of its arguments.
    pub(crate) heavy: bool,
    /// Whether it is one of Erlang's own under the same name.
    pub(crate) erlang: bool,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// It has its result at once.
    Pure(fn(&Cx<'_>, &[Value]) -> Outcome),
    /// It calls functions, or needs the host.
    Task(fn(&Cx<'_>, Vec<Value>) -> Result<Task, Exception>),
}

/// What is left to do for a function's result.
pub(crate) enum Task {
    Done(Value),
    Walk(Box<dyn Walk>),
    /// Call a function.
    Invoke(Value, Vec<Value>),
    /// Call a function by its names.
    Dispatch(Atom, Atom, Vec<Value>),
    /// Call a function of the host.
    Host(Atom, Atom, Vec<Value>),
    /// Write a text; then the result is this.
    Output(Vec<u8>, Value),
}

/// What functions work with.
pub(crate) struct Cx<'a> {
    pub(crate) heap: &'a Heap,
    pub(crate) limits: &'a Limits,
    pub(crate) elixir: Elixir,
    /// Steps that a function took beside its own.
    pub(crate) spent: Cell<u64>,
}

impl Cx<'_> {
    pub(crate) fn spend(&self, steps: usize) {
        self.spent.set(self.spent.get().saturating_add(steps as u64));
    }

    /// Refuses what would be larger than all values may be.
    pub(crate) fn room(&self, bytes: usize) -> Result<(), Exception> {
        if bytes > self.limits.memory_bytes.saturating_sub(self.heap.live()) {
            return Err(Exception::Limit { what: "the memory of the values", limit: self.limits.memory_bytes as u64 });
        }
        Ok(())
    }

    pub(crate) fn show(&self, value: &Value) -> String {
        crate::exception::show(value, self.elixir)
    }

    /// No clause of a function takes these arguments.
    pub(crate) fn clause(&self, function: &str, arguments: &[Value]) -> Exception {
        Exception::clause(function, arguments, self.elixir)
    }

    pub(crate) fn text(&self, text: impl Into<String>) -> Value {
        self.heap.binary(text.into())
    }
}

/// `functions!(MODULE; "name"/1..2 heavy => body, ..)`
macro_rules! natives {
    ($module:literal; $($name:literal $least:literal $(..$most:literal)? $($flag:ident)* => $kind:ident $body:expr),* $(,)?) => {
        pub(in crate::library) const FUNCTIONS: &[crate::library::Native] = &[$(
            crate::library::Native {
                module: $module,
                name: $name,
                least: $least,
                most: { let most = $least; $(let most = $most + 0 * most;)? most },
                heavy: false $(|| crate::library::is_flag(stringify!($flag), "heavy"))*,
                erlang: false $(|| crate::library::is_flag(stringify!($flag), "erlang"))*,
                body: crate::library::Body::$kind($body),
            },
        )*];
    };
}
pub(crate) use natives;

/// Whether a flag of [`natives`] is this one, while compiling.
const fn is_flag(flag: &str, other: &str) -> bool {
    let (flag, other) = (flag.as_bytes(), other.as_bytes());
    if flag.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < flag.len() {
        if flag[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// All of them, a table for each module or part of one.
fn tables() -> [&'static [Native]; 22] {
    [
        operator::FUNCTIONS,
        kernel::FUNCTIONS,
        kernel::TASKS,
        enumerable::FUNCTIONS,
        enumerable::select::FUNCTIONS,
        enumerable::combine::FUNCTIONS,
        string::FUNCTIONS,
        string::split::FUNCTIONS,
        map::FUNCTIONS,
        map::set::FUNCTIONS,
        keyword::FUNCTIONS,
        list::FUNCTIONS,
        integer::FUNCTIONS,
        integer::float::FUNCTIONS,
        support::TUPLE,
        support::ATOM,
        support::MODULE,
        kernel::small::access_functions::FUNCTIONS,
        kernel::small::function_functions::FUNCTIONS,
        kernel::small::range_functions::FUNCTIONS,
        io::FUNCTIONS,
        bitwise::FUNCTIONS,
    ]
}

/// Every function by module and name.
fn index() -> &'static HashMap<(&'static str, &'static str), Vec<&'static Native>> {
    static INDEX: OnceLock<HashMap<(&'static str, &'static str), Vec<&'static Native>>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index: HashMap<_, Vec<_>> = HashMap::new();
        for native in all() {
            index.entry((native.module, native.name)).or_default().push(native);
            if native.erlang {
                index.entry(("erlang", native.name)).or_default().push(native);
            }
        }
        index
    })
}

/// Every function that is known here.
pub(crate) fn all() -> impl Iterator<Item = &'static Native> {
    tables().into_iter().flatten()
}

/// The functions that are known here: module without `Elixir.`, name, and how many arguments they take, sorted.
///
/// ```
/// assert!(beamline_elixir::functions().iter().any(|(module, name, arity)| (*module, *name, *arity) == ("Enum", "map", 2)));
/// ```
pub fn functions() -> Vec<(&'static str, &'static str, usize)> {
    let each = |native: &'static Native| (native.least..=native.most).map(|arity| (native.module, native.name, arity));
    let mut functions: Vec<_> = all().flat_map(each).collect();
    functions.sort_unstable();
    functions
}

/// The functions of a module that are known here, by its atom (`Elixir.Enum`).
pub(crate) fn exports(module: &str) -> impl Iterator<Item = (&'static str, usize)> {
    let alias = module.strip_prefix("Elixir.");
    let ours = move |native: &&Native| alias == Some(native.module) || (module == "erlang" && native.erlang);
    all().filter(ours).flat_map(|native| (native.least..=native.most).map(|arity| (native.name, arity)))
}

/// A function by the atom of its module (`Elixir.Enum`), its name and how many arguments it gets.
pub(crate) fn find(module: &str, name: &str, arity: usize) -> Option<&'static Native> {
    let module = module.strip_prefix("Elixir.").or((module == "erlang").then_some(module))?;
    let named = index().get(&(module, name))?;
    named.iter().find(|native| (native.least..=native.most).contains(&arity)).copied()
}

/// A function of `Kernel`.
pub(crate) fn kernel(name: &str, arity: usize) -> Option<&'static Native> {
    find("Elixir.Kernel", name, arity)
}
