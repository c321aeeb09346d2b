//! Why a node is not reached, or why two do not see each other: the doctor's ladder, and what the nodes themselves say.

use std::collections::BTreeSet;
use std::time::Duration;

use beamline_node::NodeName;
use futures_util::future::join_all;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::clinic::{Clinic, Examined, Found, Step, WORTH};
use super::super::source::state::{Member, Reach};
use super::super::source::topology::Peer;
use super::super::source::{Cluster, Sources};
use super::super::view::link;
use super::super::view::{mesh, unit};
use super::subject::{Named, maybe};
use crate::site::{Page, Problem, Site};

/// `/doctor`
pub(super) struct Doctor;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    /// Who is to be looked at; without, a choice is shown.
    #[serde(default, deserialize_with = "maybe")]
    node: Option<Named>,
    /// The other end of a link that is missing.
    #[serde(default, deserialize_with = "maybe")]
    peer: Option<Named>,
}

/// What was found as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: Option<String>,
    peer: Option<String>,
    /// Who can be looked at.
    nodes: Vec<String>,
    missing: Vec<(String, String)>,
    sees: Vec<Sees>,
    told: Vec<Told>,
    examinations: Vec<Examined>,
    /// How old the examinations are at most.
    age_ms: u64,
    note: Option<String>,
}

/// Whether one node sees another; `null` if it could not be asked.
#[derive(Debug, Serialize)]
struct Sees {
    from: String,
    to: String,
    sees: Option<bool>,
}

/// What a topology of one node says of another.
#[derive(Debug, Serialize)]
struct Told {
    by: String,
    topology: String,
    #[serde(flatten)]
    peer: Peer,
}

impl Page for Doctor {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/doctor";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let sources = site.sources();
        let cluster = sources.cluster().await;
        let known = known(&cluster);
        let wanted: Vec<&NodeName> = ask.node.iter().chain(&ask.peer).map(|named| &named.0).collect();
        if let Some(stranger) = wanted.iter().find(|name| !known.contains(name.as_str())) {
            let what = format!("{stranger} is no node of this cluster, and the doctor looks at no others from here.");
            return Err(Problem::Refused { what, advice: format!("beamline doctor {stranger}") });
        }
        let (examinations, age, note) = match sources.clinic() {
            Some(clinic) => {
                let (examined, age) = examine(sources, clinic, &wanted).await?;
                (examined, age, None)
            }
            None => (Vec::new(), Duration::ZERO, Some(NO_CLINIC.to_owned())),
        };
        let member = |name: &NodeName| cluster.members.iter().find(|member| member.name == *name);
        let pairs = match wanted.as_slice() {
            [one, other] if one != other => vec![(*one, *other), (*other, *one)],
            _ => Vec::new(),
        };
        Ok(View {
            sees: pairs.iter().map(|(from, to)| Sees::of(member(from), from, to)).collect(),
            told: told(&cluster, &wanted),
            missing: missing(&cluster),
            node: ask.node.as_ref().map(|named| named.0.to_string()),
            peer: ask.peer.as_ref().map(|named| named.0.to_string()),
            nodes: known.into_iter().collect(),
            examinations,
            age_ms: unit::milliseconds(age),
            note,
        })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        match (&view.node, &view.peer) {
            (Some(node), Some(peer)) => format!("Doctor: {node} and {peer}"),
            (Some(node), None) => format!("Doctor: {node}"),
            _ => "Doctor".to_owned(),
        }
    }

    fn body(site: &Site, _ask: &Asked, view: &View) -> Markup {
        html! {
            h1 { "Doctor" }
            (choice(site, view))
            @if let Some(note) = &view.note { p.hint role="note" { (note) } }
            @if !view.sees.is_empty() || !view.told.is_empty() { (testimony(site, view)) }
            @for examined in &view.examinations { (examination(site, examined)) }
            @if !view.examinations.is_empty() {
                p.hint {
                    "Looked at from the dashboard's machine " (unit::duration(Duration::from_millis(view.age_ms)))
                    " ago; again after " (WORTH.as_secs()) " s. What the nodes see from theirs: "
                    code { "beamline doctor" } " there."
                }
            }
        }
    }
}

const NO_CLINIC: &str = "The program around this site gave the doctor no cookie, so that it cannot visit nodes: run beamline \
                         doctor, or see Web::doctor.";

/// Members, targets, and whom topologies look for. No others: the site is no way to try other machines' ports.
fn known(cluster: &Cluster) -> BTreeSet<String> {
    let members = cluster.members.iter().chain(&cluster.absent);
    let peers = members.clone().flat_map(Member::topologies).flat_map(|topology| &topology.peers);
    members.map(|member| member.name.to_string()).chain(peers.map(|peer| peer.node.clone())).collect()
}

