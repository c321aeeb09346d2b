//! erl_rpc, client only: calls `bench:echo/1` of an Erlang node. It writes a message in several parts without TCP_NODELAY
//! and so waits for the peer's delayed acknowledgement, unless the route says `quickack 1`.

use std::process::ExitCode;
use std::time::Instant;

use beamline_bench::asynchronous::caller;
use beamline_bench::protocol::{self, Command, Error, Limit, Report, Role, say, say_result};
use erl_dist::epmd::EpmdClient;
use erl_dist::term::{FixInteger, List, Term};
use erl_rpc::{RpcClient, RpcClientHandle};
use smol::net::TcpStream;

fn main() -> ExitCode {
    let result = match Role::of_arguments() {
        Role::Client(address) => smol::block_on(client(&address)),
        _ => Err("client NODE".into()),
    };
    if let Err(error) = result {
        say(format_args!("failed {error}"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn client(address: &str) -> Result<(), Error> {
    let (name, host) = address.split_once('@').ok_or("a node has a host")?;
    let epmd: u16 = std::env::var("ERL_EPMD_PORT").map_or(Ok(4369), |port| port.parse())?;
    let entry = EpmdClient::new(TcpStream::connect((host, epmd)).await?).get_node(name).await?;
    let client = RpcClient::connect_with_port(address, entry.ok_or("no such node")?.port, "bench").await?;
    let handle = client.handle();
    smol::spawn(async {
        if let Err(error) = client.run().await {
            eprintln!("erl_rpc: {error}");
        }
    })
    .detach();
    say("ready");
    protocol::read_commands(|command| {
        say_result(match command {
            Command::Calls { callers, limit, .. } => smol::block_on(calls(&handle, callers, limit)),
            Command::OneWay { .. } | Command::Connect { .. } => Err("erl_rpc only calls".into()),
        });
    });
    Ok(())
}

async fn calls(handle: &RpcClientHandle, callers: usize, limit: Limit) -> Result<Report, Error> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let handle = handle.clone();
            smol::spawn(caller(start, limit.share(callers), move || call(handle.clone())))
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await?);
    }
    Ok(Report::timed("calls", latencies, start.elapsed()))
}

async fn call(mut handle: RpcClientHandle) -> Result<(), Error> {
    let arguments = List::from(vec![FixInteger::from(42).into()]);
    match handle.call("bench".into(), "echo".into(), arguments).await? {
        Term::FixInteger(FixInteger { value: 42 }) => Ok(()),
        other => Err(format!("{other} is not 42").into()),
    }
}
