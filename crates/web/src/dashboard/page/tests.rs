//! What pages show of peers that are called, or say, what they should not.

use beamline_node::{Epmd, Listen, Node};
use serde_json::json;

use super::cluster::{Absent, Cluster, Hidden, MissingLink, Row, View};
use crate::dashboard::source::mesh::{Link, LinkState};
use crate::site::access::{Access, Hosts, Keys, Lifetime};
use crate::site::{Page, Power, Setup, Site};

async fn site() -> Site {
    let node = Node::builder("pages@127.0.0.1").cookie("secret").listen(Listen::Off).epmd(Epmd::None);
    let node = node.start().await.expect("a node");
    let hour = std::time::Duration::from_secs(3600);
    let access =
        Access::new(Hosts::default(), Keys::new(&[], None, Power::View), Lifetime { idle: hour, absolute: hour });
    let (targets, power) = (Vec::new(), Power::View);
    Site::new(Setup {
        node,
        base: "/here".to_owned(),
        targets,
        doctor: None,
        power,
        access,
        figures: None,
        notebooks: None,
    })
}

fn row(node: &str, state: &'static str) -> Row {
    Row {
        node: node.to_owned(),
        state,
        reason: (state == "down").then(|| "a \"reason\" <b>".to_owned()),
        kind: None,
        version: Some("<i>1</i>".to_owned()),
        otp: None,
        uptime_ms: Some(61_000),
        processes: Some(100_057),
        memory_bytes: Some(3 << 20),
        run_queue: None,
        load: Some(0.9),
        peers: Some(1),
        is_hidden: false,
        strategies: Vec::new(),
        age_ms: Some(4000),
        sample_ms: 2,
    }
}

fn view(one: &str, other: &str) -> View {
    View {
        nodes: vec![row(one, "up"), row(other, "down")],
        links: vec![Link { from: 0, to: 1, state: LinkState::OnlyFrom }],
        missing: vec![MissingLink { from: one.to_owned(), to: other.to_owned(), state: LinkState::OnlyFrom }],
        absent: vec![Absent { node: one.to_owned(), reason: Some("<u>".to_owned()) }],
        hidden: vec![Hidden { node: other.to_owned(), seen_by: 2 }],
        unread: 0,
    }
}

#[tokio::test]
async fn hostile_names_stay_text_and_links_stay_in_the_site() {
    let hostile = "\"><script>alert(1)</script>&?#/../x@h";
    let page = Cluster::body(&site().await, &Default::default(), &view(hostile, "b@h")).into_string();
    for raw in ["<script", "<i>", "<u>", "<b>", "alert(1)</"] {
        assert!(!page.contains(raw), "{raw} in {page}");
    }
    assert!(!page.contains(" style="), "{page}");
    let hrefs: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(hrefs.len() > 8);
    assert!(hrefs.iter().all(|href| href.starts_with("/here")), "{hrefs:?}");
    assert!(hrefs.iter().any(|href| href.contains("/n/%22%3E%3Cscript%3E")), "{hrefs:?}");
}

#[tokio::test]
async fn states_are_told_in_words_too() {
    let site = site().await;
    let page = Cluster::body(&site, &Default::default(), &view("a@h", "b@h")).into_string();
    for words in
        ["no answer", "as of 4 s ago", "b@h does not see a@h, which sees it", "sees it", "does not see it", "90 %"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(
        page.contains("data-state=\"missing\"") && page.contains("/here/doctor?node=a%40h&amp;peer=b%40h"),
        "{page}"
    );
    assert_eq!(Cluster::title(&Default::default(), &view("a@h", "b@h")), "2 nodes, 1 links missing");
}

#[tokio::test]
async fn the_address_orders_and_searches() {
    let site = site().await;
    let ask = serde_json::from_value(json!({"sort": "node", "dir": "desc", "q": "@H"})).expect("an address");
    let page = Cluster::body(&site, &ask, &view("a@h", "b@h")).into_string();
    let place = |name: &str| page.find(&format!("id=\"node-{name}\"")).expect("it is listed");
    assert!(place("b@h") < place("a@h"));
    let none = serde_json::from_value(json!({"q": "zzz"})).expect("an address");
    assert!(!Cluster::body(&site, &none, &view("a@h", "b@h")).into_string().contains("id=\"node-"));
}
