//! What the tests of the article's cluster share: three nodes of each application, as the programs that they are.
//!
//! `cargo build --bins` makes the programs; `cargo test -p cluster_tests` runs the tests.

use std::time::Duration;

use beamline::testing::{Error, LocalCluster, Program};

/// For what takes a moment on a machine with nothing else to do.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// `app_a1` to `app_a3` and `app_b1` to `app_b3`, connected. All are run with these arguments.
///
/// # Errors
/// One does not start, or they do not find each other.
pub async fn articles_cluster(arguments: &[&str]) -> Result<LocalCluster, Error> {
    let program = |name: &str| Program::new(name).args(arguments.iter().copied()).env("POSTFIX", "{number}");
    let builder = LocalCluster::builder().programs("app_a", 3, program("app_a")).programs("app_b", 3, program("app_b"));
    let cluster = builder.start().await?;
    cluster.wait_until_connected(DEADLINE).await?;
    Ok(cluster)
}
