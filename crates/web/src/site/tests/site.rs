//! A site with a page and three actions of its own, served on a port that is free.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use beamline_node::epmd::Epmd;
use beamline_node::{Listen, Node};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Browser;
use crate::site::access::{Access, Hosts, Keys, Lifetime, Password, Token};
use crate::site::{Act, Action, Done, Eval, Level, Page, Permit, Power, Problem, Site, action, around, route, server};

/// The tokens of the site under test.
pub(super) const VIEW: &str = "view-view-view-view-view-view";
pub(super) const MAIN: &str = "main-main-main-main-main-main";
pub(super) const PASSWORD: &str = "correct horse battery";

/// What the page shows, and what makes it change before its time.
static SHOWN: AtomicU64 = AtomicU64::new(0);
static CHANGED: Notify = Notify::const_new();

pub(super) fn change() {
    SHOWN.fetch_add(1, Ordering::Relaxed);
    CHANGED.notify_waiters();
}

struct Item;

#[derive(Clone, Deserialize)]
pub(super) struct Ask {
    name: String,
    #[serde(default)]
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct View {
    name: String,
    limit: u32,
    shown: u64,
}

impl Page for Item {
    type Ask = Ask;
    type View = View;
    const PATH: &'static str = "/items/{name}";

    async fn load(_site: &Site, ask: &Ask) -> Result<View, Problem> {
        if ask.name == "nothing" {
            return Err(Problem::not_found("There is no item <nothing>."));
        }
        Ok(View { name: ask.name.clone(), limit: ask.limit.unwrap_or(50), shown: SHOWN.load(Ordering::Relaxed) })
    }

    fn title(_ask: &Ask, view: &View) -> String {
        view.name.clone()
    }

    fn body(site: &Site, ask: &Ask, view: &View) -> Markup {
        html! {
            h1 { (view.name) }
            p { "limit " (view.limit) " shown " (view.shown) }
            @if site.permit::<Act>().is_some() {
                form method="post" action=(site.path(&format!("/items/{}/end", ask.name))) {
                    (site.form_token())
                    button type="submit" { "End" }
                }
            }
        }
    }

    fn changed(_site: &Site, _ask: &Ask) -> impl Future<Output = ()> + Send + use<> {
        CHANGED.notified()
    }
}

#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    reason: String,
}

/// An action that needs a power.
struct Needs<L>(std::marker::PhantomData<L>);

trait At {
    const AT: &'static str;
}

impl At for Act {
    const AT: &'static str = "/items/{name}/end";
}

impl At for Eval {
    const AT: &'static str = "/items/{name}/run";
}

impl<L: Level + At> Action for Needs<L> {
    type Power = L;
    type Ask = Ask;
    type Form = Form;
    const PATH: &'static str = L::AT;

    async fn act(_site: &Site, permit: Permit<L>, ask: Ask, form: Form) -> Result<Done, Problem> {
        permit.audit("test", "nowhere", &ask.name);
        match form.reason.as_str() {
            "" => Ok(Done::See("/items/after".to_owned())),
            reason => Ok(Done::Json(json!({ "name": ask.name, "reason": reason }))),
        }
    }
}

/// How a site under test differs from the usual.
pub(super) struct Setup {
    pub(super) power: Power,
    pub(super) password: bool,
    pub(super) lifetime: Lifetime,
    pub(super) base: &'static str,
    pub(super) trusts_proxy: bool,
    pub(super) is_admitted: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let hour = Duration::from_secs(3600);
        Self {
            power: Power::Act,
            password: false,
            lifetime: Lifetime { idle: hour, absolute: 5 * hour },
            base: "",
            trusts_proxy: false,
            is_admitted: false,
        }
    }
}

/// A site that is served until this is dropped.
pub(super) struct Started {
    pub(super) address: SocketAddr,
    pub(super) node: Node,
    end: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Started {
    pub(super) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let node = Node::builder("site@127.0.0.1").cookie("secret").listen(Listen::Off).epmd(Epmd::None);
        let node = node.start().await.expect("a node");
        let token = |text: &str| Token::kept(text).expect("a token");
        let password = setup.password.then(|| Password::new(PASSWORD).expect("a password"));
        let tokens = [(Power::View, token(VIEW)), (setup.power, token(MAIN))];
        let keys = Keys::new(&tokens, password.as_ref(), setup.power);
        let mut access = Access::new(Hosts::default(), keys, setup.lifetime);
        if setup.trusts_proxy {
            access = access.trust_proxy();
        }
        if setup.is_admitted {
            access = access.open_to(setup.power);
        }
        let site = Site::new(crate::site::Setup {
            node: node.clone(),
            base: setup.base.to_owned(),
            targets: Vec::new(),
            doctor: None,
            power: setup.power,
            access,
            figures: None,
            notebooks: None,
        });
        let pages = route::<Item>(Router::new());
        let pages = action::<Needs<Act>>(&site, pages);
        let pages = action::<Needs<Eval>>(&site, pages);
        let router = around(&site, pages);
        let router = if setup.base.is_empty() { router } else { Router::new().nest(setup.base, router) };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let end = Arc::new(Notify::new());
        let ended = Arc::clone(&end);
        let task = tokio::spawn(async move { server::serve(listener, router, ended.notified()).await });
        Self { address, node, end, task }
    }

    pub(super) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser with a session of all power.
    pub(super) async fn entered(&self) -> Browser {
        let answer = self.browser().get(&format!("/items/one?token={MAIN}")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        self.browser().with("Cookie", &answer.cookie())
    }

    pub(super) fn bearer(&self, token: &str) -> Browser {
        self.browser().with("Authorization", &format!("Bearer {token}"))
    }

    /// Ends the site, and waits until it has.
    pub(super) async fn end(self) {
        self.end.notify_one();
        self.task.await.expect("it ends by itself");
    }
}
