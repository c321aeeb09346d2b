//! What a prompt's calls come to: each is one call of the function table of a node, but for those about the prompt's own node.

use std::sync::Arc;
use std::time::Duration;

use beamline_elixir::{Call, Exception};
use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Term, atom};

use crate::led::led_call;
use crate::letters::Letters;
use crate::wrappers::wrapped;

/// How long a call may take. A prompt is patient: whoever sits there has Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// For whom a prompt makes its calls, and so what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// Whoever runs this node: its prompt also connects, calls other nodes and sends.
    Own,
    /// A tool that looks at another node: calls go there; `:rpc.call` goes from here to where it says.
    Other(NodeName),
    /// A guest from that node at this node's prompt: it may call what that node may call here, and nothing elsewhere.
    Guest(NodeName),
}

/// Makes the calls of a prompt.
#[derive(Debug, Clone)]
pub struct Calls {
    node: Node,
    reach: Reach,
    letters: Arc<Letters>,
    leader: Option<Pid>,
}

impl Calls {
    pub(crate) fn new(node: &Node, reach: Reach) -> Calls {
        Calls { node: node.clone(), reach, letters: Arc::new(Letters::start(node)), leader: None }
    }

    /// That process gets what functions of other nodes print and ask.
    pub(crate) fn led_by(self, leader: Pid) -> Calls {
        Calls { leader: Some(leader), ..self }
    }

    /// What `self()` was sent.
    pub(crate) fn letters(&self) -> &Letters {
        &self.letters
    }

    /// The node that is looked at.
    pub fn target(&self) -> &NodeName {
        match &self.reach {
            Reach::Other(target) => target,
            Reach::Own | Reach::Guest(_) => self.node.name(),
        }
    }

    /// The node that makes the calls.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What it may do.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Calls a function of a node, or of the target.
    pub(crate) async fn at(
        &self,
        node: Option<&NodeName>,
        (module, function): (Atom, Atom),
        arguments: Vec<Term>,
        time: Option<Duration>,
    ) -> Result<Term, CallError> {
        let node = node.unwrap_or(self.target());
        if let (Some(leader), None, true) = (&self.leader, time, node != self.node.name()) {
            return led_call(&self.node, node, leader, (module, function), arguments).await;
        }
        let mut call = self.node.call(node, (module, function), arguments).timeout(time.unwrap_or(PATIENCE));
        if let Some(leader) = &self.leader {
            call = call.led_by(leader);
        }
        match &self.reach {
            Reach::Guest(guest) => call.on_behalf_of(guest).await,
            Reach::Own | Reach::Other(_) => call.await,
        }
    }

    /// Does what a call of a function that the language does not have asks for.
    ///
    /// # Errors
    /// The function failed, in Elixir's words; or the node cannot be reached.
    pub async fn call(&self, call: Call) -> Result<Term, Exception> {
        let Some(module) = &call.module else { return Err(call.undefined()) };
        let arguments = call.arguments.as_slice();
        match (module.as_str(), call.function.as_str(), arguments) {
            ("erlang", "self", []) => return Ok(self.letters.pid().clone().into()),
            ("erlang", "node", []) => return Ok(self.target().to_atom().into()),
            ("erlang", "node", [Term::Pid(pid)]) => return Ok(pid.node().clone().into()),
            ("erlang", "node", [Term::Reference(reference)]) => return Ok(reference.node().clone().into()),
            ("rpc" | "erpc", "call", [node, module, function, list] | [node, module, function, list, _]) => {
                return self.elsewhere(&call, node, (module, function), list, arguments.get(4)).await;
            }
            _ => {}
        }
        if self.reach == Reach::Own
            && let Some(value) = self.own(&call).await
        {
            return value;
        }
        let name = (module.clone(), call.function.clone());
        match self.at(None, name, call.arguments.clone(), None).await {
            Ok(value) => Ok(value),
            Err(error) => self.another_way(&call, error).await,
        }
    }

    /// A node without Elixir's modules may have the function under a name of Erlang's.
    async fn another_way(&self, call: &Call, error: CallError) -> Result<Term, Exception> {
        let name = call.module.as_ref().map_or("", Atom::as_str);
        if let Some(wrapped) = wrapped(name, call.function.as_str(), call.arguments.len())
            && is_undefined(call, &error)
        {
            let name = (atom(wrapped.module), atom(wrapped.function));
            let answer = self.at(None, name, call.arguments.clone(), None).await;
            if let Ok(value) = answer {
                return Ok(wrapped.answer(value));
            }
        }
        Err(self.failed(None, call, error).await)
    }

