//! The messages of `global_name_server`, parsed once where they come in and built where they go out.
//!
//! Protocol versions 6 to 8; the table of messages is the one at the top of OTP's `global`. Nothing here acts.

use beamline_term::{List, Pid, Term, atom};

use super::effect::LockId;
use crate::NodeName;

/// The protocol version that we speak.
pub(super) const VERSION: u32 = 8;
/// From here on lockers talk through the name servers; older peers are not served.
pub(super) const OLDEST: u32 = 6;
/// From here on known lists carry versions, and overlapping partitions are prevented.
pub(super) const PARTITION_VERSION: u32 = 7;
/// From here on sessions are acknowledged and cancelled.
pub(super) const ACK_VERSION: u32 = 8;

/// Separates one session between two nodes from the next; a peer's is any term.
pub(super) type Tag = Term;

/// A name, as it travels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: Term,
    pub(super) pid: Pid,
    pub(super) method: Term,
}

/// A change of the name table that both partitions apply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    Insert(Entry),
    Delete(Term),
}

impl Op {
    pub(super) fn name(&self) -> &Term {
        match self {
            Op::Insert(entry) => &entry.name,
            Op::Delete(name) => name,
        }
    }
}

/// A node of a known list, with version 0 if the sender did not know it.
pub(super) type Member = (NodeName, u32);

/// A name of a process that lives on a node without `global`, and the node that registered it.
pub(super) type External = (Term, Pid, NodeName);

#[derive(Debug, PartialEq)]
pub(super) enum Message {
    InitConnect {
        version: u32,
        tag: Tag,
        locker: Pid,
    },
    LockSet {
        locker: Pid,
        set: bool,
        tag: Option<Tag>,
    },
    Exchange {
        names: Vec<Entry>,
        tag: Tag,
    },
    Resolved {
        ops: Vec<Op>,
        known: Vec<Member>,
        externals: Vec<External>,
        tag: Tag,
    },
    NewNodes {
        ops: Vec<Op>,
        externals: Vec<External>,
        nodes: Vec<Member>,
        requester: Option<Term>,
    },
    /// Whether the sender has us among its members; OTP always says so, and does not look at it.
    InSync {
        known: bool,
    },
    /// The tags as the sender understood them.
    InitConnectAck {
        mine: Tag,
        theirs: Tag,
    },
    CancelConnect {
        tag: Tag,
    },
    LostConnection(LostConnection),
    RemoveConnection,
    Whereis {
        name: Term,
        from: Term,
    },
    Call {
        from: Term,
        caller: Pid,
        request: Request,
    },
}

/// `node` lost its connection to `other`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LostConnection {
    pub(super) node: NodeName,
    pub(super) creation: i64,
    pub(super) operation: i64,
    pub(super) other: NodeName,
}

#[derive(Debug, PartialEq)]
pub(super) enum Request {
    SetLock(LockId),
    DelLock(LockId),
    Register(Entry, Option<NodeName>),
    Unregister(Term),
    GetKnown,
    GetSynced,
    GetNamesExt,
    GetProtocolVersion,
    Info,
    Sync(Vec<NodeName>),
}

impl Message {
    /// Reads a message, and who sent it as far as the message says: `global` trusts whoever knows the cookie.
    pub(super) fn parse(message: &Term) -> Option<(NodeName, Message)> {
        match message.as_tuple()? {
            [kind, body] if kind.is_atom("$gen_cast") => cast(body),
            [kind, from, request] if kind.is_atom("$gen_call") => call(from, request),
            elements => info(elements),
        }
    }
}

fn cast(body: &Term) -> Option<(NodeName, Message)> {
    let (kind, arguments) = body.as_tuple()?.split_first()?;
    let sender = node_of(arguments.first()?);
    Some(match (kind.as_atom()?.as_str(), arguments) {
        ("init_connect", [version, from, locker]) => {
            let ([version, tag, ..], [_, _, _, locker]) = (version.as_tuple()?, locker.as_tuple()?) else {
                return None;
            };
            let from = node_of(from)?;
            let locker = locker.as_pid().filter(|pid| pid.node() == from.as_atom())?.clone();
            let version = u32::try_from(version.as_u64()?).ok()?;
            (from, Message::InitConnect { version, tag: tag.clone(), locker })
        }
        ("lock_set", [locker, set, _known, rest @ ..]) if rest.len() < 2 => {
            let locker = locker.as_pid()?;
            (home(locker)?, Message::LockSet { locker: locker.clone(), set: boolean(set)?, tag: rest.first().cloned() })
        }
        ("exchange", [_, names, _externals, tag]) => {
            (sender?, Message::Exchange { names: list(names, entry)?, tag: tag.clone() })
        }
        ("resolved", [_, ops, known, _, externals, tag]) => {
            let (ops, known, externals) = (list(ops, op)?, list(known, member)?, list(externals, external)?);
            (sender?, Message::Resolved { ops, known, externals, tag: tag.clone() })
        }
        ("new_nodes", [_, ops, externals, nodes, extra]) => {
            let (ops, nodes, externals) = (list(ops, op)?, list(nodes, member)?, list(externals, external)?);
            (sender?, Message::NewNodes { ops, externals, nodes, requester: requester(extra) })
        }
        ("in_sync", [_, known]) => (sender?, Message::InSync { known: !known.is_atom("false") }),
        _ => return None,
    })
}

