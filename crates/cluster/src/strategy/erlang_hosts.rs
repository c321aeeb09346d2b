//! All nodes of the hosts that a file `.hosts.erlang` has. `Cluster.Strategy.ErlangHosts`.
//!
//! Choose it when the hosts are known and the nodes on them are not, and the file is there already. It has a host a line, as
//! an Erlang term with a full stop (see `net_adm` of OTP):
//!
//! ```erlang
//! 'host1.example.org'.
//! 'host2.example.org'.
//! ```
//!
//! ```toml
//! [topologies.hosts]
//! strategy = "erlang_hosts"
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `timeout` | 5000 | ms between two rounds in which the file is read and every host's epmd is asked; libcluster's default is one round only |
//! | `path` | none | the file itself, wherever it is (not a key of libcluster) |
//!
//! Without `path` it is `.hosts.erlang` in the working directory, else in the home directory (`$HOME`). OTP looks in its
//! own root directory last, which a Rust program does not have. No file is no reason to stop: the log says so once, and it
//! is looked for again in the next round. Of a host whose epmd does not answer the last answer counts.

use std::{
    collections::HashMap,
    env, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use beamline_node::{HostResolver, epmd::Client};
use beamline_proto::NodeName;
use tokio::{task::JoinSet, time::timeout};
use tracing::debug;

use super::{Running, StartFailure, Strategy};
use crate::{Reports, config::Section};

const FILE: &str = ".hosts.erlang";

/// How long a host may take to be found and to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// A file beyond this is none.
const MAX_FILE: u64 = 1 << 20;

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErlangHosts {
    /// How long after a round the next one begins.
    pub timeout: Duration,
    /// The file; `None` looks for it as OTP does.
    pub path: Option<PathBuf>,
}

impl Default for ErlangHosts {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), path: None }
    }
}

/// Why there are no hosts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostsError {
    /// libcluster's text.
    #[error("couldn't find .hosts.erlang file - not joining cluster")]
    NotFound,
    /// It is there and cannot be read.
    #[error("cannot read {path:?}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It has something that is not a host and a full stop.
    #[error("{path:?}, line {line}: expected a host and a full stop, as 'host.example.org'.")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
    },
    /// No host answers.
    #[error("no epmd answers on any of the hosts: {}", hosts.join(", "))]
    Silent {
        /// The hosts.
        hosts: Vec<String>,
    },
}

impl ErlangHosts {
    pub(crate) const MODULE: &str = "Cluster.Strategy.ErlangHosts";

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let timeout = section.milliseconds("timeout").unwrap_or(Self::default().timeout);
        Some(Arc::new(Self { timeout, path: section.string("path").map(PathBuf::from) }))
    }

    fn hosts(&self) -> Result<Vec<String>, HostsError> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => {
                let home = env::var_os("HOME").map(|home| Path::new(&home).join(FILE));
                let places = [Some(PathBuf::from(FILE)), home];
                places.into_iter().flatten().find(|path| path.is_file()).ok_or(HostsError::NotFound)?
            }
        };
        let read = || {
            if std::fs::metadata(&path)?.len() > MAX_FILE {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
            }
            std::fs::read_to_string(&path)
        };
        match read() {
            Ok(text) => parse(&text).map_err(|line| HostsError::Syntax { path, line }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(HostsError::NotFound),
            Err(source) => Err(HostsError::Read { path, source }),
        }
    }
}

impl Strategy for ErlangHosts {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let config = self.clone();
        Ok(Box::pin(async move {
            let mut known = HashMap::new();
            loop {
                match round(&config, reports.epmd_port(), &mut known).await {
                    Ok(nodes) => reports.answer(nodes).await,
                    Err(error) => reports.failed(error).await,
                }
                tokio::time::sleep(config.timeout.max(Duration::from_millis(1))).await;
            }
        }))
    }

    fn prunes(&self) -> bool {
        false
    }
}

async fn round(
    config: &ErlangHosts,
    port: u16,
    known: &mut HashMap<String, Vec<NodeName>>,
) -> Result<Vec<NodeName>, HostsError> {
    let hosts = config.hosts()?;
    known.retain(|host, _| hosts.contains(host));
    let mut questions = JoinSet::new();
    for host in hosts.clone() {
        questions.spawn(async move {
            let answer = timeout(DEADLINE, names_on(&host, port)).await;
            (host, answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        });
    }
    let mut answered = hosts.is_empty();
    while let Some(ended) = questions.join_next().await {
        match ended {
            Ok((host, Ok(nodes))) => {
                answered = true;
                known.insert(host, nodes);
            }
            Ok((host, Err(error))) => debug!("no names from {host}: {error}"),
            Err(error) => debug!("a question was not asked to its end: {error}"),
        }
    }
    if !answered {
        return Err(HostsError::Silent { hosts });
    }
    Ok(known.values().flatten().cloned().collect())
}

async fn names_on(host: &str, port: u16) -> io::Result<Vec<NodeName>> {
    let addresses = HostResolver::default().addresses(host).await?;
    let address = addresses.into_iter().next().ok_or(io::ErrorKind::NotFound)?;
    let listed = Client::new(SocketAddr::new(address, port)).names().await.map_err(io::Error::other)?;
    Ok(listed.iter().filter_map(|node| format!("{}@{host}", node.name).parse().ok()).collect())
}

/// The hosts of the file, or the line where it breaks off.
fn parse(text: &str) -> Result<Vec<String>, usize> {
    let mut hosts = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix('%') {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        if rest.is_empty() {
            return Ok(hosts);
        }
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let (host, after) = host(rest).ok_or(line)?;
        let after = after.trim_start().strip_prefix('.').ok_or(line)?;
        if !after.starts_with(|next: char| next.is_whitespace() || next == '%') && !after.is_empty() {
            return Err(line);
        }
        hosts.push(host.to_owned());
        rest = after;
    }
}

/// A host at the start, quoted or, if it is a plain word, not. No host has a character that needs an escape.
fn host(text: &str) -> Option<(&str, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let (host, after) = quoted.split_once(quote)?;
            return (!host.is_empty() && !host.contains(['\\', '\n', '@'])).then_some((host, after));
        }
    }
    let end = text.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(text.len());
    text.starts_with(|first: char| first.is_ascii_lowercase()).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_net_adm_reads() {
        let text = "%% ours\n'super.eua.ericsson.se'.\n\n renat . % a short one\n\"10.0.0.1\".\n'x'.";
        assert_eq!(parse(text).unwrap(), ["super.eua.ericsson.se", "renat", "10.0.0.1", "x"]);
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn tells_the_line_of_what_it_does_not_read() {
        for (text, line) in [
            ("'a'.\n'b'\n'c'.", 2),
            ("host.example.org.", 1),
            ("'a'.\n\n'b", 3),
            ("{a, b}.", 1),
            ("''.", 1),
            ("Host.", 1),
            ("'a@b'.", 1),
        ] {
            assert_eq!(parse(text), Err(line), "{text:?}");
        }
    }

    #[test]
    fn the_file_may_be_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts");
        let config = ErlangHosts { path: Some(path.clone()), ..ErlangHosts::default() };
        assert!(matches!(config.hosts(), Err(HostsError::NotFound)));
        std::fs::write(&path, "'a'.\n").unwrap();
        assert_eq!(config.hosts().unwrap(), ["a"]);
        std::fs::write(&path, "a").unwrap();
        assert!(matches!(config.hosts(), Err(HostsError::Syntax { line: 1, .. })));
    }
}
