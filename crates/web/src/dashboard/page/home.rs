//! One node: what it is, how full it is, how it finds its peers. Of one that has left, what was seen last.

use std::time::Duration;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::figures::Memory;
use super::super::source::identity::Identity;
use super::super::source::state::{Member, Reach};
use super::super::source::system::{System, system};
use super::super::source::topology::Topology;
use super::super::view::link::{self, Address};
use super::super::view::unit;
use super::subject::{Named, Subject, member, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}`
pub(super) struct Home;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
}

/// A node as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    /// `up`, `down`, or `left` if it is no member any more.
    state: &'static str,
    reason: Option<String>,
    /// How old what is shown is.
    age_ms: Option<u64>,
    identity: Option<Identity>,
    uptime_ms: Option<u64>,
    processes: Option<u64>,
    memory: Option<Memory>,
    run_queue: Option<u64>,
    load: Option<f32>,
    system: Option<System>,
    peers: Vec<String>,
    does_not_see: Vec<String>,
    hidden_peers: usize,
    topologies: Vec<Topology>,
    note: Option<&'static str>,
}

impl View {
    fn of(member: &Member, state: &'static str, reason: Option<String>) -> View {
        let figures = member.sample.as_ref().map(|(sample, _)| &sample.figures);
        let names =
            |names: &mut dyn Iterator<Item = &beamline_node::NodeName>| names.map(ToString::to_string).collect();
        let identity = member.identity.as_deref();
        View {
            node: member.name.to_string(),
            state,
            reason,
            age_ms: member.sample.as_ref().map(|(_, at)| unit::milliseconds(at.elapsed())),
            uptime_ms: identity.and_then(Identity::uptime).map(unit::milliseconds),
            processes: figures.and_then(|figures| figures.processes),
            memory: figures.and_then(|figures| figures.memory),
            run_queue: figures.and_then(|figures| figures.run_queue),
            load: member.utilisation,
            system: None,
            peers: names(&mut member.visible().unwrap_or_default().iter()),
            does_not_see: names(&mut member.missing.keys()),
            hidden_peers: member.sample.as_ref().map_or(0, |(sample, _)| sample.hidden.len()),
            topologies: member.topologies().to_vec(),
            note: identity.and_then(Identity::without_observer),
            identity: identity.cloned(),
        }
    }
}

impl Page for Home {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let found = match member(site, &ask.node).await {
            Ok(found) => found,
            Err(problem) => {
                let departed = site.sources().departed(&ask.node.0).ok_or(problem)?;
                let ago = departed.at.elapsed().unwrap_or_default();
                let reason = format!("It left the cluster {} ago; this was seen last.", unit::duration(ago));
                return Ok(View::of(&departed.member, "left", Some(reason)));
            }
        };
        let mut view = match &found.reach {
            Reach::Down { why, .. } => View::of(&found, "down", Some(format!("{why}. This was seen last."))),
            _ => View::of(&found, "up", None),
        };
        if view.state == "up" {
            let subject = Subject::of(site, &ask.node).await?;
            let asked = subject.once("system", || async { system(&subject.ask()).await });
            // A node that answers all but this is shown without.
            view.system = asked.await.ok().map(|looked| System::clone(&looked.value));
        }
        Ok(view)
    }

    fn title(_ask: &Asked, view: &View) -> String {
        view.node.clone()
    }

    fn body(site: &Site, _ask: &Asked, view: &View) -> Markup {
        html! {
            h1 { (view.node) " " (state(view)) }
            @if let Some(reason) = &view.reason {
                section.problem role="alert" {
                    p {
                        (reason) " "
                        a href=(Address::of(site, "/doctor").set("node", &view.node).href()) { "Ask the doctor" }
                    }
                }
            }
            (note(view.note))
            (figures(view))
            div.columns {
                section.panel { h2 { "What it is" } (identity(view)) }
                section.panel { h2 { "Limits" } (limits(view)) }
                section.panel { h2 { "Peers" } (peers(site, view)) }
                section.panel { h2 { "How it finds peers" } (topologies(view)) }
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }

    fn changed(site: &Site, _ask: &Asked) -> impl Future<Output = ()> + Send + use<> {
        site.sources().changed()
    }
}

fn state(view: &View) -> Markup {
    html! {
        @match view.state {
            "up" => span.chip data-state="ok" { "up" },
            "down" => span.chip data-state="bad" { "no answer" },
            _ => span.chip data-state="off" { "left" },
        }
        @if view.state != "up" {
            @if let Some(age) = view.age_ms {
                " " span.chip { "as of " (unit::duration(Duration::from_millis(age))) " ago" }
            }
        }
    }
}

fn figures(view: &View) -> Markup {
    let dash = |figure: Option<String>| unit::or_dash(figure);
    html! {
        ul.cards {
            (unit::card("Up for", "Since the node's start.", dash(view.uptime_ms.map(|time| unit::duration(Duration::from_millis(time)))), ""))
            (unit::card("Processes", "Processes that are alive.", dash(view.processes.map(unit::count)), ""))
            (unit::card("Memory", "What the node has taken, in all classes.", dash(view.memory.map(|memory| unit::bytes(memory.total))), ""))
            (unit::card("Run queue", "Processes that are ready and wait for a scheduler. More than schedulers for long means too little CPU.", dash(view.run_queue.map(unit::count)), ""))
            (unit::card("Load", "How busy its schedulers were in the last second.", dash(view.load.map(|load| format!("{:.0} %", load * 100.0))), ""))
            (unit::card("Peers", "Visible nodes that it is connected with.", unit::count(view.peers.len() as u64), &format!("and {} hidden", view.hidden_peers)))
            @if let Some(system) = &view.system {
                (unit::card("Received", "Bytes by ports and connections since the start.", dash(system.io_in.map(unit::bytes)), ""))
                (unit::card("Sent", "Bytes by ports and connections since the start.", dash(system.io_out.map(unit::bytes)), ""))
            }
        }
    }
}

fn identity(view: &View) -> Markup {
    let Some(identity) = &view.identity else { return html! { p.quiet { "It has not told yet." } } };
    html! {
        dl.facts {
            dt { "Runs" } dd { (identity.kind.name()) ": " (identity.version) }
            @if let Some(otp) = &identity.otp { dt { "Erlang/OTP" } dd { (otp) @if let Some(erts) = &identity.erts { span.quiet { ", ERTS " (erts) } } } }
            @if let Some(architecture) = &identity.architecture { dt { "Machine" } dd { (architecture) } }
            dt { abbr title="Processors that run processes at the same time; worker threads of a Rust node." { "Schedulers" } } dd { (identity.schedulers) }
            dt { abbr title="Tells this run of the node from those before it." { "Creation" } } dd.mono { (identity.creation) }
            @if let Some(system) = &view.system {
                @if let Some(processors) = system.logical_processors { dt { "Processors" } dd { (processors) } }
                @if let Some(buffer) = system.distribution_buffer {
                    dt { abbr title="So much may wait for a peer before senders to it wait." { "Distribution buffer" } } dd { (unit::bytes(buffer)) }
                }
            }
        }
    }
}

fn limits(view: &View) -> Markup {
    let limits = view.system.as_ref().map(|system| system.limits.as_slice()).unwrap_or_default();
    html! {
        dl.facts {
            @for limited in limits { dt { (limited.what) } dd { (unit::meter(limited.what, limited.used, limited.limit)) } }
        }
        @if limits.is_empty() { p.quiet { "The node does not tell." } }
    }
}

fn peers(site: &Site, view: &View) -> Markup {
    html! {
        @if view.peers.is_empty() { p.quiet { "It sees nobody." } }
        ul { @for peer in &view.peers { li { (link::node(site, peer)) } } }
        @for lost in &view.does_not_see {
            p.bad {
                "✕ does not see " (lost) ". "
                a href=(super::super::view::mesh::pair(site, &view.node, lost).href()) { "Why?" }
            }
        }
    }
}

fn topologies(view: &View) -> Markup {
    html! {
        @if view.topologies.is_empty() {
            p.quiet { "No topology of Beamline's tells; an Elixir node's libcluster is not asked." }
        }
        @for topology in &view.topologies {
            h3 { (topology.name) ": " (topology.short()) " " span.chip data-state=(if topology.state() == "ok" { "ok" } else { "warn" }) { (topology.state()) } }
            @if let Some(error) = &topology.last_error { p.warn { "Cannot find out: " (error) } }
            @if let Some((count, age)) = topology.last_answer {
                p.quiet { (count) " nodes in its last answer, " (unit::duration(Duration::from_millis(age))) " ago" }
            }
            ul {
                @for peer in &topology.peers {
                    li {
                        (peer.node) " " span.quiet { (peer.state.replace('_', ", ")) }
                        @if let Some(failure) = &peer.last_failure { span.warn { ": " (failure) } }
                    }
                }
            }
        }
    }
}
