//! Heartbeats by UDP multicast. `Cluster.Strategy.Gossip`, byte for byte.
//!
//! Choose it where the nodes share a network that carries multicast: one host, one LAN, a compose file; not for most
//! clouds. It needs no configuration:
//!
//! ```sh
//! LIBCLUSTER_STRATEGY=gossip app_a --name app_a@127.0.0.1 --cookie secret
//! ```
//!
//! ```toml
//! [topologies.lan]
//! strategy = "Cluster.Strategy.Gossip"
//!
//! [topologies.lan.config]
//! multicast_if = "192.168.1.1"
//! secret = "somepassword"
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `port` | 45892 | UDP port, ours and theirs; shared with other nodes of the host, Erlang's among them |
//! | `if_addr` | 0.0.0.0 | address to bind |
//! | `multicast_addr` | 233.252.1.32 | the group, or the broadcast address |
//! | `multicast_if` | none | address of the interface that sends and listens; else the system chooses |
//! | `multicast_ttl` | 1 | how many networks a heartbeat may cross |
//! | `broadcast_only` | false | join no group; for networks without multicast, with `multicast_addr = "255.255.255.255"` |
//! | `secret` | none | encrypts heartbeats; all nodes of the cluster need the same |
//!
//! The first heartbeat goes out at once, the next after random pauses up to 5 s. Whoever hears a heartbeat of a node that
//! it is not connected to dials it; since every node listens before it sends, of any two nodes one hears the other's
//! first. Nobody is ever disconnected.
//!
//! Datagrams are easily made up, and recorded ones sent again, with a `secret` too: nothing but the cookie keeps a stranger
//! out, and what datagrams can cause is bounded by the [`reconciler`](crate::reconciler). Junk is thrown away. Heartbeats of
//! another cluster are reported once: those that are not encrypted as ours are, or that look encrypted where ours are
//! not, and the first that the cookie refuses.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};

use beamline_proto::{
    NodeName,
    gossip::{self, Refused, Secret},
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, trace};

use super::{Running, StartFailure, Strategy};
use crate::{Reports, config::Section};

/// The longest pause between two heartbeats.
const MAX_PAUSE: Duration = Duration::from_millis(5000);

/// At most one heartbeat out of turn in this time.
const EARLY_GAP: Duration = Duration::from_secs(1);

/// So many datagrams are read before anything else gets its turn.
const BATCH: usize = 64;

/// The configuration of the strategy, with libcluster's keys.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gossip {
    /// UDP port to listen on and send to.
    pub port: u16,
    /// Address to bind.
    pub if_addr: Ipv4Addr,
    /// The multicast group, or the broadcast address.
    pub multicast_addr: Ipv4Addr,
    /// Address of the interface to send and listen on; `None` lets the system choose.
    pub multicast_if: Option<Ipv4Addr>,
    /// How many networks a heartbeat may cross.
    pub multicast_ttl: u32,
    /// Whether no multicast group is joined.
    pub broadcast_only: bool,
    /// Encrypts heartbeats, and reads no others.
    pub secret: Option<Secret>,
}

impl Default for Gossip {
    fn default() -> Self {
        Self {
            port: 45892,
            if_addr: Ipv4Addr::UNSPECIFIED,
            multicast_addr: Ipv4Addr::new(233, 252, 1, 32),
            multicast_if: None,
            multicast_ttl: 1,
            broadcast_only: false,
            secret: None,
        }
    }
}

/// Why gossip cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GossipError {
    /// The socket could not be opened.
    #[error("cannot listen on UDP port {port}: {source}; does another program hold it without sharing?")]
    Socket {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The multicast group could not be joined on the interface that was chosen.
    #[error("cannot join the multicast group {group} on {interface}: {source}; is it an address of this machine?")]
    Interface {
        /// `multicast_addr`.
        group: Ipv4Addr,
        /// `multicast_if`.
        interface: Ipv4Addr,
        /// What the system said.
        source: io::Error,
    },
}