async fn examine(
    sources: &Sources,
    clinic: &Clinic,
    wanted: &[&NodeName],
) -> Result<(Vec<Examined>, Duration), Problem> {
    let looks = wanted.iter().map(|name| {
        sources.once_for(WORTH, format!("doctor {name}"), move || async move { Ok(clinic.examine(name).await) })
    });
    let mut examined = Vec::new();
    let mut oldest = Duration::ZERO;
    for looked in join_all(looks).await {
        let looked = looked?;
        oldest = oldest.max(looked.age);
        examined.push(Examined::clone(&looked.value));
    }
    Ok((examined, oldest))
}

impl Sees {
    fn of(member: Option<&Member>, from: &NodeName, to: &NodeName) -> Sees {
        let seen = member.filter(|member| member.reach == Reach::Up).and_then(Member::visible);
        Sees { from: from.to_string(), to: to.to_string(), sees: seen.map(|seen| seen.binary_search(to).is_ok()) }
    }
}

fn told(cluster: &Cluster, wanted: &[&NodeName]) -> Vec<Told> {
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted.as_str() == name);
    let mut all = Vec::new();
    for member in &cluster.members {
        // Of a pair, what each says of the other; of one node, what all others say.
        if wanted.len() > 1 && !is_wanted(member.name.as_str()) {
            continue;
        }
        for topology in member.topologies() {
            let peers = topology.peers.iter().filter(|peer| is_wanted(&peer.node));
            all.extend(peers.map(|peer| Told {
                by: member.name.to_string(),
                topology: topology.name.clone(),
                peer: peer.clone(),
            }));
        }
    }
    all
}

fn missing(cluster: &Cluster) -> Vec<(String, String)> {
    let links = super::super::source::mesh::links(&cluster.members, cluster.at);
    let name = |place: usize| cluster.members[place].name.to_string();
    links.iter().filter(|link| link.state.is_missing()).map(|link| (name(link.from), name(link.to))).collect()
}

fn choice(site: &Site, view: &View) -> Markup {
    let select = |name: &str, label: &str, chosen: &Option<String>| {
        html! {
            label {
                (label)
                select name=(name) id=(name) {
                    option value="" { "–" }
                    @for node in &view.nodes { option value=(node) selected[chosen.as_ref() == Some(node)] { (node) } }
                }
            }
        }
    };
    html! {
        form.filters method="get" action=(site.path("/doctor")) {
            (select("node", "Look at", &view.node))
            (select("peer", "and why it does not see", &view.peer))
            button.primary type="submit" { "Examine" }
        }
        @for (from, to) in &view.missing {
            p.bad { "✕ " (from) " and " (to) " do not see each other. " a href=(mesh::pair(site, from, to).href()) { "Why?" } }
        }
    }
}

fn testimony(site: &Site, view: &View) -> Markup {
    html! {
        section.panel {
            h2 { "What the nodes say" }
            ul {
                @for sees in &view.sees {
                    li {
                        @match sees.sees {
                            Some(true) => span.good { "✓ " (sees.from) " sees " (sees.to) },
                            Some(false) => span.bad { "✕ " (sees.from) " does not see " (sees.to) },
                            None => span.quiet { "? " (sees.from) " could not be asked whether it sees " (sees.to) },
                        }
                    }
                }
                @for told in &view.told {
                    li {
                        (link::node(site, &told.by)) ", topology " (told.topology) ": " (told.peer.node) " is " (told.peer.state.replace('_', ", "))
                        @if let Some(failure) = &told.peer.last_failure { span.warn { "; the last dial failed: " (failure) } }
                    }
                }
            }
        }
    }
}

fn examination(site: &Site, examined: &Examined) -> Markup {
    let is_well = examined.rungs.iter().all(|step| step.findings.is_empty());
    html! {
        section.panel id={ "examined-" (examined.node) } {
            h2 { (link::node(site, &examined.node)) " from here" @if is_well { " " span.chip data-state="ok" { "well" } } }
            ol.rungs { @for step in &examined.rungs { (rung(step)) } }
        }
    }
}

fn rung(step: &Step) -> Markup {
    html! {
        li {
            span.chip data-state=(step.mark()) { (step.rung) ": " (step.state) } " "
            span.quiet { @if step.took_ms > 0 { (step.took_ms) " ms" } }
            @for fact in &step.facts { " " span.quiet { (fact) } }
            @for found in &step.findings { (finding(found)) }
        }
    }
}

fn finding(found: &Found) -> Markup {
    html! {
        div.problem {
            p { strong { (found.code) } " " (found.weight) ": " (found.what) }
            dl.facts { @for (label, text) in &found.evidence { dt { (label) } dd.mono { (text) } } }
            @for fix in &found.fix { p { "Try: " code { (fix) } } }
            details { summary { "What " (found.code) " means" } p { (found.meaning) } }
        }
    }
}
