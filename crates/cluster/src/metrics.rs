//! What topologies measure, through the [`metrics`] facade: the program chooses the exporter, or none.
//!
//! | name | kind | unit | labels | meaning |
//! | --- | --- | --- | --- | --- |
//! | `beamline_cluster_wanted` | gauge | nodes | `node`, `topology` | nodes that should be connected: listed by the last answer, or met |
//! | `beamline_cluster_connected` | gauge | nodes | `node`, `topology` | those of them that are |
//! | `beamline_cluster_answers_total` | counter | answers | `node`, `topology`, `outcome` | full answers (`ok`) and failures to get one (`error`) |
//! | `beamline_cluster_sightings_total` | counter | names | `node`, `topology` | single names that were heard |
//! | `beamline_cluster_dials_total` | counter | dials | `node`, `topology`, `outcome` | dials that ended: `ok`, or the code of the cause |
//! | `beamline_cluster_disconnects_total` | counter | nodes | `node`, `topology` | nodes disconnected because an answer removed them |
//!
//! `node` is this node's name. A recorder must be installed before the cluster starts.

use beamline_proto::NodeName;
use metrics::{Counter, Gauge, counter, gauge};

/// The figures of a topology.
pub(crate) struct TopologyMetrics {
    node: String,
    topology: String,
    wanted: Gauge,
    connected: Gauge,
    pub(crate) answers_ok: Counter,
    pub(crate) answers_error: Counter,
    pub(crate) sightings: Counter,
    pub(crate) disconnects: Counter,
}

impl TopologyMetrics {
    pub(crate) fn new(node: &NodeName, topology: &str) -> Self {
        let (node, topology) = (node.to_string(), topology.to_owned());
        let labels = [("node", node.clone()), ("topology", topology.clone())];
        let answers = |outcome: &'static str| {
            let (node, topology) = (node.clone(), topology.clone());
            counter!("beamline_cluster_answers_total", "node" => node, "topology" => topology, "outcome" => outcome)
        };
        Self {
            wanted: gauge!("beamline_cluster_wanted", &labels),
            connected: gauge!("beamline_cluster_connected", &labels),
            answers_ok: answers("ok"),
            answers_error: answers("error"),
            sightings: counter!("beamline_cluster_sightings_total", &labels),
            disconnects: counter!("beamline_cluster_disconnects_total", &labels),
            node,
            topology,
        }
    }

    pub(crate) fn peers(&self, wanted: usize, connected: usize) {
        self.wanted.set(wanted as f64);
        self.connected.set(connected as f64);
    }

    pub(crate) fn dialed(&self, outcome: &'static str) {
        let (node, topology) = (self.node.clone(), self.topology.clone());
        counter!("beamline_cluster_dials_total", "node" => node, "topology" => topology, "outcome" => outcome)
            .increment(1);
    }
}
