//! The names of the whole cluster, as one of its nodes has them.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::name::{self as source, MOST, Name, Service, names};
use super::super::source::state::Reach;
use super::super::view::link::{self, Address};
use super::super::view::table::{filters, has, limit};
use super::super::view::unit;
use super::subject::{Named, Subject};
use crate::site::{Page, Problem, Site};

/// `/names`
pub(super) struct Names;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    /// Who is asked; the first that answers if nobody is named.
    from: Option<Named>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    refresh: Option<String>,
}

/// The names as JSON shows them, searched and cut as the address says.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// Whose view it is.
    from: String,
    /// Who else can be asked.
    nodes: Vec<String>,
    total: usize,
    global: Vec<Name>,
    /// `null` if that node has no NodeRegistry.
    registry: Option<Vec<Service>>,
    is_cut: bool,
}

impl Page for Names {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/names";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let cluster = site.sources().cluster().await;
        let answering: Vec<String> = cluster
            .members
            .iter()
            .filter(|member| member.reach == Reach::Up && !member.is_hidden)
            .map(|member| member.name.to_string())
            .collect();
        let from = match &ask.from {
            Some(from) => from.clone(),
            None => {
                let first = cluster.members.into_iter().find(|member| member.reach == Reach::Up);
                Named(first.ok_or_else(|| Problem::not_found("No node of the cluster answers."))?.name)
            }
        };
        let subject = Subject::of(site, &from).await?;
        let question = subject.ask();
        let looked = subject.once("names", || names(&question)).await?;
        let source::Names { global, registry, is_cut } = looked.value.as_ref();
        let fits = |name: &&Name| has(&name.name, &ask.q) || name.node.as_ref().is_some_and(|node| has(node, &ask.q));
        let serves = |service: &&Service| has(&service.name, &ask.q) || has(&service.node, &ask.q);
        let most = limit(ask.limit);
        Ok(View {
            from: from.0.to_string(),
            nodes: answering,
            total: global.len(),
            global: global.iter().filter(fits).take(most).cloned().collect(),
            registry: registry.as_ref().map(|all| all.iter().filter(serves).take(most).cloned().collect()),
            is_cut: *is_cut,
        })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Names, as {} has them", view.from)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let here = Address::of(site, "/names").set("from", &view.from).set("q", &ask.q);
        let here = here.keep("limit", ask.limit.as_ref());
        let here = here.keep("refresh", ask.refresh.as_ref());
        html! {
            h1 { "Names of the cluster" }
            p.hint {
                "As " (link::node(site, &view.from)) " has them. All nodes of one cluster should agree; ask "
                @for node in view.nodes.iter().filter(|node| **node != view.from) {
                    a href=(here.clone().set("from", node).href()) { (node) } " "
                }
                @if view.nodes.len() < 2 { "another, once there is one" } "."
            }
            (filters(&here, &ask.q, "Name or node", Some(limit(ask.limit))))
            div.columns {
                section {
                    h2 { "Global names" }
                    div.scroll {
                        table #global {
                            caption { (view.global.len()) " of " (unit::count(view.total as u64)) @if view.is_cut { "; more than " (MOST) " are not read" } }
                            thead { tr { th scope="col" { "Name" } th scope="col" { "Process" } th scope="col" { "Node" } } }
                            tbody {
                                @for name in &view.global {
                                    tr {
                                        th scope="row" { (name.name) }
                                        @match (&name.pid, &name.node) {
                                            (Some(pid), Some(node)) => {
                                                td { (link::process(site, node, pid, pid)) }
                                                td { (link::node(site, node)) }
                                            }
                                            _ => { td.quiet { "gone" } td {} }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                section {
                    h2 { "Services of NodeRegistry" }
                    @match &view.registry {
                        None => p.hint { (view.from) " has no NodeRegistry." },
                        Some(services) => {
                            div.scroll {
                                table #registry {
                                    thead { tr { th scope="col" { "Service" } th scope="col" { "Node" } } }
                                    tbody {
                                        @for service in services {
                                            tr { th scope="row" { (service.name) } td { (link::node(site, &service.node)) } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
