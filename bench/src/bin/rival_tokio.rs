//! The limit with tokio: numbered requests of 20 bytes by many callers over one connection, both ends writing once for all
//! that is at hand. It has no names, no terms, no timeouts and no processes: less cannot be done.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use beamline_bench::asynchronous::{self, Commands};
use beamline_bench::protocol::{Command, Error, say, say_result};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

/// A length, a number, a payload.
const FRAME: usize = 20;

fn main() -> ExitCode {
    asynchronous::main(serve, client)
}

async fn serve() -> Result<(String, ()), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    Ok((address, ()))
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(64 << 10);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let whole = buffer.len() - buffer.len() % FRAME;
        stream.write_all(&buffer[..whole]).await?;
        buffer.advance(whole);
        buffer.reserve(64 << 10);
    }
}

/// What callers, writer and reader share.
#[derive(Default)]
struct Mux {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    out: Vec<u8>,
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<u64>>,
}

impl Mux {
    async fn call(&self, value: u64) -> Result<(), Error> {
        let receiver = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (sender, receiver) = oneshot::channel();
            let number = state.next;
            state.next += 1;
            state.waiting.insert(number, sender);
            state.out.extend_from_slice(&16_u32.to_be_bytes());
            state.out.extend_from_slice(&number.to_be_bytes());
            state.out.extend_from_slice(&value.to_be_bytes());
            receiver
        };
        self.wake.notify_one();
        if receiver.await? == value { Ok(()) } else { Err("another answer".into()) }
    }
}

async fn client(address: String, mut commands: Commands) -> Result<(), Error> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    let mux = Arc::new(Mux::default());
    let writing = Arc::clone(&mux);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        loop {
            writing.wake.notified().await;
            // All who are ready to call do so first, and share the write.
            tokio::task::yield_now().await;
            std::mem::swap(&mut batch, &mut writing.state.lock().unwrap_or_else(PoisonError::into_inner).out);
            if !batch.is_empty() && writer.write_all(&batch).await.is_err() {
                return;
            }
            batch.clear();
        }
    });
    let reading = Arc::clone(&mux);
    tokio::spawn(async move {
        let mut buffer = BytesMut::with_capacity(64 << 10);
        while reader.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
            let mut state = reading.state.lock().unwrap_or_else(PoisonError::into_inner);
            while buffer.len() >= FRAME {
                buffer.advance(4);
                let (number, value) = (buffer.get_u64(), buffer.get_u64());
                if let Some(waiting) = state.waiting.remove(&number) {
                    _ = waiting.send(value);
                }
            }
            drop(state);
            buffer.reserve(64 << 10);
        }
    });
    say("ready");
    while let Some(command) = commands.next().await {
        say_result(match command {
            Command::Calls { callers, limit, .. } => {
                let mux = Arc::clone(&mux);
                let call = move || {
                    let mux = Arc::clone(&mux);
                    async move { mux.call(42).await }
                };
                asynchronous::calls(callers, limit, call).await
            }
            Command::OneWay { .. } | Command::Connect { .. } => Err("see rival_std".into()),
        });
    }
    Ok(())
}
