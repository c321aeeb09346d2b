//! Being reached: the listener, and the handshake of whoever calls.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::flags::Flags;
use beamline_proto::handshake::{Acceptor, Hello, Progress, Status};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{Instrument, Span, debug, error, field, info_span, warn};

use super::guests::GivenName;
use super::start::Start;
use super::stream::{self, Stream};
use crate::cause::{Cause, Side, Step};
use crate::metrics::Counted;
use crate::node::Inner;
use crate::transport::{Incoming, Listener};

/// Accepts callers until the node stops. Of too many that do not finish their handshake the oldest are dropped, so that
/// silence costs nobody else the connection.
pub(crate) async fn listen(node: Arc<Inner>, mut listener: Box<dyn Listener>) {
    let mut half_open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let incoming = match listener.accept().await {
            Ok(incoming) => incoming,
            Err(error) => {
                // Out of descriptors, most likely: the backlog waits until some are free.
                warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        half_open.retain(|task| !task.is_finished());
        if half_open.len() >= node.settings.limits.half_open
            && let Some(oldest) = half_open.pop_front()
        {
            oldest.abort();
        }
        let span = info_span!(
            "connection", node = %node.name, peer = field::Empty, address = %incoming.peer, direction = "in",
            hidden = field::Empty
        );
        let counted = Counted::one(&node.metrics.half_open);
        let node_of_task = Arc::clone(&node);
        let call = async move {
            let _counted = counted;
            let result = welcome(&node_of_task, incoming).await;
            node_of_task.metrics.connect_ended("in", result.as_ref().map(|_| ()));
            if let Err(cause) = result {
                debug!(%cause, "a caller did not become a connection");
            }
        };
        half_open.push_back(node.spawn(call.instrument(span)));
    }
}

async fn welcome(node: &Arc<Inner>, incoming: Incoming) -> Result<(), Cause> {
    let limit = node.settings.limits.setup_time;
    let late = Cause::TimedOut { step: Step::Transport, after: limit };
    let channel = timeout(limit, incoming.open).await.map_err(|_| late)?.map_err(stream::broken)?;
    let mut stream = Stream::new(channel, node.settings.transport.framing(), limit);
    let mut acceptor = Acceptor::new(node.local(), rand::random());
    let mut caller = Caller::Unknown;
    loop {
        let Some(packet) = stream.read().await? else {
            return Err(Cause::NotErlang { what: "it closed the connection".to_owned() });
        };
        match acceptor.packet(&packet) {
            Ok(Progress::Hello(hello)) => {
                let status;
                (status, caller) = receive(node, hello)?;
                let cookie = node.cookies.of(caller.name().unwrap_or(&node.name));
                stream.write(&acceptor.answer(&status, &cookie)).await?;
                match caller {
                    Caller::Incapable(name, missing) => return Err(incapable(&name, missing)),
                    Caller::Unknown => return Err(Cause::NameClash),
                    _ => {}
                }
            }
            Ok(Progress::Send(packet)) => stream.write(&[packet]).await?,
            Ok(Progress::Refused(packet, missing)) => {
                stream.write(&[packet]).await?;
                return Err(incapable(&caller, missing));
            }
            Ok(Progress::Done(peer, ack)) => {
                let last = ack.map_or_else(Vec::new, |ack| stream.framed(&ack));
                let replace = matches!(caller, Caller::Connected(_));
                // One who was welcomed stays in `caller` until the connection is up, so that whoever waits sees it.
                let guest = if let Caller::Guest(given) = caller { Some(given) } else { None };
                Span::current().record("peer", field::display(&peer.name));
                return Start { peer, stream, last, replace, guest }.begin(node);
            }
            Ok(Progress::Wait | Progress::Alive | Progress::Named(..)) => {}
            Err(failure) => {
                let cause = stream::cause(&failure);
                if let Cause::Cookie { .. } = cause {
                    error!(
                        "** Connection attempt from node {caller} rejected. Invalid challenge reply. ** {}",
                        cause.told(&caller)
                    );
                }
                return Err(cause);
            }
        }
    }
}

/// Who is calling.
enum Caller {
    Unknown,
    /// Nobody that we can speak with.
    Incapable(String, Flags),
    /// Welcomed; until it is dropped our own side does not dial it.
    Welcomed(Calling),
    /// Connected already, as we believe.
    Connected(NodeName),
    /// Without a name of its own.
    Guest(GivenName),
}

impl Caller {
    fn name(&self) -> Option<&NodeName> {
        match self {
            Caller::Unknown | Caller::Incapable(..) => None,
            Caller::Welcomed(Calling(_, name)) | Caller::Connected(name) => Some(name),
            Caller::Guest(given) => Some(&given.name),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().map_or("unknown", NodeName::as_str))
    }
}

/// Keeps our own side from dialing a peer whose call we have welcomed.
struct Calling(Arc<Inner>, NodeName);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.slots.call_ended(&self.1);
    }
}

fn receive(node: &Arc<Inner>, hello: Hello) -> Result<(Status, Caller), Cause> {
    Ok(match hello {
        Hello::Named(name) => {
            let status = node.slots.answer(&node.name, &name);
            let caller = match status {
                Status::Ok | Status::OkSimultaneous => Caller::Welcomed(Calling(Arc::clone(node), name)),
                Status::Alive => Caller::Connected(name),
                _ => Caller::Unknown,
            };
            (status, caller)
        }
        Hello::Nameless { host } => {
            let given = node.guests.give(&host).map_err(|error| Cause::NotErlang { what: error.to_string() })?;
            (Status::Named(given.name.clone(), given.creation), Caller::Guest(given))
        }
        Hello::Incapable { name, missing } => (Status::NotAllowed, Caller::Incapable(name, missing)),
    })
}

fn incapable(name: &dyn fmt::Display, missing: Flags) -> Cause {
    let cause = Cause::Flags { missing, side: Side::Ours };
    error!("** Connection attempt from node {name} rejected: it lacks {missing} ** {}", cause.told(name));
    cause
}
