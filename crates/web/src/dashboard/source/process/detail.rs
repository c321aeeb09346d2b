//! One process in detail, and, for who may see it, what it holds: its messages, its dictionary, its state.

use beamline_proto::NodeName;
use beamline_term::{Atom, Inspect, Pid, Term};
use serde::{Deserialize, Serialize};

use super::super::ask::{Ask, optional};
use super::super::identity::Identity;
use super::super::read::{Props, cut, function, local, present, text};
use super::super::trouble::Trouble;

/// So many links and monitors are shown.
const RELATED: usize = 200;

/// So many calls of a stack.
const CALLS: usize = 50;

/// A queue that is longer is not fetched.
const MESSAGES: u64 = 200;

/// The longest text of what is revealed.
const REVEALED: usize = 20_000;

/// How long a process may take to tell its state, in milliseconds, as Erlang's observer waits.
const STATUS_TIME: u32 = 200;

const ITEMS: &[&str] = &[
    "registered_name",
    "initial_call",
    "current_function",
    "status",
    "message_queue_len",
    "links",
    "monitors",
    "monitored_by",
    "trap_exit",
    "priority",
    "group_leader",
    "parent",
    "heap_size",
    "stack_size",
    "total_heap_size",
    "memory",
    "reductions",
    "garbage_collection",
    "suspending",
    "error_handler",
    "current_stacktrace",
];

/// Those that a node that is no BEAM tells too.
const FEW: &[&str] = &[
    "registered_name",
    "initial_call",
    "current_function",
    "status",
    "message_queue_len",
    "links",
    "monitors",
    "monitored_by",
    "trap_exit",
    "group_leader",
    "memory",
    "reductions",
];

/// What a process is tied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Related {
    /// As it is shown.
    pub(crate) text: String,
    /// The process and its node, if it is one that can be looked at.
    pub(crate) pid: Option<String>,
    pub(crate) node: Option<String>,
}

/// A process. Sizes are in words of its node, unless they say bytes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Detail {
    pub(crate) pid: String,
    pub(crate) name: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) initial_call: Option<String>,
    pub(crate) current: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) queue: Option<u64>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) reductions: Option<u64>,
    pub(crate) trap_exit: Option<bool>,
    pub(crate) priority: Option<String>,
    pub(crate) group_leader: Option<Related>,
    pub(crate) parent: Option<Related>,
    pub(crate) heap: Option<u64>,
    pub(crate) total_heap: Option<u64>,
    pub(crate) stack: Option<u64>,
    pub(crate) links: Vec<Related>,
    pub(crate) monitors: Vec<Related>,
    pub(crate) monitored_by: Vec<Related>,
    /// How many more of the three there are than are shown.
    pub(crate) more: usize,
    pub(crate) garbage_collection: Vec<(String, String)>,
    pub(crate) suspending: usize,
    pub(crate) error_handler: Option<String>,
    pub(crate) stack_trace: Vec<String>,
}

/// The pid that an address names: `0.100.0` or `<0.100.0>`, as its own node prints it.
pub(crate) fn parse(text: &str, node: &NodeName, identity: &Identity) -> Result<Pid, Trouble> {
    let inner = text.trim_start_matches('<').trim_end_matches('>');
    let whole = format!("<{inner}>");
    Pid::parse_local(&whole, &identity.origin(node))
        .map_err(|_| Trouble::Absent { what: format!("{} is no pid of {node}.", cut(text.to_owned(), 40)) })
}

/// Asks about a process; `None` if it does not run.
pub(crate) async fn detail(ask: &Ask<'_>, pid: &Pid) -> Result<Option<Detail>, Trouble> {
    let (info, label, initial) = tokio::join!(
        info(ask, pid),
        ask.call("proc_lib", "get_label", (pid,)),
        ask.call("proc_lib", "translate_initial_call", (pid,)),
    );
    let Some(props) = info? else { return Ok(None) };
    let (label, initial) = (optional(label)?, optional(initial)?);
    let node = ask.peer();
    let mut more = 0;
    let mut related = |key: &str| {
        let list = props.get(key).and_then(Term::as_list);
        more += list.map_or(0, |list| list.len().saturating_sub(RELATED));
        let list = list.into_iter().flat_map(|list| list.iter()).take(RELATED);
        list.map(|term| Related::of(&term, node)).collect::<Vec<_>>()
    };
    let (links, monitors, monitored_by) = (related("links"), related("monitors"), related("monitored_by"));
    let mfa = |key: &str| props.get(key).and_then(function);
    let one = |key: &str| props.get(key).and_then(present).map(|term| Related::of(term, node));
    Ok(Some(Detail {
        pid: local(pid),
        name: props.text("registered_name"),
        label: label.as_ref().and_then(present).map(text),
        initial_call: initial.as_ref().and_then(function).or_else(|| mfa("initial_call")),
        current: mfa("current_function"),
        status: props.text("status"),
        queue: props.number("message_queue_len"),
        memory: props.number("memory"),
        reductions: props.number("reductions"),
        trap_exit: props.get("trap_exit").map(|value| value.is_atom("true")),
        priority: props.text("priority"),
        group_leader: one("group_leader"),
        parent: one("parent"),
        heap: props.number("heap_size"),
        total_heap: props.number("total_heap_size"),
        stack: props.number("stack_size"),
        links,
        monitors,
        monitored_by,
        more,
        garbage_collection: props
            .props("garbage_collection")
            .iter()
            .map(|(key, value)| (text(&key.clone().into()), text(value)))
            .collect(),
        suspending: props.get("suspending").and_then(Term::as_list).map_or(0, |list| list.len()),
        error_handler: props.text("error_handler"),
        stack_trace: stack(props.get("current_stacktrace")),
    }))
}

