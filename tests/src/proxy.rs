//! A relay that keeps one side's connection open when the other side's is gone, as a network does that loses a host; or that
//! is slow, or holds all bytes back for a while.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::HOST;

/// Relays connections to a port; all are cut when it is dropped.
pub struct Proxy {
    port: u16,
    held: Arc<Mutex<Vec<TcpStream>>>,
    open: Arc<AtomicBool>,
}

/// How a line carries bytes.
#[derive(Clone)]
struct Line {
    /// So many a second at most.
    rate: Option<u32>,
    /// Only while this is set.
    open: Arc<AtomicBool>,
    /// Whether it tells one side that the other has ended.
    ends: bool,
}

impl Proxy {
    /// Relays to that port.
    pub fn to(target: u16) -> Self {
        Self::start(target, None, false)
    }

    /// The same with a gate, and with ends passed on.
    pub fn gate(target: u16) -> Self {
        Self::start(target, None, true)
    }

    /// The same with a line that carries so many bytes a second, in each direction.
    pub fn slow(target: u16, bytes_per_second: u32) -> Self {
        Self::start(target, Some(bytes_per_second), true)
    }

    /// From now on nothing passes, until it is opened.
    pub fn shut(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    /// The end of [`Proxy::shut`].
    pub fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// How many have called so far.
    pub fn callers(&self) -> usize {
        // Each has two ends.
        lock(&self.held).len() / 2
    }

    fn start(target: u16, rate: Option<u32>, ends: bool) -> Self {
        let listener = TcpListener::bind((HOST, crate::free_port())).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let held = Arc::new(Mutex::new(Vec::new()));
        let holding = Arc::clone(&held);
        let open = Arc::new(AtomicBool::new(true));
        let line = Line { rate, open: Arc::clone(&open), ends };
        // It ends with the test's process: nobody connects to it any more.
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((HOST, target)) else { continue };
                for socket in [&near, &far] {
                    let _ = socket.set_nodelay(true);
                    lock(&holding).push(socket.try_clone().expect("a descriptor"));
                }
                relay(near.try_clone().expect("a descriptor"), far.try_clone().expect("a descriptor"), line.clone());
                relay(far, near, line.clone());
            }
        });
        Self { port, held, open }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Passes bytes on in one direction.
fn relay(mut from: TcpStream, mut to: TcpStream, line: Line) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = from.read(&mut buffer) {
            while !line.open.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                break;
            }
            if let Some(rate) = line.rate {
                std::thread::sleep(Duration::from_secs_f64(count as f64 / f64::from(rate)));
            }
        }
        if line.ends {
            let _ = to.shutdown(Shutdown::Write);
        }
    });
}

fn lock(held: &Mutex<Vec<TcpStream>>) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for socket in lock(&self.held).iter() {
            // It may be closed already, which is as good.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
