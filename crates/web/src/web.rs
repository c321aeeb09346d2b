//! The public face: what is served, from which node, to whom.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use beamline_doctor::Options;
use beamline_node::Node;
use beamline_proto::NodeName;
use tokio::net::TcpListener;

use crate::dashboard;
use crate::metrics;
use crate::notebook::{self, Library};
use crate::site::access::{Access, Hosts, Keys, Lifetime, Password, Token};
use crate::site::{Figures, Power, Setup, Site, around, server};

/// The site of a node: set up here, then [served](Web::serve), or [mounted](Web::router) into an axum application.
///
/// | what | unless it is set |
/// | --- | --- |
/// | who may enter | who has the token, which is new for each `Web` |
/// | what may be done | figures and names are shown; nothing secret, nothing is changed |
/// | names that it answers to | `localhost`, `127.0.0.1`, `[::1]`, and the address at which a request comes in |
/// | a session | ends after 8 hours without a request or an open page, and after 7 days |
/// | listens | only on loopback, unless there is a [password](Web::password) |
#[must_use = "it does nothing until it is served or mounted"]
pub struct Web {
    node: Node,
    base: String,
    targets: Vec<NodeName>,
    power: Power,
    token: Token,
    view_token: Token,
    once: Vec<Token>,
    password: Option<Password>,
    hosts: Hosts,
    lifetime: Lifetime,
    trusts_proxy: bool,
    is_admitted: bool,
    listens_anywhere: bool,
    metrics: Option<Figures>,
    doctor: Option<Options>,
    notebooks: Option<Library>,
    start: String,
    runtime: Option<NodeName>,
}

/// Why a site is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Whoever reaches the address could try the token, and listen to it: the site is for loopback, unless it is told.
    #[error(
        "{0} is not on loopback, and whoever can reach it may try to enter: set a password of at least 12 characters, or \
         allow it by name (--insecure-listen)"
    )]
    Exposed(SocketAddr),
    /// The listener does not say where it listens.
    #[error("the listener has no address: {0}")]
    Listener(#[from] io::Error),
}

/// A name that the site is to answer to, and that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a host; write it as ops.example.com, or ops.example.com:8443 for that port alone")]
pub struct HostError(String);

