//! Which peers are connected, and which connections are being made: at most one of each for a name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_proto::NodeName;
use beamline_proto::handshake::Status;
use beamline_term::Atom;
use tokio::sync::{Notify, watch};

use super::Connection;
use super::barred::Barred;
use crate::auto_connect::AutoConnect;
use crate::cause::Cause;

/// How an attempt to connect ended; `None` while it lasts.
pub(crate) type Verdict = Option<Result<(), Cause>>;

#[derive(Default)]
pub(crate) struct Slots {
    auto_connect: AutoConnect,
    attempts: Mutex<Attempts>,
    /// Told when a connection is up, and when a caller has given up.
    arrivals: Notify,
    up: papaya::HashMap<Atom, Arc<Connection>, foldhash::fast::RandomState>,
}

#[derive(Default)]
struct Attempts {
    /// Peers that we dial.
    dials: HashMap<NodeName, Dial>,
    /// Peers that dial us and were welcomed, with the number of their attempts.
    callers: HashMap<NodeName, usize>,
    /// Peers that only who asks for it is connected with again.
    barred: Barred,
}

struct Dial {
    verdict: watch::Receiver<Verdict>,
    yield_to_peer: Arc<Notify>,
}

/// Who wants a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Somebody who asked for just that.
    Asked,
    /// Something that needs one: a call, a message, a link.
    Needed,
}

/// What [`Slots::begin`] found.
pub(crate) enum Begin {
    /// Connected already.
    Up,
    /// Somebody else dials; wait with them.
    Wait(watch::Receiver<Verdict>),
    /// None is to be made for this wish.
    Refused(Cause),
    /// The caller is to dial, tell the verdict, and give way when told to.
    Dial { tell: watch::Sender<Verdict>, verdict: watch::Receiver<Verdict>, give_way: Arc<Notify> },
}

