//! The flags of a program that is a node, as `iex` has them: `--name`, `--sname`, `--cookie`, `--hidden`, `--erl '...'`;
//! and `--config`, for its topologies.
//!
//! [`NodeFlags`] and [`TopologyFlags`] are groups of `clap` arguments: flatten them into a program's own. The environment (`ERL_EPMD_PORT`,
//! `BEAMLINE_COOKIE` and the cookie files) is read here, at the edge, and nowhere deeper.
//!
//! ```
//! use beamline::flags::NodeFlags;
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! struct Arguments {
//!     #[command(flatten)]
//!     node: NodeFlags,
//! }
//!
//! let arguments = Arguments::parse_from(["app", "--name", "app_a@127.0.0.1", "--erl", "-kernel net_ticktime 15"]);
//! assert_eq!(arguments.node.node_name()?.as_str(), "app_a@127.0.0.1");
//! # Ok::<(), beamline::flags::FlagError>(())
//! ```

pub mod cookie;
mod erl;
mod topologies;

use std::convert::Infallible;
use std::path::PathBuf;

use beamline_node::{Epmd, Limits, Listen, Node, NodeBuilder};
use beamline_proto::{Cookie, NameError, NodeName};

pub use cookie::CookieError;
pub use erl::{ErlFlagError, ErlFlags};
pub use topologies::TopologyFlags;

/// The flags.
#[derive(Debug, Clone, clap::Args)]
pub struct NodeFlags {
    /// The node's name with its full host name or address: app@127.0.0.1
    #[arg(long, value_name = "NAME@HOST", required_unless_present = "sname")]
    pub name: Option<String>,
    /// The node's name with a short host name; this machine's is added if there is none
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub sname: Option<String>,
    /// The cluster's cookie; others on this machine can see it in the list of processes
    #[arg(long, value_name = "COOKIE", value_parser = read_cookie)]
    pub cookie: Option<Cookie>,
    /// A file with the cookie, that only its owner can read [default: ~/.erlang.cookie]
    #[arg(long, value_name = "FILE", conflicts_with = "cookie")]
    pub cookie_file: Option<PathBuf>,
    /// Do not show up in the others' lists of nodes
    #[arg(long)]
    pub hidden: bool,
    /// Flags as for erl: '-dist_listen false -erl_epmd_port 9000'
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, value_parser = str::parse::<ErlFlags>)]
    pub erl: Option<ErlFlags>,
    /// The port of epmd
    #[arg(long, value_name = "PORT", env = "ERL_EPMD_PORT")]
    pub epmd_port: Option<u16>,
    /// Use no epmd: listen on this port, and dial peers on it
    #[arg(long, value_name = "PORT")]
    pub peer_port: Option<u16>,
}

/// Why the flags make no node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlagError {
    /// Neither `--name` nor `--sname`.
    #[error("a node needs a name: --name NAME@HOST or --sname NAME")]
    NoName,
    /// `--name undefined` or `--sname undefined`.
    #[error(
        "a node without a name is a guest of another: it cannot be a program of its own; use `beamline rpc`, or \
         `Node::guest` in a program"
    )]
    Undefined,
    /// `--name` without a host.
    #[error("--name {0} has no host; write it as {0}@HOST, or use --sname {0}")]
    NoHost(String),
    /// `--sname` with a host that is not short.
    #[error("--sname {0}: a short host has no dots; use --name for this one")]
    LongHost(String),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No cookie.
    #[error(transparent)]
    Cookie(#[from] CookieError),
}

fn read_cookie(text: &str) -> Result<Cookie, Infallible> {
    Ok(Cookie::from(text))
}

impl NodeFlags {
    /// The node's full name.
    pub fn node_name(&self) -> Result<NodeName, FlagError> {
        match (&self.name, &self.sname) {
            (Some(name), _) | (None, Some(name)) if name == "undefined" => Err(FlagError::Undefined),
            (Some(name), _) if !name.contains('@') => Err(FlagError::NoHost(name.clone())),
            (Some(name), _) => Ok(name.parse()?),
            (None, Some(sname)) => {
                let full = if sname.contains('@') { sname.clone() } else { format!("{sname}@{}", short_host()) };
                let name: NodeName = full.parse()?;
                if name.is_long() { Err(FlagError::LongHost(sname.clone())) } else { Ok(name) }
            }
            (None, None) => Err(FlagError::NoName),
        }
    }

    /// A node as the flags and the environment say, ready for its modules and its start.
    pub fn builder(&self) -> Result<NodeBuilder, FlagError> {
        let erl = self.erl.clone().unwrap_or_default();
        let peer_port = self.peer_port.or(erl.erl_epmd_port);
        let mut builder = Node::builder(self.node_name()?.to_string())
            .cookie(self.find_cookie()?)
            .hidden(self.hidden || erl.hidden)
            .epmd(self.epmd(&erl, peer_port))
            .listen(listen(&erl, peer_port));
        if let Some(port) = peer_port {
            builder = builder.peer_port(port);
        }
        if let Some(time) = erl.net_ticktime {
            builder = builder.net_ticktime(time);
        }
        if let Some(all) = erl.connect_all {
            builder = builder.connect_all(all);
        }
        if let Some(ticks) = erl.net_tickintensity {
            builder = builder.net_tickintensity(ticks);
        }
        if let Some(time) = erl.net_setuptime {
            let mut limits = Limits::default();
            limits.setup_time = time;
            builder = builder.limits(limits);
        }
        if let Some(auto) = erl.auto_connect {
            builder = builder.auto_connect(auto);
        }
        if let Some(family) = erl.family {
            builder = builder.family(family);
        }
        for (peer, cookie) in erl.cookies {
            builder = builder.cookie_for(&peer, cookie);
        }
        if let Some(prevent) = erl.prevent_overlapping_partitions {
            builder = builder.prevent_overlapping_partitions(prevent);
        }
        Ok(builder)
    }

