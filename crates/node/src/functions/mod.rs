//! The function table: what peers, shells and pages can call on this node, and nothing else.
//!
//! Functions stand under module, name and arity, as on any Erlang node. Their arguments and results pass as encoded terms:
//! a call from a peer is decoded straight into the types of the closure that serves it.

mod closure;
mod docs;
mod pace;
mod raise;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use beamline_proto::NodeName;
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, DecodeError, Pid, Term};
use bytes::Bytes;

use crate::process::{Code, Mfa};

pub use closure::Function;
pub(crate) use pace::Pace;
pub use raise::{Kind, Raise};

pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, Raise>> + Send>>;
/// Seeded anew for each table, and cheaper than the standard one.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
#[derive(Clone)]
enum Handler {
    Plain(Arc<dyn Fn(Mfa, Bytes) -> Answer + Send + Sync>),
    /// It wants to know who calls.
    Told(Arc<dyn Fn(Origin, Mfa, Bytes) -> Answer + Send + Sync>),
}

/// Who may call the functions of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Every node that knows the cookie.
    #[default]
    Everybody,
    /// These nodes, and this one.
    Nodes(Vec<NodeName>),
    /// This node alone.
    Local,
}

/// Who calls a function, for those that want to know: see [`Module::function_from`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The name of the node that calls; empty where the old form of a call does not say it.
    pub node: Atom,
    /// Who does the input and output of the caller, if the call says it.
    pub group_leader: Option<Pid>,
    /// The process in which the function runs, if it has one of its own.
    pub process: Option<Pid>,
}

/// A module of functions that a node exports.
///
/// ```
/// use beamline_node::{Module, Raise};
///
/// let module = Module::new("Elixir.Sum")
///     .function("add", |a: i64, b: i64| async move { Ok(a + b) })
///     .function("half", |a: i64| async move {
///         if a % 2 == 0 { Ok(a / 2) } else { Err(Raise::error("odd")) }
///     });
/// ```
#[derive(Clone)]
pub struct Module {
    name: &'static str,
    access: Access,
    functions: HashMap<(&'static str, usize), Arc<Exported>>,
    docs: docs::Docs,
    /// What was added last.
    last: Option<(&'static str, usize)>,
}

/// A function of the table.
pub(crate) struct Exported {
    mfa: Mfa,
    handler: Handler,
    /// None for one that needs its process.
    pace: Option<Pace>,
}

impl Exported {
    pub(crate) fn pace(&self) -> Option<&Pace> {
        self.pace.as_ref()
    }
}

/// Who calls, as far as it is known.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    /// The name of a node.
    pub(crate) node: &'a Atom,
    /// Asked for only by who wants to know.
    pub(crate) group_leader: &'a dyn Fn() -> Option<Pid>,
    /// The process that the function will run in.
    pub(crate) process: Option<&'a Pid>,
}

/// A call that has begun.
pub(crate) struct Begun {
    pub(crate) answer: Answer,
    /// The function, if there is one.
    pub(crate) function: Option<Arc<Exported>>,
}

impl Begun {
    /// What a process runs that does this.
    pub(crate) fn code(&self) -> Code {
        self.function.as_ref().map_or(Code::service("undefined"), |function| Code::Function(function.mfa))
    }
}

impl From<Answer> for Begun {
    fn from(answer: Answer) -> Begun {
        Begun { answer, function: None }
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.name).field("functions", &self.functions.keys()).finish()
    }
}

impl Module {
    /// An empty module. Elixir's `AppB` is called `Elixir.AppB`.
    pub fn new(name: &'static str) -> Module {
        Module {
            name,
            access: Access::Everybody,
            functions: HashMap::default(),
            docs: docs::Docs::default(),
            last: None,
        }
    }

    /// Adds a function. Its arity and the types of its arguments are the closure's.
    pub fn function<Arguments, F: Function<Arguments>>(mut self, name: &'static str, function: F) -> Module {
        let function = Arc::new(function);
        let handler = Handler::Plain(Arc::new(move |mfa: Mfa, arguments| {
            Arc::clone(&function).call(mfa.module, mfa.function, arguments)
        }));
        self.insert(name, F::ARITY, handler, Some(Pace::default()));
        self
    }

    fn insert(&mut self, function: &'static str, arity: usize, handler: Handler, pace: Option<Pace>) {
        let mfa = Mfa { module: self.name, function, arity };
        let name = (function, arity);
        self.last = Some(name);
        self.functions.insert(name, Arc::new(Exported { mfa, handler, pace }));
    }

