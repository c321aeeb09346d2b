//! `iex --remsh` into this node: the functions that it calls here, and the session behind each.
//!
//! What it calls was observed of Elixir 1.14, 1.18 and 1.20; the terminal is then led over the io protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use beamline_elixir::Limits;
use beamline_elixir::complete::{Known, Place, cursor};
use beamline_node::{Message, Module, Node, Origin, Process, Raise};
use beamline_proto::NodeName;
use beamline_term::{Atom, Inspect, Pid, Reference, Term, atom};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tracing::{debug, info, warn};

use crate::calls::Reach;
use crate::io_client::{Line, Terminal};
use crate::prompt::{Entered, Outcome, Prompt};

/// Lets `iex --remsh` open a prompt at a node. Off unless a program turns it on.
///
/// Whoever has the cookie gets a prompt whose expressions run in this node's process, within [limits](Remsh::limits), and
/// whose calls are those that its node may make of the function table: nothing else can be reached. Each expression leaves one
/// line in the log (target `beamline::remsh`): who, from which node, and a hash of the text.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node) {
/// beamline_remsh::Remsh::new().sessions(2).serve(&node);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Remsh {
    sessions: usize,
    limits: Limits,
}

impl Default for Remsh {
    fn default() -> Remsh {
        let limits = Limits { steps: 5_000_000, memory_bytes: 32 << 20, ..Limits::default() };
        Remsh { sessions: 4, limits }
    }
}

/// The prompts that are open, by their processes.
type Prompts = HashMap<Pid, (Atom, Arc<Mutex<Prompt>>)>;
type Open = Arc<StdMutex<Prompts>>;

#[derive(Clone)]
struct Service {
    node: Node,
    settings: Remsh,
    room: Arc<Semaphore>,
    open: Open,
}

impl Remsh {
    /// With the default limits.
    pub fn new() -> Remsh {
        Remsh::default()
    }

    /// How many prompts may be open at once. Default 4.
    pub fn sessions(mut self, sessions: usize) -> Remsh {
        self.sessions = sessions;
        self
    }

    /// What one expression may cost. Default 5 million steps and 32 MiB, the variables of its prompt included.
    pub fn limits(mut self, limits: Limits) -> Remsh {
        self.limits = limits;
        self
    }

    /// Exports what `iex --remsh` calls. The node runs until it is stopped.
    pub fn serve(self, node: &Node) {
        let room = Arc::new(Semaphore::new(self.sessions));
        let service = Service { node: node.clone(), settings: self, room, open: Open::default() };
        let start = || {
            let service = service.clone();
            move |origin: Origin, arguments: Vec<Term>| {
                let service = service.clone();
                async move { service.start(origin, &arguments) }
            }
        };
        let expand = || {
            let service = service.clone();
            move |origin: Origin, arguments: Vec<Term>| {
                let service = service.clone();
                async move { Ok(service.expand(&origin, &arguments).await) }
            }
        };
        let erl = {
            let node = node.clone();
            move |origin: Origin, _: Vec<Term>| {
                let node = node.clone();
                async move { no_erlang(&node, origin) }
            }
        };
        node.export(Module::new("Elixir.IEx").function_from("start", 2, start()));
        node.export(Module::new("iex").function_from("start", 2, start()));
        node.export(Module::new("shell").function_from("start", 0, erl));
        node.export(Module::new("edlin_expand").function_from("expand", 1, expand()).function_from(
            "expand",
            2,
            expand(),
        ));
        node.export(Module::new("Elixir.IEx.Autocomplete").function_from("expand", 1, expand()).function_from(
            "expand",
            2,
            expand(),
        ));
        // Asked for the banner, whose default is in the question.
        node.export(
            Module::new("application")
                .function("get_env", |_: Atom, _: Atom, default: Term| async move { Ok(default) }),
        );
    }
}

/// `erl -remsh`: it would read Erlang, which nobody here does.
fn no_erlang(node: &Node, origin: Origin) -> Result<Term, Raise> {
    let leader = origin.group_leader.ok_or_else(|| Raise::error(atom("badarg")))?;
    let told = format!(
        "{} is a Rust node and reads no Erlang: use `iex --remsh {}` or `beamline shell --remsh {}`\n",
        node.name(),
        node.name(),
        node.name()
    );
    let pid = node.spawn(move |me| async move {
        let mut terminal = Terminal { me, leader };
        terminal.print(&told).await;
    });
    Ok(pid.into())
}

