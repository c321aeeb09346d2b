//! A relay that keeps one side's connection open when the other side's is gone, as a network does that loses a host.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::HOST;

/// Relays connections to a port; all are cut when it is dropped.
pub struct Proxy {
    port: u16,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// Relays to that port.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((HOST, crate::free_port())).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let held = Arc::new(Mutex::new(Vec::new()));
        let holding = Arc::clone(&held);
        // It ends with the test's process: nobody connects to it any more.
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((HOST, target)) else { continue };
                for socket in [&near, &far] {
                    let _ = socket.set_nodelay(true);
                    lock(&holding).push(socket.try_clone().expect("a descriptor"));
                }
                relay(near.try_clone().expect("a descriptor"), far.try_clone().expect("a descriptor"));
                relay(far, near);
            }
        });
        Self { port, held }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Passes bytes on in one direction, but not the end.
fn relay(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                break;
            }
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
