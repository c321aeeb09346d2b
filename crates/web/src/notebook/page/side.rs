//! What stands beside the cells: the sections, the node, the file, and what there is to be said about them.

use maud::{Markup, html};

use super::address;
use super::cell::Look;
use crate::notebook::run::RuntimeState;

/// The column beside the notebook.
pub(super) fn side(look: &Look<'_>) -> Markup {
    let notebook = &look.view.snapshot.notebook;
    html! {
        aside.side aria-label="Notebook" {
            (file(look))
            (runtime(look))
            (all(look))
            nav aria-label="Sections" {
                h2 { "Sections" }
                ol.sections {
                    @for section in notebook.sections() {
                        li data-branch=(section.parent().is_some()) { a href={ "#section-" (section.id()) } { (section.name()) } }
                    }
                }
            }
        }
    }
}

fn file(look: &Look<'_>) -> Markup {
    let snapshot = &look.view.snapshot;
    let (state, told) = match (&snapshot.trouble, &snapshot.outside, snapshot.is_unsaved) {
        (Some(_), ..) => ("bad", "Not saved"),
        (None, Some(_), _) => ("warn", "Changed outside"),
        (None, None, true) => ("off", "Unsaved"),
        (None, None, false) => ("ok", "Saved"),
    };
    html! {
        section.box #file {
            h2 { "File" }
            p.path.mono title=(look.view.path) { (look.view.path) }
            p role="status" { span.chip data-state=(state) { (told) } }
            (look.form("save", "row", html! {
                button name="do" value="save" type="submit" title="Ctrl+S" { "Save" }
                button name="do" value="close" type="submit" title="Saves, and ends what its cells have started" { "Close" }
            }))
            (look.form("edit", "row", html! {
                button name="do" value="persist" type="submit" aria-pressed=(snapshot.notebook.persists_outputs())
                    title="Whether outputs are written to the file" { "Keep outputs" }
                button type="button" data-help { "Keys (?)" }
            }))
        }
    }
}

fn runtime(look: &Look<'_>) -> Markup {
    let runtime = &look.view.update.runtime;
    let (state, told) = match runtime {
        RuntimeState::Detached => ("off", "Not attached"),
        RuntimeState::Connecting { .. } => ("warn", "Connecting"),
        RuntimeState::Ready { .. } => ("ok", "Attached"),
        RuntimeState::Failed { .. } => ("bad", "Unreachable"),
        RuntimeState::Lost { .. } => ("bad", "Lost"),
    };
    html! {
        section.box #runtime {
            h2 { "Runtime" }
            p role="status" {
                span.chip data-state=(state) { (told) }
                @if let RuntimeState::Ready { kind, .. } = runtime { " " span.chip { (kind) } }
            }
            @if let Some(node) = runtime.node() { p.path.mono { (node) } }
            @if let RuntimeState::Failed { told, .. } | RuntimeState::Lost { told, .. } = runtime { pre.told role="alert" { (told) } }
            @if !matches!(runtime, RuntimeState::Detached) {
                (look.form("runtime", "row", html! {
                    button name="do" value="reconnect" type="submit" title="Attach anew: all variables are forgotten (00)" { "Reconnect" }
                    button name="do" value="detach" type="submit" { "Detach" }
                }))
            }
            @if look.may { (attach(look, runtime)) }
        }
    }
}

fn attach(look: &Look<'_>, runtime: &RuntimeState) -> Markup {
    let names = look.site.sources().names();
    let own = look.site.node().name();
    let mut offered: Vec<String> = names.iter().map(ToString::to_string).collect();
    if !offered.iter().any(|name| name == own.as_str()) {
        offered.push(own.to_string());
    }
    html! {
        details.attach #attach open[matches!(runtime, RuntimeState::Detached)] {
            summary { @if matches!(runtime, RuntimeState::Detached) { "Attach to a node" } @else { "Another node" } }
            (look.form("runtime", "stack", html! {
                label { "Node"
                    input #attach-node name="node" list="known-nodes" required autocomplete="off" autocapitalize="off" spellcheck="false"
                        placeholder="app@127.0.0.1" value=[offered.first()];
                }
                datalist #known-nodes { @for name in &offered { option value=(name) {} } }
                label { "Cookie, if it has another"
                    input #attach-cookie name="cookie" type="password" autocomplete="off" placeholder="as this node's";
                }
                button.primary name="do" value="attach" type="submit" { "Attach" }
            }))
            @if !names.is_empty() {
                ul.known aria-label="Nodes that are known" {
                    @for name in &names { li { button type="button" data-node=(name) { (name) } } }
                }
            }
        }
    }
}

