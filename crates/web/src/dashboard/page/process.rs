//! One process: what it is tied to, where it is. Of one that has ended, what was seen last, so that its address stays good.
//! What it holds (messages, dictionary, state) only for visitors who may see secrets.

use std::time::SystemTime;

use axum::Router;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::ask::Ask;
use super::super::source::identity::Kind;
use super::super::source::process::{self as source, Related, Reveals};
use super::super::source::trouble::Trouble;
use super::super::view::link::{self, Address};
use super::super::view::unit;
use super::subject::{Named, Subject};
use crate::site::{Act, Action, Done, Page, Permit, Power, Problem, Reveal, Site, action, segment};

/// `/n/{node}/processes/{pid}`
pub(super) struct Detail;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    pid: String,
    /// What of its secrets is to be shown.
    reveal: Option<Reveals>,
}

/// Bytes in a word: of 64-bit machines, on which alone nodes run today.
const WORD: u64 = 8;

/// A process as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    /// Whether it runs; if not, all else is what was seen last.
    is_alive: bool,
    /// How long ago that was, in milliseconds.
    age_ms: u64,
    kind: Kind,
    process: source::Detail,
    /// What was to be revealed, printed.
    revealed: Option<String>,
}

impl Page for Detail {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/processes/{pid}";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let pid = source::parse(&ask.pid, subject.name, &subject.identity)?;
        let key = subject.key(&format!("process {}.{}", pid.id(), pid.serial()));
        let question = subject.ask();
        let looked = subject.sources.once(key.clone(), || source::detail(&question, &pid)).await?;
        let (process, is_alive, age) = match looked.value.as_ref() {
            Some(process) => {
                subject.sources.seen().note(key, process);
                (process.clone(), true, looked.age)
            }
            None => {
                let last = subject.sources.seen().last(&key).ok_or_else(|| Trouble::Absent {
                    what: format!(
                        "There is no process {} at {}, and none was seen here before.",
                        ask.pid, subject.name
                    ),
                })?;
                (last.0, false, SystemTime::now().duration_since(last.1).unwrap_or_default())
            }
        };
        let revealed = match ask.reveal {
            Some(what) if is_alive => Some(reveal(site, &question, &pid, what).await?),
            _ => None,
        };
        Ok(View {
            node: subject.name.to_string(),
            is_alive,
            age_ms: unit::milliseconds(age),
            kind: subject.identity.kind,
            process,
            revealed,
        })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("{} of {}", view.process.name.as_ref().unwrap_or(&view.process.pid), view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let process = &view.process;
        html! {
            h1 {
                span.mono { (process.pid) } " "
                @if let Some(name) = process.name.as_ref().or(process.label.as_ref()) { (name) " " }
                @if view.is_alive {
                    span.chip data-state="ok" { (process.status.as_deref().unwrap_or("alive")) }
                } @else {
                    span.chip data-state="off" { "ended; seen last " (unit::duration(std::time::Duration::from_millis(view.age_ms))) " ago" }
                }
            }
            p.hint { "A process of " (link::node(site, &view.node)) "." }
            (figures(view))
            div.columns {
                section.panel { h2 { "What it is" } (facts(site, view)) }
                section.panel { h2 { "Ties" } (ties(site, view)) }
                @if !process.stack_trace.is_empty() {
                    section.panel { h2 { "Where it is" } ol.mono { @for call in &process.stack_trace { li { (call) } } } }
                }
                @if !process.garbage_collection.is_empty() {
                    section.panel {
                        h2 { "Garbage collection" }
                        dl.facts { @for (key, value) in &process.garbage_collection { dt { (key) } dd.mono { (value) } } }
                    }
                }
            }
            @if view.is_alive { (secrets(site, ask, view)) (kill(site, view)) }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}

async fn reveal(site: &Site, ask: &Ask<'_>, pid: &beamline_term::Pid, what: Reveals) -> Result<String, Problem> {
    let permit = site.permit::<Reveal>().ok_or(Problem::Forbidden { needs: Power::Reveal })?;
    permit.audit("reveal", ask.peer().as_str(), &format!("{} of {pid:?}", what.name()));
    Ok(source::reveal(ask, pid, what).await?)
}

fn figures(view: &View) -> Markup {
    let process = &view.process;
    let words = |words: Option<u64>| unit::or_dash(words.map(|words| unit::bytes(words.saturating_mul(WORD))));
    html! {
        ul.cards {
            (unit::card("Memory", "Heap, stack and messages.", unit::or_dash(process.memory.map(unit::bytes)), ""))
            (unit::card("Queue", "Messages that wait for it.", unit::or_dash(process.queue.map(unit::count)), ""))
            (unit::card("Reductions", "Work since its start: calls, about. Of a Rust process, the messages that it has taken.", unit::or_dash(process.reductions.map(unit::count)), ""))
            @if view.kind != Kind::Rust {
                (unit::card("Heap", "Of the youngest generation.", words(process.heap), ""))
                (unit::card("All heaps", "Of all generations.", words(process.total_heap), ""))
                (unit::card("Stack", "Of calls that are not done.", words(process.stack), ""))
            }
        }
    }
}

fn facts(site: &Site, view: &View) -> Markup {
    let process = &view.process;
    let texts = [
        ("Registered name", &process.name),
        ("Label", &process.label),
        ("Began with", &process.initial_call),
        ("Is in", &process.current),
        ("Priority", &process.priority),
        ("Error handler", &process.error_handler),
    ];
    let ties = [("Parent", &process.parent), ("Group leader", &process.group_leader)];
    html! {
        dl.facts {
            @for (label, text) in texts { @if let Some(text) = text { dt { (label) } dd.mono { (text) } } }
            @if let Some(traps) = process.trap_exit {
                dt { abbr title="Whether exit signals arrive as messages." { "Traps exits" } }
                dd { @if traps { "yes" } @else { "no" } }
            }
            @for (label, tie) in ties { @if let Some(tie) = tie { dt { (label) } dd { (related(site, tie)) } } }
            @if process.suspending > 0 { dt { "Suspends" } dd { (process.suspending) " processes" } }
        }
    }
}

fn ties(site: &Site, view: &View) -> Markup {
    let process = &view.process;
    let all = [
        ("Links", "End together.", &process.links),
        ("Monitors", "It hears when these end.", &process.monitors),
        ("Monitored by", "These hear when it ends.", &process.monitored_by),
    ];
    html! {
        @for (label, hint, list) in all {
            h3 { abbr title=(hint) { (label) } " " span.quiet { (list.len()) } }
            @if list.is_empty() { p.quiet { "none" } }
            ul { @for tie in list { li { (related(site, tie)) } } }
        }
        @if process.more > 0 { p.quiet { "and " (process.more) " more" } }
    }
}

fn related(site: &Site, tie: &Related) -> Markup {
    match (&tie.node, &tie.pid) {
        (Some(node), Some(pid)) => link::process(site, node, pid, &tie.text),
        _ => html! { span.mono { (tie.text) } },
    }
}

fn here(site: &Site, view: &View) -> Address {
    let pid = view.process.pid.trim_start_matches('<').trim_end_matches('>');
    Address::of_node(site, &view.node, &format!("/processes/{}", segment(pid)))
}

/// What it holds, for who may see that. A Rust node tells none of it.
fn secrets(site: &Site, ask: &Asked, view: &View) -> Markup {
    if site.permit::<Reveal>().is_none() || view.kind == Kind::Rust {
        return html! {};
    }
    html! {
        section.panel #secrets {
            h2 { "What it holds" }
            nav.tabs aria-label="What it holds" {
                @for what in [Reveals::Messages, Reveals::Dictionary, Reveals::State] {
                    a href=(here(site, view).set("reveal", what.name()).href())
                        aria-current=[(ask.reveal == Some(what)).then_some("true")] { (what.name()) }
                }
            }
            @match &view.revealed {
                Some(text) => pre { (text) },
                None => p.hint { "It may hold secrets; whoever looks is noted in the audit log." },
            }
        }
    }
}

fn kill(site: &Site, view: &View) -> Markup {
    if site.permit::<Act>().is_none() || view.kind == Kind::Rust {
        return html! {};
    }
    html! {
        section.panel #kill {
            h2 { "End it" }
            form.filters method="post" action={ (here(site, view).href()) "/kill" } {
                (site.form_token())
                label { input type="checkbox" name="sure" value="yes" required; "End it with reason kill: what is linked with it ends too." }
                button.danger type="submit" { "Kill" }
            }
        }
    }
}

