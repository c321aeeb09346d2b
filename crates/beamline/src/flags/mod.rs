//! The flags of a program that is a node, as `iex` has them: `--name`, `--sname`, `--cookie`, `--hidden`, `--erl '...'`.
//!
//! [`NodeFlags`] is a group of `clap` arguments: flatten it into a program's own. The environment (`ERL_EPMD_PORT`,
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

use std::convert::Infallible;
use std::path::PathBuf;

use beamline_proto::{Cookie, NameError, NodeName};

pub use cookie::CookieError;
pub use erl::{ErlFlagError, ErlFlags};

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

    /// The cookie: the one given, else that of `-setcookie`, else what [`cookie::find`] finds.
    pub fn find_cookie(&self) -> Result<Cookie, FlagError> {
        let given = self.cookie.clone().or_else(|| self.erl.as_ref().and_then(|erl| erl.cookie.clone()));
        match given {
            Some(cookie) => Ok(cookie),
            None => Ok(cookie::find(None, self.cookie_file.as_deref(), |name| std::env::var(name).ok())?),
        }
    }
}

/// This machine's host name up to the first dot.
pub fn short_host() -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    host.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
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
        assert!(name(&[]).unwrap_err().contains("--name"));
        assert!(name(&["--name", "a@b", "--sname", "a"]).is_err());
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
