//! All strategies but gossip: each is asked once, by the code that a node runs, and nobody is dialed.

use std::time::Duration;

use beamline_cluster::{Cluster, Connector, Topologies, Topology};
#[cfg(feature = "kubernetes")]
use beamline_cluster::{Kubernetes, strategy::kubernetes::KubernetesError};
use beamline_node::{ConnectError, NodeName};
use tokio::time::{Instant, sleep};

use super::super::{Outcome, Visit};
use crate::Finding;

/// How often it is looked whether the strategy has said something.
const GLANCE: Duration = Duration::from_millis(10);

pub(super) async fn once(topology: &Topology, visit: &Visit<'_>) -> Outcome {
    let own = own(visit);
    #[cfg(feature = "kubernetes")]
    if let Some(kubernetes) = (topology.strategy() as &dyn std::any::Any).downcast_ref::<Kubernetes>() {
        let answer = tokio::time::timeout(visit.options.step(), kubernetes.ask(&own)).await;
        return match answer {
            Ok(Ok(names)) => named(topology.name(), visit, names),
            Ok(Err(error)) => refused(topology.name(), &error).into(),
            Err(_) => {
                let what = format!("{}: the Kubernetes API gives no answer", topology.name());
                Finding::new("BL623", what).fix("can this machine reach it?").into()
            }
        };
    }
    let topologies = Topologies::from_iter([topology.clone()]).with_epmd_port(visit.options.epmd_port);
    let cluster = match Cluster::of(&Onlooker(own), topologies).start().await {
        Ok(cluster) => cluster,
        Err(error) => return Finding::new("BL626", error.to_string()).into(),
    };
    let until = Instant::now() + visit.options.step();
    while Instant::now() < until {
        for status in cluster.status().topologies {
            if let Some((reason, _)) = status.last_error {
                return Finding::new("BL623", format!("{}: {reason}", topology.name())).into();
            }
            if let Some((names, _)) = status.last_answer {
                return named(topology.name(), visit, names);
            }
            if status.last_sighting.is_some() {
                return Outcome::default().fact(format!("{}: nodes are seen", topology.name()));
            }
        }
        sleep(GLANCE).await;
    }
    Finding::new("BL623", format!("{}: the strategy says nothing", topology.name())).warning().into()
}

/// As whom the strategy is asked: some find others by the host of their own name.
fn own(visit: &Visit<'_>) -> NodeName {
    let made = || format!("doctor_{}@{}", std::process::id(), visit.target.host()).parse();
    visit.options.own.clone().or_else(|| made().ok()).unwrap_or_else(|| visit.target.clone())
}

fn named(topology: &str, visit: &Visit<'_>, names: impl IntoIterator<Item = NodeName>) -> Outcome {
    let names: Vec<_> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(super::SHOWN).map(ToString::to_string).collect();
    if names.contains(visit.target) {
        let plural = if names.len() == 1 { "" } else { "s" };
        return Outcome::default().fact(format!("{topology}: names {} node{plural}, this one among them", names.len()));
    }
    super::not_named(topology, visit, &shown).into()
}

#[cfg(feature = "kubernetes")]
fn refused(topology: &str, error: &KubernetesError) -> Finding {
    let what = format!("{topology}: {error}");
    match error {
        KubernetesError::Forbidden { .. } => Finding::new("BL622", what)
            .fix("give the pods' service account a Role with get, list and watch for what is listed, and a RoleBinding")
            .fix("beamline k8s check DIR finds what is missing in the manifests"),
        KubernetesError::Unauthorized { .. } => {
            Finding::new("BL622", what).fix("is the token of this cluster, and not expired?")
        }
        KubernetesError::NobodySelected { .. } | KubernetesError::NoHostname { .. } => Finding::new("BL624", what)
            .fix("compare kubernetes_selector with the labels: kubectl get pods --show-labels"),
        _ => Finding::new("BL623", what).fix("is this the right API, namespace and configuration?"),
    }
}

/// In the place of a node: connects with nobody.
#[derive(Clone)]
struct Onlooker(NodeName);

impl Connector for Onlooker {
    type Error = ConnectError;

    fn name(&self) -> &NodeName {
        &self.0
    }

    fn is_connected(&self, _node: &NodeName) -> bool {
        true
    }

    fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        std::future::pending()
    }

    async fn connect(&self, _node: &NodeName) -> Result<(), ConnectError> {
        Ok(())
    }

    async fn disconnect(&self, _node: &NodeName) -> Result<bool, ConnectError> {
        Ok(false)
    }
}
