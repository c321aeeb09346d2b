//! How long it takes to connect with a node, epmd look-up included, beside the floor of the same round trips.
//!
//! `cargo run --release -p beamline-node --example connect_time -- b@127.0.0.1 COOKIE [EPMD_PORT]`

use std::time::{Duration, Instant};

use beamline_node::{Epmd, Listen, Node, NodeName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ROUNDS: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let peer: NodeName = arguments.next().ok_or("which node?")?.parse()?;
    let cookie = arguments.next().ok_or("which cookie?")?;
    let epmd_port = arguments.next().map_or(Ok(4369), |port| port.parse())?;
    let node = Node::builder("connect_time@127.0.0.1").cookie(cookie).hidden(true).listen(Listen::Off);
    let node = node.epmd(Epmd::on_port(epmd_port)).start().await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.into_std()?;
    std::thread::spawn(move || echo(listener));

    let (mut connects, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        node.connect(&peer).await?;
        connects.push(began.elapsed());
        node.disconnect(&peer);
        // So that the peer has seen it, and is not asked whether this is stale.
        tokio::time::sleep(Duration::from_millis(3)).await;

        let began = Instant::now();
        for trips in [1, 2] {
            let mut socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            for _ in 0..trips {
                socket.write_all(&[0; 64]).await?;
                socket.read_exact(&mut [0; 64]).await?;
            }
        }
        floors.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for (what, times) in [("connect", &mut connects), ("two connects and three round trips", &mut floors)] {
        times.sort();
        println!("{what}: p10 {:?}, p50 {:?}, p90 {:?}", times[ROUNDS / 10], times[ROUNDS / 2], times[ROUNDS * 9 / 10]);
    }
    Ok(())
}

/// On a thread of its own, as the peer is a process of its own.
fn echo(listener: std::net::TcpListener) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (mut socket, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut buffer = [0; 64];
                while socket.read_exact(&mut buffer).await.is_ok() && socket.write_all(&buffer).await.is_ok() {}
            });
        }
    })
}
