//! The whole cluster: every node with its figures, and who sees whom.

use std::cmp::Ordering;
use std::time::Duration;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::identity::Kind;
use super::super::source::mesh::{Link, LinkState, links};
use super::super::source::state::{MEMBERS, Member, Reach};
use super::super::source::{self, Sources};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting, filters, has};
use super::super::view::unit;
use super::{mesh, snapshot};
use crate::site::{Page, Problem, Site};

/// `/`
pub(super) struct Cluster;

/// How the table is ordered, and what is searched for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    sort: Option<String>,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Row>] = &[
    Column::text("node", "Node", "Its name; the page of the node.").by(|a, b| a.node.cmp(&b.node)),
    Column::text("", "State", "Whether it answers the dashboard."),
    Column::text("kind", "Runs", "What it is written in, with the version.")
        .by(|a, b| (a.kind_name(), &a.version).cmp(&(b.kind_name(), &b.version))),
    Column::number("uptime", "Up for", "Since its start.").by(|a, b| a.uptime_ms.cmp(&b.uptime_ms)),
    Column::number("processes", "Processes", "Processes that are alive.").by(|a, b| a.processes.cmp(&b.processes)),
    Column::number("memory", "Memory", "What the node has taken, in all classes.")
        .by(|a, b| a.memory_bytes.cmp(&b.memory_bytes)),
    Column::number("run_queue", "Run queue", "Processes that are ready and wait for a scheduler.")
        .by(|a, b| a.run_queue.cmp(&b.run_queue)),
    Column::number("load", "Load", "How busy its schedulers were in the last second.")
        .by(|a, b| a.load.partial_cmp(&b.load).unwrap_or(Ordering::Equal)),
    Column::number("peers", "Peers", "Visible nodes that it is connected with.").by(|a, b| a.peers.cmp(&b.peers)),
    Column::text("", "Finds peers by", "Topologies of a Rust node, and whether their strategies can find out."),
];

impl Asked {
    fn sorting(&self) -> Sorting<Row> {
        Sorting::of(COLUMNS, 0, self.sort.as_deref(), self.dir)
    }
}

/// The cluster as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) nodes: Vec<Row>,
    /// By the places of their ends in `nodes`; those of hidden nodes are left out.
    pub(crate) links: Vec<Link>,
    pub(crate) missing: Vec<MissingLink>,
    /// Targets that are no members at this moment.
    pub(crate) absent: Vec<Absent>,
    /// Hidden nodes, such as tools, and how many members are connected with each.
    pub(crate) hidden: Vec<Hidden>,
    /// How many more nodes there are than are read.
    pub(crate) unread: usize,
}

/// A node.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) node: String,
    /// `up`, `new` before its first answer, `down` if it does not answer.
    pub(crate) state: &'static str,
    /// Why not.
    pub(crate) reason: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) version: Option<String>,
    pub(crate) otp: Option<String>,
    pub(crate) uptime_ms: Option<u64>,
    pub(crate) processes: Option<u64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) run_queue: Option<u64>,
    /// 0 to 1.
    pub(crate) load: Option<f32>,
    /// Visible nodes that it sees.
    pub(crate) peers: Option<usize>,
    pub(crate) is_hidden: bool,
    pub(crate) strategies: Vec<Strategy>,
    /// How old these figures are.
    pub(crate) age_ms: Option<u64>,
    /// How long asking took.
    pub(crate) sample_ms: u64,
}

/// A topology of a Rust node, in short.
#[derive(Debug, Serialize)]
pub(crate) struct Strategy {
    pub(crate) topology: String,
    pub(crate) strategy: String,
    pub(crate) state: &'static str,
    pub(crate) error: Option<String>,
}

/// A link that should be there.
#[derive(Debug, Serialize)]
pub(crate) struct MissingLink {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) state: LinkState,
}

/// A target that does not answer and that nobody sees.
#[derive(Debug, Serialize)]
pub(crate) struct Absent {
    pub(crate) node: String,
    pub(crate) reason: Option<String>,
}

/// A hidden node.
#[derive(Debug, Serialize)]
pub(crate) struct Hidden {
    pub(crate) node: String,
    pub(crate) seen_by: usize,
}

