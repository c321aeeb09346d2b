//! Being reached: the listener, the handshake of whoever calls, and the start of a connection.

use std::collections::VecDeque;
use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::handshake::{Acceptor, Hello, Progress, Status};
use beamline_term::Creation;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tracing::{debug, error, warn};

use super::stream::{self, Stream};
use super::{Connection, reader, writer};
use crate::cause::Cause;
use crate::config::{HALF_OPEN, SETUP_TIME};
use crate::events::DownReason;
use crate::node::Inner;

/// Accepts callers until the node stops. Of too many that do not finish their handshake the oldest are dropped, so that
/// silence costs nobody else the connection.
pub(crate) async fn listen(node: Arc<Inner>, listener: TcpListener) {
    let mut half_open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                // Out of descriptors, most likely: the backlog waits until some are free.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        half_open.retain(|task| !task.is_finished());
        if half_open.len() >= HALF_OPEN
            && let Some(oldest) = half_open.pop_front()
        {
            oldest.abort();
        }
        let node_of_task = Arc::clone(&node);
        let task = node.spawn(async move {
            if let Err(cause) = welcome(&node_of_task, socket).await {
                debug!(%cause, "a caller did not become a connection");
            }
        });
        half_open.push_back(task);
    }
}

async fn welcome(node: &Arc<Inner>, socket: TcpStream) -> Result<(), Cause> {
    let mut stream = Stream::new(socket, SETUP_TIME).map_err(|error| Cause::Broken(Arc::new(error)))?;
    let mut acceptor = Acceptor::new(node.local(), rand::random());
    let mut replace = false;
    let mut caller = String::new();
    let mut _calling = None;
    loop {
        let Some(packet) = stream.read().await? else {
            return Err(Cause::NotErlang { what: "it closed the connection".to_owned() });
        };
        match acceptor.packet(&packet) {
            Ok(Progress::Hello(hello)) => {
                let status = answer(node, &hello);
                replace = status == Status::Alive;
                if let (Hello::Named(name), Status::Ok | Status::OkSimultaneous) = (&hello, &status) {
                    _calling = Some(Calling(Arc::clone(node), name.clone()));
                }
                caller = match hello {
                    Hello::Named(name) => name.to_string(),
                    Hello::Nameless { host } => host,
                    Hello::Incapable { name, .. } => name,
                };
                for packet in acceptor.answer(&status) {
                    stream.write(&packet).await?;
                }
                if matches!(status, Status::Nok | Status::NotAllowed) {
                    return Err(Cause::NameClash);
                }
            }
            Ok(Progress::Send(packet)) => stream.write(&packet).await?,
            Ok(Progress::Done(peer, ack)) => {
                let connection = Arc::new(Connection::new(peer));
                if let Some(ack) = ack {
                    stream.write(&ack).await?;
                }
                return begin(node, connection, stream, replace).map_err(|()| Cause::NameClash);
            }
            Ok(Progress::Wait | Progress::Alive) => {}
            Err(failure) => {
                let cause = stream::cause(&failure);
                if let Cause::Cookie { .. } = cause {
                    error!("** Connection attempt from node {caller} rejected. Invalid challenge reply. ** {cause}");
                }
                return Err(cause);
            }
        }
    }
}

/// Keeps our own side from dialing a peer whose call we have welcomed.
struct Calling(Arc<Inner>, NodeName);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.slots.call_ended(&self.1);
    }
}

fn answer(node: &Inner, hello: &Hello) -> Status {
    match hello {
        Hello::Named(name) => node.slots.answer(&node.name, name),
        Hello::Nameless { host } => {
            let name = format!("{}@{host}", base36(rand::random()));
            match name.parse::<NodeName>() {
                Ok(name) => Status::Named(name, Creation::new(rand::random_range(4..=u32::MAX))),
                Err(_) => Status::NotAllowed,
            }
        }
        Hello::Incapable { name, missing } => {
            error!("** {name}: Connection attempt from node {name} rejected: it lacks {missing} **");
            Status::NotAllowed
        }
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(number % 36) as usize]);
        number /= 36;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

/// Starts a connection whose handshake is done. `replace`: the peer has said that an earlier one is stale.
pub(super) fn begin(node: &Arc<Inner>, connection: Arc<Connection>, stream: Stream, replace: bool) -> Result<(), ()> {
    if let Some(earlier) = node.slots.install(&connection, replace)? {
        earlier.close(DownReason::WaitPending);
        node.connection_lost(&earlier, &DownReason::WaitPending);
    }
    node.connection_made(&connection);
    let Stream { socket, buffer, .. } = stream;
    let (read, write) = socket.into_split();
    let tick_time = node.settings.net_ticktime;
    node.spawn(writer::run(Arc::clone(&connection), write, tick_time));
    let node_of_task = Arc::clone(node);
    node.spawn(async move {
        let reason = reader::run(&node_of_task, &connection, read, buffer, tick_time).await;
        connection.close(reason);
        let reason = connection.closed().await;
        if node_of_task.slots.remove(&connection) {
            node_of_task.connection_lost(&connection, &reason);
        }
    });
    Ok(())
}
