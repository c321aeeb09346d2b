//! Starting a node.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::{Cookie, Creation, NodeName};
use tracing::{Instrument, field, info_span};

use crate::auto_connect::AutoConnect;
use crate::builtin;
use crate::cause::ConnectError;
use crate::config::{Limits, Settings, TICK_INTENSITY, TICK_TIME};
use crate::connection::{accept, dial};
use crate::cookies::Cookies;
use crate::epmd::{self, Epmd, Registrant};
use crate::error::StartError;
use crate::functions::{Module, Table};
use crate::node::{Inner, Node, Own};
use crate::resolver::{Family, HostResolver, Resolver};
use crate::service::{self, global};
use crate::transport::{Listener, Tcp, Transport};

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

/// Who the node will be.
#[derive(Debug)]
pub(crate) enum Identity {
    Named(String),
    GuestOf(NodeName),
}

/// Sets up a node; see [`Node::builder`].
pub struct NodeBuilder {
    identity: Identity,
    cookie: Option<Cookie>,
    cookies: HashMap<NodeName, Cookie>,
    listen: Listen,
    family: Option<Family>,
    resolver: Option<Arc<dyn Resolver>>,
    settings: Settings,
    modules: Vec<Module>,
    observer: bool,
}

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeBuilder").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl NodeBuilder {
    pub(crate) fn new(identity: Identity) -> NodeBuilder {
        let settings = Settings {
            hidden: false,
            epmd: Epmd::default(),
            peer_port: None,
            net_ticktime: TICK_TIME,
            net_tickintensity: TICK_INTENSITY,
            connect_all: true,
            auto_connect: AutoConnect::default(),
            prevent_overlapping_partitions: true,
            family: Family::default(),
            resolver: Arc::new(HostResolver::default()),
            transport: Arc::new(Tcp),
            limits: Limits::default(),
        };
        NodeBuilder {
            identity,
            cookie: None,
            cookies: HashMap::new(),
            listen: Listen::Any,
            family: None,
            resolver: None,
            settings,
            modules: Vec::new(),
            observer: false,
        }
    }

    /// The secret that all nodes of the cluster share. Needed.
    pub fn cookie(mut self, cookie: impl Into<Cookie>) -> NodeBuilder {
        self.cookie = Some(cookie.into());
        self
    }

    /// A secret that is shared with this peer alone, in both directions, in place of the node's own. As
    /// `-setcookie NODE COOKIE`; later, [`Node::set_cookie`].
    pub fn cookie_for(mut self, peer: &NodeName, cookie: impl Into<Cookie>) -> NodeBuilder {
        self.cookies.insert(peer.clone(), cookie.into());
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

    /// Whether to listen on IPv4 or IPv6, and which addresses of others to try first. Default: that of the name if its host
    /// is an address, else IPv4. As `-proto_dist inet6_tcp`.
    pub fn family(mut self, family: Family) -> NodeBuilder {
        self.family = Some(family);
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

    /// How nodes are found. Default: [`HostResolver`].
    pub fn resolver(mut self, resolver: impl Resolver) -> NodeBuilder {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// What carries connections. Default: [`Tcp`].
    pub fn transport(mut self, transport: impl Transport) -> NodeBuilder {
        self.settings.transport = Arc::new(transport);
        self
    }

    /// After so long a silence a peer is down; all nodes of a cluster should have the same. Default 60 s.
    pub fn net_ticktime(mut self, time: Duration) -> NodeBuilder {
        self.settings.net_ticktime = time.max(Duration::from_millis(40));
        self
    }

    /// How many ticks a silent connection carries within [`net_ticktime`](NodeBuilder::net_ticktime), 4 to 1000: with more,
    /// a dead peer is noticed closer to that time. Default 4.
    pub fn net_tickintensity(mut self, ticks: u32) -> NodeBuilder {
        self.settings.net_tickintensity = ticks.clamp(4, 1000);
        self
    }

    /// Whether to connect with every node that peers know, so that all are connected with all. A node without takes no part
    /// in `global`: it has names of its own, and nobody waits for it. Default true.
    pub fn connect_all(mut self, all: bool) -> NodeBuilder {
        self.settings.connect_all = all;
        self
    }

    /// When a call, a message, a link or a monitor makes the connection that it needs; true is always, false is never. As
    /// `-kernel dist_auto_connect`. Default: [`AutoConnect::Always`].
    pub fn auto_connect(mut self, auto: impl Into<AutoConnect>) -> NodeBuilder {
        self.settings.auto_connect = auto.into();
        self
    }

    /// Whether a lost connection to one node makes others drop it too, so that the cluster falls into clean parts instead of
    /// overlapping ones. As the setting of `kernel`. Default true.
    pub fn prevent_overlapping_partitions(mut self, prevent: bool) -> NodeBuilder {
        self.settings.prevent_overlapping_partitions = prevent;
        self
    }

    /// Deadlines and caps.
    pub fn limits(mut self, limits: Limits) -> NodeBuilder {
        self.settings.limits = limits;
        self
    }

    /// Exports the functions of a module.
    pub fn module(mut self, module: Module) -> NodeBuilder {
        self.modules.push(module);
        self
    }

    /// Whether Erlang's `observer` and `etop` of other nodes, and Beamline's dashboard, can look into this one: its load, its
    /// processes with their names and ties, its connections. They are never shown messages or states. Default false.
    pub fn observer(mut self, observer: bool) -> NodeBuilder {
        self.observer = observer;
        self
    }

    /// Starts the node: it listens, is registered, and answers. A [guest](Node::guest) is connected with its host.
    ///
    /// # Errors
    /// It could not; nothing is left behind.
    pub async fn start(mut self) -> Result<Node, StartError> {
        let cookie = self.cookie.take().filter(|cookie| !cookie.is_empty()).ok_or(StartError::NoCookie)?;
        let host = match &self.identity {
            Identity::Named(name) => name.parse::<NodeName>()?,
            Identity::GuestOf(host) => host.clone(),
        };
        let family = self.family.unwrap_or_else(|| Family::of(host.host()));
        self.settings.family = family;
        self.settings.resolver = self.resolver.take().unwrap_or_else(|| Arc::new(HostResolver::new(family)));
        let cookies = Cookies::new(cookie, std::mem::take(&mut self.cookies));
        match self.identity {
            Identity::Named(_) => self.start_named(host, cookies).await,
            Identity::GuestOf(_) => self.start_as_guest(host, cookies).await,
        }
    }

    async fn start_named(mut self, name: NodeName, cookies: Cookies) -> Result<Node, StartError> {
        let listener = bind(&self.settings, self.listen, name.host()).await?;
        self.settings.hidden |= listener.is_none();
        let port = listener.as_ref().map(|listener| listener.address().port());
        let registration = match port {
            Some(port) => {
                let mut registrant = Registrant::new(name.clone(), port);
                registrant.hidden = self.settings.hidden;
                registrant.family = self.settings.family;
                Some(epmd::register(&self.settings.epmd, &registrant).await?)
            }
            None => None,
        };
        let given = registration.as_ref().and_then(epmd::Registration::creation);
        let creation = Creation::new(given.unwrap_or_else(|| rand::random_range(4..=u32::MAX)));
        let inner = self.run(Own { name, creation, host: None, port }, cookies);
        inner.registration.store(registration.map(Arc::new));
        if let Some(listener) = listener {
            inner.spawn(accept::listen(Arc::clone(&inner), listener));
        }
        Ok(Node::new(inner))
    }

    async fn start_as_guest(mut self, host: NodeName, cookies: Cookies) -> Result<Node, StartError> {
        self.settings.hidden = true;
        let span =
            info_span!("connection", node = field::Empty, peer = %host, direction = "out", hidden = field::Empty);
        let failed = |cause| StartError::Guest(ConnectError::new(host.clone(), cause));
        let welcome = dial::as_guest(&self.settings, &host, cookies.of(&host)).instrument(span.clone());
        let (start, (name, creation)) = welcome.await.map_err(failed)?;
        span.record("node", field::display(&name));
        let inner = self.run(Own { name, creation, host: Some(host.clone()), port: None }, cookies);
        let begun = span.in_scope(|| start.begin(&inner));
        inner.metrics.connect_ended("out", begun.as_ref().map(|_| ()));
        let node = Node::new(inner);
        begun.map_err(failed).map(|()| node)
    }

    /// Brings the node to life.
    fn run(self, own: Own, cookies: Cookies) -> Arc<Inner> {
        let (settings, modules, observer) = (self.settings, self.modules, self.observer);
        let (shared, inputs) = global::Shared::new();
        let inner = Arc::new_cyclic(|weak| {
            let observed = if observer { builtin::observer::modules(weak) } else { Vec::new() };
            let table = Table::new(builtin::modules(weak).into_iter().chain(observed).chain(modules));
            Inner::new(own, cookies, settings, table, shared)
        });
        service::start(&inner, inputs);
        inner
    }
}

fn listen_error(address: SocketAddr, source: std::io::Error) -> StartError {
    StartError::Listen { address, source }
}

/// Binds to loopback if that is where the name says the node is, else to all addresses.
async fn bind(settings: &Settings, listen: Listen, host: &str) -> Result<Option<Box<dyn Listener>>, StartError> {
    let ports = match listen {
        Listen::Off => return Ok(None),
        Listen::Any => 0..=0,
        Listen::Ports(first, last) => first..=last,
    };
    let ip = match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => ip,
        _ if host == "localhost" => settings.family.loopback(),
        _ => settings.family.unspecified(),
    };
    let mut failed = listen_error(SocketAddr::new(ip, 0), std::io::ErrorKind::InvalidInput.into());
    for port in ports {
        let address = SocketAddr::new(ip, port);
        match settings.transport.listen(address).await {
            Ok(listener) => return Ok(Some(listener)),
            Err(source) => failed = listen_error(address, source),
        }
    }
    Err(failed)
}
