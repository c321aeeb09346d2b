//! The flag of a program that finds its cluster: `--config`.

use std::path::PathBuf;

use beamline_cluster::{ConfigError, Topologies};

use super::NodeFlags;

/// Where the topologies come from; flatten it beside [`NodeFlags`].
///
/// ```
/// use beamline::flags::{NodeFlags, TopologyFlags};
/// use clap::Parser;
///
/// #[derive(Parser)]
/// struct Arguments {
///     #[command(flatten)]
///     node: NodeFlags,
///     #[command(flatten)]
///     topologies: TopologyFlags,
/// }
///
/// let arguments = Arguments::parse_from(["app", "--name", "app_a@127.0.0.1", "--config", "beamline.toml"]);
/// assert!(arguments.topologies.read(&arguments.node).is_err(), "there is no such file here");
/// ```
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TopologyFlags {
    /// The file with the topologies [env: BEAMLINE_CONFIG] [default: what LIBCLUSTER_STRATEGY says, or beamline.toml if
    /// there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl TopologyFlags {
    /// The topologies: of the file given, else as the environment says ([`Topologies::from_env`]). `node` has the port
    /// on which strategies ask epmd.
    ///
    /// # Errors
    /// The file, which may be that of the environment, cannot be read, or something in it is wrong.
    pub fn read(&self, node: &NodeFlags) -> Result<Topologies, ConfigError> {
        let topologies = match &self.config {
            Some(file) => Topologies::from_file(file)?,
            None => Topologies::from_env(),
        };
        match topologies.error() {
            Some(error) => Err(error.clone()),
            None => Ok(topologies.with_epmd_port(node.epmd_port())),
        }
    }
}
