//! What `beamline dashboard` takes on its command line, and what all commands take that serve a site.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::arguments::{CookieArguments, PortArguments, time};

const DASHBOARD: &str = "\
Examples:
  beamline dashboard app_a@127.0.0.1 --open      the cluster of app_a, in the browser
  beamline dashboard                             that of the nodes of this host
  beamline dashboard app_a --listen 127.0.0.1:0  on a port that is free

The address is printed with a token, which begins a session. Exit codes: 2 wrong usage, 69 node unreachable, 75 timeout,
77 cookie rejected, 78 something on this machine is not set up, such as a port that is in use";

/// A dashboard.
#[derive(Debug, Args)]
#[command(after_help = DASHBOARD)]
pub(crate) struct DashboardArguments {
    /// The nodes whose cluster is shown: NAME@HOST, or NAME alone for one of this host [default: all that the epmd of this
    /// host knows]
    #[arg(value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) visit: VisitArguments,
    #[command(flatten)]
    pub(crate) site: SiteArguments,
    /// Show what may hold secrets too: messages and dictionaries of processes
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Let visitors end processes
    #[arg(long, conflicts_with = "readonly")]
    pub(crate) allow_destructive: bool,
}

/// The node from which a tool looks at a cluster. It is hidden and does not listen, unless it is told.
#[derive(Debug, Args)]
pub(crate) struct VisitArguments {
    /// The tool's own name with its full host name or address [default: one that is new each time]
    #[arg(long, value_name = "NAME@HOST")]
    pub(crate) name: Option<String>,
    /// The tool's own name with a short host name
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub(crate) sname: Option<String>,
    #[command(flatten)]
    pub(crate) cookie: CookieArguments,
    /// Be a member of the cluster, seen in the others' lists of nodes
    #[arg(long)]
    pub(crate) visible: bool,
    #[command(flatten)]
    pub(crate) ports: PortArguments,
    /// How long to wait for the first node: 5s, 500ms, 1m
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(crate) timeout: Duration,
}

/// Where a site listens, and who may enter. BEAMLINE_PASSWORD, or the file that BEAMLINE_PASSWORD_FILE names, holds a password
/// that takes the place of the token.
#[derive(Debug, Args)]
pub(crate) struct SiteArguments {
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4040", env = "BEAMLINE_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// Open it in the browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Only show: nothing on the site can change or run anything
    #[arg(long)]
    pub(crate) readonly: bool,
    /// Listen where others can reach it, with only the token to keep them out
    #[arg(long)]
    pub(crate) insecure_listen: bool,
    /// Answer to this name too, as behind a proxy: ops.example.com
    #[arg(long, value_name = "HOST", value_delimiter = ',', env = "BEAMLINE_ALLOW_HOST")]
    pub(crate) allow_host: Vec<String>,
    /// Believe X-Forwarded-For and X-Forwarded-Proto, which the proxy in front must set
    #[arg(long)]
    pub(crate) trust_proxy: bool,
    /// The path under which a proxy shows it: /beamline
    #[arg(long, value_name = "PATH", default_value = "")]
    pub(crate) at: String,
    /// Use the token in this file, which is made if it is not there [default: a new token each time]
    #[arg(long, value_name = "FILE", env = "BEAMLINE_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
}
