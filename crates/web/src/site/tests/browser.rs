//! A client that does what it is told, and nothing of itself.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// `NAME=VALUE` of the cookie that is set.
    pub(super) fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie is set");
        set.split(';').next().expect("its value").to_owned()
    }

    /// The token of the page's forms.
    pub(super) fn form_token(&self) -> String {
        let (_, after) = self.body.split_once("name=\"form_token\" value=\"").expect("a form");
        after.split('"').next().expect("its token").to_owned()
    }
}

/// Sends requests to one address, each over a connection of its own.
pub(super) struct Browser {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Browser {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, headers: vec![("Host".to_owned(), format!("localhost:{}", address.port()))] }
    }

    /// A header of all requests from now on, in place of one of that name.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1"), None).await
    }

    /// A form, as a browser would send it.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(form).expect("a form");
        self.send(&format!("POST {path} HTTP/1.1"), Some(("application/x-www-form-urlencoded", &body))).await
    }

    pub(super) async fn post_json(&self, path: &str, body: &str) -> Answer {
        self.send(&format!("POST {path} HTTP/1.1"), Some(("application/json", body))).await
    }

    async fn send(&self, first: &str, body: Option<(&str, &str)>) -> Answer {
        let mut text = format!("{first}\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some((kind, body)) = body {
            text.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        } else {
            text.push_str("\r\n");
        }
        raw(self.address, &text).await
    }

    /// Opens a page's events; what is read from the stream is the answer's head, then its events.
    pub(super) async fn events(&self, path: &str) -> TcpStream {
        let mut text = format!("GET {path} HTTP/1.1\r\nAccept: text/event-stream\r\n");
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(format!("{text}\r\n").as_bytes()).await.expect("it reads");
        stream
    }
}

/// Sends bytes, and reads until the other side closes.
pub(super) async fn raw(address: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // A server that has seen enough need not read the rest.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("an answer in time");
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Reads from a stream until it has said this.
pub(super) async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let read = async {
        while !text.contains(wanted) {
            let length = stream.read(&mut buffer).await.expect("the stream lives");
            assert!(length > 0, "it ended before {wanted:?}: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), read).await;
    assert!(waited.is_ok(), "no {wanted:?} within 30 s: {text}");
    text
}
