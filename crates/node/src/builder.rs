//! Starting a node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::{Cookie, Creation, NodeName};
use beamline_term::Origin;
use tokio::net::TcpListener;

use crate::builtin;
use crate::config::TICK_TIME;
use crate::connection::accept;
use crate::epmd::{self, Epmd, Registrant};
use crate::error::StartError;
use crate::functions::{Module, Table};
use crate::node::{Inner, Node};
use crate::reference::Numbers;
use crate::service::{self, global};

/// Where a node listens for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// On a port that the system chooses; epmd tells it to others.
    #[default]
    Any,
    /// On the first free port of this range, both ends included.
    Ports(u16, u16),
    /// Nowhere: the node can dial, but not be dialed; it is hidden and not registered.
    Off,
}

/// What a running node was told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) hidden: bool,
    pub(crate) epmd: Epmd,
    pub(crate) peer_port: Option<u16>,
    pub(crate) net_ticktime: Duration,
    pub(crate) connect_all: bool,
    pub(crate) prevent_overlapping_partitions: bool,
}

/// Sets up a node; see [`Node::builder`].
#[derive(Debug)]
pub struct NodeBuilder {
    name: String,
    cookie: Option<Cookie>,
    listen: Listen,
    settings: Settings,
    modules: Vec<Module>,
}

impl NodeBuilder {
    pub(crate) fn new(name: String) -> NodeBuilder {
        let settings = Settings {
            hidden: false,
            epmd: Epmd::default(),
            peer_port: None,
            net_ticktime: TICK_TIME,
            connect_all: true,
            prevent_overlapping_partitions: true,
        };
        NodeBuilder { name, cookie: None, listen: Listen::Any, settings, modules: Vec::new() }
    }

    /// The secret that all nodes of the cluster share. Needed.
    pub fn cookie(mut self, cookie: impl Into<Cookie>) -> NodeBuilder {
        self.cookie = Some(cookie.into());
        self
    }

    /// A hidden node is not among `nodes()` of others and takes no part in `global`; it can call and be called. Default
    /// false.
    pub fn hidden(mut self, hidden: bool) -> NodeBuilder {
        self.settings.hidden = hidden;
        self
    }

    /// Where to listen. Default: any port.
    pub fn listen(mut self, listen: Listen) -> NodeBuilder {
        self.listen = listen;
        self
    }

    /// Which epmd to use. Default: the one on port 4369, started if need be.
    pub fn epmd(mut self, epmd: Epmd) -> NodeBuilder {
        self.settings.epmd = epmd;
        self
    }

    /// The port on which every peer listens; epmd is then not asked. As `-erl_epmd_port`, but for dialing only.
    pub fn peer_port(mut self, port: u16) -> NodeBuilder {
        self.settings.peer_port = Some(port);
        self
    }

    /// After so long a silence a peer is down; all nodes of a cluster should have the same. Default 60 s.
    pub fn net_ticktime(mut self, time: Duration) -> NodeBuilder {
        self.settings.net_ticktime = time.max(Duration::from_millis(40));
        self
    }

    /// Whether to connect with every node that peers know, so that all are connected with all. Default true.
    pub fn connect_all(mut self, all: bool) -> NodeBuilder {
        self.settings.connect_all = all;
        self
    }

    /// Whether a lost connection to one node makes others drop it too, so that the cluster falls into clean parts instead of
    /// overlapping ones. As the setting of `kernel`. Default true.
    pub fn prevent_overlapping_partitions(mut self, prevent: bool) -> NodeBuilder {
        self.settings.prevent_overlapping_partitions = prevent;
        self
    }

    /// Exports the functions of a module.
    pub fn module(mut self, module: Module) -> NodeBuilder {
        self.modules.push(module);
        self
    }

    /// Starts the node: it listens, is registered, and answers.
    ///
    /// # Errors
    /// It could not; nothing is left behind.
    pub async fn start(self) -> Result<Node, StartError> {
        let NodeBuilder { name, cookie, listen, mut settings, modules } = self;
        let name: NodeName = name.parse()?;
        let cookie = cookie.filter(|cookie| !cookie.is_empty()).ok_or(StartError::NoCookie)?;
        let listener = bind(listen, name.host()).await?;
        settings.hidden |= listener.is_none();
        let port = match &listener {
            Some(listener) => Some(listener.local_addr().map_err(|source| listen_error(0, source))?.port()),
            None => None,
        };
        let registration = match port {
            Some(port) => {
                let mut registrant = Registrant::new(name.clone(), port);
                registrant.hidden = settings.hidden;
                Some(epmd::register(&settings.epmd, &registrant).await?)
            }
            None => None,
        };
        let given = registration.as_ref().and_then(epmd::Registration::creation);
        let creation = Creation::new(given.unwrap_or_else(|| rand::random_range(4..=u32::MAX)));
        let numbers = Numbers::new(Origin::new(name.to_atom(), creation));
        let (shared, inputs) = global::Shared::new();
        let inner = Arc::new_cyclic(|weak| {
            let table = Table::new(builtin::modules(weak).into_iter().chain(modules));
            Inner::new(name, cookie, settings, port, numbers, table, shared)
        });
        inner.registration.store(registration.map(Arc::new));
        service::start(&inner, inputs);
        if let Some(listener) = listener {
            inner.spawn(accept::listen(Arc::clone(&inner), listener));
        }
        Ok(Node::new(inner))
    }
}

fn listen_error(port: u16, source: std::io::Error) -> StartError {
    StartError::Listen { address: (Ipv4Addr::UNSPECIFIED, port).into(), source }
}

/// Binds to loopback if that is where the name says the node is, else to all addresses.
async fn bind(listen: Listen, host: &str) -> Result<Option<TcpListener>, StartError> {
    let ports = match listen {
        Listen::Off => return Ok(None),
        Listen::Any => 0..=0,
        Listen::Ports(first, last) => first..=last,
    };
    let ip = match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => ip,
        Ok(IpAddr::V6(_)) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        _ if host == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let mut failed = None;
    for port in ports {
        let address = SocketAddr::new(ip, port);
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(Some(listener)),
            Err(source) => failed = Some(StartError::Listen { address, source }),
        }
    }
    Err(failed.unwrap_or_else(|| listen_error(0, std::io::ErrorKind::InvalidInput.into())))
}