    /// What a call that failed says at a prompt; `node` is the one that was called, if not the target.
    async fn failed(&self, node: Option<&NodeName>, call: &Call, error: CallError) -> Exception {
        let CallError::Raised { reason, stack, .. } = &error else { return failed(call, error) };
        if !reason.is_atom("undef") {
            return failed(call, error);
        }
        // What is missing may be deep inside of what was called.
        let (module, function, arity) = top(stack)
            .or_else(|| Some((call.module.clone()?, call.function.clone(), call.arguments.len())))
            .unwrap_or((atom("nil"), call.function.clone(), call.arguments.len()));
        let exports = self.exports_of(node, &module).await;
        Exception::undefined(module.as_str(), function.as_str(), arity, &exports)
    }

    /// `:rpc.call` and `:erpc.call`.
    async fn elsewhere(
        &self,
        call: &Call,
        node: &Term,
        (module, function): (&Term, &Term),
        list: &Term,
        time: Option<&Term>,
    ) -> Result<Term, Exception> {
        let (Some(node), Some(module), Some(function), Some(list)) =
            (node.as_atom(), module.as_atom(), function.as_atom(), list.as_list())
        else {
            return Err(Exception::error(
                "ArgumentError",
                "expected a node, a module, a function and a list of arguments",
            ));
        };
        let node = NodeName::from_atom(node).map_err(|error| Exception::error("ArgumentError", error.to_string()))?;
        if matches!(self.reach, Reach::Guest(_)) && node != *self.node.name() {
            let told = format!("this prompt of {} calls no other nodes; call {node} from your own", self.node.name());
            return Err(Exception::error("RuntimeError", told));
        }
        let time = time.and_then(Term::as_u64).map(Duration::from_millis);
        let result = self.at(Some(&node), (module.clone(), function.clone()), list.to_vec(), time).await;
        match (result, call.module.as_ref().is_some_and(|module| module == "rpc")) {
            (Ok(value), _) => Ok(value),
            (Err(error), true) => Ok(badrpc(error)),
            (Err(error), false) => {
                let (module, function) = (Some(module.clone()), function.clone());
                let call = Call { module, function, arguments: list.to_vec() };
                Err(self.failed(Some(&node), &call, error).await)
            }
        }
    }

    /// What only the prompt of the node itself may do.
    async fn own(&self, call: &Call) -> Option<Result<Term, Exception>> {
        let module = call.module.as_ref()?.as_str();
        let peer = || NodeName::from_atom(call.arguments.first()?.as_atom()?).ok();
        Some(Ok(match (module, call.function.as_str(), call.arguments.as_slice()) {
            ("Elixir.Node", "connect", [Term::Atom(_)]) | ("net_kernel", "connect_node", [Term::Atom(_)]) => {
                self.connect(&peer()?).await
            }
            ("Elixir.Node", "disconnect", [Term::Atom(_)]) | ("erlang", "disconnect_node", [Term::Atom(_)]) => {
                self.node.disconnect(&peer()?).into()
            }
            ("Elixir.Node", "ping", [Term::Atom(_)]) | ("net_adm", "ping", [Term::Atom(_)]) => {
                let peer = peer()?;
                let up = peer == *self.node.name() || self.node.ping(&peer).await.is_ok();
                atom(if up { "pong" } else { "pang" }).into()
            }
            ("erlang", "send", [to, message]) | ("Elixir.Process", "send", [to, message, _]) => {
                return Some(self.send(to, message).await);
            }
            ("global", "whereis_name", [name]) => match self.node.global().whereis(name) {
                Some(pid) => pid.into(),
                None => Term::atom("undefined"),
            },
            ("global", "registered_names", []) => {
                Term::list(self.node.global().names().into_iter().map(|(name, _)| name))
            }
            ("Elixir.Process", "whereis", [Term::Atom(name)]) => match self.node.whereis(name.as_str()) {
                Some(pid) => pid.into(),
                None => Term::atom("nil"),
            },
            ("Elixir.Process", "alive?", [Term::Pid(pid)]) if pid.node() == self.node.name().as_atom() => {
                self.node.is_alive(pid).into()
            }
            _ => return None,
        }))
    }

    /// `true`, `false`, as `Node.connect` has it.
    async fn connect(&self, peer: &NodeName) -> Term {
        if peer == self.node.name() {
            return true.into();
        }
        match self.node.connect(peer).await {
            Ok(()) => true.into(),
            Err(error) => {
                tracing::warn!("{error}");
                false.into()
            }
        }
    }

