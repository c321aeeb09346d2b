//! What a program records for `/metrics` if it has no recorder of its own.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::AbortHandle;

/// Upper ends of the ranges in which calls are counted by their time, in seconds.
const CALLS: [f64; 14] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// How often what was recorded is summed up, so that it takes little memory though nobody asks.
const SUMMED_UP: Duration = Duration::from_secs(5);

/// All that the program measures through the [`metrics`] facade, a node's figures among them, in Prometheus' text format.
///
/// It is for programs that install no recorder of their own, and must begin before the node starts.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use beamline_node::Node;
/// use beamline_web::{Recording, Web};
///
/// let recording = Recording::begin()?;
/// let node = Node::builder("app@127.0.0.1").cookie("secret").start().await?;
/// let web = Web::new(&node).metrics(move || recording.render());
/// # drop(web);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recording {
    handle: PrometheusHandle,
    upkeep: AbortHandle,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The program has a recorder already; give what that one renders to [`Web::metrics`](crate::Web::metrics).
    #[error("no figures are recorded: {0}")]
    Recorder(#[from] BuildError),
}

impl Recording {
    /// Installs the program's recorder. It must be called in a tokio runtime.
    ///
    /// # Errors
    /// There is a recorder already.
    pub fn begin() -> Result<Self, RecordingError> {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &CALLS)?;
        let handle = builder.install_recorder()?;
        let upkept = handle.clone();
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SUMMED_UP).await;
                upkept.run_upkeep();
            }
        });
        Ok(Self { handle, upkeep: upkeep.abort_handle() })
    }

    /// All figures now.
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}
