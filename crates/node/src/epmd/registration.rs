//! A node's registration, kept for as long as the node runs.
//!
//! As Erlang's nodes do: the connection to epmd is never written to; when it is lost, the node registers again with the
//! same name and port, every 2 s until it succeeds, and goes on with the creation it has. With [`Epmd::Auto`] each try
//! also starts a daemon if there is none, and that is how another node takes over when the one that served ends: all
//! lose their connection at once, one of them gets the port, the others find it there.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use beamline_proto::{
    NodeName,
    epmd::{Name, NodeInfo},
};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::resolver::Family;

use super::{Auto, Client, Daemon, Epmd, EpmdError, Server, ServerOptions, client};

/// Between two tries to register again.
const RETRY: Duration = Duration::from_secs(2);

/// How long a daemon that was started may take to listen.
const DAEMON_START: Duration = Duration::from_secs(5);

/// Who registers.
#[derive(Debug, Clone)]
pub struct Registrant {
    /// The node. A host that is a loopback address or `localhost` keeps a daemon that is started on loopback.
    pub name: NodeName,
    /// The port on which the node listens.
    pub port: u16,
    /// Whether it is hidden.
    pub hidden: bool,
    /// Whether the node listens on IPv4 or IPv6: epmd is met at the loopback address of that family.
    pub family: Family,
    /// For each question to epmd; [`client::DEFAULT_DEADLINE`] is usual.
    pub deadline: Duration,
}

impl Registrant {
    /// A visible node with the usual deadline.
    pub fn new(name: NodeName, port: u16) -> Self {
        Self { family: Family::of(name.host()), name, port, hidden: false, deadline: client::DEFAULT_DEADLINE }
    }

