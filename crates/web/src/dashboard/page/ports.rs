//! Ports and sockets of a node.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::port::{Port, Socket, ports};
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting, by_text, filters, has, limit};
use super::super::view::unit;
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/ports`
pub(super) struct Ports;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    sort: Option<String>,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Port>] = &[
    Column::text("port", "Port", "As the node itself prints it.")
        .by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id))),
    Column::text("name", "Name", "Its driver, or the command of the program behind it.")
        .by(|a, b| by_text(&a.name, &b.name)),
    Column::text("", "Owner", "The process that it belongs to."),
    Column::number("received", "Received", "Bytes that came in.").by(|a, b| a.received.cmp(&b.received)),
    Column::number("sent", "Sent", "Bytes that went out.").by(|a, b| a.sent.cmp(&b.sent)),
    Column::number("queue", "Queue", "Bytes that wait to be sent.").by(|a, b| a.queue.cmp(&b.queue)),
    Column::text("", "Local", "This end of a network connection."),
    Column::text("", "Remote", "The other end."),
    Column::number("", "OS pid", "Of the program behind it."),
];

impl Asked {
    fn sorting(&self) -> Sorting<Port> {
        Sorting::of(COLUMNS, 3, self.sort.as_deref(), self.dir)
    }
}

/// Ports and sockets as JSON shows them, ordered and cut as the address says.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    total: usize,
    matched: usize,
    ports: Vec<Port>,
    sockets: Vec<Socket>,
    note: Option<&'static str>,
}

impl Page for Ports {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/ports";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let question = subject.ask();
        let looked = subject.once("ports", || ports(&question)).await;
        let looked = match looked {
            Err(trouble) if trouble.is_missing() => {
                let node = subject.name.to_string();
                let note = subject.identity.without_observer();
                return Ok(View { node, total: 0, matched: 0, ports: Vec::new(), sockets: Vec::new(), note });
            }
            looked => looked?,
        };
        let fits = |port: &&Port| {
            let ends = [port.local.as_deref(), port.remote.as_deref(), port.owner.as_deref()];
            has(&port.name, &ask.q) || has(&port.id, &ask.q) || ends.into_iter().flatten().any(|end| has(end, &ask.q))
        };
        let mut rows: Vec<Port> = looked.value.ports.iter().filter(fits).cloned().collect();
        let matched = rows.len();
        ask.sorting().order(&mut rows);
        rows.truncate(limit(ask.limit));
        let sockets = looked.value.sockets.iter().take(limit(ask.limit)).cloned().collect();
        let total = looked.value.ports.len();
        Ok(View { node: subject.name.to_string(), total, matched, ports: rows, sockets, note: None })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Ports of {}", view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let sorting = ask.sorting();
        let here = sorting.kept(Address::of_node(site, &view.node, "/ports")).set("q", &ask.q);
        let here = here.keep("limit", ask.limit.as_ref()).keep("refresh", ask.refresh.as_ref());
        let owner = |pid: &Option<String>| match pid {
            Some(pid) => link::process(site, &view.node, pid, pid),
            None => unit::or_dash(None),
        };
        html! {
            h1 { "Ports of " (view.node) }
            (note(view.note))
            (filters(&here, &ask.q, "Name, address or owner", Some(limit(ask.limit))))
            div.scroll {
                table #ports {
                    caption { (view.ports.len()) " of " (view.matched) ", " (view.total) " in all" }
                    (sorting.head(&here))
                    tbody {
                        @for port in &view.ports {
                            tr id=(port.id) {
                                th.mono scope="row" { (port.id) }
                                td { (port.name) }
                                td { (owner(&port.owner)) }
                                td.num { (unit::bytes(port.received)) }
                                td.num { (unit::bytes(port.sent)) }
                                td.num { (unit::bytes(port.queue)) }
                                td.mono { (port.local.as_deref().unwrap_or_default()) }
                                td.mono { (port.remote.as_deref().unwrap_or_default()) }
                                td.num { (unit::or_dash(port.os_pid.map(|pid| pid.to_string()))) }
                            }
                        }
                    }
                }
            }
            @if !view.sockets.is_empty() {
                h2 { "Sockets" }
                div.scroll {
                    table #sockets {
                        thead { tr {
                            @for label in ["Socket", "Kind", "State", "Owner"] { th scope="col" { (label) } }
                            @for label in ["Received", "Sent"] { th.num scope="col" { (label) } }
                            @for label in ["Local", "Remote"] { th scope="col" { (label) } }
                        } }
                        tbody {
                            @for socket in &view.sockets {
                                tr {
                                    th.mono scope="row" { (socket.id) }
                                    td { (socket.kind) }
                                    td { (socket.state) }
                                    td { (owner(&socket.owner)) }
                                    td.num { (unit::bytes(socket.received)) }
                                    td.num { (unit::bytes(socket.sent)) }
                                    td.mono { (socket.local.as_deref().unwrap_or_default()) }
                                    td.mono { (socket.remote.as_deref().unwrap_or_default()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}
