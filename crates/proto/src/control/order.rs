//! Between whom signals pass: which must keep their order, as those between one pair of processes must, and which can only
//! come from a process of the node that sends them.

use beamline_term::Pid;

use super::{Control, Target};

impl Control {
    /// Whether this signal may arrive before `earlier`, which was sent before it: not if one process sends both to what is,
    /// or may be, one other. A name or an alias may be anybody's.
    pub fn may_overtake(&self, earlier: &Control) -> bool {
        let (Some((from, to)), Some((earlier_from, earlier_to))) = (self.ends(), earlier.ends()) else { return true };
        let differ = |one: Option<&Pid>, two: Option<&Pid>| one.zip(two).is_some_and(|(one, two)| one != two);
        differ(from, earlier_from) || differ(to, earlier_to)
    }

    /// The process in whose name this is sent, if it must be one of the sending node: of ties, ends and spawns, but not of
    /// messages, which name whom they like.
    pub fn own_process(&self) -> Option<&Pid> {
        match self {
            Control::Link { from, .. }
            | Control::Exit { from, .. }
            | Control::UnlinkId { from, .. }
            | Control::UnlinkIdAck { from, .. }
            | Control::Monitor { from, .. }
            | Control::Demonitor { from, .. } => Some(from),
            Control::SpawnRequest(request) => Some(&request.from),
            _ => None,
        }
    }

    /// Sender and receiver, each if it is told as a pid. `None` for a process's beginning, before which it has sent nothing
    /// and nobody knows it.
    fn ends(&self) -> Option<(Option<&Pid>, Option<&Pid>)> {
        fn pid(target: &Target) -> Option<&Pid> {
            if let Target::Pid(pid) = target { Some(pid) } else { None }
        }
        Some(match self {
            Control::Link { from, to }
            | Control::Exit { from, to }
            | Control::Exit2 { from, to }
            | Control::UnlinkId { from, to, .. }
            | Control::UnlinkIdAck { from, to, .. }
            | Control::GroupLeader { from, to } => (Some(from), Some(to)),
            Control::Send { from, to } => (from.as_ref(), Some(to)),
            Control::RegSend { from, .. } | Control::RegExit2 { from, .. } => (Some(from), None),
            Control::AliasSend { from, .. } | Control::AliasExit2 { from, .. } => (Some(from), None),
            Control::Monitor { from, to, .. } | Control::Demonitor { from, to, .. } => (Some(from), pid(to)),
            Control::MonitorExit { from, to, .. } => (pid(from), Some(to)),
            Control::SpawnRequest(_) | Control::SpawnReply { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::{Creation, Origin, Reference, atom};

    fn pid(id: u32) -> Pid {
        Pid::new(atom("a@h"), id, 0, Creation::new(7))
    }

    #[test]
    fn only_what_is_surely_another_pair_may_overtake() {
        let send = |from, to| Control::Send { from: Some(pid(from)), to: pid(to) };
        let named = |from| Control::RegSend { from: pid(from), to: atom("rex") };
        let earlier = send(1, 2);
        assert!(!send(1, 2).may_overtake(&earlier));
        assert!(send(3, 2).may_overtake(&earlier));
        assert!(send(1, 3).may_overtake(&earlier));
        assert!(!named(1).may_overtake(&earlier), "the name may be that of 2");
        assert!(named(3).may_overtake(&earlier));
        assert!(!earlier.may_overtake(&named(1)));
        assert!(!Control::Exit { from: pid(1), to: pid(2) }.may_overtake(&earlier));
        assert!(!Control::Send { from: None, to: pid(2) }.may_overtake(&earlier));
        let reference = Reference::at(&Origin::new(atom("a@h"), Creation::new(7)), &[1]).unwrap_or_else(|_| panic!());
        let down = |from| Control::MonitorExit { from, to: pid(2), reference: reference.clone() };
        assert!(!down(Target::Name(atom("me"))).may_overtake(&earlier), "the name may be that of 1");
        assert!(down(Target::Pid(pid(3))).may_overtake(&earlier));
        let reply = Control::SpawnReply { reference, to: pid(2), flags: 0, result: Ok(pid(1)) };
        assert!(reply.may_overtake(&earlier));
    }
}
