//! The daemon: what `epmd` is to Erlang, as a task of this process.
//!
//! The rules are `beamline_proto::epmd::Registry`'s; here are its sockets. Whatever connects is hostile until it has
//! asked something: a request has a deadline, only so many connections may be without one (the oldest goes first, so
//! that silence cannot keep a node out), and no connection is read further than one request.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use beamline_proto::epmd::{ConnectionId, DEFAULT_PORT, Registry, RequestParser, Then};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};
use tracing::debug;

use super::EpmdError;

/// How a daemon listens and what it allows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The port; 0 lets the system choose (for tests).
    pub port: u16,
    /// Where to listen: all addresses of the host if `None`, else these and loopback, which is always added.
    pub addresses: Option<Vec<IpAddr>>,
    /// Lets clients unregister any node and end the daemon while nodes are registered.
    pub relaxed: bool,
    /// How many connections may be open that have not registered a node. The oldest is closed for a new one.
    pub max_pending: usize,
    /// How many nodes may be registered.
    pub max_nodes: usize,
    /// How long a connection may take to send its request, and a client to take the answer.
    pub idle: Duration,
}

impl Default for ServerOptions {
    /// Port 4369 of all addresses, strict, 512 pending connections, 4096 nodes, 60 s.
    fn default() -> Self {
        Self {
            port: DEFAULT_PORT,
            addresses: None,
            relaxed: false,
            max_pending: 512,
            max_nodes: 4096,
            idle: Duration::from_secs(60),
        }
    }
}

/// A running daemon. Dropping it ends it: its sockets close, and nodes registered with it will look for another.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    killed: watch::Receiver<bool>,
    _listeners: JoinSet<()>,
}

impl Server {
    /// Listens on all that the options ask for, or on nothing. An address of the other family that this host does not
    /// have is passed over.
    pub async fn bind(options: ServerOptions) -> Result<Self, EpmdError> {
        let mut port = options.port;
        let mut listeners = Vec::new();
        for ip in addresses_to_bind(options.addresses.as_deref()) {
            let address = SocketAddr::new(ip, port);
            match listen(address) {
                Ok(listener) => {
                    port = listener.local_addr().map_or(port, |address| address.port());
                    listeners.push(listener);
                }
                Err(error) if ip.is_ipv6() && no_such_address(&error) => {
                    debug!(%address, %error, "no IPv6 here")
                }
                Err(error) => {
                    return Err(EpmdError::Bind { address, source: Arc::new(error) });
                }
            }
        }
        let (kill, killed) = watch::channel(false);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                registry: Registry::new(port, options.relaxed),
                next: 0,
                pending: BTreeMap::new(),
                registered: HashMap::new(),
            }),
            options,
            kill,
        });
        let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(accept(listener, shared.clone()));
        }
        Ok(Self { addresses, killed, _listeners: tasks })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }

    /// Waits until a client has ended the daemon (KILL). Otherwise it serves until it is dropped.
    pub async fn killed(&mut self) {
        // An error means that all tasks are gone, which is the same.
        let _ = self.killed.wait_for(|killed| *killed).await;
    }
}

/// Loopback first: it decides who serves this host, so that two that start at once do not each get a part.
fn addresses_to_bind(given: Option<&[IpAddr]>) -> Vec<IpAddr> {
    let Some(given) = given else {
        return vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    };
    if given.iter().any(IpAddr::is_unspecified) {
        return addresses_to_bind(None);
    }
    let mut addresses: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for address in given {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    addresses
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // The IPv4 side has a listener of its own.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    TcpListener::from_std(socket.into())
}

fn no_such_address(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        // EAFNOSUPPORT, for which the standard library has no stable kind.
        || error.raw_os_error() == Some(97)
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    options: ServerOptions,
    kill: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    registry: Registry,
    next: ConnectionId,
    /// Connections that have not registered anything, the oldest first.
    pending: BTreeMap<ConnectionId, AbortHandle>,
    registered: HashMap<ConnectionId, AbortHandle>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut killed = shared.kill.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &shared, &mut connections),
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be closed.
                    debug!(%error, "epmd cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = async { drop(killed.wait_for(|killed| *killed).await) } => return,
        }
    }
}

fn admit(stream: TcpStream, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    let mut state = shared.state();
    if state.pending.len() >= shared.options.max_pending
        && let Some((_, oldest)) = state.pending.pop_first()
    {
        oldest.abort();
    }
    state.next += 1;
    let id = state.next;
    let connection = Connection { id, shared: shared.clone() };
    // The task cannot run ahead of this entry: it takes the lock first.
    let task = connections.spawn(async move { connection.serve(stream).await });
    state.pending.insert(id, task);
}

/// One connection; when it is dropped, by its end or from outside, its name is free.
struct Connection {
    id: ConnectionId,
    shared: Arc<Shared>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.pending.remove(&self.id);
        state.registered.remove(&self.id);
        if let Some(name) = state.registry.closed(self.id) {
            debug!(%name, "unregistered at epmd");
        }
    }
}

impl Connection {
    async fn serve(self, mut stream: TcpStream) {
        let idle = self.shared.options.idle;
        let Ok(Some(request)) = timeout(idle, read_request(&mut stream)).await else {
            return;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let reply = {
            let mut state = self.shared.state();
            if state.registered.len() >= self.shared.options.max_nodes && is_registration(&request) {
                return;
            }
            let reply = state.registry.handle(self.id, request, now);
            if reply.as_ref().is_some_and(|reply| reply.then == Then::Registered)
                && let Some(task) = state.pending.remove(&self.id)
            {
                state.registered.insert(self.id, task);
            }
            reply
        };
        let Some(reply) = reply else { return };
        if !matches!(timeout(idle, stream.write_all(&reply.bytes)).await, Ok(Ok(()))) {
            return;
        }
        match reply.then {
            // Any byte, or the end: the node is gone.
            Then::Registered => drop(stream.read_u8().await),
            Then::Linger => drop(timeout(idle, stream.read_u8()).await),
            Then::Close => drop(stream.shutdown().await),
            Then::CloseBoth(other) => {
                if let Some(task) = self.shared.state().registered.remove(&other) {
                    task.abort();
                }
                drop(stream.shutdown().await);
            }
            Then::Exit => {
                drop(stream.shutdown().await);
                self.shared.kill.send_replace(true);
            }
        }
    }
}

type Parsed = Result<beamline_proto::epmd::Request, beamline_proto::epmd::RequestError>;

fn is_registration(request: &Parsed) -> bool {
    matches!(request, Ok(beamline_proto::epmd::Request::Alive2(_)))
}

/// `None` if the connection ended first.
async fn read_request(stream: &mut TcpStream) -> Option<Parsed> {
    let mut parser = RequestParser::default();
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => {
                if let Some(request) = parser.push(&buffer[..read]) {
                    return Some(request);
                }
            }
        }
    }
}
