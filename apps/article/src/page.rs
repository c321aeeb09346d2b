//! The page of an application: who it is, whom it sees, and who is registered. Bodies as the article's Elixir
//! applications give them, byte for byte.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use beamline::node::Node;
use beamline::registry::NodeRegistry;
use beamline::term::inspect::Elixir;
use beamline::term::{Inspect, Term};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{debug, info};

/// A page that is served until this is dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shown {
    module: &'static str,
    node: Node,
}

impl Page {
    /// Serves on all addresses of this machine.
    pub(crate) async fn serve(module: &'static str, port: u16, node: &Node) -> io::Result<Page> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot serve the page on port {port}: {error}; PORT chooses another"))
        })?;
        let address = listener.local_addr()?;
        info!("page on http://localhost:{}/", address.port());
        let router = Router::new().fallback(answer).with_state(Shown { module, node: node.clone() });
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                debug!(%error, "the page has ended");
            }
        });
        Ok(Page { address, server })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shown): State<Shown>, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    debug!("{method} {path}");
    // HEAD is no GET here, as in the original.
    let (status, body) = match (method, path) {
        (&Method::GET, "/") => (StatusCode::OK, shown.greeting()),
        (&Method::GET, "/registry") => (StatusCode::OK, shown.registry()),
        (&Method::GET, "/favicon.ico") => (StatusCode::OK, "sorry, no icon".to_owned()),
        _ => (StatusCode::NOT_FOUND, "NOT FOUND".to_owned()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0, private, must-revalidate"));
    headers.insert(header::SERVER, HeaderValue::from_static("Beamline"));
    response
}

impl Shown {
    fn greeting(&self) -> String {
        let others = Term::list(self.node.list().iter().map(Term::from));
        format!("Hey from {} {:?}! Node.list: {}", self.module, self.node.name(), inspect(&others))
    }

    fn registry(&self) -> String {
        inspect(&NodeRegistry::new(&self.node).as_map())
    }
}

/// As the Elixir that the article's applications run on prints it.
fn inspect(term: &Term) -> String {
    Inspect::new(term).like(Elixir::V1_14).to_string()
}

#[cfg(test)]
mod tests {
    use beamline::node::Epmd;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Head and body of the answer.
    async fn ask(page: &Page, line: &str) -> (String, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, page.address().port())).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn answers_as_the_articles_applications() {
        let node = Node::builder("app_a1@127.0.0.1").cookie("c").epmd(Epmd::None).start().await.unwrap();
        let page = Page::serve("AppA", 0, &node).await.unwrap();
        let (head, body) = ask(&page, "GET /").await;
        assert_eq!(body, "Hey from AppA :\"app_a1@127.0.0.1\"! Node.list: []");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("cache-control: max-age=0, private, must-revalidate"), "{head}");
        assert!(!head.contains("content-type"), "{head}");
        assert_eq!(ask(&page, "GET /registry").await.1, "%{}");
        assert_eq!(ask(&page, "GET /favicon.ico").await.1, "sorry, no icon");
        for line in ["POST /", "GET /other", "DELETE /registry"] {
            let (head, body) = ask(&page, line).await;
            assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
            assert_eq!(body, "NOT FOUND");
        }
        assert!(ask(&page, "HEAD /").await.0.starts_with("HTTP/1.1 404 "));
        node.stop().await;
    }
}