/// What is done with all cells.
fn all(look: &Look<'_>) -> Markup {
    let stale = look.view.stale();
    look.form(
        "run",
        "box row",
        html! {
            @if look.view.is_busy() {
                button name="do" value="cancel-all" type="submit" { "■ Cancel all" }
            } @else {
                button.primary name="do" value="stale" type="submit" title="Ctrl+Shift+Enter" disabled[stale == 0] {
                    "▶ Evaluate stale" @if stale > 0 { " (" (stale) ")" }
                }
                button name="do" value="all" type="submit" { "All" }
            }
        },
    )
}

/// What is to be known before one goes on.
pub(super) fn banners(look: &Look<'_>) -> Markup {
    let snapshot = &look.view.snapshot;
    let differences = look.site.path(&address("/notebooks/differences", &look.which.path));
    html! {
        @if let Some(trouble) = &snapshot.trouble { div.banner #trouble role="alert" { p { "The file could not be saved: " (trouble) } } }
        @if let Some(outside) = &snapshot.outside {
            div.banner #outside role="alert" {
                p {
                    @if outside.text.is_some() { "Somebody else has changed the file. Nothing is saved until you choose." }
                    @else { "The file is gone, or no notebook any more. Nothing is saved until you choose." }
                }
                (look.form("save", "row", html! {
                    @if outside.text.is_some() { button name="do" value="reload" type="submit" { "Reload the file" } }
                    button name="do" value="keep" type="submit" { "Keep mine" }
                    a.button href=(differences) { "Show the differences" }
                }))
            }
        }
        @if snapshot.notebook.is_stamped() && snapshot.is_unsaved {
            div.banner.mild { p { "Livebook has signed this file. The signature goes with your edits: Livebook will ask again for the secrets and files it uses." } }
        }
        @if !snapshot.notebook.warnings().is_empty() {
            details.banner.mild #warnings {
                summary { "The file is odd in " (snapshot.notebook.warnings().len()) " places" }
                ul { @for warning in snapshot.notebook.warnings().iter().take(100) { li { (warning) } } }
            }
        }
    }
}

/// What keys do.
pub(super) fn help() -> Markup {
    const KEYS: [(&str, &str); 19] = [
        ("Ctrl+Enter", "evaluate the cell"),
        ("Shift+Enter", "evaluate it and go to the next"),
        ("Ctrl+Shift+Enter", "evaluate all that is stale"),
        ("Ctrl+S", "save"),
        ("Ctrl+Space", "complete"),
        ("Esc", "leave the text"),
        ("Enter or i", "go into the text"),
        ("j k", "next, previous cell"),
        ("J K", "move the cell down, up"),
        ("n N", "code cell below, above"),
        ("m M", "text below, above"),
        ("d d", "delete the cell"),
        ("e e", "evaluate the cell"),
        ("e a", "evaluate all that is stale"),
        ("e s", "evaluate the section"),
        ("e x", "cancel the cell"),
        ("0 0", "reconnect the node"),
        ("s", "new section below"),
        ("?", "this list"),
    ];
    html! {
        dialog #help aria-labelledby="help-heading" {
            h2 #help-heading { "Keys" }
            p.hint { "Those of one or two letters work while no text is being written." }
            dl.keys { @for (keys, told) in KEYS { dt { @for key in keys.split(' ') { @if key == "or" { " or " } @else { kbd { (key) } " " } } } dd { (told) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}