    /// The port of epmd: that of the flag, of `ERL_EPMD_PORT`, or 4369.
    pub fn epmd_port(&self) -> u16 {
        self.epmd_port.unwrap_or(beamline_node::epmd::DEFAULT_PORT)
    }

    fn epmd(&self, erl: &ErlFlags, peer_port: Option<u16>) -> Epmd {
        let port = self.epmd_port();
        if peer_port.is_some() {
            return Epmd::IfRunning { port };
        }
        if erl.start_epmd == Some(false) {
            return Epmd::External((erl.family.unwrap_or_default().loopback(), port).into());
        }
        match Epmd::from_env() {
            Epmd::Auto(mut auto) => {
                auto.port = port;
                Epmd::Auto(auto)
            }
            other => other,
        }
    }

    /// The cookie: the one given, else that of `-setcookie`, else what [`cookie::find`] finds.
    pub fn find_cookie(&self) -> Result<Cookie, FlagError> {
        let given = self.cookie.clone().or_else(|| self.erl.as_ref().and_then(|erl| erl.cookie.clone()));
        match given {
            Some(cookie) => Ok(cookie),
            None => Ok(cookie::find(None, self.cookie_file.as_deref(), |name| std::env::var(name).ok())?),
        }
    }
}

fn listen(erl: &ErlFlags, peer_port: Option<u16>) -> Listen {
    match (erl.dist_listen, peer_port, erl.listen_min, erl.listen_max) {
        (Some(false), ..) => Listen::Off,
        (_, Some(port), ..) => Listen::Ports(port, port),
        // As kernel: a lower end alone is the only port, an upper end alone is none.
        (_, None, Some(min), max) => Listen::Ports(min, max.unwrap_or(min)),
        (_, None, None, _) => Listen::Any,
    }
}

/// This machine's host name up to the first dot.
pub fn short_host() -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    host.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        node: NodeFlags,
    }

    fn read(arguments: &[&str]) -> Result<NodeFlags, String> {
        let words = ["program"].iter().chain(arguments);
        Program::try_parse_from(words).map(|program| program.node).map_err(|error| error.to_string())
    }

    fn name(arguments: &[&str]) -> Result<String, String> {
        let name = read(arguments)?.node_name().map_err(|error| error.to_string())?;
        Ok(name.to_string())
    }

    #[test]
    fn names() {
        assert_eq!(name(&["--name", "a@127.0.0.1"]), Ok("a@127.0.0.1".to_owned()));
        assert_eq!(name(&["--sname", "a@box"]), Ok("a@box".to_owned()));
        assert_eq!(name(&["--sname", "a"]), Ok(format!("a@{}", short_host())));
        assert!(name(&["--name", "a"]).unwrap_err().contains("a@HOST"));
        assert!(name(&["--sname", "a@127.0.0.1"]).unwrap_err().contains("--name"));
        assert!(name(&["--sname", "undefined"]).unwrap_err().contains("guest"));
        assert!(name(&[]).unwrap_err().contains("--name"));
        assert!(name(&["--name", "a@b", "--sname", "a"]).is_err());
    }

    #[test]
    fn where_to_listen_and_which_epmd() {
        let read = |erl: &str| read(&["--name", "a@b", "--epmd-port", "5", "--erl", erl]).unwrap();
        let both = |erl: &str| {
            let flags = read(erl);
            let erl = flags.erl.clone().unwrap();
            (listen(&erl, erl.erl_epmd_port), flags.epmd(&erl, erl.erl_epmd_port))
        };
        assert_eq!(both("").0, Listen::Any);
        assert!(matches!(both("").1, Epmd::Auto(auto) if auto.port == 5));
        assert_eq!(both("-dist_listen false -erl_epmd_port 9000"), (Listen::Off, Epmd::IfRunning { port: 5 }));
        assert_eq!(both("-erl_epmd_port 9000").0, Listen::Ports(9000, 9000));
        assert_eq!(both("-start_epmd false").1, Epmd::External((Ipv4Addr::LOCALHOST, 5).into()));
        let range = "-kernel inet_dist_listen_min 9000 inet_dist_listen_max 9010";
        assert_eq!(both(range).0, Listen::Ports(9000, 9010));
        assert_eq!(both("-kernel inet_dist_listen_min 9000").0, Listen::Ports(9000, 9000));
    }

    #[test]
    fn the_cookie_given_first() {
        let cookie = |arguments: &[&str]| read(arguments).unwrap().find_cookie().unwrap();
        let erl = ["--name", "a@b", "--erl", "-setcookie one"];
        assert_eq!(cookie(&erl), Cookie::from("one"));
        assert_eq!(cookie(&[&erl[..], &["--cookie", "two"]].concat()), Cookie::from("two"));
    }

    #[test]
    fn errors_name_the_flag_and_keep_the_cookie() {
        let error = read(&["--name", "a@b", "--cookie", "hush", "--erl", "-smp auto"]).unwrap_err();
        assert!(error.contains("-smp") && !error.contains("hush"), "{error}");
        let flags = read(&["--name", "a@b", "--cookie", "hush"]).unwrap();
        assert!(!format!("{flags:?}").contains("hush"));
    }
}
