//! The start of a connection whose handshake is done.

use std::sync::Arc;

use beamline_proto::handshake::Peer;
use tokio::io::AsyncWriteExt;
use tracing::{Instrument, Span};

use super::guests::GivenName;
use super::stream::Stream;
use super::{Connection, Ends, reader, writer};
use crate::cause::Cause;
use crate::events::DownReason;
use crate::node::Inner;
use crate::transport::Channel;

/// A handshake that is done.
pub(crate) struct Start {
    pub(crate) peer: Peer,
    pub(crate) stream: Stream,
    /// The bytes of our last packet of the handshake. All else goes out behind it; it is not waited for, so that there is no
    /// moment at which the peer has it and we have no connection.
    pub(crate) last: Vec<u8>,
    /// Whether the peer has said that an earlier connection is stale.
    pub(crate) replace: bool,
    /// The name that we gave the peer, if it had none; it is kept for the life of the connection.
    pub(crate) guest: Option<GivenName>,
}

impl Start {
    /// Of our own dialing.
    pub(crate) fn dialed(peer: Peer, stream: Stream) -> Start {
        Start { peer, stream, last: Vec::new(), replace: false, guest: None }
    }

    /// Makes it the connection with its peer, and starts its tasks in the current span.
    ///
    /// # Errors
    /// There is an earlier connection, which stays.
    pub(crate) fn begin(self, node: &Arc<Inner>) -> Result<(), Cause> {
        let Start { peer, stream, last, replace, guest } = self;
        let metrics = node.metrics.connection(&peer);
        let (local, remote) = (stream.channel.local, stream.channel.peer);
        let ends = Ends { port: node.numbers.port(), local, remote };
        let connection = Arc::new(Connection::new(peer, ends, &node.settings.limits, metrics));
        if let Some(earlier) = node.slots.install(&connection, replace).map_err(|()| Cause::NameClash)? {
            earlier.close(DownReason::WaitPending);
            node.connection_lost(&earlier, &DownReason::WaitPending);
        }
        let span = Span::current();
        span.record("hidden", connection.is_hidden());
        node.connection_made(&connection);
        let Stream { channel: Channel { read, mut write, .. }, buffer, .. } = stream;
        let (tick_interval, intensity) = (node.settings.tick_interval(), node.settings.net_tickintensity);
        let writer = Arc::clone(&connection);
        let written = async move {
            let sent = tokio::select! {
                sent = write.write_all(&last) => sent,
                _ = writer.closed() => return,
            };
            if sent.is_err() {
                return writer.close(DownReason::ConnectionClosed);
            }
            writer::run(writer, write, tick_interval, intensity).await;
        };
        node.spawn(written.instrument(span.clone()));
        let node_of_task = Arc::clone(node);
        let until_end = async move {
            let _guest = guest;
            let reason = reader::run(&node_of_task, &connection, read, buffer).await;
            connection.close(reason);
            let reason = connection.closed().await;
            if node_of_task.slots.remove(&connection) {
                node_of_task.connection_lost(&connection, &reason);
            }
        };
        node.spawn(until_end.instrument(span));
        Ok(())
    }
}
