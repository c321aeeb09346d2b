//! The frame of a rival that uses tokio: the runtime that `#[tokio::main]` gives, and many callers at a time.

use std::future::Future;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::protocol::{self, Command, Error, Limit, Report, Role, say};

/// The driver's commands, read on a thread of their own.
pub struct Commands(mpsc::UnboundedReceiver<Command>);

impl Commands {
    fn new() -> Commands {
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || protocol::read_commands(|command| _ = sender.send(command)));
        Commands(receiver)
    }

    /// The next one; none when the driver is done.
    pub async fn next(&mut self) -> Option<Command> {
        self.0.recv().await
    }
}

/// Runs a rival in its role. `serve` starts a server and gives its address; `client` connects, says `ready` and obeys.
pub fn main<Serve, Serving, Kept, Client, Obeying>(serve: Serve, client: Client) -> ExitCode
where
    Serve: FnOnce() -> Serving,
    Serving: Future<Output = Result<(String, Kept), Error>>,
    Client: FnOnce(String, Commands) -> Obeying,
    Obeying: Future<Output = Result<(), Error>>,
{
    main_with(serve, client, |_| async { Err("serve, or client ADDRESS".into()) })
}

/// As [`main`], with roles of the rival's own.
pub fn main_with<Serve, Serving, Kept, Client, Obeying, Other, Doing>(
    serve: Serve,
    client: Client,
    other: Other,
) -> ExitCode
where
    Serve: FnOnce() -> Serving,
    Serving: Future<Output = Result<(String, Kept), Error>>,
    Client: FnOnce(String, Commands) -> Obeying,
    Obeying: Future<Output = Result<(), Error>>,
    Other: FnOnce(Vec<String>) -> Doing,
    Doing: Future<Output = Result<(), Error>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match Role::of_arguments() {
        Role::Serve => runtime.block_on(serve()).map(|(address, kept)| {
            say(format_args!("ready {address}"));
            protocol::wait_for_end();
            drop(kept);
        }),
        Role::Client(address) => runtime.block_on(client(address, Commands::new())),
        Role::Other(arguments) => runtime.block_on(other(arguments)),
    };
    // What still runs is of no interest to anybody.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("failed {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One caller of many, each call after the last; what each took, in nanoseconds.
pub async fn caller<Call, Calling>(start: Instant, limit: Limit, call: Call) -> Result<Vec<u64>, Error>
where
    Call: Fn() -> Calling,
    Calling: Future<Output = Result<(), Error>>,
{
    let (mut latencies, mut before) = (Vec::new(), start);
    while !limit.reached(latencies.len() as u64, before - start) {
        call().await?;
        let now = Instant::now();
        latencies.push((now - before).as_nanos() as u64);
        before = now;
    }
    Ok(latencies)
}

/// So many callers at a time, each a task.
pub async fn calls<Call, Calling>(callers: usize, limit: Limit, call: Call) -> Result<Report, Error>
where
    Call: Fn() -> Calling + Clone + Send + Sync + 'static,
    Calling: Future<Output = Result<(), Error>> + Send + 'static,
{
    let start = Instant::now();
    let spawn = |_| tokio::spawn(caller(start, limit.share(callers), call.clone()));
    let tasks: Vec<_> = (0..callers).map(spawn).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Report::timed("calls", latencies, start.elapsed()))
}

/// Connects so many times. `connect` gives what it took; what follows (closing) is not measured.
pub async fn connects<Connect, Connecting>(count: usize, pause: Duration, mut connect: Connect) -> Result<Report, Error>
where
    Connect: FnMut() -> Connecting,
    Connecting: Future<Output = Result<Duration, Error>>,
{
    let start = Instant::now();
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        latencies.push(connect().await?.as_nanos() as u64);
        tokio::time::sleep(pause).await;
    }
    Ok(Report::timed("connect", latencies, start.elapsed()))
}
