//! Packets of the handshake on a channel, each with a deadline.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::handshake::{Framing, HandshakeError};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::cause::{Cause, Step};
use crate::transport::Channel;

/// A channel on which a handshake runs. What arrives behind the handshake's end stays in `buffer`.
pub(crate) struct Stream {
    pub(super) channel: Channel,
    pub(super) buffer: BytesMut,
    framing: Framing,
    deadline: Duration,
}

impl Stream {
    pub(super) fn new(channel: Channel, framing: Framing, deadline: Duration) -> Stream {
        Stream { channel, buffer: BytesMut::new(), framing, deadline }
    }

    /// The address from which the peer sees us.
    pub(crate) fn local_ip(&self) -> std::net::IpAddr {
        self.channel.local.ip()
    }

    /// Sends packets in one write: the peer wakes up once.
    pub(super) async fn write(&mut self, packets: &[Vec<u8>]) -> Result<(), Cause> {
        let mut out = Vec::with_capacity(256);
        for packet in packets {
            self.framing.write(packet, &mut out);
        }
        let written = timeout(self.deadline, self.channel.write.write_all(&out)).await;
        written.map_err(|_| self.late())?.map_err(broken)
    }

    /// The bytes of a packet, for whoever writes next.
    pub(super) fn framed(&self, packet: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.framing.write(packet, &mut out);
        out
    }

    /// The next packet; `None` when the peer closes.
    pub(super) async fn read(&mut self) -> Result<Option<Bytes>, Cause> {
        let deadline = self.deadline;
        timeout(deadline, async {
            loop {
                if let Some(packet) = self.framing.next(&mut self.buffer).map_err(|error| cause(&error))? {
                    return Ok(Some(packet));
                }
                if self.channel.read.read_buf(&mut self.buffer).await.map_err(broken)? == 0 {
                    return Ok(None);
                }
            }
        })
        .await
        .map_err(|_| self.late())?
    }

    fn late(&self) -> Cause {
        Cause::TimedOut { step: Step::Handshake, after: self.deadline }
    }
}

pub(super) fn broken(error: io::Error) -> Cause {
    Cause::Broken(Arc::new(error))
}

/// The cause behind a failed handshake.
pub(super) fn cause(error: &HandshakeError) -> Cause {
    Cause::from(error)
}