    /// Adds a function that is told who calls it; it gets its arguments as they are, `arity` of them.
    ///
    /// ```
    /// use beamline_node::{Module, Origin};
    /// use beamline_term::Term;
    ///
    /// let module = Module::new("who").function_from("am_i", 0, |origin: Origin, _: Vec<Term>| async move {
    ///     Ok(origin.node.into())
    /// });
    /// ```
    pub fn function_from<F, Fut>(mut self, name: &'static str, arity: usize, function: F) -> Module
    where
        F: Fn(Origin, Vec<Term>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Term, Raise>> + Send + 'static,
    {
        self.insert(name, arity, told(function), Some(Pace::default()));
        self
    }

    /// As [`function_from`](Module::function_from), for a function that runs for long in the process that was asked for, and
    /// receives there: it is never run where the reader stands.
    pub(crate) fn process<F, Fut>(mut self, name: &'static str, arity: usize, function: F) -> Module
    where
        F: Fn(Origin, Vec<Term>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Term, Raise>> + Send + 'static,
    {
        self.insert(name, arity, told(function), None);
        self
    }

    /// Says who may call it. By default everybody who knows the cookie.
    pub fn access(mut self, access: Access) -> Module {
        self.access = access;
        self
    }
}

/// A function that gets its arguments as they are.
fn told<F, Fut>(function: F) -> Handler
where
    F: Fn(Origin, Vec<Term>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Term, Raise>> + Send + 'static,
{
    let function = Arc::new(function);
    Handler::Told(Arc::new(move |origin, mfa: Mfa, arguments: Bytes| -> Answer {
        let function = Arc::clone(&function);
        Box::pin(async move {
            let list = Decoder::new(&arguments).term().ok().and_then(|list| Some(list.as_list()?.to_vec()));
            let answer = match list {
                Some(list) => function(origin, list).await,
                None => Err(Raise::arguments()),
            };
            let value = answer.map_err(|raise| raise.located(mfa, arguments))?;
            let mut out = Vec::new();
            encode::term(&mut out, &value);
            Ok(out)
        })
    }))
}

/// What a call names: a module and a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionName {
    /// The module, `Elixir.AppB` or `erlang`.
    pub module: Atom,
    /// The function.
    pub function: Atom,
}

impl From<(&'static str, &'static str)> for FunctionName {
    fn from((module, function): (&'static str, &'static str)) -> FunctionName {
        FunctionName { module: Atom::from_static(module), function: Atom::from_static(function) }
    }
}

impl From<(Atom, Atom)> for FunctionName {
    fn from((module, function): (Atom, Atom)) -> FunctionName {
        FunctionName { module, function }
    }
}

/// The same, where it stands in a request: most functions are found without a copy.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) module: &'a str,
    pub(crate) function: &'a str,
}

impl Named<'_> {
    /// `None` if they are no atoms.
    fn to_name(self) -> Option<FunctionName> {
        Some(FunctionName { module: Atom::new(self.module).ok()?, function: Atom::new(self.function).ok()? })
    }
}

impl<'a> From<&'a FunctionName> for Named<'a> {
    fn from(FunctionName { module, function }: &'a FunctionName) -> Named<'a> {
        Named { module: module.as_str(), function: function.as_str() }
    }
}

/// All modules of a node.
pub(crate) struct Table(ArcSwap<HashMap<&'static str, Module>>);

impl Table {
    pub(crate) fn new(modules: impl IntoIterator<Item = Module>) -> Table {
        let table = Table(ArcSwap::default());
        modules.into_iter().for_each(|module| table.add(module));
        table
    }

    /// Adds a module; functions of a module of the same name stay beside the new ones.
    pub(crate) fn add(&self, module: Module) {
        self.0.rcu(|modules| {
            let mut modules = HashMap::clone(modules);
            let module = module.clone();
            modules
                .entry(module.name)
                .and_modify(|old| {
                    old.access = module.access.clone();
                    old.functions.extend(module.functions.clone());
                    old.docs.extend(module.docs.clone());
                })
                .or_insert(module);
            modules
        });
    }

    pub(crate) fn has_module(&self, name: &Atom) -> bool {
        self.0.load().contains_key(name.as_str())
    }

    /// Every exported function with its arity.
    pub(crate) fn exports(&self, module: &Atom) -> Vec<(Atom, usize)> {
        let atoms =
            |module: &Module| module.functions.keys().map(|(name, arity)| (Atom::from_static(name), *arity)).collect();
        self.0.load().get(module.as_str()).map(atoms).unwrap_or_default()
    }

    /// Every exported module.
    pub(crate) fn modules(&self) -> Vec<Atom> {
        self.0.load().keys().map(|name| Atom::from_static(name)).collect()
    }

    /// Calls a function. `arguments` is an encoded list.
    pub(crate) fn call(&self, name: &FunctionName, arguments: Bytes, caller: &Atom, own: &Atom) -> Answer {
        let by = By { node: caller, group_leader: &|| None, process: None };
        self.start(name.into(), arguments, by, own).answer
    }

    /// As [`Table::call`], and says how the function was known before.
    pub(crate) fn start(&self, named: Named<'_>, arguments: Bytes, by: By<'_>, own: &Atom) -> Begun {
        if named.module != "erlang" || named.function != "apply" {
            return self.start_named(named, arguments, by, own);
        }
        match applied(arguments) {
            Ok((name, arguments)) => self.start_named((&name).into(), arguments, by, own),
            Err(_) => {
                let answer: Answer = Box::pin(async { Err(Raise::error(beamline_term::atom("badarg"))) });
                answer.into()
            }
        }
    }

    fn start_named(&self, named: Named<'_>, arguments: Bytes, by: By<'_>, own: &Atom) -> Begun {
        let caller = by.node;
        let undefined = |arguments: Bytes| -> Begun {
            let answer: Answer = match named.to_name() {
                Some(name) => Box::pin(async move { Err(Raise::undefined(name, arguments)) }),
                None => Box::pin(async { Err(Raise::error(beamline_term::atom("badarg"))) }),
            };
            answer.into()
        };
        let arity = match list_length(&arguments) {
            Ok(arity) => arity,
            Err(_) => return undefined(arguments),
        };
        let modules = self.0.load();
        let Some(module) = modules.get(named.module) else { return undefined(arguments) };
        let allowed = caller == own
            || match &module.access {
                Access::Everybody => true,
                Access::Nodes(nodes) => nodes.iter().any(|node| node.as_atom() == caller),
                Access::Local => false,
            };
        if !allowed {
            let raise = Raise::error(beamline_term::atom("access_denied"));
            let answer: Answer = Box::pin(async move { Err(raise) });
            return answer.into();
        }
        // Keys that live as long as the name asked for do too.
        let functions: &HashMap<(&str, usize), _> = &module.functions;
        match functions.get(&(named.function, arity)) {
            Some(function) => {
                let answer = match &function.handler {
                    Handler::Plain(handler) => handler(function.mfa, arguments),
                    Handler::Told(handler) => {
                        let (node, group_leader, process) = (caller.clone(), (by.group_leader)(), by.process.cloned());
                        let origin = Origin { node, group_leader, process };
                        handler(origin, function.mfa, arguments)
                    }
                };
                Begun { answer, function: Some(Arc::clone(function)) }
            }
            None => undefined(arguments),
        }
    }
}

/// What `erlang:apply/3` with these arguments names, however often it is nested. It is taken apart here, and is no
/// function of the table, so that who calls it is who calls the function, and gets no further than by calling it directly.
fn applied(mut arguments: Bytes) -> Result<(FunctionName, Bytes), DecodeError> {
    let mut name = FunctionName::from(("erlang", "apply"));
    while name.module == "erlang" && name.function == "apply" && list_length(&arguments)? == 3 {
        let mut decoder = Decoder::new(&arguments);
        if decoder.peek_tag()? != tag::LIST {
            return Err(DecodeError::Invalid { what: "argument list", at: 0 });
        }
        decoder.list_header()?;
        name = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
        let inner = decoder.skip()?;
        list_length(&inner)?;
        arguments = inner;
    }
    Ok((name, arguments))
}

/// How many elements an encoded list has, whichever way it is written.
fn list_length(list: &Bytes) -> Result<usize, DecodeError> {
    let mut decoder = Decoder::new(list);
    match decoder.peek_tag()? {
        tag::NIL | tag::LIST => decoder.list_header(),
        _ => match decoder.term()?.as_list() {
            Some(list) => Ok(list.len()),
            None => Err(DecodeError::Invalid { what: "argument list", at: 0 }),
        },
    }
}