fn call(from: &Term, request: &Term) -> Option<(NodeName, Message)> {
    let [caller, _tag] = from.as_tuple()? else { return None };
    let caller = caller.as_pid()?.clone();
    let request = parse_request(request)?;
    Some((home(&caller)?, Message::Call { from: from.clone(), caller, request }))
}

fn parse_request(request: &Term) -> Option<Request> {
    if let Some(word) = request.as_atom() {
        return Some(match word.as_str() {
            "get_known" => Request::GetKnown,
            "get_synced" => Request::GetSynced,
            "get_names_ext" => Request::GetNamesExt,
            "get_protocol_version" => Request::GetProtocolVersion,
            "info" => Request::Info,
            _ => return None,
        });
    }
    let (kind, arguments) = request.as_tuple()?.split_first()?;
    Some(match (kind.as_atom()?.as_str(), arguments) {
        ("set_lock", [lock]) => Request::SetLock(lock_id(lock)?),
        ("del_lock", [lock]) => Request::DelLock(lock_id(lock)?),
        ("register", [name, pid, method]) => Request::Register(entry_of(name, pid, method)?, None),
        ("register_ext", [name, pid, method, node]) => {
            Request::Register(entry_of(name, pid, method)?, Some(node_of(node)?))
        }
        ("unregister", [name]) => Request::Unregister(name.clone()),
        ("sync", [nodes]) => Request::Sync(list(nodes, node_of)?),
        _ => return None,
    })
}

fn info(elements: &[Term]) -> Option<(NodeName, Message)> {
    let (kind, arguments) = elements.split_first()?;
    let sender = node_of(arguments.first()?);
    Some(match (kind.as_atom()?.as_str(), arguments) {
        ("init_connect_ack", [_, mine, theirs]) => {
            (sender?, Message::InitConnectAck { mine: mine.clone(), theirs: theirs.clone() })
        }
        ("cancel_connect", [_, tag]) => (sender?, Message::CancelConnect { tag: tag.clone() }),
        ("lost_connection", [_, creation, operation, other]) => {
            let (node, other) = (sender?, node_of(other)?);
            let (creation, operation) = (creation.as_i64()?, operation.as_i64()?);
            (node.clone(), Message::LostConnection(LostConnection { node, creation, operation, other }))
        }
        ("remove_connection", [_]) => (sender?, Message::RemoveConnection),
        ("whereis", [name, from]) => {
            let [caller, _tag] = from.as_tuple()? else { return None };
            (home(caller.as_pid()?)?, Message::Whereis { name: name.clone(), from: from.clone() })
        }
        _ => return None,
    })
}

fn list<T>(term: &Term, read: impl Fn(&Term) -> Option<T>) -> Option<Vec<T>> {
    term.as_list()?.iter().map(|element| read(&element)).collect()
}

