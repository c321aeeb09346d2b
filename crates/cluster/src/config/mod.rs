//! Topologies from a file, `beamline.toml`, or from the environment.
//!
//! The names of strategies and keys are libcluster's; a strategy may be called by its module or its short name.
//!
//! ```toml
//! [topologies.lan]                      # any name; it is in the log
//! strategy = "Cluster.Strategy.Gossip"  # or "gossip"
//! config.multicast_if = "192.168.1.1"
//!
//! [topologies.fixed]
//! strategy = "epmd"
//! config.hosts = ["app_a@10.0.0.1", "app_b@10.0.0.2"]
//! prune = false                         # never disconnect anybody; unless set, as the strategy has it
//! grace_period = 30000                  # ms before who left the list is disconnected; 10000 unless set
//! ```
//!
//! The keys of each strategy are at the head of its file under [`strategy`](crate::strategy). `connect`, `disconnect` and
//! `list_nodes` are functions, and so are given in Rust: see [`connector`](crate::connector). What is wrong in a file is
//! told with its line, all at once, and nothing starts.
//!
//! [`Topologies::from_env`] looks at, in this order: the file that `BEAMLINE_CONFIG` names; `LIBCLUSTER_STRATEGY`, which
//! gives the topologies of the article's applications without any file; `beamline.toml` in the working directory.

mod problem;
mod section;

use std::{fmt, path::Path, sync::Arc};

use toml::de::{DeTable, DeValue};

pub use problem::{ConfigError, Problem};
pub(crate) use section::Section;

use crate::{DEFAULT_GRACE, Gossip, LocalEpmd, Topologies, Topology, strategy::BuiltIn};
use section::Source;

/// The variable that chooses the strategy.
pub const STRATEGY_VARIABLE: &str = "LIBCLUSTER_STRATEGY";

/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "BEAMLINE_CONFIG";

/// The configuration file that is read if it is there.
const DEFAULT_FILE: &str = "beamline.toml";

/// Why a value of [`STRATEGY_VARIABLE`] makes no topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrategyNotice {
    /// It needs keys that only a file can give.
    NeedsKeys {
        /// The value.
        strategy: String,
    },
    /// This program was built without it.
    NeedsFeature {
        /// The value.
        strategy: String,
        /// The cargo feature that brings it.
        feature: &'static str,
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
            Self::NeedsKeys { strategy } => {
                write!(
                    f,
                    "{STRATEGY_VARIABLE}={strategy}: this strategy needs a configuration; give it in {DEFAULT_FILE}"
                )?;
            }
            Self::NeedsFeature { strategy, feature } => {
                write!(f, "{STRATEGY_VARIABLE}={strategy}: {}", needs_feature(feature))?;
            }
            Self::Unknown { strategy } => write!(f, "{STRATEGY_VARIABLE}={strategy}: unknown strategy")?,
        }
        write!(f, "; running without discovery (there are: {})", CHOICES.join(", "))
    }
}

/// The values of [`STRATEGY_VARIABLE`] that this build has a topology for.
const CHOICES: &[&str] = &[
    "gossip",
    "local_epmd",
    #[cfg(feature = "kubernetes")]
    "kubernetes",
    #[cfg(feature = "dns")]
    "kubernetes.dns",
];

/// The topology that the article's applications have for a strategy.
fn article(short: &str) -> Option<Topology> {
    match short {
        "gossip" => Some(Topology::new("gossip", Gossip::default())),
        "local_epmd" => Some(Topology::new("local_epmd", LocalEpmd::default())),
        #[cfg(feature = "kubernetes")]
        "kubernetes" => Some(Topology::new("k8s", crate::Kubernetes::without_file())),
        #[cfg(feature = "dns")]
        "kubernetes.dns" => Some(Topology::new("k8s_dns", crate::KubernetesDns::new("cluster-app", "beam-cluster"))),
        _ => None,
    }
}

fn needs_feature(feature: &str) -> String {
    format!("this strategy is not in this build; it needs the cargo feature `{feature}`")
}

