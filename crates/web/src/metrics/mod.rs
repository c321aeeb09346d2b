//! `/metrics`, for Prometheus: the figures that the program records, if it does, and those that every node of the cluster
//! tells of itself.
//!
//! | name | unit | labels | meaning |
//! | --- | --- | --- | --- |
//! | `beamline_seen_nodes` | nodes | | nodes of the cluster |
//! | `beamline_seen_missing_links` | links | | pairs of nodes of which one does not see the other |
//! | `beamline_seen_up` | 0 or 1 | `node` | whether the node answers |
//! | `beamline_seen_peers` | nodes | `node` | visible nodes that it is connected with |
//! | `beamline_seen_processes` | processes | `node` | its processes |
//! | `beamline_seen_run_queue` | processes | `node` | those that wait for a scheduler |
//! | `beamline_seen_memory_bytes` | bytes | `node`, `kind` | its memory: `total`, and what it is made of where the node tells it |
//! | `beamline_seen_sample_seconds` | seconds | `node` | how long it took to ask it |
//!
//! They are gauges. A node that is down has only `beamline_seen_up`.

mod recording;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

pub use recording::{Recording, RecordingError};

use crate::dashboard::source::Cluster;
use crate::dashboard::source::mesh::links;
use crate::dashboard::source::state::{Member, Reach};
use crate::site::Site;

/// Adds `/metrics`.
pub(crate) fn routes(router: Router<Site>) -> Router<Site> {
    router.route("/metrics", get(serve))
}

async fn serve(site: Site) -> Response {
    let cluster = site.sources().cluster().await;
    let mut text = site.figures();
    text.push_str(&told(&cluster));
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The cluster's figures. The recorder is this answer's own, so that a node that has left leaves nothing behind.
fn told(cluster: &Cluster) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        gauge!("beamline_seen_nodes").set(count(cluster.members.len()));
        let links = links(&cluster.members, cluster.at);
        gauge!("beamline_seen_missing_links").set(count(links.iter().filter(|link| link.state.is_missing()).count()));
        cluster.members.iter().chain(&cluster.absent).for_each(tell);
    });
    recorder.handle().render()
}

fn tell(member: &Member) {
    let node = member.name.to_string();
    let set = |name: &'static str, value: f64| gauge!(name, "node" => node.clone()).set(value);
    let is_up = member.reach == Reach::Up;
    set("beamline_seen_up", if is_up { 1.0 } else { 0.0 });
    let Some((sample, _)) = member.sample.as_ref().filter(|_| is_up) else { return };
    set("beamline_seen_peers", count(sample.visible.len()));
    set("beamline_seen_sample_seconds", member.cost.as_secs_f64());
    let figures = &sample.figures;
    let told = [("beamline_seen_processes", figures.processes), ("beamline_seen_run_queue", figures.run_queue)];
    for (name, value) in told {
        if let Some(value) = value {
            set(name, number(value));
        }
    }
    if let Some(memory) = &figures.memory {
        let kinds = [
            ("total", memory.total),
            ("processes", memory.processes),
            ("binary", memory.binary),
            ("code", memory.code),
            ("ets", memory.ets),
            ("atom", memory.atom),
        ];
        for (kind, bytes) in kinds {
            gauge!("beamline_seen_memory_bytes", "node" => node.clone(), "kind" => kind).set(number(bytes));
        }
    }
}

fn count(value: usize) -> f64 {
    number(value as u64)
}

/// Prometheus has floats: whole up to 2^53, which no such figure reaches.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn number(value: u64) -> f64 {
    value as f64
}
