//! The network of a cluster under test: all its connections pass through here, so that they can be cut and held.
//!
//! Every place (each node, and the outside, from which the test calls) has an epmd of its own. It tells the place's own node
//! as it is, and every other node at the port of a relay that serves this pair alone ([`link`]). So a pair is cut by its two
//! relays, and neither the nodes nor the programs know of it.

mod epmd;
mod link;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_proto::epmd::{Name, NodeInfo};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A node's place, or the outside's.
pub(super) type Place = usize;

/// Where the test itself stands.
pub(super) const OUTSIDE: Place = 0;

/// How it is with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// Nothing passes, and nothing is closed.
    Held,
    /// What is open is closed, and what is opened too.
    Cut,
}

pub(super) struct Network {
    shared: Arc<Shared>,
    /// Their end is the end of the network.
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    places: Vec<PlaceState>,
    /// By who calls and who is called.
    links: HashMap<(Place, Place), Link>,
    /// The smaller place first.
    cuts: HashSet<(Place, Place)>,
    registrations: u64,
}

#[derive(Default)]
struct PlaceState {
    /// The node's; the outside has none.
    name: Option<Name>,
    epmd_port: u16,
    /// What is registered with this place's epmd, with the number of the registration.
    registered: HashMap<Name, (u64, NodeInfo)>,
    held: bool,
    gone: bool,
}

struct Link {
    port: u16,
    mode: watch::Sender<Mode>,
}

impl Network {
    /// One with the outside alone.
    pub(super) async fn new() -> io::Result<Network> {
        let network = Network { shared: Arc::default(), tasks: Mutex::default() };
        network.add(None).await?;
        Ok(network)
    }

    /// A place for the node of this name.
    pub(super) async fn add(&self, name: Option<Name>) -> io::Result<Place> {
        let (door, epmd_port) = listen().await?;
        let place = {
            let mut state = self.shared.state();
            state.places.push(PlaceState { name, epmd_port, ..PlaceState::default() });
            state.places.len() - 1
        };
        self.spawn(epmd::serve(door, place, Arc::clone(&self.shared)));
        for other in 0..place {
            self.link(other, place).await?;
            if other != OUTSIDE {
                self.link(place, other).await?;
            }
        }
        Ok(place)
    }

    async fn link(&self, from: Place, to: Place) -> io::Result<()> {
        let (door, port) = listen().await?;
        let (mode, told) = watch::channel(Mode::Open);
        self.shared.state().links.insert((from, to), Link { port, mode });
        self.spawn(link::serve(door, to, told, Arc::clone(&self.shared)));
        Ok(())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Of the place's epmd.
    pub(super) fn epmd_port(&self, place: Place) -> u16 {
        self.shared.state().places[place].epmd_port
    }

    /// Whether the place's node is registered.
    pub(super) fn is_registered(&self, place: Place) -> bool {
        self.shared.state().port_of(place).is_some()
    }

    /// Cuts or heals a pair.
    pub(super) fn cut(&self, one: Place, other: Place, cut: bool) {
        let mut state = self.shared.state();
        let pair = (one.min(other), one.max(other));
        if cut {
            state.cuts.insert(pair);
        } else {
            state.cuts.remove(&pair);
        }
        state.tell();
    }

    /// Heals all pairs.
    pub(super) fn heal(&self) {
        let mut state = self.shared.state();
        state.cuts.clear();
        state.tell();
    }

    /// Holds all that goes to and from a place, or lets it go.
    pub(super) fn hold(&self, place: Place, held: bool) {
        let mut state = self.shared.state();
        state.places[place].held = held;
        state.tell();
    }

    /// Cuts a place off from all, the outside too, or takes it back.
    pub(super) fn cut_off(&self, place: Place, gone: bool) {
        let mut state = self.shared.state();
        state.places[place].gone = gone;
        state.tell();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn mode(&self, from: Place, to: Place) -> Mode {
        let any = |is: fn(&PlaceState) -> bool| [from, to].iter().any(|place| is(&self.places[*place]));
        if self.cuts.contains(&(from.min(to), from.max(to))) || any(|place| place.gone) {
            Mode::Cut
        } else if any(|place| place.held) {
            Mode::Held
        } else {
            Mode::Open
        }
    }

    /// Tells every link how it is with it now.
    fn tell(&self) {
        for ((from, to), link) in &self.links {
            let mode = self.mode(*from, *to);
            link.mode.send_if_modified(|old| std::mem::replace(old, mode) != mode);
        }
    }

    /// Where the place's node really listens.
    fn port_of(&self, place: Place) -> Option<u16> {
        let place = self.places.get(place)?;
        place.registered.get(place.name.as_ref()?).map(|(_, info)| info.port)
    }

    /// What the place's epmd knows: its own as it is, the others at their relays.
    fn seen_from(&self, from: Place) -> Vec<NodeInfo> {
        let own = self.places[from].registered.values().map(|(_, info)| info.clone());
        let others = self.places.iter().enumerate().filter(|(to, _)| *to != from).filter_map(|(to, place)| {
            let (_, info) = place.registered.get(place.name.as_ref()?)?;
            let link = self.links.get(&(from, to))?;
            Some(NodeInfo { port: link.port, ..info.clone() })
        });
        own.chain(others).collect()
    }
}

async fn listen() -> io::Result<(TcpListener, u16)> {
    let door = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let port = door.local_addr()?.port();
    Ok((door, port))
}
