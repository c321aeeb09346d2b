//! erl_dist, client only: sends to `sink` of an Erlang node, and connects anew, epmd asked first.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use beamline_bench::protocol::{self, Command, Error, Limit, Report, Role, say, say_result};
use erl_dist::epmd::EpmdClient;
use erl_dist::handshake::ClientSideHandshake;
use erl_dist::message::{Message, Receiver, Sender, channel};
use erl_dist::node::{Creation, LocalNode};
use erl_dist::term::{Atom, Binary, FixInteger, Pid, Term, Tuple};
use smol::net::TcpStream;

struct Connection {
    own: Pid,
    sender: Sender<TcpStream>,
    receiver: Receiver<TcpStream>,
}

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

async fn connect(address: &str) -> Result<Connection, Error> {
    let (name, host) = address.split_once('@').ok_or("a node has a host")?;
    let epmd: u16 = std::env::var("ERL_EPMD_PORT").map_or(Ok(4369), |port| port.parse())?;
    let entry = EpmdClient::new(TcpStream::connect((host, epmd)).await?).get_node(name).await?;
    let stream = TcpStream::connect((host, entry.ok_or("no such node")?.port)).await?;
    let own = format!("erl_dist_client_{}@127.0.0.1", std::process::id());
    let local = LocalNode::new(own.parse()?, Creation::random());
    let mut handshake = ClientSideHandshake::new(stream, local.clone(), "bench");
    handshake.execute_send_name(erl_dist::LOWEST_DISTRIBUTION_PROTOCOL_VERSION).await?;
    let (stream, peer) = handshake.execute_rest(true).await?;
    let (sender, receiver) = channel(stream, local.flags & peer.flags);
    Ok(Connection { own: Pid::new(own, 1, 0, local.creation.get()), sender, receiver })
}

async fn client(address: &str) -> Result<(), Error> {
    let mut connection = None;
    connect(address).await?;
    say("ready");
    protocol::read_commands(|command| {
        say_result(smol::block_on(async {
            match command {
                Command::Calls { .. } => Err("see rival_erl_rpc".into()),
                Command::OneWay { size, limit } => {
                    if connection.is_none() {
                        smol::Timer::after(Duration::from_millis(50)).await;
                        connection = Some(connect(address).await?);
                    }
                    one_way(connection.as_mut().ok_or("not connected")?, size, limit).await
                }
                Command::Connect { count, pause } => {
                    connection = None;
                    connects(address, count, pause).await
                }
            }
        }));
    });
    Ok(())
}

async fn one_way(connection: &mut Connection, size: usize, limit: Limit) -> Result<Report, Error> {
    let start = Instant::now();
    let mut count = 0;
    while !limit.reached(count, start.elapsed()) {
        let message = Term::from(Binary { bytes: vec![7; size] });
        connection.sender.send(Message::reg_send(connection.own.clone(), Atom::from("sink"), message)).await?;
        count += 1;
    }
    let done = Tuple { elements: vec![Atom::from("done").into(), connection.own.clone().into()] };
    connection.sender.send(Message::reg_send(connection.own.clone(), Atom::from("sink"), done.into())).await?;
    loop {
        match connection.receiver.recv().await? {
            Message::Send(message) => return counted(&message.message, count, start),
            Message::SendSender(message) => return counted(&message.message, count, start),
            // Ticks, and what `global` says to a visible node.
            _ => {}
        }
    }
}

fn counted(answer: &Term, count: u64, start: Instant) -> Result<Report, Error> {
    match answer {
        Term::FixInteger(FixInteger { value }) if i64::from(*value) == count as i64 => {
            Ok(Report::Counted { count, elapsed: start.elapsed() })
        }
        other => Err(format!("{other} of {count} messages arrived").into()),
    }
}

async fn connects(address: &str, count: usize, pause: Duration) -> Result<Report, Error> {
    let start = Instant::now();
    let mut latencies = Vec::new();
    for _ in 0..count {
        smol::Timer::after(pause).await;
        let before = Instant::now();
        let connection = connect(address).await?;
        latencies.push(before.elapsed().as_nanos() as u64);
        drop(connection);
    }
    Ok(Report::timed("connect", latencies, start.elapsed()))
}