async fn info(ask: &Ask<'_>, pid: &Pid) -> Result<Option<Props>, Trouble> {
    let items = |items: &[&'static str]| Term::list(items.iter().map(|item| Term::atom(item)));
    let answer = match ask.call("erlang", "process_info", (pid, items(ITEMS))).await {
        // An item that it does not know.
        Err(Trouble::Failed { .. }) => ask.call("erlang", "process_info", (pid, items(FEW))).await?,
        answer => answer?,
    };
    match Props::of(&answer) {
        Some(props) if props.iter().next().is_some() => Ok(Some(props)),
        Some(_) => Err(ask.strange("erlang:process_info")),
        None => Ok(None),
    }
}

impl Related {
    /// A pid, a port, a name, `{process, Pid | {Name, Node}}`.
    fn of(term: &Term, node: &NodeName) -> Related {
        match term {
            Term::Pid(pid) => {
                let is_there = pid.node() == node.as_atom();
                let text = if is_there { local(pid) } else { format!("{} at {}", local(pid), pid.node().as_str()) };
                Related { text, pid: Some(local(pid)), node: Some(pid.node().as_str().to_owned()) }
            }
            Term::Tuple(_) => match term.as_tuple() {
                Some([kind, what]) if kind.as_atom().is_some() && what.as_pid().is_some() => Related::of(what, node),
                Some([_, what]) => match what.as_tuple() {
                    Some([name, at]) => Related::plain(format!("{} at {}", text(name), text(at))),
                    _ => Related::plain(text(what)),
                },
                _ => Related::plain(text(term)),
            },
            _ => Related::plain(text(term)),
        }
    }

    fn plain(text: String) -> Related {
        Related { text, pid: None, node: None }
    }
}

/// `[{M, F, A, [{file, File}, {line, Line}]}]`
fn stack(term: Option<&Term>) -> Vec<String> {
    let calls = term.and_then(Term::as_list).into_iter().flat_map(|list| list.iter());
    let call = |call: &Term| {
        let place = call.as_tuple().and_then(|parts| parts.get(3)).and_then(Props::of).unwrap_or_default();
        let function = function(call)?;
        Some(match (place.text("file"), place.number("line")) {
            (Some(file), Some(line)) => format!("{function} ({file}:{line})"),
            _ => function,
        })
    };
    calls.take(CALLS).filter_map(|it| call(&it)).collect()
}

/// Which secrets are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reveals {
    Messages,
    Dictionary,
    State,
}

impl Reveals {
    /// As it stands in an address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reveals::Messages => "messages",
            Reveals::Dictionary => "dictionary",
            Reveals::State => "state",
        }
    }
}

/// What a process holds, printed. Whoever calls this has checked that the visitor may see it.
pub(crate) async fn reveal(ask: &Ask<'_>, pid: &Pid, what: Reveals) -> Result<String, Trouble> {
    let info = async |item: &'static str| ask.call("erlang", "process_info", (pid, Atom::from_static(item))).await;
    let answer = match what {
        Reveals::Messages => {
            let length = info("message_queue_len").await?;
            let length = length.as_tuple().and_then(|pair| pair.get(1)?.as_u64()).unwrap_or_default();
            if length > MESSAGES {
                let what = format!("{length} messages wait: more than {MESSAGES} are not fetched.");
                return Err(Trouble::Absent { what });
            }
            info("messages").await?
        }
        Reveals::Dictionary => info("dictionary").await?,
        Reveals::State => ask.call("sys", "get_status", (pid, STATUS_TIME)).await?,
    };
    let value = match (what, answer.as_tuple()) {
        (Reveals::State, _) | (_, None) => &answer,
        (_, Some(pair)) => pair.last().unwrap_or(&answer),
    };
    let text = Inspect::new(value).width(98).limit(500).printable_limit(4096).to_string();
    Ok(match text.char_indices().nth(REVEALED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    })
}
