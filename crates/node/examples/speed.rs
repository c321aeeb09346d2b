//! How fast calls and messages are between two nodes, beside a plain multiplexed echo over tokio in the same run.
//!
//! ```text
//! cargo build --release -p beamline-node --example speed
//! taskset -c 1 target/release/examples/speed lone      # the length of the path of one call, on one core
//! target/release/examples/speed callers 16 64 256      # many callers on one connection
//! target/release/examples/speed messages 16 256 4096 65536 1048576
//! perf stat -e instructions:u target/release/examples/speed calls 64 100000    # so many callers, so many calls, nothing else
//! ```

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use beamline_node::epmd::{Auto, Daemon};
use beamline_node::{Epmd, Module, Node};
use beamline_proto::NodeName;
use beamline_term::{Binary, Pid, Term, atom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One thread for each side, as one process each would have.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Runs something on a runtime and a thread of its own until the program ends.
fn beside<T: Send + 'static>(start: impl AsyncFnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let run = || -> Result<(), Failure> {
            runtime()?.block_on(async {
                let _ = tell.send(start().await);
                std::future::pending::<()>().await;
            });
            Ok(())
        };
        run()
    });
    told.recv()?
}

async fn start(name: &str, port: u16) -> Result<Node, Failure> {
    let mut epmd = Auto::on_port(port);
    epmd.daemon = Daemon::Never;
    let module = Module::new("Elixir.Speed").function("echo", |value: i64| async move { Ok(value) });
    let node = Node::builder(format!("{name}@127.0.0.1")).cookie("secret").hidden(true).epmd(Epmd::Auto(epmd));
    Ok(node.module(module).start().await?)
}

/// A node that echoes calls, and whose process "sink" counts what it gets and answers `{pid, count}` when it has all.
fn server(port: u16) -> Result<NodeName, Failure> {
    beside(async move || {
        let node = start("server", port).await?;
        let answers = node.clone();
        let sink = node.spawn(|mut me| async move {
            let mut count = 0u64;
            while let Some(message) = me.receive().await {
                count += 1;
                if let Ok((asked, wanted)) = message.decode::<(Pid, u64)>() {
                    let _ = answers.send(&asked, &(atom("got"), wanted, count - 1)).await;
                    count = 0;
                }
            }
        });
        node.register("sink", &sink).map_err(|_| "the name is taken")?;
        let name = node.name().clone();
        std::mem::forget(node);
        Ok(name)
    })
}

/// A call: eight bytes of number, and as many of content, each frame with its length before it.
const FRAME: usize = 4 + 16;

/// The limit: calls over one connection, with a task that writes and one that reads, and nothing else.
struct Mux {
    out: mpsc::UnboundedSender<[u8; FRAME]>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<u64>>>>,
    next: AtomicU64,
}

impl Mux {
    async fn connect(port: u16) -> Result<Mux, Failure> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        socket.set_nodelay(true)?;
        let (mut read, mut write) = socket.into_split();
        let (out, mut frames) = mpsc::unbounded_channel::<[u8; FRAME]>();
        let waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<u64>>>> = Arc::default();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while let Some(frame) = frames.recv().await {
                batch.extend_from_slice(&frame);
                while let Ok(frame) = frames.try_recv() {
                    batch.extend_from_slice(&frame);
                }
                if write.write_all(&batch).await.is_err() {
                    return;
                }
                batch.clear();
            }
        });
        let table = Arc::clone(&waiting);
        tokio::spawn(async move {
            let mut buffer = Vec::with_capacity(64 << 10);
            while read.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
                let whole = buffer.len() / FRAME * FRAME;
                for frame in buffer[..whole].chunks(FRAME) {
                    let number = |at: usize| frame[at..at + 8].try_into().map(u64::from_be_bytes).unwrap_or(0);
                    let tell = table.lock().ok().and_then(|mut table| table.remove(&number(4)));
                    if let Some(tell) = tell {
                        let _ = tell.send(number(12));
                    }
                }
                buffer.drain(..whole);
            }
        });
        Ok(Mux { out, waiting, next: AtomicU64::new(0) })
    }

    async fn call(&self, value: u64) -> Result<u64, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        self.waiting.lock().map_err(|_| "poisoned")?.insert(number, tell);
        let mut frame = [0; FRAME];
        frame[..4].copy_from_slice(&16u32.to_be_bytes());
        frame[4..12].copy_from_slice(&number.to_be_bytes());
        frame[12..].copy_from_slice(&value.to_be_bytes());
        self.out.send(frame)?;
        Ok(told.await?)
    }
}

fn mux_server() -> Result<u16, Failure> {
    beside(async || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                tokio::spawn(async move {
                    let mut buffer = Vec::with_capacity(64 << 10);
                    while socket.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
                        let whole = buffer.len() / FRAME * FRAME;
                        if socket.write_all(&buffer[..whole]).await.is_err() {
                            return;
                        }
                        buffer.drain(..whole);
                    }
                });
            }
        });
        Ok(port)
    })
}