impl Topologies {
    /// What the environment asks for: see [`config`](self). Never fails by itself; what is wrong with a file is kept as
    /// [`error`](Topologies::error), and starting the cluster then fails with it. A value of `LIBCLUSTER_STRATEGY` that
    /// gives none leaves a [`notice`](Topologies::notice).
    pub fn from_env() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(path) = variable(CONFIG_VARIABLE) {
            return Self::from_file(path).unwrap_or_else(Self::with_error);
        }
        if let Some(strategy) = variable(STRATEGY_VARIABLE) {
            return Self::from_choice(&strategy.to_string_lossy(), None);
        }
        if Path::new(DEFAULT_FILE).is_file() {
            return Self::from_file(DEFAULT_FILE).unwrap_or_else(Self::with_error);
        }
        Self::new()
    }

    /// By the value of `LIBCLUSTER_STRATEGY`, as a command line may give it. `epmd_port` is for `local_epmd`.
    pub fn from_choice(strategy: &str, epmd_port: Option<u16>) -> Self {
        let strategy = strategy.trim();
        let built_in = BuiltIn::named(strategy).map(|built_in| (built_in.short, built_in.read));
        let mut topologies: Self = match built_in {
            Some((_, Err(feature))) => {
                Self::with_notice(StrategyNotice::NeedsFeature { strategy: strategy.to_owned(), feature })
            }
            Some((short, Ok(_))) => match article(short) {
                Some(topology) => [topology].into_iter().collect(),
                None => Self::with_notice(StrategyNotice::NeedsKeys { strategy: strategy.to_owned() }),
            },
            None if strategy.is_empty() => Self::new(),
            None => Self::with_notice(StrategyNotice::Unknown { strategy: strategy.to_owned() }),
        };
        if let Some(port) = epmd_port {
            topologies = topologies.with_epmd_port(port);
        }
        topologies
    }

    /// Those of a configuration file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.into(), source: Arc::new(source) })?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// Those of the text of a configuration file. `name` stands for the file in errors.
    ///
    /// # Errors
    /// Something in it is wrong.
    ///
    /// ```
    /// use beamline_cluster::Topologies;
    ///
    /// let text = "[topologies.lan]\nstrategy = \"gossip\"\nconfig.prot = 45892\n";
    /// let error = Topologies::from_toml(text, "beamline.toml").unwrap_err();
    /// assert_eq!(error.to_string(), "beamline.toml:3:8: unknown key `prot`; did you mean `port`?");
    /// ```
    pub fn from_toml(text: &str, name: &str) -> Result<Self, ConfigError> {
        let source = Source::new(text, name);
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return Err(ConfigError::Wrong { problems: vec![source.problem(at, error.message())] });
            }
        };
        let mut root = Section::new(&source, document.get_ref(), 0);
        let mut list = Vec::new();
        if let Some(mut topologies) = root.section("topologies") {
            for name in topologies.keys() {
                if let Some(mut section) = topologies.section(&name) {
                    list.extend(topology(&name, &mut section));
                    section.finish();
                }
            }
        }
        root.finish();
        let problems = source.into_problems();
        if problems.is_empty() { Ok(list.into_iter().collect()) } else { Err(ConfigError::Wrong { problems }) }
    }
}

fn topology(name: &str, section: &mut Section<'_>) -> Option<Topology> {
    for key in ["connect", "disconnect", "list_nodes"] {
        section.refuse(key, "is a function and is given in Rust: wrap the node in a `Connector`");
    }
    let prune = section.boolean("prune");
    let grace = section.milliseconds("grace_period").unwrap_or(DEFAULT_GRACE);
    let expected = "the name of a strategy";
    let strategy = section.required("strategy", expected, |value| match value {
        DeValue::String(name) => Some(name.to_string()),
        _ => None,
    });
    let built_in = strategy.and_then(|strategy| {
        let found = BuiltIn::named(&strategy);
        if found.is_none() {
            section.unknown_strategy(&strategy);
        }
        found
    });
    let Some(built_in) = built_in else {
        // Nobody knows which keys are right.
        section.ignore("config");
        return None;
    };
    let read = match built_in.read {
        Ok(read) => read,
        Err(feature) => {
            section.wrong("strategy", &format!("{}: {}", built_in.module, needs_feature(feature)));
            section.ignore("config");
            return None;
        }
    };
    let mut config = section.section_or_empty("config");
    let strategy = read(&mut config);
    config.finish();
    let topology = Topology::shared(name, strategy?).grace(grace);
    Some(match prune {
        Some(prune) => topology.prune(prune),
        None => topology,
    })
}

#[cfg(test)]
mod tests;
