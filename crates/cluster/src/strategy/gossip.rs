//! Heartbeats by UDP multicast. `Cluster.Strategy.Gossip`, byte for byte.
//!
//! Choose it where the nodes share a network that carries multicast: one host, one LAN, a compose file; not for most
//! clouds. It needs no configuration:
//!
//! ```sh
//! LIBCLUSTER_STRATEGY=gossip app_a --name app_a@127.0.0.1 --cookie secret
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `port` | 45892 | UDP port, ours and theirs; shared with other nodes of the host, Erlang's among them |
//! | `if_addr` | 0.0.0.0 | address to bind |
//! | `multicast_addr` | 233.252.1.32 | the group |
//! | `multicast_if` | none | address of the interface that sends and listens; else the system chooses |
//! | `multicast_ttl` | 1 | how many networks a heartbeat may cross |
//!
//! The first heartbeat goes out at once, the next after random pauses up to 5 s. Whoever hears a heartbeat of a node that
//! it is not connected to dials it; since every node listens before it sends, of any two nodes one hears the other's
//! first. Nobody is ever disconnected. Nothing but the cookie keeps a stranger out, and datagrams are easily made up: what
//! they can cause is bounded by the [`reconciler`](crate::reconciler).

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use beamline_proto::gossip;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, trace};

use crate::{Connector, reconciler::Reconciler};

/// The longest pause between two heartbeats.
const MAX_PAUSE: Duration = Duration::from_millis(5000);

/// At most one heartbeat out of turn in this time.
const EARLY_GAP: Duration = Duration::from_secs(1);

/// The configuration of the strategy, with libcluster's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gossip {
    /// UDP port to listen on and send to.
    pub port: u16,
    /// Address to bind.
    pub if_addr: Ipv4Addr,
    /// The multicast group.
    pub multicast_addr: Ipv4Addr,
    /// Address of the interface to send and listen on; `None` lets the system choose.
    pub multicast_if: Option<Ipv4Addr>,
    /// How many networks a heartbeat may cross.
    pub multicast_ttl: u32,
}

impl Default for Gossip {
    fn default() -> Self {
        Self {
            port: 45892,
            if_addr: Ipv4Addr::UNSPECIFIED,
            multicast_addr: Ipv4Addr::new(233, 252, 1, 32),
            multicast_if: None,
            multicast_ttl: 1,
        }
    }
}

impl Gossip {
    /// Opens the socket as libcluster does on Linux: SO_REUSEADDR is what lets nodes of one host share the port.
    pub(crate) fn open(&self) -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_broadcast(true)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(self.multicast_ttl)?;
        socket.bind(&SocketAddrV4::new(self.if_addr, self.port).into())?;
        let interface = self.multicast_if.unwrap_or(Ipv4Addr::UNSPECIFIED);
        if let Err(error) = socket.join_multicast_v4(&self.multicast_addr, &interface) {
            if self.multicast_if.is_some() {
                return Err(error);
            }
            // A machine without a network has no interface to choose; its own nodes still meet on loopback.
            debug!(%error, "no interface for multicast, using loopback");
            socket.join_multicast_v4(&self.multicast_addr, &Ipv4Addr::LOCALHOST)?;
            socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
        } else if let Some(interface) = &self.multicast_if {
            socket.set_multicast_if_v4(interface)?;
        }
        UdpSocket::from_std(socket.into())
    }
}

/// Sends and listens for ever.
pub(crate) async fn run<C: Connector>(config: Gossip, socket: UdpSocket, mut reconciler: Reconciler<C>) {
    let group = SocketAddrV4::new(config.multicast_addr, config.port);
    let own = gossip::encode(reconciler.own_name());
    let topology = reconciler.topology().clone();
    let mut packet = [0; gossip::MAX_PACKET + 1];
    let mut next = Instant::now();
    let mut last: Option<Instant> = None;
    loop {
        tokio::select! {
            () = sleep_until(next) => {
                trace!("[libcluster:{topology}] heartbeat");
                if let Err(error) = socket.send_to(&own, group).await {
                    debug!("[libcluster:{topology}] no heartbeat sent: {error}");
                }
                let now = Instant::now();
                last = Some(now);
                next = now + MAX_PAUSE.mul_f64(rand::random_range(0.0002..=1.0));
            }
            received = socket.recv_from(&mut packet) => match received {
                Ok((length, _)) => {
                    if let Some(node) = gossip::decode(&packet[..length]) {
                        if node != *reconciler.own_name() {
                            trace!("[libcluster:{topology}] received heartbeat from {node}");
                        }
                        reconciler.want(&node);
                    }
                }
                Err(error) => {
                    // An earlier send that nobody took comes back as an error here; anything worse must not spin.
                    debug!("[libcluster:{topology}] {error}");
                    sleep(Duration::from_millis(10)).await;
                }
            },
            dialed = reconciler.finished() => {
                // Who cannot be dialed can perhaps dial us: let it know of us without waiting for our turn.
                if !dialed.connected {
                    let soonest = last.map_or_else(Instant::now, |last| last + EARLY_GAP);
                    next = next.min(soonest.max(Instant::now()));
                }
            }
        }
    }
}