/// The middle of the times of so many runs.
async fn median(runs: usize, mut run: impl AsyncFnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let begin = Instant::now();
        run().await?;
        times.push(begin.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

async fn lone(node: &Node, peer: &NodeName, mux: &Mux) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        let plain = median(10_000, async || mux.call(7).await.map(drop)).await?;
        let ours = median(10_000, async || call(node, peer).await).await?;
        println!("lone call: {ours:?}, mux {plain:?}: {:.2}", ours.as_secs_f64() / plain.as_secs_f64());
    }
    Ok(())
}

async fn call(node: &Node, peer: &NodeName) -> Result<(), Failure> {
    let value: i64 = node.call(peer, ("Elixir.Speed", "echo"), (7,)).await?;
    if value == 7 { Ok(()) } else { Err("a wrong answer".into()) }
}

/// Calls per second of so many callers.
async fn rate<C: Clone + Send + 'static>(
    callers: usize,
    with: C,
    call: impl AsyncFn(&C) -> Result<(), Failure> + Clone + 'static,
) -> Result<f64, Failure> {
    let local = tokio::task::LocalSet::new();
    let begin = Instant::now();
    let end = begin + Duration::from_secs(1);
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (with, call) = (with.clone(), call.clone());
        tasks.push(local.spawn_local(async move {
            let mut count = 0u32;
            while Instant::now() < end {
                call(&with).await?;
                count += 1;
            }
            Ok::<u32, Failure>(count)
        }));
    }
    local.await;
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    Ok(f64::from(sum) / begin.elapsed().as_secs_f64())
}

async fn callers(node: &Node, peer: &NodeName, mux: &Arc<Mux>, counts: &[usize]) -> Result<(), Failure> {
    for count in counts {
        for _ in 0..ROUNDS {
            let plain = rate(*count, Arc::clone(mux), async |mux| mux.call(7).await.map(drop)).await?;
            let ours = rate(*count, (node.clone(), peer.clone()), async |(node, peer)| call(node, peer).await).await?;
            println!("{count} callers: {ours:.0}/s, mux {plain:.0}/s: {:.2}", ours / plain);
        }
    }
    Ok(())
}

/// So many calls by so many callers, for a profiler.
async fn calls(node: &Node, peer: &NodeName, callers: usize, count: usize) -> Result<(), Failure> {
    let local = tokio::task::LocalSet::new();
    for _ in 0..callers {
        let (node, peer) = (node.clone(), peer.clone());
        local.spawn_local(async move {
            for _ in 0..count / callers {
                call(&node, &peer).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    local.await;
    Ok(())
}

async fn messages(node: &Node, peer: &NodeName, sizes: &[usize]) -> Result<(), Failure> {
    for size in sizes {
        for _ in 0..ROUNDS {
            let count = (1u64 << 30).checked_div(*size as u64).unwrap_or(1).clamp(200, 1_000_000);
            let content = Binary::from(vec![7u8; *size]);
            let (tell, told) = oneshot::channel();
            let asker = node.spawn(|mut me| async move {
                let _ = tell.send(me.receive().await.and_then(|message| message.decode::<(Term, u64, u64)>().ok()));
            });
            let begin = Instant::now();
            for _ in 0..count {
                node.send(("sink", peer), &content).await?;
            }
            node.send(("sink", peer), &(asker, count)).await?;
            let Some((_, _, got)) = told.await? else { return Err("no count".into()) };
            if got != count {
                return Err(format!("{got} of {count} messages arrived").into());
            }
            let seconds = begin.elapsed().as_secs_f64();
            let (rate, bytes) = (count as f64 / seconds, count as f64 * *size as f64 / seconds / 1e9);
            println!("messages of {size} B: {rate:.0}/s, {bytes:.2} GB/s");
        }
    }
    Ok(())
}

/// How often each measure is taken.
const ROUNDS: usize = 5;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or("lone, callers or messages?")?;
    let numbers: Vec<usize> = arguments.map(|number| number.parse()).collect::<Result<_, _>>()?;
    let epmd_port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let peer = server(epmd_port)?;
    let mux_port = mux_server()?;
    runtime()?.block_on(async {
        let node = start("client", epmd_port).await?;
        let mux = Arc::new(Mux::connect(mux_port).await?);
        node.connect(&peer).await?;
        match what.as_str() {
            "lone" => lone(&node, &peer, &mux).await,
            "callers" => callers(&node, &peer, &mux, &numbers).await,
            "calls" => match numbers.as_slice() {
                [callers, count] => calls(&node, &peer, *callers, *count).await,
                _ => Err("how many callers, and how many calls?".into()),
            },
            "messages" => messages(&node, &peer, &numbers).await,
            other => Err(format!("{other} is not measured").into()),
        }
    })
}