impl View {
    /// The whole cluster, by name.
    pub(super) async fn load(sources: &Sources) -> View {
        View::of(&sources.cluster().await)
    }

    fn of(cluster: &source::Cluster) -> View {
        let links = links(&cluster.members, cluster.at);
        let name = |place: usize| cluster.members[place].name.to_string();
        let missing = links.iter().filter(|link| link.state.is_missing());
        let reason = |member: &Member| match &member.reach {
            Reach::Down { why, .. } => Some(why.to_string()),
            _ => None,
        };
        View {
            nodes: cluster.members.iter().map(|member| Row::of(member, reason(member), cluster)).collect(),
            missing: missing
                .map(|link| MissingLink { from: name(link.from), to: name(link.to), state: link.state })
                .collect(),
            links,
            absent: cluster
                .absent
                .iter()
                .map(|member| Absent { node: member.name.to_string(), reason: reason(member) })
                .collect(),
            hidden: cluster
                .hidden
                .iter()
                .map(|(name, seen_by)| Hidden { node: name.to_string(), seen_by: *seen_by })
                .collect(),
            unread: cluster.unread,
        }
    }
}

impl Row {
    fn of(member: &Member, reason: Option<String>, cluster: &source::Cluster) -> Row {
        let identity = member.identity.as_deref();
        let figures = member.sample.as_ref().map(|(sample, _)| &sample.figures);
        Row {
            node: member.name.to_string(),
            state: match member.reach {
                Reach::New => "new",
                Reach::Up => "up",
                Reach::Down { .. } => "down",
            },
            reason,
            kind: identity.map(|identity| identity.kind),
            version: identity.map(|identity| identity.version.clone()),
            otp: identity.and_then(|identity| identity.otp.clone()),
            uptime_ms: identity.and_then(|identity| identity.uptime()).map(unit::milliseconds),
            processes: figures.and_then(|figures| figures.processes),
            memory_bytes: figures.and_then(|figures| figures.memory).map(|memory| memory.total),
            run_queue: figures.and_then(|figures| figures.run_queue),
            load: member.utilisation,
            peers: member.visible().map(<[_]>::len),
            is_hidden: member.is_hidden,
            strategies: member
                .topologies()
                .iter()
                .map(|topology| Strategy {
                    topology: topology.name.clone(),
                    strategy: topology.short().to_owned(),
                    state: topology.state(),
                    error: topology.last_error.clone(),
                })
                .collect(),
            age_ms: member.sample.as_ref().map(|(_, at)| unit::milliseconds(cluster.at.duration_since(*at))),
            sample_ms: unit::milliseconds(member.cost),
        }
    }

    fn kind_name(&self) -> &'static str {
        self.kind.map_or("", Kind::name)
    }
}

impl Page for Cluster {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/";

    async fn load(site: &Site, _ask: &Asked) -> Result<View, Problem> {
        Ok(View::load(site.sources()).await)
    }

    fn title(_ask: &Asked, view: &View) -> String {
        match view.missing.len() {
            0 => format!("{} nodes", view.nodes.len()),
            missing => format!("{} nodes, {missing} links missing", view.nodes.len()),
        }
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        html! {
            h1 { "Cluster" }
            (summary(view))
            (absent(site, view))
            (mesh::gaps(site, view))
            (table(site, ask, view))
            (mesh::seen(site, view))
            (hidden(view))
            p.hint { a href=(site.path(snapshot::FILE)) download { "Download all of this as JSON" } }
        }
    }

    fn changed(site: &Site, _ask: &Asked) -> impl Future<Output = ()> + Send + use<> {
        site.sources().changed()
    }
}