    fn is_loopback(&self) -> bool {
        let host = self.name.host();
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

/// Keeps a node registered. Dropping it unregisters the node, and ends the daemon if this node serves it.
#[derive(Debug)]
pub struct Registration {
    creation: Option<u32>,
    state: watch::Receiver<State>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    registered: bool,
    serving: bool,
}

impl Registration {
    /// The creation that epmd gave at the first registration; `None` if none was asked or it did not matter, and then
    /// the node chooses a random one.
    pub fn creation(&self) -> Option<u32> {
        self.creation
    }

    /// Whether the node is registered at this moment.
    pub fn is_registered(&self) -> bool {
        self.state.borrow().registered
    }

    /// Whether this process is the host's epmd at this moment.
    pub fn is_serving(&self) -> bool {
        self.state.borrow().serving
    }

    /// Unregisters, and returns when epmd's connection is closed.
    pub async fn unregister(mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
            let _ = keeper.await;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

/// Registers a node in the manner of `epmd`, and keeps it registered.
pub async fn register(epmd: &Epmd, node: &Registrant) -> Result<Registration, EpmdError> {
    let mut keeper = Keeper {
        epmd: epmd.clone(),
        loopback: node.is_loopback(),
        deadline: node.deadline,
        family: node.family,
        info: NodeInfo::new(Name::from(&node.name), node.port, node.hidden),
        server: None,
    };
    let registered = match epmd {
        Epmd::None => None,
        Epmd::IfRunning { .. } => keeper.try_once().await.inspect_err(|error| debug!(%error, "no epmd")).ok(),
        Epmd::Auto(_) | Epmd::External(_) => Some(keeper.first(DAEMON_START).await?),
    };
    let (state, watched) = watch::channel(State { registered: registered.is_some(), serving: keeper.server.is_some() });
    let creation = registered.as_ref().map(|(_, creation)| *creation);
    let keeper = registered.map(|(stream, _)| tokio::spawn(keeper.keep(stream, state)));
    Ok(Registration { creation, state: watched, keeper })
}

struct Keeper {
    epmd: Epmd,
    loopback: bool,
    deadline: Duration,
    info: NodeInfo,
    family: Family,
    /// The daemon, if this process is it.
    server: Option<Server>,
}

impl Keeper {
    /// The daemon of this host.
    fn local(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.family.loopback(), port)
    }

    fn client(&self) -> Client {
        let address = match &self.epmd {
            Epmd::Auto(auto) => self.local(auto.port),
            Epmd::External(address) => *address,
            Epmd::IfRunning { port } => self.local(*port),
            Epmd::None => self.local(super::DEFAULT_PORT),
        };
        Client::new(address).deadline(self.deadline)
    }

    async fn try_once(&self) -> Result<(TcpStream, u32), EpmdError> {
        self.client().alive(&self.info).await
    }

    /// Registers; where nothing listens yet and the settings allow it, starts what does.
    async fn first(&mut self, patience: Duration) -> Result<(TcpStream, u32), EpmdError> {
        let unreachable = match self.try_once().await {
            Err(error @ EpmdError::Unreachable { .. }) => error,
            answer => return answer,
        };
        let Epmd::Auto(auto) = self.epmd.clone() else {
            return Err(unreachable);
        };
        if self.start_daemon(&auto).await {
            let since = Instant::now();
            while since.elapsed() < patience {
                match self.try_once().await {
                    Err(EpmdError::Unreachable { .. }) => sleep(Duration::from_millis(20)).await,
                    answer => return answer,
                }
            }
            warn!(port = auto.port, "the epmd that was started does not listen");
        }
        self.serve_or_register(&auto).await
    }

    /// Registers with the daemon that listens, or becomes it.
    async fn serve_or_register(&mut self, auto: &Auto) -> Result<(TcpStream, u32), EpmdError> {
        let options =
            ServerOptions { port: auto.port, addresses: self.bind_addresses(auto), ..ServerOptions::default() };
        // Somebody else may take the port, and lose it again, between two steps; a few turns settle it.
        let mut last = None;
        for _ in 0..5 {
            match self.try_once().await {
                Err(EpmdError::Unreachable { .. }) => {}
                answer => return answer,
            }
            match Server::bind(options.clone()).await {
                Ok(server) => {
                    info!(port = auto.port, "no epmd on this host: serving it from this process");
                    self.server = Some(server);
                    return self.try_once().await;
                }
                Err(EpmdError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                    sleep(Duration::from_millis(20)).await;
                    last = Some(EpmdError::Bind { address: self.local(auto.port), source });
                }
                Err(error) => return Err(error),
            }
        }
        match self.try_once().await {
            Err(error @ EpmdError::Unreachable { .. }) => Err(last.unwrap_or(error)),
            answer => answer,
        }
    }

    fn bind_addresses(&self, auto: &Auto) -> Option<Vec<IpAddr>> {
        auto.addresses.clone().or_else(|| self.loopback.then(Vec::new))
    }

    /// Starts the system's daemon; whether there is one to start.
    async fn start_daemon(&self, auto: &Auto) -> bool {
        let program = match &auto.daemon {
            Daemon::OnPath => Path::new("epmd"),
            Daemon::Program(path) => path,
            Daemon::Never => return false,
        };
        let mut command = std::process::Command::new(program);
        command.args(["-daemon", "-port", &auto.port.to_string()]);
        if let Some(addresses) = self.bind_addresses(auto) {
            let mut list: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
            if list.is_empty() {
                list.push("127.0.0.1".to_owned());
            }
            command.args(["-address", &list.join(",")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It goes into the background by itself, so this is short; the deadline is for one that does not.
        let started = timeout(DAEMON_START, tokio::task::spawn_blocking(move || command.status())).await;
        match started {
            Ok(Ok(Ok(status))) => status.success(),
            Ok(Ok(Err(error))) => {
                debug!(%error, "no system epmd");
                false
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Holds the registration, and gets it back when it is lost, for ever.
    async fn keep(mut self, mut stream: TcpStream, state: watch::Sender<State>) {
        let name = self.info.name.clone();
        loop {
            let since = Instant::now();
            // epmd sends nothing more: whatever happens here is the end of the connection.
            let _ = stream.read_u8().await;
            drop(stream);
            state.send_modify(|state| state.registered = false);
            warn!(%name, "lost the connection to epmd; registering again");
            // At once, so that another node takes over quickly; unless it is epmd that keeps throwing us out.
            sleep(RETRY.saturating_sub(since.elapsed())).await;
            stream = self.again().await;
            let serving = self.server.is_some();
            state.send_replace(State { registered: true, serving });
            info!(%name, "registered again at epmd");
        }
    }

    async fn again(&mut self) -> TcpStream {
        // A daemon of ours that was ended by a client is of no use any more.
        self.server = None;
        loop {
            let tried = match self.epmd.clone() {
                Epmd::Auto(auto) => self.serve_or_register(&auto).await,
                _ => self.try_once().await,
            };
            match tried {
                // The creation is new, the node is not: it keeps the one it has.
                Ok((stream, _)) => return stream,
                Err(error) => debug!(%error, "not registered yet"),
            }
            sleep(RETRY).await;
        }
    }
}