impl Gossip {
    pub(crate) const MODULE: &str = "Cluster.Strategy.Gossip";

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let default = Self::default();
        Some(Arc::new(Self {
            port: section.port("port").unwrap_or(default.port),
            if_addr: section.ipv4("if_addr").unwrap_or(default.if_addr),
            multicast_addr: section.ipv4("multicast_addr").unwrap_or(default.multicast_addr),
            multicast_if: section.ipv4("multicast_if"),
            multicast_ttl: section.integer("multicast_ttl", 0..=255).map_or(default.multicast_ttl, |ttl| ttl as u32),
            broadcast_only: section.boolean("broadcast_only").unwrap_or(default.broadcast_only),
            secret: section.string("secret").map(|secret| Secret::new(secret.as_bytes())),
        }))
    }

    /// Opens the socket as libcluster does on Linux: SO_REUSEADDR is what lets nodes of one host share the port.
    fn open(&self) -> Result<UdpSocket, GossipError> {
        let socket = self.bind().map_err(|source| GossipError::Socket { port: self.port, source })?;
        if !self.broadcast_only {
            self.join(&socket)?;
        }
        UdpSocket::from_std(socket.into()).map_err(|source| GossipError::Socket { port: self.port, source })
    }

    fn bind(&self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_broadcast(true)?;
        if !self.broadcast_only {
            socket.set_multicast_loop_v4(true)?;
            socket.set_multicast_ttl_v4(self.multicast_ttl)?;
        }
        socket.bind(&SocketAddrV4::new(self.if_addr, self.port).into())?;
        Ok(socket)
    }

    fn join(&self, socket: &Socket) -> Result<(), GossipError> {
        let group = self.multicast_addr;
        let on = |interface: Ipv4Addr| {
            socket.join_multicast_v4(&group, &interface)?;
            socket.set_multicast_if_v4(&interface)
        };
        if let Some(interface) = self.multicast_if {
            return on(interface).map_err(|source| GossipError::Interface { group, interface, source });
        }
        if let Err(error) = socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED) {
            // A machine without a network has no interface to choose; its own nodes still meet on loopback.
            debug!(%error, "no interface for multicast, using loopback");
            let interface = Ipv4Addr::LOCALHOST;
            on(interface).map_err(|source| GossipError::Interface { group, interface, source })?;
        }
        Ok(())
    }

    /// Joins the group on an interface that has come since: whoever is taken off a network and put onto it again, as
    /// containers are, gets a new interface, on which nobody has joined.
    fn rejoin(&self, socket: &UdpSocket) {
        if self.broadcast_only {
            return;
        }
        let socket = SockRef::from(socket);
        // An error says that it has joined already, or that there is no network now.
        let interface = self.multicast_if.unwrap_or(Ipv4Addr::UNSPECIFIED);
        if socket.join_multicast_v4(&self.multicast_addr, &interface).is_ok() {
            debug!("joined {} anew", self.multicast_addr);
            if let Err(error) = socket.set_multicast_if_v4(&interface) {
                debug!(%error, "the interface for multicast stays as it was");
            }
        }
    }

    /// Listens for heartbeats without sending any, for a tool that is no node.
    ///
    /// # Errors
    /// The socket could not be opened, or the group not be joined.
    pub fn overhear(&self) -> Result<Overhearing, GossipError> {
        Ok(Overhearing { socket: self.open()?, config: self.clone() })
    }

    fn packet(&self, own: &NodeName) -> Vec<u8> {
        match &self.secret {
            Some(secret) => secret.encode(own, rand::random()),
            None => gossip::encode(own),
        }
    }

    fn heard(&self, packet: &[u8]) -> Result<NodeName, Refused> {
        match &self.secret {
            Some(secret) => secret.decode(packet),
            None => gossip::hear(packet),
        }
    }
}

