//! What the strategies of the nodes look for: by the value of `LIBCLUSTER_STRATEGY`, or by a configuration file.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use beamline::cluster::{ConfigError, Topologies};
use toml::de::{DeTable, DeValue};

use super::object::{Labels, Spot};
use super::yaml::Place;

/// One strategy.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) way: Way,
}

/// How it finds nodes, and how it names them.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Gossip,
    /// By the API.
    Kubernetes {
        base: Spot<String>,
        selector: Spot<String>,
        /// None is that of the pod itself.
        namespace: Option<Spot<String>>,
        /// The service in the names of mode `hostname`.
        service: Option<Spot<String>>,
        mode: Mode,
        /// What is asked for: `pods`, `endpoints` or `endpointslices`.
        resource: String,
        cluster_name: String,
    },
    /// By the A records of a headless service.
    Dns {
        base: Spot<String>,
        service: Spot<String>,
    },
    /// By its SRV records.
    DnsSrv {
        base: Spot<String>,
        service: Spot<String>,
        namespace: Spot<String>,
    },
    /// Anything else, which has nothing to do with Kubernetes.
    Other,
}

/// The form of the host in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Ip,
    Hostname,
    Dns,
}

impl Wanted {
    /// The topologies of the article, by name; `None` if there is none of that name.
    pub(super) fn of_variable(strategy: &Spot<String>) -> Option<Self> {
        let spot = |value: &str| Spot { value: value.to_owned(), place: strategy.place.clone() };
        let way = match strategy.value.strip_prefix("Elixir.").unwrap_or(&strategy.value) {
            "gossip" | "Cluster.Strategy.Gossip" => Way::Gossip,
            "local_epmd" | "Cluster.Strategy.LocalEpmd" => Way::Other,
            "kubernetes" | "Cluster.Strategy.Kubernetes" => Way::Kubernetes {
                base: spot("cluster-app"),
                selector: spot("cluster=beam"),
                namespace: None,
                service: Some(spot("beam-cluster")),
                mode: Mode::Hostname,
                resource: "pods".to_owned(),
                cluster_name: "cluster".to_owned(),
            },
            "kubernetes.dns" | "Cluster.Strategy.Kubernetes.DNS" => {
                Way::Dns { base: spot("cluster-app"), service: spot("beam-cluster") }
            }
            _ => return None,
        };
        Some(Self { place: strategy.place.clone(), way })
    }

    /// Those of a configuration file.
    pub(super) fn of_file(path: &Path) -> Result<Vec<Self>, String> {
        let name = path.display().to_string();
        match Topologies::from_file(path) {
            // What this build cannot run can be checked all the same; other mistakes are in the file.
            Ok(_) => {}
            Err(error @ ConfigError::Read { .. }) => return Err(error.to_string()),
            Err(error) => {
                let text = error.to_string();
                if !text.lines().all(|line| line.contains("is not in this ")) {
                    return Err(text);
                }
            }
        }
        let text = fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        Self::of_toml(&text, &name)
    }

    pub(super) fn of_toml(text: &str, name: &str) -> Result<Vec<Self>, String> {
        let document = DeTable::parse(text).map_err(|error| format!("{name}: {}", error.message()))?;
        let file = File { text, name: name.into() };
        let topologies = document.get_ref().get("topologies").and_then(|topologies| topologies.get_ref().as_table());
        let topologies = topologies.into_iter().flatten();
        Ok(topologies.filter_map(|(name, topology)| file.topology(name.span().start, topology.get_ref())).collect())
    }
}

struct File<'t> {
    text: &'t str,
    name: Rc<str>,
}

impl File<'_> {
    fn place(&self, at: usize) -> Place {
        Place { file: self.name.clone(), line: 1 + self.text[..at].matches('\n').count() }
    }

    fn topology(&self, at: usize, topology: &DeValue<'_>) -> Option<Wanted> {
        let strategy = topology.get("strategy")?.get_ref().as_str()?;
        let config = topology.get("config").map(toml::Spanned::get_ref);
        let optional = |key: &str| {
            let value = config?.get(key)?;
            let text = value.get_ref().as_str()?.to_owned();
            Some(Spot { value: text, place: self.place(value.span().start) })
        };
        // What a strategy needs and lacks was told when the file was read.
        let required = |key| optional(key).unwrap_or_else(|| Spot { value: String::new(), place: self.place(at) });
        let text = |key: &str| optional(key).map(|spot| spot.value);
        let way = match strategy.strip_prefix("Elixir.").unwrap_or(strategy) {
            "gossip" | "Cluster.Strategy.Gossip" => Way::Gossip,
            "kubernetes" | "Cluster.Strategy.Kubernetes" => Way::Kubernetes {
                base: required("kubernetes_node_basename"),
                selector: required("kubernetes_selector"),
                namespace: optional("kubernetes_namespace"),
                service: optional("kubernetes_service_name"),
                mode: match text("mode").as_deref() {
                    Some("hostname") => Mode::Hostname,
                    Some("dns") => Mode::Dns,
                    _ => Mode::Ip,
                },
                resource: text("kubernetes_ip_lookup_mode").unwrap_or_else(|| "endpoints".to_owned()),
                cluster_name: text("kubernetes_cluster_name").unwrap_or_else(|| "cluster".to_owned()),
            },
            "kubernetes.dns" | "Cluster.Strategy.Kubernetes.DNS" => {
                Way::Dns { base: required("application_name"), service: required("service") }
            }
            "kubernetes.dns_srv" | "Cluster.Strategy.Kubernetes.DNSSRV" => Way::DnsSrv {
                base: required("application_name"),
                service: required("service"),
                namespace: required("namespace"),
            },
            _ => Way::Other,
        };
        Some(Wanted { place: self.place(at), way })
    }
}

/// A selector of equalities, `a=b,c=d`; `None` for those that say more.
pub(super) fn equalities(selector: &str) -> Option<Labels> {
    let parts = selector.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pairs = parts.map(|part| {
        let (key, value) = part.split_once("==").or_else(|| part.split_once('='))?;
        let (key, value) = (key.trim(), value.trim());
        (!key.ends_with('!') && !key.contains(' ')).then(|| (key.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
