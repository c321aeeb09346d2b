//! ractor_cluster: a remote actor, found in a process group, that gives back what it is asked and counts what it is sent.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use beamline_bench::asynchronous::{self, Commands};
use beamline_bench::protocol::{Command, Error, Limit, Report, say, say_result};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, pg, rpc::CallResult};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{NodeServer, RactorClusterMessage};

const GROUP: &str = "bench";

#[derive(RactorClusterMessage)]
enum Message {
    #[rpc]
    Echo(i64, RpcReplyPort<i64>),
    Data(Vec<u8>),
    #[rpc]
    Done(RpcReplyPort<u64>),
}

struct Worker;

impl Actor for Worker {
    type Msg = Message;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, own: ActorRef<Message>, (): ()) -> Result<u64, ActorProcessingErr> {
        pg::join(GROUP.to_owned(), vec![own.get_cell()]);
        Ok(0)
    }

    async fn handle(&self, _: ActorRef<Message>, message: Message, count: &mut u64) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Echo(value, port) => port.send(value)?,
            Message::Data(_) => *count += 1,
            Message::Done(port) => port.send(std::mem::take(count))?,
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    asynchronous::main(serve, client)
}

/// A node on a free port.
async fn node(name: &str) -> Result<(ActorRef<ractor_cluster::NodeServerMessage>, u16), Error> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let server = NodeServer::new(
        port,
        "bench".to_owned(),
        name.to_owned(),
        "localhost".to_owned(),
        None,
        Some(NodeConnectionMode::Isolated),
    );
    let (server, _) = Actor::spawn(None, server.with_listen_addr("127.0.0.1".parse()?), ()).await?;
    Ok((server, port))
}

async fn serve() -> Result<(String, ()), Error> {
    let (_, port) = node("server").await?;
    Actor::spawn(None, Worker, ()).await?;
    Ok((format!("127.0.0.1:{port}"), ()))
}

async fn client(address: String, mut commands: Commands) -> Result<(), Error> {
    let (node, _) = node("client").await?;
    ractor_cluster::client_connect(&node, address).await?;
    let worker = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(cell) = pg::get_members(&GROUP.to_owned()).into_iter().next() {
                return ActorRef::<Message>::from(cell);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    say("ready");
    while let Some(command) = commands.next().await {
        say_result(match command {
            Command::Calls { callers, limit, .. } => {
                let worker = worker.clone();
                let call = move || {
                    let worker = worker.clone();
                    async move {
                        match worker.call(|port| Message::Echo(42, port), None).await? {
                            CallResult::Success(42) => Ok(()),
                            other => Err(format!("{other:?} is not 42").into()),
                        }
                    }
                };
                asynchronous::calls(callers, limit, call).await
            }
            Command::OneWay { size, limit } => one_way(&worker, size, limit).await,
            Command::Connect { .. } => Err("ractor_cluster has no epmd".into()),
        });
    }
    Ok(())
}

/// Its queue has no bound, so a run of a given time queues what is sent for a minute; a number of messages is asked for
/// by the time that one has taken so far.
async fn one_way(worker: &ActorRef<Message>, size: usize, limit: Limit) -> Result<Report, Error> {
    let worker = worker.clone();
    let sending = tokio::spawn(async move {
        let start = Instant::now();
        let mut count = 0_u64;
        // A window of at most 16 MB or 10 000 messages, then one question: is all there?
        let window = (16 << 20 >> size.ilog2()).clamp(4, 10_000);
        while !limit.reached(count, start.elapsed()) {
            for _ in 0..window {
                worker.cast(Message::Data(vec![7; size]))?;
            }
            count += window;
            match worker.call(Message::Done, Some(Duration::from_secs(60))).await? {
                CallResult::Success(arrived) if arrived == window => {}
                other => return Err(format!("{other:?} of {window} messages arrived").into()),
            }
        }
        Ok::<_, Error>(Report::Counted { count, elapsed: start.elapsed() })
    });
    sending.await?
}