/// Heartbeats, as they come: [`Gossip::overhear`].
#[derive(Debug)]
pub struct Overhearing {
    config: Gossip,
    socket: UdpSocket,
}

impl Overhearing {
    /// The next datagram: whose heartbeat it is, or why it is none of this cluster's; and where it came from.
    ///
    /// # Errors
    /// As the system has them.
    pub async fn next(&self) -> io::Result<(SocketAddr, Result<NodeName, Refused>)> {
        let mut packet = [0; gossip::MAX_PACKET + 1];
        let (length, from) = self.socket.recv_from(&mut packet).await?;
        Ok((from, self.config.heard(&packet[..length])))
    }
}

impl Strategy for Gossip {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let socket = self.open()?;
        Ok(Box::pin(run(self.clone(), socket, reports)))
    }
}

/// Sends and listens for ever.
async fn run(config: Gossip, socket: UdpSocket, reports: Reports) {
    let group = SocketAddrV4::new(config.multicast_addr, config.port);
    let topology = reports.topology().to_owned();
    let mut listener = Listener { config: &config, reports: &reports, plain_told: false, secret_told: false };
    let mut packet = [0; gossip::MAX_PACKET + 1];
    let mut next = Instant::now();
    let mut last: Option<Instant> = None;
    loop {
        tokio::select! {
            () = sleep_until(next) => {
                trace!("[libcluster:{topology}] heartbeat");
                config.rejoin(&socket);
                if let Err(error) = socket.send_to(&config.packet(reports.own_name()), group).await {
                    debug!("[libcluster:{topology}] no heartbeat sent: {error}");
                }
                let now = Instant::now();
                last = Some(now);
                next = now + MAX_PAUSE.mul_f64(rand::random_range(0.0002..=1.0));
            }
            readable = socket.readable() => {
                let result = match readable {
                    Ok(()) => listener.read(&socket, &mut packet).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = result {
                    // An earlier send that nobody took comes back as an error here; anything worse must not spin.
                    debug!("[libcluster:{topology}] {error}");
                    sleep(Duration::from_millis(10)).await;
                }
            }
            () = reports.unreachable() => {
                // Who cannot be dialed can perhaps dial us: let it know of us without waiting for our turn.
                let soonest = last.map_or_else(Instant::now, |last| last + EARLY_GAP);
                next = next.min(soonest.max(Instant::now()));
            }
        }
    }
}

/// The side that hears.
struct Listener<'a> {
    config: &'a Gossip,
    reports: &'a Reports,
    plain_told: bool,
    secret_told: bool,
}

impl Listener<'_> {
    /// Reads what is there.
    async fn read(&mut self, socket: &UdpSocket, packet: &mut [u8]) -> io::Result<()> {
        for _ in 0..BATCH {
            let (length, from) = match socket.try_recv_from(packet) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            match self.config.heard(&packet[..length]) {
                Ok(node) if node == *self.reports.own_name() => {}
                Ok(node) => {
                    trace!("[libcluster:{}] received heartbeat from {node}", self.reports.topology());
                    self.reports.sighting(node);
                }
                Err(Refused::Plain) if !std::mem::replace(&mut self.plain_told, true) => {
                    let what = format!("heartbeats without encryption from {from}: has that node no `secret`?");
                    self.reports.foreign(what).await;
                }
                Err(Refused::Encrypted) if !std::mem::replace(&mut self.secret_told, true) => {
                    let what = format!("what {from} sends looks encrypted: has that node a `secret`, or is it junk?");
                    self.reports.foreign(what).await;
                }
                Err(Refused::OtherSecret) if !std::mem::replace(&mut self.secret_told, true) => {
                    let what = format!("decryption failed: what {from} sends is under another `secret`, or is junk");
                    self.reports.foreign(what).await;
                }
                Err(_) => {}
            }
        }
        // The next batch is there already; others want to run too.
        tokio::task::yield_now().await;
        Ok(())
    }
}