impl Service {
    /// `IEx.start(Options, {Module, Function, [Parent, Ref]})`: a process that leads the caller's terminal.
    fn start(&self, origin: Origin, arguments: &[Term]) -> Result<Term, Raise> {
        let leader = origin.group_leader.clone().ok_or_else(|| Raise::error(atom("badarg")))?;
        let begin = match arguments.get(1).and_then(Term::as_tuple) {
            Some([_, _, list]) => match list.as_list().map(|list| list.to_vec()).as_deref() {
                Some([Term::Pid(parent), Term::Reference(reference)]) => Some((parent.clone(), reference.clone())),
                _ => None,
            },
            _ => None,
        };
        let permit = Arc::clone(&self.room).try_acquire_owned().ok();
        let service = self.clone();
        let pid = self.node.spawn(move |me| async move {
            let terminal = Terminal { me, leader };
            service.lead(terminal, origin, begin, permit).await;
        });
        Ok(pid.into())
    }

    async fn lead(
        self,
        mut terminal: Terminal,
        origin: Origin,
        begin: Option<(Pid, Reference)>,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let Ok(guest) = NodeName::from_atom(&origin.node) else { return };
        // A function of the terminal's own node that asks here; one that has none completes by itself.
        let own = self.node.name().to_atom();
        let expand = self.node.call(&guest, ("Elixir.IEx.Autocomplete", "remsh"), (own,));
        let expand: Option<Term> = match expand.timeout(Duration::from_secs(2)).await {
            Ok(expand) => Some(expand),
            Err(error) => {
                debug!(%error, "the terminal completes by itself");
                None
            }
        };
        terminal.set_up(expand).await;
        if let Some((parent, reference)) = begin {
            greet(&mut terminal.me, &parent, &reference).await;
        }
        let Some(_permit) = permit else {
            warn!(target: "beamline::remsh", node = %guest, "refused a prompt: all {} are in use", self.settings.sessions);
            terminal.print("All prompts of this node are in use; try again when somebody has left.\n").await;
            return;
        };
        let this = terminal.me.pid().clone();
        let prompt = Prompt::new(&self.node, Reach::Guest(guest.clone()), self.settings.limits.clone());
        let prompt = Arc::new(Mutex::new(prompt.led_by(terminal.leader.clone())));
        self.lock().insert(this.clone(), (origin.node.clone(), Arc::clone(&prompt)));
        // Taken out however this process ends.
        let _closed = Closed { open: Arc::clone(&self.open), pid: this };
        info!(target: "beamline::remsh", node = %guest, "a prompt is open");
        let version = env!("CARGO_PKG_VERSION");
        let banner = format!(
            "Interactive Elixir at {}, a Rust node (Beamline {version}) - press Ctrl+C to exit (type h() ENTER for help)\n",
            self.node.name()
        );
        if terminal.print(&banner).await {
            self.converse(&mut terminal, &prompt, &guest).await;
        }
        info!(target: "beamline::remsh", node = %guest, "a prompt is closed");
    }

