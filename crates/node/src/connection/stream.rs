//! Packets of the handshake on a socket, each with a deadline.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::handshake::{self, HandshakeError};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cause::{Cause, Side};

/// A socket on which a handshake runs. What arrives behind the handshake's end stays in `buffer`.
pub(super) struct Stream {
    pub(super) socket: TcpStream,
    pub(super) buffer: BytesMut,
    deadline: Duration,
}

impl Stream {
    /// Takes a fresh socket. Small frames must not wait for each other, so Nagle's algorithm is off.
    pub(super) fn new(socket: TcpStream, deadline: Duration) -> io::Result<Stream> {
        socket.set_nodelay(true)?;
        Ok(Stream { socket, buffer: BytesMut::new(), deadline })
    }

    pub(super) async fn write(&mut self, body: &[u8]) -> Result<(), Cause> {
        let written = timeout(self.deadline, self.socket.write_all(&handshake::packet(body))).await;
        written.map_err(|_| self.late())?.map_err(broken)
    }

    /// The next packet; `None` when the peer closes.
    pub(super) async fn read(&mut self) -> Result<Option<Bytes>, Cause> {
        let deadline = self.deadline;
        timeout(deadline, async {
            loop {
                if let Some(packet) = handshake::next_packet(&mut self.buffer).map_err(|error| cause(&error))? {
                    return Ok(Some(packet));
                }
                if self.socket.read_buf(&mut self.buffer).await.map_err(broken)? == 0 {
                    return Ok(None);
                }
            }
        })
        .await
        .map_err(|_| self.late())?
    }

    fn late(&self) -> Cause {
        Cause::TimedOut { step: "waiting for the peer's part of the handshake", after: self.deadline }
    }
}

fn broken(error: io::Error) -> Cause {
    Cause::Broken(Arc::new(error))
}

/// The cause behind a failed handshake.
pub(super) fn cause(error: &HandshakeError) -> Cause {
    match error {
        HandshakeError::Nok | HandshakeError::StillAlive => Cause::NameClash,
        HandshakeError::NotAllowed => Cause::Flags { missing: beamline_proto::flags::Flags::NONE, side: Side::Theirs },
        HandshakeError::Flags { missing } => Cause::Flags { missing: *missing, side: Side::Ours },
        HandshakeError::Name { found } => Cause::OtherName { found: found.clone() },
        HandshakeError::Cookie => Cause::Cookie { side: Side::Ours },
        other => Cause::NotErlang { what: other.to_string() },
    }
}
