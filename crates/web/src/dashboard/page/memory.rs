//! The memory of a node by class, and what its allocators have taken from the system for it.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::figures;
use super::super::source::system::{Allocator, System, system};
use super::super::view::unit;
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/memory`
pub(super) struct Memory;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
}

/// Memory as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    memory: Option<figures::Memory>,
    allocators: Vec<Allocator>,
    note: Option<&'static str>,
}

impl Page for Memory {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/memory";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let looked = subject.once("system", || async { system(&subject.ask()).await }).await?;
        let System { memory, allocators, .. } = System::clone(&looked.value);
        Ok(View { node: subject.name.to_string(), memory, allocators, note: subject.identity.without_observer() })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Memory of {}", view.node)
    }

    fn body(_site: &Site, _ask: &Asked, view: &View) -> Markup {
        html! {
            h1 { "Memory of " (view.node) }
            (note(view.note))
            @if let Some(memory) = &view.memory { (classes(memory)) }
            @if !view.allocators.is_empty() { (allocators(&view.allocators)) }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}

fn classes(memory: &figures::Memory) -> Markup {
    let classes = [
        ("Processes", "Heaps, stacks and messages of processes.", memory.processes),
        ("Binaries", "Larger binaries, which processes share.", memory.binary),
        ("Code", "Modules that are loaded.", memory.code),
        ("ETS", "Tables.", memory.ets),
        ("Atoms", "Names, which are never given back.", memory.atom),
        ("Other", "All else: ports, schedulers, the runtime itself.", memory.other()),
    ];
    html! {
        ul.cards {
            (unit::card("Total", "What the node has taken, in all classes.", unit::bytes(memory.total), ""))
            @for (label, hint, bytes) in classes {
                (unit::card(label, hint, unit::bytes(bytes), &unit::percent(bytes as f64 / memory.total.max(1) as f64)))
            }
        }
    }
}

fn allocators(all: &[Allocator]) -> Markup {
    let sum = |figure: fn(&Allocator) -> u64| all.iter().map(figure).fold(0, u64::saturating_add);
    let whole = Allocator {
        name: "All".to_owned(),
        blocks: sum(|it| it.blocks),
        carriers: sum(|it| it.carriers),
        most_carriers: sum(|it| it.most_carriers),
    };
    html! {
        h2 { "Allocators" }
        p.hint { "Blocks are in use; carriers were taken from the system for them. What is between is free, and kept." }
        div.scroll {
            table #allocators {
                thead { tr {
                    th scope="col" { "Allocator" }
                    th.num scope="col" { "Blocks" }
                    th.num scope="col" { "Carriers" }
                    th.num scope="col" { abbr title="How much of its carriers is in use." { "Used" } }
                    th.num scope="col" { abbr title="The most that its instances took, each by itself, since the node's start." { "Most ever" } }
                } }
                tbody {
                    @for it in [&whole].into_iter().chain(all) {
                        tr {
                            th scope="row" { (it.name) }
                            td.num { (unit::bytes(it.blocks)) }
                            td.num { (unit::bytes(it.carriers)) }
                            td.num { (unit::percent(it.blocks as f64 / it.carriers.max(1) as f64)) }
                            td.num { (unit::bytes(it.most_carriers)) }
                        }
                    }
                }
            }
        }
    }
}
