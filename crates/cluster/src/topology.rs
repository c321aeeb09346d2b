//! Topologies: named strategies. A node may run several at once.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    config::{ConfigError, StrategyNotice},
    strategy::Strategy,
};

/// How long a node that an answer removed stays connected, unless set: two polling intervals of libcluster's strategies.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// A strategy under a name, which its log lines carry.
///
/// ```
/// use std::time::Duration;
/// use beamline_cluster::{Epmd, Topology};
///
/// # fn example() -> Result<Topology, Box<dyn std::error::Error>> {
/// let topology = Topology::new("fixed", Epmd::new(["app_a@10.0.0.1".parse()?]));
/// # Ok(topology)
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Topology {
    name: String,
    strategy: Arc<dyn Strategy>,
    prune: Option<bool>,
    grace: Duration,
}

impl Topology {
    /// This strategy under this name.
    pub fn new(name: impl Into<String>, strategy: impl Strategy) -> Self {
        Self::shared(name, Arc::new(strategy))
    }

    /// The same with a strategy that is chosen when the program runs.
    pub fn shared(name: impl Into<String>, strategy: Arc<dyn Strategy>) -> Self {
        Self { name: name.into(), strategy, prune: None, grace: DEFAULT_GRACE }
    }

    /// Whether nodes that a successful answer removes are disconnected. Unless set, that is as the strategy
    /// [has it](Strategy::prunes): yes, but for those that ask epmd or know a fixed list.
    pub fn prune(self, prune: bool) -> Self {
        Self { prune: Some(prune), ..self }
    }

    /// How long after that answer; [`DEFAULT_GRACE`] unless set. A node that comes back meanwhile stays.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The strategy.
    pub fn strategy(&self) -> &dyn Strategy {
        &*self.strategy
    }

    /// Whether nodes that an answer removes are disconnected.
    pub fn prunes(&self) -> bool {
        self.prune.unwrap_or_else(|| self.strategy.prunes())
    }

    /// How long after.
    pub fn grace_period(&self) -> Duration {
        self.grace
    }
}

/// As Elixir prints an entry of libcluster's keyword list.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [strategy: {}]", self.name, self.strategy.name())
    }
}

/// The topologies of a node.
#[derive(Debug, Clone, Default)]
pub struct Topologies {
    list: Vec<Topology>,
    notice: Option<StrategyNotice>,
    error: Option<ConfigError>,
    epmd_port: Option<u16>,
}

impl Topologies {
    /// None, to which some may be added.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with_notice(notice: StrategyNotice) -> Self {
        Self { notice: Some(notice), ..Self::default() }
    }

    pub(crate) fn with_error(error: ConfigError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// The same, with this port of epmd for strategies that ask it and have no port of their own.
    pub fn with_epmd_port(self, port: u16) -> Self {
        Self { epmd_port: Some(port), ..self }
    }

    pub(crate) fn epmd_port(&self) -> Option<u16> {
        self.epmd_port
    }

    /// Adds one.
    pub fn push(&mut self, topology: Topology) {
        self.list.push(topology);
    }

    /// One after another.
    pub fn iter(&self) -> impl Iterator<Item = &Topology> {
        self.list.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Why there are none although one was asked for. Starting them logs it as a warning.
    pub fn notice(&self) -> Option<&StrategyNotice> {
        self.notice.as_ref()
    }

    /// What is wrong with the configuration file that the environment names. Starting them fails with it.
    pub fn error(&self) -> Option<&ConfigError> {
        self.error.as_ref()
    }
}

impl FromIterator<Topology> for Topologies {
    fn from_iter<I: IntoIterator<Item = Topology>>(topologies: I) -> Self {
        Self { list: topologies.into_iter().collect(), ..Self::default() }
    }
}

/// As Elixir prints libcluster's keyword list: `[gossip: [strategy: Cluster.Strategy.Gossip]]`.
impl fmt::Display for Topologies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, topology) in self.list.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            topology.fmt(f)?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gossip, LocalEpmd};

    #[test]
    fn prints_as_elixir_does() {
        let gossip = Topology::new("gossip", Gossip::default());
        let epmd = Topology::new("local_epmd", LocalEpmd::default());
        assert_eq!(Topologies::new().to_string(), "[]");
        assert_eq!(
            Topologies::from_iter([gossip, epmd]).to_string(),
            "[gossip: [strategy: Cluster.Strategy.Gossip], local_epmd: [strategy: Cluster.Strategy.LocalEpmd]]"
        );
    }
}
