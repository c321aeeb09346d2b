//! The `beamline` program: one file a command. Data goes to stdout, talk to stderr.
#![allow(dead_code)]

mod arguments;
mod epmd;
mod exit;
mod expression;
mod literal;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Runs the command that the command line names.
#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Epmd { arguments } => epmd::run(&arguments).await,
        _ => exit::Exit::Usage,
    };
    exit.into()
}