    async fn send(&self, to: &Term, message: &Term) -> Result<Term, Exception> {
        let no_destination = || Exception::error("ArgumentError", format!("nobody to send to: {to}"));
        let sent = match (to, to.as_tuple()) {
            (Term::Pid(pid), _) => self.node.send(pid, message).await,
            (Term::Atom(name), _) if self.node.whereis(name.as_str()).is_none() => return Err(no_destination()),
            (Term::Atom(name), _) => self.node.send(name.clone(), message).await,
            (_, Some([Term::Atom(name), Term::Atom(node)])) => {
                let node = NodeName::from_atom(node).map_err(|_| no_destination())?;
                self.node.send((name.clone(), &node), message).await
            }
            _ => return Err(no_destination()),
        };
        // Who does not exist gets nothing; who cannot be reached neither, as in Erlang.
        if let Err(error) = sent {
            tracing::warn!("{error}");
        }
        Ok(message.clone())
    }
}

/// What `:rpc.call` gives in place of a value.
fn badrpc(error: CallError) -> Term {
    let exit = |reason: Term| Term::from((atom("EXIT"), reason));
    let reason = match error {
        CallError::Thrown { value, .. } => return value,
        CallError::Raised { reason, stack, .. } => exit((reason, stack).into()),
        CallError::Exited { reason, .. } => exit(reason),
        CallError::Timeout { .. } => Term::atom("timeout"),
        CallError::Refused { reason, .. } => reason.into(),
        CallError::Connect(_) | CallError::NodeDown { .. } => Term::atom("nodedown"),
        other => exit(other.to_string().into()),
    };
    (atom("badrpc"), reason).into()
}

/// The function at the top of a stack, and how many arguments it takes.
fn top(stack: &Term) -> Option<(Atom, Atom, usize)> {
    let first = stack.as_list()?.iter().next()?;
    let [Term::Atom(module), Term::Atom(function), last, ..] = first.as_tuple()? else { return None };
    let arity = match last.as_list() {
        Some(arguments) => arguments.len(),
        None => usize::try_from(last.as_u64()?).ok()?,
    };
    Some((module.clone(), function.clone(), arity))
}

/// Whether the node has no such function, which is another thing than that it calls one.
fn is_undefined(call: &Call, error: &CallError) -> bool {
    let CallError::Raised { reason, stack, .. } = error else { return false };
    reason.is_atom("undef")
        && top(stack).is_none_or(|(module, function, arity)| {
            Some(&module) == call.module.as_ref() && function == call.function && arity == call.arguments.len()
        })
}

/// What a call that failed says at a prompt.
fn failed(call: &Call, error: CallError) -> Exception {
    match error {
        CallError::Raised { reason, .. } => raised(call, &reason),
        CallError::Thrown { value, .. } => Exception::Throw(value),
        CallError::Exited { reason, .. } => Exception::Exit(reason),
        other => Exception::error("ErlangError", format!("the call could not be made: {other}")),
    }
}

/// Erlang's reasons in the words of Elixir's exceptions.
fn raised(call: &Call, reason: &Term) -> Exception {
    if let Some(map) = reason.as_map()
        && let Some(name) = map.struct_name()
    {
        let name = name.as_str();
        let name = name.strip_prefix("Elixir.").unwrap_or(name);
        let message = match map.get_atom("message").and_then(Term::as_str) {
            Some(message) => message.to_owned(),
            None => reason.to_string(),
        };
        return Exception::error(name, message);
    }
    match reason.as_atom().map(Atom::as_str) {
        Some("undef") => call.undefined(),
        Some("badarg") => Exception::error("ArgumentError", "argument error"),
        Some("badarith") => Exception::error("ArithmeticError", "bad argument in arithmetic expression"),
        Some("function_clause") => {
            let module = call.module.clone().map_or_else(String::new, |module| Term::from(module).to_string());
            let name = format!("{module}.{}/{}", call.function.as_str(), call.arguments.len());
            let given: String = call.arguments.iter().map(|argument| format!("\n    {argument}")).collect();
            let given = if given.is_empty() { given } else { format!("\n\nThe arguments were:\n{given}") };
            Exception::error("FunctionClauseError", format!("no function clause matching in {name}{given}"))
        }
        Some("access_denied") => {
            Exception::error("RuntimeError", "the node lets this function be called by others only (access_denied)")
        }
        _ => Exception::error("ErlangError", format!("Erlang error: {reason}")),
    }
}
