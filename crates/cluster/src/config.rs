//! The environment's choice of topologies: `LIBCLUSTER_STRATEGY`, with the values of the article's applications.

use std::fmt;

use beamline_node::epmd::Epmd;

use crate::{Gossip, LocalEpmd, Strategy, Topologies, Topology};

/// The variable that chooses the strategy.
pub const STRATEGY_VARIABLE: &str = "LIBCLUSTER_STRATEGY";

/// Why a value of [`STRATEGY_VARIABLE`] makes no topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrategyNotice {
    /// libcluster knows it, Beamline does not yet.
    NotYet {
        /// The value.
        strategy: String,
    },
    /// No strategy has this name.
    Unknown {
        /// The value.
        strategy: String,
    },
}

impl fmt::Display for StrategyNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { strategy } => write!(
                f,
                "{STRATEGY_VARIABLE}={strategy}: this strategy is not there yet in this version; \
                 running without discovery (there are: gossip, local_epmd)"
            ),
            Self::Unknown { strategy } => write!(
                f,
                "{STRATEGY_VARIABLE}={strategy}: unknown strategy; running without discovery (there are: gossip, local_epmd)"
            ),
        }
    }
}

impl Topologies {
    /// By `LIBCLUSTER_STRATEGY`: `gossip`, or `local_epmd` with the port of `ERL_EPMD_PORT`. Unset or empty means none; so
    /// does any other value, with a [`notice`](Topologies::notice).
    pub fn from_env() -> Self {
        let strategy = std::env::var(STRATEGY_VARIABLE).unwrap_or_default();
        Self::from_choice(&strategy, Epmd::from_env().lookup_port())
    }

    /// The same, with this port of epmd for `local_epmd`.
    pub fn with_epmd_port(self, port: u16) -> Self {
        self.map(|strategy| match strategy {
            Strategy::LocalEpmd(local_epmd) => local_epmd.port = port,
            Strategy::Gossip(_) => {}
        })
    }

    /// The same by value, as a command line may give it. `epmd_port` is for `local_epmd`.
    pub fn from_choice(strategy: &str, epmd_port: Option<u16>) -> Self {
        match strategy.trim() {
            "" => Self::new(),
            "gossip" => [Topology::new("gossip", Gossip::default())].into_iter().collect(),
            "local_epmd" => {
                let mut local_epmd = LocalEpmd::default();
                local_epmd.port = epmd_port.unwrap_or(local_epmd.port);
                [Topology::new("local_epmd", local_epmd)].into_iter().collect()
            }
            "kubernetes" | "kubernetes.dns" | "kubernetes.dns_srv" | "dns_poll" | "epmd" | "erlang_hosts" => {
                Self::with_notice(StrategyNotice::NotYet { strategy: strategy.trim().to_owned() })
            }
            other => Self::with_notice(StrategyNotice::Unknown { strategy: other.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(
            Topologies::from_choice("gossip", None).to_string(),
            "[gossip: [strategy: Cluster.Strategy.Gossip]]"
        );
        let local_epmd = Topologies::from_choice("local_epmd", None).with_epmd_port(5000);
        assert!(
            matches!(local_epmd.iter().next().map(Topology::strategy), Some(Strategy::LocalEpmd(it)) if it.port == 5000)
        );
    }

    #[test]
    fn other_values_make_none_and_say_so() {
        let none = Topologies::from_choice("", None);
        assert!(none.is_empty() && none.notice().is_none());
        let later = Topologies::from_choice("kubernetes.dns", None);
        assert!(later.is_empty());
        assert!(matches!(later.notice(), Some(StrategyNotice::NotYet { strategy }) if strategy == "kubernetes.dns"));
        let unknown = Topologies::from_choice("gosip", None);
        assert!(unknown.notice().is_some_and(|notice| notice.to_string().contains("gosip")));
    }
}