fn boolean(term: &Term) -> Option<bool> {
    match term.as_atom()?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn node_of(term: &Term) -> Option<NodeName> {
    NodeName::from_atom(term.as_atom()?).ok()
}

fn home(pid: &Pid) -> Option<NodeName> {
    NodeName::from_atom(pid.node()).ok()
}

fn lock_id(term: &Term) -> Option<LockId> {
    let [resource, requester] = term.as_tuple()? else { return None };
    Some(LockId { resource: resource.clone(), requester: requester.clone() })
}

fn entry(term: &Term) -> Option<Entry> {
    let [name, pid, method] = term.as_tuple()? else { return None };
    entry_of(name, pid, method)
}

fn entry_of(name: &Term, pid: &Term, method: &Term) -> Option<Entry> {
    Some(Entry { name: name.clone(), pid: pid.as_pid()?.clone(), method: method.clone() })
}

fn op(term: &Term) -> Option<Op> {
    match term.as_tuple()? {
        [kind, inserted] if kind.is_atom("insert") => entry(inserted).map(Op::Insert),
        [kind, name] if kind.is_atom("delete") => Some(Op::Delete(name.clone())),
        _ => None,
    }
}

fn member(term: &Term) -> Option<Member> {
    match term.as_tuple() {
        Some([node, version]) => Some((node_of(node)?, u32::try_from(version.as_u64()?).ok()?)),
        Some(_) => None,
        None => Some((node_of(term)?, 0)),
    }
}

fn external(term: &Term) -> Option<External> {
    let [name, pid, node] = term.as_tuple()? else { return None };
    Some((name.clone(), pid.as_pid()?.clone(), node_of(node)?))
}

/// In whose name the lock is held under which the names change: `[{vsn, V}, {lock, {global, Requester}}]`, where BEAM
/// writes the whole lock.
fn requester(extra: &Term) -> Option<Term> {
    extra.as_list()?.iter().find_map(|item| match item.as_tuple()? {
        [key, lock] if key.is_atom("lock") => lock_id(lock).map(|lock| lock.requester),
        _ => None,
    })
}

fn gen_cast(body: impl Into<Term>) -> Term {
    (atom("$gen_cast"), body.into()).into()
}

pub(super) fn init_connect(me: &NodeName, tag: &Tag, locker: &Pid) -> Term {
    let locker: Term = (atom("locker"), atom("no_longer_a_pid"), Term::map([]), locker.clone()).into();
    gen_cast((atom("init_connect"), (i64::from(VERSION), tag.clone()), me, locker))
}

pub(super) fn init_connect_ack(me: &NodeName, theirs: &Tag, mine: &Tag) -> Term {
    (atom("init_connect_ack"), me, theirs.clone(), mine.clone()).into()
}

pub(super) fn cancel_connect(me: &NodeName, theirs: &Tag) -> Term {
    (atom("cancel_connect"), me, theirs.clone()).into()
}

pub(super) fn lock_set(locker: &Pid, set: bool, known: Vec<Term>, tag: Option<&Tag>) -> Term {
    match tag {
        Some(tag) => gen_cast((atom("lock_set"), locker.clone(), set, known, tag.clone())),
        None => gen_cast(untagged_lock_set(locker, set, known)),
    }
}

/// The form that an older peer's locker reads itself.
pub(super) fn untagged_lock_set(locker: &Pid, set: bool, known: Vec<Term>) -> Term {
    (atom("lock_set"), locker.clone(), set, known).into()
}

pub(super) fn exchange(me: &NodeName, names: Vec<Term>, theirs: &Tag) -> Term {
    gen_cast((atom("exchange"), me, names, Term::nil(), theirs.clone()))
}

pub(super) fn resolved(me: &NodeName, ops: &[Op], known: Vec<Term>, externals: Vec<Term>, theirs: &Tag) -> Term {
    gen_cast((atom("resolved"), me, ops_term(ops), known, atom("unused"), externals, theirs.clone()))
}

pub(super) fn new_nodes(
    me: &NodeName,
    ops: &[Op],
    externals: &[External],
    nodes: Vec<Term>,
    version: u32,
    lock: &LockId,
) -> Term {
    let extra = Term::list([(atom("vsn"), i64::from(version)).into(), (atom("lock"), lock_term(lock)).into()]);
    let externals: Vec<Term> = externals.iter().map(external_term).collect();
    gen_cast((atom("new_nodes"), me, ops_term(ops), externals, nodes, extra))
}

pub(super) fn in_sync(me: &NodeName, known: bool) -> Term {
    gen_cast((atom("in_sync"), me, known))
}

pub(super) fn lost_connection(lost: &LostConnection) -> Term {
    (atom("lost_connection"), &lost.node, lost.creation, lost.operation, &lost.other).into()
}

pub(super) fn remove_connection(me: &NodeName) -> Term {
    (atom("remove_connection"), me).into()
}

pub(super) fn lock_term(lock: &LockId) -> Term {
    (lock.resource.clone(), lock.requester.clone()).into()
}

pub(super) fn entry_term(entry: &Entry) -> Term {
    (entry.name.clone(), entry.pid.clone(), entry.method.clone()).into()
}

pub(super) fn external_term((name, pid, node): &External) -> Term {
    (name.clone(), pid.clone(), node).into()
}

/// A known list as peers of this version read it.
pub(super) fn members_term<'a>(members: impl IntoIterator<Item = (&'a NodeName, u32)>, version: u32) -> Vec<Term> {
    let versioned = version >= PARTITION_VERSION;
    let term = |(node, version): (&NodeName, u32)| match versioned {
        true => (node, i64::from(version)).into(),
        false => node.into(),
    };
    members.into_iter().map(term).collect()
}

fn ops_term(ops: &[Op]) -> Term {
    let term = |op: &Op| match op {
        Op::Insert(entry) => (atom("insert"), entry_term(entry)).into(),
        Op::Delete(name) => (atom("delete"), name.clone()).into(),
    };
    Term::List(List::new(ops.iter().map(term)))
}

pub(super) fn set_lock(lock: &LockId) -> Term {
    (atom("set_lock"), lock_term(lock)).into()
}

pub(super) fn del_lock(lock: &LockId) -> Term {
    (atom("del_lock"), lock_term(lock)).into()
}

pub(super) fn register(entry: &Entry) -> Term {
    (atom("register"), entry.name.clone(), entry.pid.clone(), entry.method.clone()).into()
}

pub(super) fn unregister(name: &Term) -> Term {
    (atom("unregister"), name.clone()).into()
}
