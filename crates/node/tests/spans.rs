//! The span of each connection, as a subscriber sees it. Alone in its program, which has one subscriber.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use beamline_node::transport::Memory;
use beamline_node::{Epmd, Listen, Node, NodeName, Route};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The fields of each span of a connection.
type Spans = Arc<Mutex<BTreeMap<u64, Fields>>>;

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

struct Watching(Spans);

impl<S: Subscriber> Layer<S> for Watching {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "connection" {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            self.0.lock().unwrap().insert(id.into_u64(), fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(fields) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(fields);
        }
    }
}

#[tokio::test]
async fn each_connection_has_a_span_with_its_fields() {
    let spans = Spans::default();
    tracing_subscriber::registry().with(Watching(Arc::clone(&spans))).init();
    let network = Memory::new();
    let start = async |name: &str, port, hidden| {
        let resolver = async |peer: NodeName| {
            let port = if peer.alive() == "a" { 1 } else { 2 };
            Ok(Route::port(Ipv4Addr::LOCALHOST.into(), port))
        };
        let builder = Node::builder(name).cookie("secret").epmd(Epmd::None).transport(network.clone()).hidden(hidden);
        builder.listen(Listen::Ports(port, port)).resolver(resolver).start().await.unwrap()
    };
    let (a, b) = (start("a@m", 1, false).await, start("b@m", 2, true).await);
    a.connect(b.name()).await.unwrap();
    a.ping(b.name()).await.unwrap();
    let spans = spans.lock().unwrap().clone();
    let of = |direction: &str| {
        let mut all = spans.values().filter(|fields| fields.0.get("direction").is_some_and(|found| found == direction));
        let (found, more) = (all.next().unwrap(), all.next());
        assert!(more.is_none(), "one: {spans:?}");
        let get = |field| found.0.get(field).cloned().unwrap_or_default();
        (get("node"), get("peer"), get("hidden"), get("address").is_empty())
    };
    let text = str::to_owned;
    assert_eq!(of("\"out\""), (text("a@m"), text("b@m"), text("true"), true));
    assert_eq!(of("\"in\""), (text("b@m"), text("a@m"), text("true"), false));
}