impl Web {
    /// The site of this node, which shows its cluster.
    pub fn new(node: &Node) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
        Self {
            node: node.clone(),
            base: String::new(),
            targets: Vec::new(),
            power: Power::View,
            token: Token::random(),
            view_token: Token::random(),
            once: Vec::new(),
            password: None,
            hosts: Hosts::default(),
            lifetime: Lifetime { idle: hours(8), absolute: hours(7 * 24) },
            trusts_proxy: false,
            is_admitted: false,
            listens_anywhere: false,
            metrics: None,
            doctor: None,
            notebooks: None,
            start: "/".to_owned(),
            runtime: None,
        }
    }

    /// Where the site is mounted, such as `/beamline`: its links begin with it. The same path goes to [`Router::nest`].
    pub fn at(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.base = if path.is_empty() { String::new() } else { format!("/{path}") };
        self
    }

    /// Shows the cluster of this node, in place of that of the site's own: for tools, which are no members. It may be called
    /// again, for more clusters, or for more ways into one.
    pub fn target(mut self, node: NodeName) -> Self {
        self.targets.push(node);
        self
    }

    /// Shows what may hold secrets too: messages and dictionaries of processes.
    pub fn reveal(mut self) -> Self {
        self.power = self.power.max(Power::Reveal);
        self
    }

    /// Lets visitors end processes.
    pub fn allow_destructive(mut self) -> Self {
        self.power = self.power.max(Power::Act);
        self
    }

    /// Shows the notebooks of a folder, and lets visitors edit and run them, at any node that they name: whoever enters can run
    /// code. Nothing outside the folder is shown. The site then starts with `path`, a notebook or a folder within it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn notebooks(mut self, folder: &Path, path: &str) -> io::Result<Self> {
        self.notebooks = Some(Library::new(folder)?);
        self.start = notebook::start(path);
        self.power = Power::Eval;
        Ok(self)
    }

    /// Attaches notebooks to this node when they are opened. Nothing runs by that.
    pub fn runtime(mut self, node: NodeName) -> Self {
        self.runtime = Some(node);
        self
    }

    /// Takes all powers but to look: what would change or reveal something has no address then. Call it last.
    pub fn readonly(mut self) -> Self {
        self.power = Power::View;
        self
    }

    /// Uses this token in place of a new one.
    pub fn token(mut self, token: Token) -> Self {
        self.token = token;
        self
    }

    /// Asks for this password in place of the token.
    pub fn password(mut self, password: Password) -> Self {
        self.password = Some(password);
        self
    }

    /// Answers to this name too: `ops.example.com`, or `ops.example.com:8443` for that port alone.
    ///
    /// # Errors
    /// It is no name of a host.
    pub fn allow_host(mut self, name: &str) -> Result<Self, HostError> {
        if self.hosts.allow(name) { Ok(self) } else { Err(HostError(name.to_owned())) }
    }

    /// Ends sessions after so long without a request or an open page, and after so long in any case.
    pub fn sessions(mut self, idle: Duration, absolute: Duration) -> Self {
        self.lifetime = Lifetime { idle, absolute };
        self
    }

    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto`. Only where a proxy in front of the site sets them itself.
    pub fn trust_proxy(mut self) -> Self {
        self.trusts_proxy = true;
        self
    }

    /// Lets everybody in: the application around the site has asked already. Names and forms are checked all the same.
    pub fn already_authenticated(mut self) -> Self {
        self.is_admitted = true;
        self
    }

    /// Listens where others than this machine can reach it, with nothing but the token to keep them out, and without TLS.
    pub fn insecure_listen(mut self) -> Self {
        self.listens_anywhere = true;
        self
    }

    /// Puts these figures, in Prometheus' text format, before the cluster's own at `/metrics`: those of the recorder that the
    /// program has installed, such as `move || handle.render()` of `metrics-exporter-prometheus`.
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.metrics = Some(Arc::new(render));
        self
    }

    /// Lets the doctor examine nodes of the cluster on the site's page for it, with these cookies and ports. Nothing of the
    /// cookies is shown.
    pub fn doctor(mut self, options: Options) -> Self {
        self.doctor = Some(options);
        self
    }

    /// The token that opens all that the site can do. Where a password is set, it opens nothing.
    pub fn main_token(&self) -> &Token {
        &self.token
    }

    /// A token that opens the site to look, and no more: for Prometheus, and for walls.
    pub fn view_token(&self) -> &Token {
        &self.view_token
    }

    /// The address to open: with the token, unless there is a password. `origin` is `http://127.0.0.1:4040`.
    pub fn entry(&self, origin: &str) -> String {
        let site = self.place(origin);
        if self.password.is_some() || self.is_admitted { site } else { with(&site, &self.token) }
    }

    /// The same with a token that opens the site once, within a minute of its start: others may see it, as in the list of
    /// processes when a browser is started.
    pub fn entry_once(&mut self, origin: &str) -> String {
        let token = Token::random();
        let address = with(&self.place(origin), &token);
        self.once.push(token);
        address
    }

    fn place(&self, origin: &str) -> String {
        let path = match (self.base.as_str(), self.start.as_str()) {
            ("", start) => start.to_owned(),
            (base, "/") => base.to_owned(),
            (base, start) => format!("{base}{start}"),
        };
        format!("{}{path}", origin.trim_end_matches('/'))
    }

    /// The site's routes, for [`Router::nest`] where [`at`](Web::at) says.
    pub fn router(self) -> Router {
        let tokens = [(Power::View, self.view_token), (self.power, self.token)];
        let keys = Keys::new(&tokens, self.password.as_ref(), self.power);
        for token in &self.once {
            keys.opens_once(token);
        }
        let mut access = Access::new(self.hosts, keys, self.lifetime);
        if self.trusts_proxy {
            access = access.trust_proxy();
        }
        if self.is_admitted {
            access = access.open_to(self.power);
        }
        let Self { node, base, targets, doctor, power, metrics: figures, .. } = self;
        let notebooks = self.notebooks.map(|notebooks| notebooks.attached_to(self.runtime));
        let site = Site::new(Setup { node, base, targets, doctor, power, access, figures, notebooks });
        let pages = metrics::routes(dashboard::routes(&site, Router::new()));
        let pages = notebook::routes(&site, pages);
        around(&site, pages)
    }

    /// Serves the site until its node stops.
    ///
    /// # Errors
    /// The listener is not on loopback, and nobody has said that it may be elsewhere.
    pub async fn serve(self, listener: TcpListener) -> Result<(), ServeError> {
        self.serve_until(listener, std::future::pending()).await
    }

    /// Serves the site until `end`, or until its node stops. Pages that are open are cut off then.
    ///
    /// # Errors
    /// As [`serve`](Web::serve).
    pub async fn serve_until(self, listener: TcpListener, end: impl Future<Output = ()>) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        self.check_listen(address)?;
        let node = self.node.clone();
        let end = async {
            tokio::select! {
                () = end => {}
                _ = node.stopped() => {}
            }
        };
        // A mounted site's links would lead nowhere without what it is mounted in.
        let base = self.base.clone();
        let router = self.router();
        let router = if base.is_empty() { router } else { Router::new().nest(&base, router) };
        server::serve(listener, router, end).await;
        Ok(())
    }

    fn check_listen(&self, address: SocketAddr) -> Result<(), ServeError> {
        let is_loopback = address.ip().to_canonical().is_loopback();
        if is_loopback || self.listens_anywhere || (self.password.is_some() && !self.is_admitted) {
            return Ok(());
        }
        Err(ServeError::Exposed(address))
    }
}

/// An address that opens the site.
fn with(address: &str, token: &Token) -> String {
    let join = if address.contains('?') { '&' } else { '?' };
    format!("{address}{join}token={}", token.reveal())
}

/// No secret is in it.
impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("node", &self.node)
            .field("base", &self.base)
            .field("targets", &self.targets)
            .field("power", &self.power)
            .finish_non_exhaustive()
    }
}
