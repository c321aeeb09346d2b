//! The two halves of a handshake on a bare socket: up to the node's challenge, and the proof that we know the cookie.
//!
//! They follow `beamline-node`'s dialing, but stop between the halves, and keep what came instead of a handshake.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use beamline_node::{Cause, Cookie, NodeName, Side, Step};
use beamline_proto::Creation;
use beamline_proto::flags::Flags;
use beamline_proto::handshake::{Framing, HandshakeError, Initiator, Local, Progress};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Whom to greet, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Greeting<'a> {
    pub(crate) target: &'a NodeName,
    /// `None`: as a guest, which asks the node for a name.
    pub(crate) own: Option<&'a NodeName>,
    pub(crate) address: SocketAddr,
    pub(crate) deadline: Duration,
}

/// Why a greeting came to nothing.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// As a node's dial has it.
    Cause(Cause),
    /// The node says that it is connected with one of our name.
    Alive,
    /// It does not speak the protocol; these are its first bytes.
    Foreign(Vec<u8>),
    /// It closed the connection before it said anything.
    Closed,
}

impl From<Cause> for Unanswered {
    fn from(cause: Cause) -> Unanswered {
        Unanswered::Cause(cause)
    }
}

/// A node that has told its name and its flags, and waits for our proof.
#[derive(Debug)]
pub(crate) struct Proof {
    wire: Wire,
    initiator: Initiator,
    reply: Vec<u8>,
    /// The name that it gave us.
    pub(crate) given: Option<NodeName>,
}

/// Connects, and goes as far as the node's challenge, which our proof with this cookie would answer.
pub(crate) async fn greet(greeting: Greeting<'_>, cookie: Cookie) -> Result<Proof, Unanswered> {
    let Greeting { target, own, address, deadline } = greeting;
    let connecting = timeout(deadline, TcpStream::connect(address)).await;
    let stream = connecting
        .map_err(|_| Cause::TimedOut { step: Step::Connecting, after: deadline })?
        .map_err(|source| Cause::PortRefused { address, source: Arc::new(source) })?;
    let challenge = rand::random();
    let (mut initiator, hello) = match own {
        Some(name) => {
            let creation = Creation::new(rand::random_range(4..=u32::MAX));
            let local = Local { name: name.clone(), flags: Flags::OFFERED, creation };
            Initiator::new(&local, target.clone(), cookie, challenge)
        }
        None => {
            let host = guest_host(target, &stream);
            Initiator::nameless(&host, target.clone(), cookie, challenge)
        }
    };
    let mut wire = Wire { stream, buffer: BytesMut::new(), deadline };
    wire.write(&hello).await?;
    let mut given = None;
    loop {
        let packet = wire.read().await?.ok_or(Unanswered::Closed)?;
        match initiator.packet(&packet).map_err(|error| wire.failed(&error, &packet))? {
            Progress::Send(reply) => return Ok(Proof { wire, initiator, reply, given }),
            Progress::Named(name, _) => given = Some(name),
            Progress::Alive => {
                // What is there stays as it is.
                let _ = wire.write(&initiator.answer_alive(false)).await;
                return Err(Unanswered::Alive);
            }
            _ => {}
        }
    }
}

impl Proof {
    /// Shows that we know the cookie, and closes the connection when the node has said what it thinks of it.
    pub(crate) async fn show(mut self) -> Result<(), Unanswered> {
        let rejected = || Unanswered::Cause(Cause::Cookie { side: Side::Theirs });
        self.wire.write(&self.reply).await.map_err(|_| rejected())?;
        let packet = match self.wire.read().await {
            Ok(Some(packet)) => packet,
            // Who closes now has seen our proof, and did not like it.
            Ok(None) | Err(Unanswered::Cause(Cause::Broken(_))) => return Err(rejected()),
            Err(other) => return Err(other),
        };
        self.initiator.packet(&packet).map_err(|error| self.wire.failed(&error, &packet)).map(drop)
    }
}

/// The host of a guest's name, of the kind that its host's has.
fn guest_host(target: &NodeName, stream: &TcpStream) -> String {
    let own = stream.local_addr().map(|address| address.ip());
    if target.host() == "localhost" || own.as_ref().is_ok_and(IpAddr::is_loopback) {
        return target.host().to_owned();
    }
    match own {
        Ok(address) if target.is_long() => address.to_string(),
        _ => short_host(),
    }
}

/// This machine's host name up to the first dot.
fn short_host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("doctor").to_owned()
}

#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
    deadline: Duration,
}

impl Wire {
    async fn write(&mut self, packet: &[u8]) -> Result<(), Unanswered> {
        let mut out = Vec::new();
        Framing::Short.write(packet, &mut out);
        let written = timeout(self.deadline, self.stream.write_all(&out)).await;
        Ok(written.map_err(|_| self.late())?.map_err(broken)?)
    }

    /// The next packet; `None` when the node closes.
    async fn read(&mut self) -> Result<Option<Bytes>, Unanswered> {
        let deadline = self.deadline;
        let read = timeout(deadline, async {
            loop {
                match Framing::Short.next(&mut self.buffer) {
                    Ok(Some(packet)) => return Ok(Some(packet)),
                    Ok(None) => {}
                    Err(_) => return Err(Unanswered::Foreign(self.buffer.to_vec())),
                }
                if self.stream.read_buf(&mut self.buffer).await.map_err(broken)? == 0 {
                    return match self.buffer.is_empty() {
                        true => Ok(None),
                        false => Err(Unanswered::Foreign(self.buffer.to_vec())),
                    };
                }
            }
        });
        read.await.map_err(|_| self.late())?
    }

    fn late(&self) -> Cause {
        Cause::TimedOut { step: Step::Handshake, after: self.deadline }
    }

    fn failed(&self, error: &HandshakeError, packet: &[u8]) -> Unanswered {
        match error {
            HandshakeError::NotErlang { .. } => Unanswered::Foreign(packet.to_vec()),
            error => Unanswered::Cause(Cause::from(error)),
        }
    }
}

fn broken(error: io::Error) -> Cause {
    Cause::Broken(Arc::new(error))
}
