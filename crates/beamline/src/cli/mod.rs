//! The `beamline` program: one file a command. Data goes to stdout, talk to stderr.

mod arguments;
mod cluster;
#[cfg(feature = "web")]
mod dashboard;
mod doctor;
mod epmd;
mod exit;
mod k8s;
mod nodes;
#[cfg(feature = "web")]
mod notebook;
mod plain;
mod remote;
mod rpc;
mod shell;
#[cfg(feature = "web")]
mod site;
mod start;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, ClusterCommand, Command, K8sCommand};

/// Runs the command that the command line names.
#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let usual = match arguments.command {
        // What a check runs into is in its report.
        Command::Doctor(_) => "off",
        // Who did what is told without being asked for.
        #[cfg(feature = "web")]
        Command::Dashboard(_) => "warn,beamline::audit=info",
        _ => "warn",
    };
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
    let exit = match arguments.command {
        Command::Epmd { arguments } => epmd::run(&arguments).await,
        Command::Rpc(arguments) => rpc::rpc(arguments).await,
        Command::Shell(arguments) => shell::shell(*arguments).await,
        Command::Nodes(target) => remote::nodes(&target).await,
        Command::Ping(target) => remote::ping(&target).await,
        Command::Cluster(ClusterCommand::Status(target)) => cluster::status(&target).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::K8s(K8sCommand::Check(arguments)) => k8s::check(&arguments),
        #[cfg(feature = "web")]
        Command::Dashboard(arguments) => dashboard::run(*arguments).await,
        #[cfg(feature = "web")]
        Command::Notebook(arguments) => notebook::notebook(*arguments).await,
        Command::Node(plain) => plain::node(plain).await,
    };
    exit.into()
}
