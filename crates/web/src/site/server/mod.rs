//! The listener of a site: HTTP/1 with limits on what a client may cost. A client that is slow or many holds little memory,
//! and makes place for those who have entered.

mod crowd;
mod patient;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crowd::Crowd;
use patient::Patient;

/// Connections at most.
const CONNECTIONS: usize = 512;
/// How long the head of a request may take, and how long a connection may wait for its next.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is sent to it.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// What is kept of a connection's bytes at most, in each direction.
const BUFFER: usize = 16 * 1024;
/// Header lines at most.
const HEADERS: usize = 64;
/// After the end, answers that are nearly done may still be.
const GRACE: Duration = Duration::from_millis(200);

/// Where a request came in.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The address of this machine to which the client connected.
    pub(crate) local: SocketAddr,
    /// The client, or the proxy before it.
    pub(crate) peer: SocketAddr,
    known: AtomicBool,
}

impl Arrival {
    /// Somebody who has entered asks over this connection: strangers must make place for it.
    pub(crate) fn is_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    fn is_stranger(&self) -> bool {
        !self.known.load(Ordering::Relaxed)
    }
}

/// Serves until `end`; then open pages are cut off.
pub(crate) async fn serve(listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let mut crowd = Crowd::new(CONNECTIONS);
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            () = crowd.reap() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Ok(local) = stream.local_addr() {
                    let arrival = Arc::new(Arrival { local, peer, known: AtomicBool::new(false) });
                    crowd.admit(Arc::clone(&arrival), connection(stream, arrival, router.clone()));
                }
            }
            Err(error) => {
                tracing::debug!("cannot accept a connection: {error}");
                // Out of descriptors, as a rule: some will be given back.
                if !is_of_one_client(&error) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    drop(listener);
    crowd.end(GRACE).await;
}

fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: TcpStream, arrival: Arc<Arrival>, router: Router) {
    // Events are small and should arrive when they happen.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&arrival));
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Patient::new(stream, WRITE_TIME)), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("a client's connection ended: {error}");
    }
}
