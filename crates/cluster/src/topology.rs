//! Topologies: named strategies. A node may run several at once.

use std::fmt;

use crate::{config::StrategyNotice, strategy::Strategy};

/// A strategy under a name, which its log lines carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    name: String,
    strategy: Strategy,
}

impl Topology {
    /// This strategy under this name.
    pub fn new(name: impl Into<String>, strategy: impl Into<Strategy>) -> Self {
        Self { name: name.into(), strategy: strategy.into() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The strategy.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }
}

/// As Elixir prints an entry of libcluster's keyword list.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [strategy: {}]", self.name, self.strategy.module())
    }
}

/// The topologies of a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Topologies {
    list: Vec<Topology>,
    notice: Option<StrategyNotice>,
}

impl Topologies {
    /// None, to which some may be added.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with_notice(notice: StrategyNotice) -> Self {
        Self { list: Vec::new(), notice: Some(notice) }
    }

    pub(crate) fn map(mut self, change: impl Fn(&mut Strategy)) -> Self {
        self.list.iter_mut().for_each(|topology| change(&mut topology.strategy));
        self
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
}

impl FromIterator<Topology> for Topologies {
    fn from_iter<I: IntoIterator<Item = Topology>>(topologies: I) -> Self {
        Self { list: topologies.into_iter().collect(), notice: None }
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