    async fn converse(&self, terminal: &mut Terminal, prompt: &Mutex<Prompt>, guest: &NodeName) {
        let mut text = String::new();
        loop {
            let before = if text.is_empty() { "iex" } else { "..." };
            let shown = {
                let prompt = prompt.lock().await;
                format!("{before}({})", prompt.target()) + &format!("{}> ", prompt.counter())
            };
            match terminal.read_line(&shown).await {
                Line::End | Line::Refused => return,
                Line::Interrupted => {
                    text.clear();
                    continue;
                }
                Line::Text(line) => text.push_str(&line),
            }
            match Prompt::entered(&text) {
                Entered::More if text.len() <= self.settings.limits.source_bytes => continue,
                Entered::Nothing => {
                    text.clear();
                    continue;
                }
                _ => {}
            }
            let entered = std::mem::take(&mut text);
            let who = terminal.leader.clone();
            let hash = data_of(&Sha256::digest(entered.as_bytes()));
            info!(target: "beamline::remsh", %who, node = %guest, code = %hash, bytes = entered.len(), "evaluates");
            let outcome = prompt.lock().await.evaluate(entered.trim_end(), terminal).await;
            let told = match outcome {
                Outcome::Value(value) => {
                    let width = terminal.columns().await;
                    format!("{}\n", Inspect::new(&value).width(width.min(80)))
                }
                Outcome::Failed { told, .. } => format!("{told}\n"),
                Outcome::Clear => "\u{1b}[2J\u{1b}[H".to_owned(),
                Outcome::Silent | Outcome::Respawned => continue,
            };
            if !terminal.print(&told).await {
                return;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Prompts> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tab: `{yes | no, Insert, Matches}` for a line that is given backwards.
    async fn expand(&self, origin: &Origin, arguments: &[Term]) -> Term {
        let nothing = || Term::from((atom("no"), Term::charlist(""), Term::nil()));
        let line = arguments.first().and_then(Term::as_list).and_then(|list| list.to_text()).unwrap_or_default();
        let before: String = line.chars().rev().collect();
        let shell = arguments.get(1).and_then(Term::as_pid);
        let found = {
            let open = self.lock();
            let of = |pid: &Pid| open.get(pid).filter(|(node, _)| *node == origin.node).map(|(_, prompt)| prompt);
            let any = || open.values().find(|(node, _)| *node == origin.node).map(|(_, prompt)| prompt);
            shell.and_then(of).or_else(any).cloned()
        };
        let Some(prompt) = found else { return nothing() };
        let Ok(prompt) = prompt.try_lock() else { return nothing() };
        let (insert, matches) = complete(&prompt, &before).await;
        if insert.is_empty() && matches.is_empty() {
            return nothing();
        }
        let matches = Term::list(matches.iter().map(|found| Term::charlist(found)));
        (atom("yes"), Term::charlist(&insert), matches).into()
    }
}

/// What Tab adds to a text, and what could stand there if that is nothing.
async fn complete(prompt: &Prompt, before: &str) -> (String, Vec<String>) {
    let cursor = cursor(before);
    let known = known(prompt, &cursor.place).await;
    let candidates = prompt.session().complete(before, &known);
    let typed = before.get(cursor.start..).unwrap_or_default();
    let common = candidates.iter().map(|candidate| candidate.text.as_str()).reduce(|common, text| {
        let same = common.char_indices().zip(text.chars()).take_while(|((_, one), other)| one == other);
        let end = same.last().map_or(0, |((at, last), _)| at + last.len_utf8());
        &common[..end]
    });
    let insert = common.and_then(|common| common.strip_prefix(typed)).unwrap_or_default().to_owned();
    let matches = if insert.is_empty() {
        candidates.iter().map(|candidate| candidate.shown.clone()).collect()
    } else {
        Vec::new()
    };
    (insert, matches)
}

/// What the node that is looked at knows of the word at the cursor.
pub async fn known(prompt: &Prompt, place: &Place) -> Known {
    let calls = prompt.calls();
    match place {
        Place::Module { .. } => Known { modules: calls.modules().await, ..Known::default() },
        Place::Function { module, prefix } => {
            let functions = match Atom::new(module) {
                Ok(module) => calls.exports(&module).await,
                Err(_) => Vec::new(),
            };
            let modules = if prefix.is_empty() { calls.modules().await } else { Vec::new() };
            Known { functions, modules, ..Known::default() }
        }
        Place::Atom { .. } => Known { modules: calls.modules().await, nodes: calls.nodes().await, ..Known::default() },
        _ => Known::default(),
    }
}

/// The answer that a starting `iex` waits for: `{begin, Ref, Self}`, and it says `{done, Ref}`.
async fn greet(me: &mut Process, parent: &Pid, reference: &Reference) {
    let greeting = Term::from((atom("begin"), reference.clone(), me.pid().clone()));
    if me.send(parent, &greeting).await.is_err() {
        return;
    }
    let done = |message: &Message| {
        message.is_tagged("done", 2)
            && message.term().is_ok_and(|term| {
                term.as_tuple().and_then(|tuple| tuple.get(1)).and_then(Term::as_reference) == Some(reference)
            })
    };
    // One that says nothing is served all the same.
    me.receive_matching_within(Duration::from_secs(2), done).await;
}

/// Takes a prompt out of the open ones.
struct Closed {
    open: Open,
    pid: Pid,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.pid);
    }
}

/// The first half of a digest, in hexadecimal.
fn data_of(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
