//! The messages between scopes, parsed once where they come in and built where they go out. Nothing here acts.

use beamline_term::{Pid, Term, atom};

pub(super) enum Message {
    /// A scope makes itself known and asks for our groups.
    Discover(Pid),
    /// All groups of a scope.
    Sync(Pid, Vec<(Term, Vec<Pid>)>),
    Join(Pid, Term, Vec<Pid>),
    Leave(Pid, Vec<Pid>, Vec<Term>),
}

impl Message {
    pub(super) fn parse(message: &Term) -> Option<Message> {
        let (kind, rest) = message.as_tuple()?.split_first()?;
        Some(match (kind.as_atom()?.as_str(), rest) {
            // The third element is the version, from OTP 29 on.
            ("discover", [peer] | [peer, _]) => Message::Discover(peer.as_pid()?.clone()),
            ("join", [peer, group, pids]) => Message::Join(peer.as_pid()?.clone(), group.clone(), pids_of(pids)?),
            ("leave", [peer, pids, groups]) => {
                Message::Leave(peer.as_pid()?.clone(), pids_of(pids)?, groups.as_list()?.to_vec())
            }
            ("$gen_cast", [cast]) => {
                let [kind, peer, groups] = cast.as_tuple()? else { return None };
                if !kind.is_atom("sync") {
                    return None;
                }
                let groups = groups.as_list()?.iter().map(|entry| {
                    let [group, pids] = entry.as_tuple()? else { return None };
                    Some((group.clone(), pids_of(pids)?))
                });
                Message::Sync(peer.as_pid()?.clone(), groups.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

/// One pid, or a list of them.
fn pids_of(term: &Term) -> Option<Vec<Pid>> {
    match term {
        Term::Pid(pid) => Some(vec![pid.clone()]),
        _ => term.as_list()?.iter().map(|pid| pid.as_pid().cloned()).collect(),
    }
}

/// As a list, but for one alone.
fn pids_term(pids: &[Pid]) -> Term {
    match pids {
        [pid] => pid.clone().into(),
        _ => Term::list(pids.iter().cloned().map(Term::Pid)),
    }
}

pub(super) fn discover(me: &Pid) -> Term {
    (atom("discover"), me.clone()).into()
}

pub(super) fn sync(me: &Pid, groups: Vec<(&Term, &[Pid])>) -> Term {
    let groups = groups.into_iter().map(|(group, pids)| {
        let pids = Term::list(pids.iter().cloned().map(Term::Pid));
        Term::from((group.clone(), pids))
    });
    (atom("$gen_cast"), (atom("sync"), me.clone(), Term::list(groups))).into()
}

pub(super) fn join(me: &Pid, group: &Term, pids: &[Pid]) -> Term {
    (atom("join"), me.clone(), group.clone(), pids_term(pids)).into()
}

pub(super) fn leave(me: &Pid, pids: &[Pid], groups: &[Term]) -> Term {
    (atom("leave"), me.clone(), pids_term(pids), Term::list(groups.iter().cloned())).into()
}
