//! The epmd of one place: it tells the others at the ports of their relays. The protocol is `beamline_proto::epmd`'s.

use std::sync::Arc;
use std::time::Duration;

use beamline_proto::epmd::response::{encode_names, encode_port};
use beamline_proto::epmd::{Alive, Name, NodeInfo, Request, RequestParser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Place, Shared};

/// How long a caller may take to ask.
const IDLE: Duration = Duration::from_secs(60);

/// epmd's code for a name that is taken.
const TAKEN: u8 = 1;

/// Answers until the network ends.
pub(super) async fn serve(door: TcpListener, place: Place, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = door.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(answer(stream, place, Arc::clone(&shared)))),
                // Out of descriptors, most likely: others close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(mut stream: TcpStream, place: Place, shared: Arc<Shared>) {
    let Ok(Some(request)) = timeout(IDLE, read(&mut stream)).await else { return };
    let answer = match request {
        Request::Alive2(info) => return register(stream, info, place, &shared).await,
        Request::PortPlease2(name) => {
            encode_port(shared.state().seen_from(place).iter().find(|info| info.name == name))
        }
        Request::Names => {
            let state = shared.state();
            encode_names(state.places[place].epmd_port, &state.seen_from(place))
        }
        // What ends the daemon, or shows its insides, is not for nodes.
        _ => return,
    };
    // Whoever asked may be gone.
    if stream.write_all(&answer).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

/// Keeps the name for as long as the connection lasts.
async fn register(mut stream: TcpStream, info: NodeInfo, place: Place, shared: &Shared) {
    let highest = info.highest;
    let registered = Registered::new(info, place, shared);
    let answer = match &registered {
        Some(_) => Alive::Registered { creation: rand::random_range(4..=u32::MAX) },
        None => Alive::Refused { result: TAKEN },
    };
    if stream.write_all(&answer.encode(highest)).await.is_ok() {
        // Any byte, or the end: the node is gone.
        let _ = stream.read_u8().await;
    }
}

struct Registered<'a> {
    name: Name,
    number: u64,
    place: Place,
    shared: &'a Shared,
}

impl<'a> Registered<'a> {
    fn new(info: NodeInfo, place: Place, shared: &'a Shared) -> Option<Registered<'a>> {
        let mut state = shared.state();
        if state.seen_from(place).iter().any(|other| other.name == info.name) {
            return None;
        }
        state.registrations += 1;
        let (name, number) = (info.name.clone(), state.registrations);
        state.places[place].registered.insert(name.clone(), (number, info));
        drop(state);
        Some(Registered { name, number, place, shared })
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let registered = &mut state.places[self.place].registered;
        if registered.get(&self.name).is_some_and(|(number, _)| *number == self.number) {
            registered.remove(&self.name);
        }
    }
}

/// `None` if it ended first, or asked for nothing that is known.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut parser = RequestParser::default();
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => {
                if let Some(request) = parser.push(&buffer[..count]) {
                    return request.ok();
                }
            }
        }
    }
}
