//! A site with one folder of notebooks, and requests to it.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use beamline_node::epmd::Epmd;
use beamline_node::{Listen, Node};
use serde_json::Value;
use tower::ServiceExt;

use crate::{Token, Web};

const TOKEN: &str = "main-main-main-main-main-main";

/// A notebook with a text, two cells of code and a branch.
pub(super) const FILE: &str = "# Try\n\n## One\n\nSome *text*.\n\n```elixir\na = 20\n```\n\n```elixir\nIO.puts(\"hey\")\na + 1\n```\n\n\
<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Two\n\n```elixir\nraise \"no\"\n```\n";

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) to: String,
    pub(super) body: String,
}

/// A site, its node and its folder.
pub(super) struct Desk {
    pub(super) folder: tempfile::TempDir,
    pub(super) node: Node,
    router: Router,
    token: String,
}

impl Desk {
    pub(super) async fn new() -> Desk {
        Desk::with(|web| web).await
    }

    pub(super) async fn with(change: impl FnOnce(Web) -> Web) -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("try.livemd"), FILE).expect("it is written");
        let node = Node::builder("desk@127.0.0.1").cookie("desk secret").listen(Listen::Off).epmd(Epmd::None);
        let node = node.start().await.expect("a node");
        let web = Web::new(&node).token(Token::kept(TOKEN).expect("a token"));
        let web = change(web.notebooks(folder.path(), "").expect("it is a folder"));
        Desk { folder, node, router: web.router(), token: TOKEN.to_owned() }
    }

    /// The same for who has another token.
    pub(super) fn by(self, token: &str) -> Desk {
        Desk { token: token.to_owned(), ..self }
    }

    async fn send(&self, request: axum::http::request::Builder, body: String) -> Answer {
        let request = request
            .header(header::HOST, "127.0.0.1:4040")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(body))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("it cannot fail");
        let to =
            response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 64 << 20).await.expect("it ends");
        Answer { status, to, body: String::from_utf8(body.to_vec()).expect("it is text") }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, "text/html"), String::new()).await
    }

    /// The notebook as JSON.
    pub(super) async fn view(&self) -> Value {
        let answer =
            self.send(Request::get("/notebook/try.livemd").header(header::ACCEPT, "application/json"), String::new());
        serde_json::from_str(&answer.await.body).expect("it is JSON")
    }

    /// Sends a form as a browser without scripts does.
    pub(super) async fn form(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(format!("/notebooks/{action}"))
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, serde_urlencoded::to_string(fields).expect("it is a form")).await
    }

    /// Sends the same as a script does.
    pub(super) async fn post(&self, action: &str, fields: Value) -> Answer {
        let request = Request::post(format!("/notebooks/{action}"))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request, fields.to_string()).await
    }

    pub(super) fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("try.livemd")).expect("it is there")
    }

    pub(super) fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("try.livemd"), text).expect("it is written");
    }

    /// Waits until the notebook is as it should be.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..300 {
            let view = self.view().await;
            if is_so(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{what} did not come about: {}", self.view().await);
    }
}
