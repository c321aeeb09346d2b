//! Reaching a node: the handshake, and the other attempt that may come toward us meanwhile.

use std::sync::Arc;
use std::time::Duration;

use beamline_proto::handshake::{Initiator, Peer, Progress};
use beamline_proto::{Cookie, NodeName};
use beamline_term::Creation;
use tokio::time::timeout;
use tracing::{Instrument, field, info_span};

use super::route;
use super::slots::{Begin, Verdict, Wish};
use super::start::Start;
use super::stream::{self, Stream};
use crate::cause::{Cause, Side};
use crate::config::Settings;
use crate::node::Inner;

/// How often we try again when the peer prefers its own attempt, and that does not arrive.
const CLASHES: u32 = 3;

/// How long the peer's own attempt may take to arrive. It may be gone, or not be the peer's at all.
const ARRIVAL: Duration = Duration::from_secs(1);

/// Connects with a node, or waits for the attempt that runs already.
pub(crate) async fn connect(node: &Arc<Inner>, peer: &NodeName, wish: Wish) -> Result<(), Cause> {
    if *peer == node.name {
        return Err(Cause::Itself);
    }
    if let Ok(true) = timeout(ARRIVAL, node.slots.call_arrives(peer)).await {
        return Ok(());
    }
    let mut verdict = match node.slots.begin(peer, wish) {
        Begin::Up => return Ok(()),
        Begin::Refused(cause) => return Err(cause),
        Begin::Wait(verdict) => verdict,
        Begin::Dial { tell, verdict, give_way } => {
            let (tasks, node, peer) = (node, Arc::clone(node), peer.clone());
            let end = DialEnd(Arc::clone(&node), peer.clone());
            let span = info_span!("connection", node = %node.name, %peer, direction = "out", hidden = field::Empty);
            let dial = async move {
                let mut result = Err(Cause::NameClash);
                for _ in 0..CLASHES {
                    result = tokio::select! {
                        result = attempt(&node, &peer) => result,
                        () = give_way.notified() => Err(Cause::NameClash),
                    };
                    if !matches!(result, Err(Cause::NameClash)) {
                        break;
                    }
                    if timeout(ARRIVAL, node.slots.is_up(&peer)).await.is_ok() {
                        result = Ok(());
                        break;
                    }
                }
                node.metrics.connect_ended("out", result.as_ref().map(|_| ()));
                drop(end);
                tell.send_replace(Some(result));
            };
            // A task of its own, not the caller's: others wait for it too, and the caller may stop polling.
            tasks.spawn(dial.instrument(span));
            verdict
        }
    };
    let verdict: Verdict = verdict.wait_for(Option::is_some).await.map_or(None, |verdict| verdict.clone());
    verdict.unwrap_or(Err(Cause::Stopped))
}

/// Frees the slot, also when the task ends early because the node stops.
struct DialEnd(Arc<Inner>, NodeName);

impl Drop for DialEnd {
    fn drop(&mut self) {
        self.0.slots.end(&self.1);
    }
}

async fn attempt(node: &Arc<Inner>, peer: &NodeName) -> Result<(), Cause> {
    let stream = route::open(&node.settings, peer).await?;
    let (initiator, hello) = Initiator::new(&node.local(), peer.clone(), node.cookies.of(peer), rand::random());
    // If the peer's own attempt has succeeded meanwhile, that is the good one.
    let is_stale = || node.slots.get(peer.as_atom()).is_none();
    match shake(stream, initiator, hello, is_stale).await? {
        Some(Shaken { stream, peer, .. }) => {
            Start { peer, stream, last: Vec::new(), replace: false, guest: None }.begin(node)
        }
        None => Ok(()),
    }
}

/// Dials for a node without a name, and gives the name that the host gave.
pub(crate) async fn as_guest(
    settings: &Settings,
    host: &NodeName,
    cookie: Cookie,
) -> Result<(Start, (NodeName, Creation)), Cause> {
    let stream = route::open(settings, host).await?;
    let (initiator, hello) = Initiator::nameless(&guest_host(host, &stream), host.clone(), cookie, rand::random());
    // The initiator takes no other answer than a name.
    let shaken = shake(stream, initiator, hello, || true).await?.ok_or(Cause::NoNameGiven)?;
    Ok((Start::dialed(shaken.peer, shaken.stream), shaken.given.ok_or(Cause::NoNameGiven)?))
}

/// The host part of a guest's name, of the same kind as its host's: nodes with long names speak only with such.
fn guest_host(host: &NodeName, stream: &Stream) -> String {
    let is_loopback = host.host() == "localhost" || stream.local_ip().is_loopback();
    if is_loopback {
        return host.host().to_owned();
    }
    if host.is_long() {
        return stream.local_ip().to_string();
    }
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("guest").to_owned()
}

/// A handshake that has succeeded.
struct Shaken {
    stream: Stream,
    peer: Peer,
    /// The name that we were given, if we had none.
    given: Option<(NodeName, Creation)>,
}

/// Runs our side of a handshake. `None`: the peer is connected with us already, and that connection is the good one.
async fn shake(
    mut stream: Stream,
    mut initiator: Initiator,
    hello: Vec<u8>,
    is_stale: impl Fn() -> bool,
) -> Result<Option<Shaken>, Cause> {
    let mut given = None;
    stream.write(&[hello]).await?;
    loop {
        let packet = match stream.read().await {
            Ok(Some(packet)) => packet,
            Ok(None) | Err(Cause::Broken(_)) if initiator.awaits_verdict() => {
                return Err(Cause::Cookie { side: Side::Theirs });
            }
            Ok(None) => {
                let what = "it closed the connection without an answer".to_owned();
                return Err(Cause::NotErlang { what });
            }
            Err(cause) => return Err(cause),
        };
        match initiator.packet(&packet).map_err(|error| stream::cause(&error))? {
            Progress::Send(reply) => stream.write(&[reply]).await?,
            Progress::Alive => {
                let is_stale = is_stale();
                stream.write(&[initiator.answer_alive(is_stale)]).await?;
                if !is_stale {
                    return Ok(None);
                }
            }
            Progress::Named(name, creation) => given = Some((name, creation)),
            Progress::Done(peer, _) => return Ok(Some(Shaken { stream, peer, given })),
            Progress::Wait | Progress::Hello(_) | Progress::Refused(..) => {}
        }
    }
}