/// Ends a process of a BEAM node.
struct Kill;

#[derive(Debug, Clone, Deserialize)]
struct Target {
    node: Named,
    pid: String,
}

#[derive(Debug, Deserialize)]
struct Sure {
    sure: Option<String>,
}

impl Action for Kill {
    type Power = Act;
    type Ask = Target;
    type Form = Sure;
    const PATH: &'static str = "/n/{node}/processes/{pid}/kill";

    async fn act(site: &Site, permit: Permit<Act>, ask: Target, form: Sure) -> Result<Done, Problem> {
        if form.sure.as_deref() != Some("yes") {
            return Err(Problem::bad_address("the form does not say `sure=yes`"));
        }
        let subject = Subject::of(site, &ask.node).await?;
        if subject.identity.kind == Kind::Rust {
            let what = format!("{} is a Rust node, whose processes end by themselves only.", subject.name);
            return Err(Problem::Refused { what, advice: "end it by the program's own means".to_owned() });
        }
        let pid = source::parse(&ask.pid, subject.name, &subject.identity)?;
        permit.audit("kill", subject.name.as_str(), &format!("{pid:?}"));
        subject.ask().call("erlang", "exit", (&pid, beamline_term::atom("kill"))).await?;
        Ok(Done::See(format!("/n/{}/processes", segment(subject.name.as_str()))))
    }
}

/// Adds what may be done to a process, if anything may.
pub(super) fn actions(site: &Site, router: Router<Site>) -> Router<Site> {
    action::<Kill>(site, router)
}