impl Slots {
    pub(crate) fn new(auto_connect: AutoConnect) -> Slots {
        Slots { auto_connect, ..Slots::default() }
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a node that is calling us: whether it has become connected. At once false if it is not calling.
    pub(crate) async fn call_arrives(&self, name: &NodeName) -> bool {
        self.arrives(name, |slots| !slots.attempts().callers.contains_key(name)).await
    }

    /// Waits until a node is connected.
    pub(crate) async fn is_up(&self, name: &NodeName) {
        self.arrives(name, |_| false).await;
    }

    async fn arrives(&self, name: &NodeName, is_over: impl Fn(&Slots) -> bool) -> bool {
        loop {
            let mut arrival = std::pin::pin!(self.arrivals.notified());
            // Before the look, so that nothing is missed between the two.
            arrival.as_mut().enable();
            // In this order: a call ends after its connection is up.
            let (is_over, is_up) = (is_over(self), self.get(name.as_atom()).is_some());
            if is_up || is_over {
                return is_up;
            }
            arrival.await;
        }
    }

    /// A welcomed attempt has ended, whichever way.
    pub(crate) fn call_ended(&self, name: &NodeName) {
        let mut attempts = self.attempts();
        if let Some(count) = attempts.callers.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                attempts.callers.remove(name);
            }
        }
        drop(attempts);
        self.arrivals.notify_waiters();
    }

    /// The connection with a node, if it is up. Takes no lock.
    pub(crate) fn get(&self, name: &Atom) -> Option<Arc<Connection>> {
        self.up.pin().get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.up.pin().values().cloned().collect()
    }

    pub(crate) fn begin(&self, name: &NodeName, wish: Wish) -> Begin {
        let Attempts { dials, barred, .. } = &mut *self.attempts();
        if self.get(name.as_atom()).is_some() {
            return Begin::Up;
        }
        if let Some(dial) = dials.get(name) {
            return Begin::Wait(dial.verdict.clone());
        }
        match (wish, self.auto_connect) {
            // Also if it comes to nothing: `net_kernel` bars no connection that was never up.
            (Wish::Asked, _) => barred.lift(name),
            (Wish::Needed, AutoConnect::Never) => return Begin::Refused(Cause::NotConnected),
            (Wish::Needed, _) if barred.contains(name) => return Begin::Refused(Cause::Barred),
            (Wish::Needed, _) => {}
        }
        let (tell, verdict) = watch::channel(None);
        let give_way = Arc::new(Notify::new());
        let dial = Dial { verdict: verdict.clone(), yield_to_peer: Arc::clone(&give_way) };
        dials.insert(name.clone(), dial);
        Begin::Dial { tell, verdict, give_way }
    }

    pub(crate) fn end(&self, name: &NodeName) {
        self.attempts().dials.remove(name);
    }

    /// How to answer a node that calls. Of two attempts that meet, that of the greater name goes on. Unless it is refused,
    /// [`Slots::call_ended`] must follow.
    pub(crate) fn answer(&self, own: &NodeName, peer: &NodeName) -> Status {
        let mut attempts = self.attempts();
        if own == peer {
            return Status::Nok;
        }
        if self.get(peer.as_atom()).is_some() {
            return Status::Alive;
        }
        let status = match attempts.dials.get(peer) {
            Some(_) if own > peer => return Status::Nok,
            Some(dial) => {
                dial.yield_to_peer.notify_one();
                Status::OkSimultaneous
            }
            None => Status::Ok,
        };
        *attempts.callers.entry(peer.clone()).or_default() += 1;
        status
    }

    /// Makes a connection the one with its peer. `replace` allows it to take the place of an earlier one, which is given
    /// back; without, an earlier one stays and the new one is refused.
    pub(crate) fn install(&self, connection: &Arc<Connection>, replace: bool) -> Result<Option<Arc<Connection>>, ()> {
        let mut attempts = self.attempts();
        let up = self.up.pin();
        let name = connection.peer.name.as_atom();
        let earlier = up.get(name).cloned();
        if earlier.is_some() && !replace {
            return Err(());
        }
        up.insert(name.clone(), Arc::clone(connection));
        attempts.barred.lift(&connection.peer.name);
        self.arrivals.notify_waiters();
        Ok(earlier)
    }

    /// Takes a connection out; false if another has its place by now.
    pub(crate) fn remove(&self, connection: &Arc<Connection>) -> bool {
        let mut attempts = self.attempts();
        let up = self.up.pin();
        let name = connection.peer.name.as_atom();
        let is_current = up.get(name).is_some_and(|current| Arc::ptr_eq(current, connection));
        if is_current && self.auto_connect == AutoConnect::Once {
            attempts.barred.add(&connection.peer.name);
        }
        is_current && up.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use beamline_proto::Creation;
    use beamline_proto::flags::Flags;
    use beamline_proto::handshake::Peer;
    use beamline_term::{Origin, Port, atom};
    use tokio::time::timeout;

    use super::super::Ends;
    use super::*;
    use crate::config::Limits;
    use crate::metrics::NodeMetrics;

    fn name(text: &str) -> NodeName {
        text.parse().unwrap()
    }

    fn connection() -> Arc<Connection> {
        let peer = Peer { name: name("b@h"), flags: Flags::OFFERED, creation: Creation::new(9) };
        let metrics = NodeMetrics::new(&name("a@h")).connection(&peer);
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let port = Port::at(&Origin::new(atom("a@h"), Creation::new(1)), 1);
        let ends = Ends { port, local: anywhere, remote: anywhere };
        Arc::new(Connection::new(peer, ends, &Limits::default(), metrics))
    }

    /// Polls once, so that it waits, then lets something happen.
    async fn waits_until(slots: &Slots, happen: impl FnOnce(&Slots)) -> bool {
        let peer = name("b@h");
        let mut arrival = std::pin::pin!(slots.call_arrives(&peer));
        assert!(timeout(Duration::ZERO, &mut arrival).await.is_err());
        happen(slots);
        timeout(Duration::from_secs(5), arrival).await.unwrap()
    }

    #[tokio::test]
    async fn whoever_waits_for_a_caller_hears_how_its_call_ended() {
        let slots = Slots::default();
        let (own, peer) = (name("a@h"), name("b@h"));
        assert!(!slots.call_arrives(&peer).await, "nobody calls");
        assert_eq!(slots.answer(&own, &peer), Status::Ok);
        assert!(!waits_until(&slots, |slots| slots.call_ended(&peer)).await);
        assert_eq!(slots.answer(&own, &peer), Status::Ok);
        assert!(waits_until(&slots, |slots| drop(slots.install(&connection(), false))).await);
        assert!(slots.call_arrives(&peer).await, "at once");
    }

    #[test]
    fn of_attempts_that_meet_that_of_the_greater_name_goes_on() {
        let slots = Slots::default();
        let (own, less, greater) = (name("m@h"), name("a@h"), name("z@h"));
        assert!([&less, &greater].into_iter().all(|peer| matches!(slots.begin(peer, Wish::Asked), Begin::Dial { .. })));
        assert!(matches!(slots.begin(&less, Wish::Needed), Begin::Wait(_)));
        assert_eq!(slots.answer(&own, &less), Status::Nok);
        assert_eq!(slots.answer(&own, &greater), Status::OkSimultaneous);
        assert_eq!(slots.answer(&own, &own), Status::Nok);
        slots.install(&connection(), false).unwrap();
        assert_eq!(slots.answer(&own, &name("b@h")), Status::Alive);
        assert!(slots.install(&connection(), false).is_err());
        assert!(slots.install(&connection(), true).unwrap().is_some());
    }

    #[test]
    fn who_was_lost_is_dialed_only_when_asked_for() {
        let slots = Slots::new(AutoConnect::Once);
        let (peer, connection) = (name("b@h"), connection());
        let needed = || slots.begin(&peer, Wish::Needed);
        assert!(matches!(needed(), Begin::Dial { .. }));
        slots.end(&peer);
        assert!(matches!(needed(), Begin::Dial { .. }), "what was never up is not barred");
        slots.install(&connection, false).unwrap();
        slots.end(&peer);
        assert!(matches!(needed(), Begin::Up));
        assert!(slots.remove(&connection));
        assert!(matches!(needed(), Begin::Refused(Cause::Barred)));
        assert!(matches!(slots.begin(&peer, Wish::Asked), Begin::Dial { .. }));
        assert!(matches!(needed(), Begin::Wait(_)), "with whoever asked");
        slots.end(&peer);
        assert!(matches!(needed(), Begin::Dial { .. }), "it was asked for, if in vain");
        slots.end(&peer);
        slots.install(&connection, false).unwrap();
        assert!(slots.remove(&connection));
        assert!(matches!(needed(), Begin::Refused(Cause::Barred)));
        assert_eq!(slots.answer(&name("a@h"), &peer), Status::Ok, "it may come by itself");
        assert!(matches!(needed(), Begin::Refused(Cause::Barred)), "as long as it is not in");
        slots.install(&connection, false).unwrap();
        assert!(matches!(needed(), Begin::Up));
    }
}
