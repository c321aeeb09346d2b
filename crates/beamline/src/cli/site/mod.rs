//! What `beamline dashboard` and `beamline notebook` share: where the site listens, who may enter, what is printed, and its end.

pub(super) mod arguments;
mod files;

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use beamline_web::{Password, ServeError, Token, Web};
use tokio::net::TcpListener;

use crate::cli::arguments::SiteArguments;
use crate::cli::exit::Exit;
use crate::cli::remote::print;
use crate::cli::start::interrupted;
use files::{FileError, TokenFiles};

/// Why a site cannot be set up.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error("cannot listen on {address}: {source}{}", advice(.source, *.address))]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Exposed(#[from] ServeError),
    #[error(transparent)]
    File(#[from] FileError),
}

fn advice(error: &io::Error, address: SocketAddr) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; another program listens there: try --listen {}:0", host_of(address))
        }
        _ => String::new(),
    }
}

/// A site whose listener and secrets are there, before any node is started for it.
pub(super) struct Prepared<'a> {
    arguments: &'a SiteArguments,
    listener: TcpListener,
    password: Option<Password>,
    token: Option<Token>,
}

impl<'a> Prepared<'a> {
    /// What is wrong has been said when this is an error.
    pub(super) async fn new(arguments: &'a SiteArguments) -> Result<Self, Exit> {
        Self::read(arguments).await.map_err(|error| {
            eprintln!("{error}");
            if matches!(error, SetupError::Exposed(_)) { Exit::Usage } else { Exit::Config }
        })
    }

    async fn read(arguments: &'a SiteArguments) -> Result<Self, SetupError> {
        let password = files::password(|name| std::env::var(name).ok())?;
        let token = arguments.token_file.as_deref().map(files::kept_token).transpose()?;
        let address = arguments.listen;
        if !address.ip().is_loopback() && password.is_none() && !arguments.insecure_listen {
            return Err(ServeError::Exposed(address).into());
        }
        let listener = TcpListener::bind(address).await.map_err(|source| SetupError::Listen { address, source })?;
        Ok(Self { arguments, listener, password, token })
    }

    /// Serves until Ctrl-C, or until the node of the site stops. What is wrong has been said when this is an error.
    pub(super) async fn serve(self, web: Web, what: &str) -> Result<(), Exit> {
        let wrong = |problem: &dyn std::fmt::Display, exit| {
            eprintln!("{problem}");
            exit
        };
        let Self { arguments, listener, password, token } = self;
        let address = listener.local_addr().map_err(|error| wrong(&error, Exit::Config))?;
        let has_password = password.is_some();
        let mut web = web.at(&arguments.at);
        for host in &arguments.allow_host {
            web = web.allow_host(host).map_err(|error| wrong(&error, Exit::Usage))?;
        }
        if let Some(password) = password {
            web = web.password(password);
        }
        if let Some(token) = token {
            web = web.token(token);
        }
        if arguments.trust_proxy {
            web = web.trust_proxy();
        }
        if arguments.readonly {
            web = web.readonly();
        }
        if arguments.insecure_listen {
            web = web.insecure_listen();
        }
        if !address.ip().is_loopback() {
            eprintln!(
                "warning: {address} is not on loopback: whoever can reach it may try to enter, and whoever is on the way reads \
                 what is sent, the token or password too; put TLS in front of it (docs/dashboard.md)"
            );
        }
        let origin = format!("http://{}:{}", host_of(address), address.port());
        let kept = (!has_password).then(|| TokenFiles::write(&web, what, address.port())).flatten();
        print(&web.entry(&origin));
        eprintln!("the {what} is open until Ctrl-C{}", kept.as_ref().map(TokenFiles::told).unwrap_or_default());
        if arguments.open {
            open(&web.entry_once(&origin));
        }
        web.serve_until(listener, interrupted()).await.map_err(|error| wrong(&error, Exit::Config))
    }
}

/// The host under which this machine reaches an address at which it listens.
fn host_of(address: SocketAddr) -> String {
    match address {
        _ if address.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V4(four) => four.ip().to_string(),
        SocketAddr::V6(six) => format!("[{}]", six.ip()),
    }
}

/// Opens an address in the browser that the system names.
fn open(address: &str) {
    let program = std::env::var("BROWSER").ok().filter(|browser| !browser.is_empty());
    let program = program.unwrap_or_else(|| if cfg!(target_os = "macos") { "open" } else { "xdg-open" }.to_owned());
    let mut command = Command::new(&program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        // It is waited for elsewhere, so that it does not stay as a zombie.
        Ok(mut browser) => {
            std::thread::spawn(move || browser.wait());
        }
        Err(error) => eprintln!("no browser: {program}: {error}; open the address above"),
    }
}