fn summary(view: &View) -> Markup {
    let up = view.nodes.iter().filter(|node| node.state == "up").count();
    let sum = |figure: fn(&Row) -> Option<u64>| view.nodes.iter().filter_map(figure).fold(0, u64::saturating_add);
    let links = view.links.len();
    html! {
        ul.cards {
            (unit::card("Nodes", "Members of the cluster; tools that are hidden are not counted.", unit::count(view.nodes.len() as u64), &format!("{up} answer")))
            (unit::card("Links", "Pairs of nodes that see each other, of all pairs.", format!("{} of {links}", links - view.missing.len()), if view.missing.is_empty() { "the mesh is whole" } else { "some are missing" }))
            (unit::card("Processes", "Of all nodes that tell.", unit::count(sum(|node| node.processes)), ""))
            (unit::card("Memory", "Of all nodes that tell.", unit::bytes(sum(|node| node.memory_bytes)), ""))
        }
        @if view.unread > 0 {
            p.hint { (view.unread) " more nodes are not read: the dashboard reads " (MEMBERS) " at most." }
        }
    }
}

fn absent(site: &Site, view: &View) -> Markup {
    html! {
        @for target in &view.absent {
            section.problem role="alert" id={ "absent-" (target.node) } {
                p {
                    strong { (target.node) } " is not there: " (target.reason.as_deref().unwrap_or("it has not answered yet")) ". "
                    a href=(Address::of(site, "/doctor").set("node", &target.node).href()) { "Ask the doctor" }
                }
            }
        }
    }
}

fn table(site: &Site, ask: &Asked, view: &View) -> Markup {
    let mut rows: Vec<&Row> = view.nodes.iter().filter(|row| has(&row.node, &ask.q)).collect();
    let sorting = ask.sorting();
    sorting.order(&mut rows);
    let here =
        Address::of(site, "/").keep("sort", ask.sort.as_ref()).keep("dir", ask.dir.map(Direction::name).as_ref());
    let here = here.set("q", &ask.q).keep("refresh", ask.refresh.as_ref());
    html! {
        (filters(&here, &ask.q, "Name of a node", None))
        div.scroll {
            table #nodes-table {
                caption.hidden { "The nodes of the cluster" }
                (sorting.head(&here))
                tbody { @for row in rows { (line(site, row)) } }
            }
        }
    }
}

fn line(site: &Site, row: &Row) -> Markup {
    let number = |figure: Option<u64>| unit::or_dash(figure.map(unit::count));
    let load = f64::from(row.load.unwrap_or_default());
    let fullness = unit::Fullness::of(load);
    html! {
        tr id={ "node-" (row.node) } data-state=[(row.state == "down").then_some("stale")] {
            th scope="row" { (link::node(site, &row.node)) @if row.is_hidden { " " span.chip { "hidden" } } }
            td { (state(row)) }
            td {
                (unit::or_dash(row.version.clone()))
                @if let Some(otp) = row.otp.as_ref().filter(|_| row.kind == Some(Kind::Elixir)) { span.quiet { ", OTP " (otp) } }
            }
            td.num { (unit::or_dash(row.uptime_ms.map(|time| unit::duration(Duration::from_millis(time))))) }
            td.num { (number(row.processes)) }
            td.num { (unit::or_dash(row.memory_bytes.map(unit::bytes))) }
            td.num { (number(row.run_queue)) }
            td.num class=(fullness.class()) {
                (unit::or_dash(row.load.map(|_| format!("{:.0} %", load * 100.0))))
            }
            td.num { (number(row.peers.map(|peers| peers as u64))) }
            td {
                @for strategy in &row.strategies {
                    span.chip data-state=(if strategy.state == "ok" { "ok" } else { "warn" }) title=[strategy.error.as_ref()] {
                        (strategy.strategy) ": " (strategy.state)
                    } " "
                }
                @if row.strategies.is_empty() { span.quiet { "–" } }
            }
        }
    }
}

fn state(row: &Row) -> Markup {
    html! {
        @match row.state {
            "up" => span.chip data-state="ok" { "up" },
            "new" => span.chip data-state="off" { "connecting" },
            _ => {
                span.chip data-state="bad" title=[row.reason.as_ref()] { "no answer" }
                @if let Some(age) = row.age_ms { span.quiet { " as of " (unit::duration(Duration::from_millis(age))) " ago" } }
            }
        }
    }
}

fn hidden(view: &View) -> Markup {
    html! {
        @if !view.hidden.is_empty() {
            details #hidden {
                summary { (view.hidden.len()) " hidden nodes: tools, as a rule" }
                ul { @for node in &view.hidden { li { code { (node.node) } ", connected with " (node.seen_by) } } }
            }
        }
    }
}
