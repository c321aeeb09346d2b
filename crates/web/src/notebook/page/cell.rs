//! One cell, as it is shown and edited.

use beamline_livemd::{Cell, Kind, Language};
use maud::{Markup, html};

use super::output;
use super::show::View;
use super::{Which, address, markdown};
use crate::notebook::run::{Mark, Outcome};
use crate::site::Site;

/// What all parts of the page are shown with.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) site: &'a Site,
    pub(super) which: &'a Which,
    pub(super) view: &'a View,
    /// The visitor may edit and run.
    pub(super) may: bool,
}

impl Look<'_> {
    /// Where one of the notebook's forms is sent.
    pub(super) fn action(&self, action: &str) -> String {
        self.site.path(&address(&format!("/notebooks/{action}"), &self.which.path))
    }

    /// The same for scripts, for those who may.
    pub(super) fn sends(&self, action: &str) -> Option<String> {
        self.may.then(|| self.action(action))
    }

    /// A form, for those who may.
    pub(super) fn form(&self, action: &str, class: &str, inside: Markup) -> Markup {
        html! {
            @if self.may { form class=(class) method="post" action=(self.action(action)) { (self.site.form_token()) (inside) } }
        }
    }
}

/// A cell; `label` names one that is not like the others.
pub(super) fn cell(look: &Look<'_>, cell: &Cell, label: Option<&str>) -> Markup {
    let kind = match cell.kind() {
        Kind::Markdown => "text",
        Kind::Code(_) | Kind::Smart => "code",
    };
    let mark = look.view.state(cell.id()).map(|state| state.mark);
    let (state, told) = mark.map_or(("new", ""), told);
    let language = cell.language().map_or("Text", shown);
    html! {
        div.cell #{ "cell-" (cell.id()) } data-cell=(cell.id()) data-kind=(kind) data-state=(state) tabindex="-1" role="group"
            aria-label={ (label.unwrap_or(language)) " cell" @if !told.is_empty() { ", " (told) } } {
            @if cell.kind() == Kind::Markdown { (text(look, cell)) } @else { (code(look, cell, label, state, told)) }
        }
    }
}

/// How a mark is told: for styles, and for people.
fn told(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Queued => ("queued", "Queued"),
        Mark::Evaluating => ("evaluating", "Evaluating"),
        Mark::Fresh => ("fresh", "Evaluated"),
        Mark::Failed => ("failed", "Failed"),
        Mark::Stale => ("stale", "Stale"),
        Mark::Aborted => ("aborted", "Aborted"),
        Mark::NotRun => ("not-run", "Not run here"),
        Mark::New => ("new", ""),
    }
}

fn shown(language: Language) -> &'static str {
    match language {
        Language::Elixir => "Elixir",
        Language::Erlang => "Erlang",
        Language::Python => "Python",
        Language::Pyproject => "pyproject.toml",
    }
}

fn text(look: &Look<'_>, cell: &Cell) -> Markup {
    let id = cell.id();
    html! {
        div.prose #{ "text-" (id) } {
            @if cell.source().is_empty() { p.quiet { "Empty text" } } @else { (markdown::html(cell.source())) }
        }
        @if look.may {
            details.writing #{ "writing-" (id) } {
                summary { span.hidden { "Edit the text" } "Edit" }
                (look.form("edit", "", html! {
                    input type="hidden" name="cell" value=(id);
                    div.editor data-language="markdown" {
                        pre.under aria-hidden="true" #{ "under-" (id) } { (cell.source()) "\n" }
                        (area(cell, "Text, as Markdown"))
                    }
                    div.below {
                        button name="do" value="source" type="submit" { "Done" }
                        (tools(cell))
                    }
                }))
            }
        }
    }
}

fn area(cell: &Cell, label: &str) -> Markup {
    html! {
        textarea #{ "source-" (cell.id()) } name="source" aria-label=(label) spellcheck=(if cell.kind() == Kind::Markdown { "true" } else { "false" })
            autocomplete="off" autocapitalize="off" wrap=(if cell.kind() == Kind::Markdown { "soft" } else { "off" }) rows="1" {
            // The first newline of a textarea is not part of its text.
            "\n" (cell.source())
        }
    }
}

/// What else can be done with a cell.
fn tools(cell: &Cell) -> Markup {
    html! {
        button.tool name="do" value="up" type="submit" title="Move up (K)" { span.hidden { "Move up" } "↑" }
        button.tool name="do" value="down" type="submit" title="Move down (J)" { span.hidden { "Move down" } "↓" }
        @if let Kind::Code(_) = cell.kind() {
            button.tool name="do" value="reevaluate" type="submit" aria-pressed=(cell.reevaluates())
                title="Evaluate again whenever a cell above has been" { span.hidden { "Evaluate automatically" } "⟳" }
            button.tool name="do" value="continue" type="submit" aria-pressed=(cell.continues_on_error())
                title="Evaluate the cells below even if this one fails" { span.hidden { "Continue on error" } "⇣" }
        }
        button.tool name="do" value="delete" type="submit" title="Delete (dd)" { span.hidden { "Delete" } "✕" }
    }
}

fn code(look: &Look<'_>, cell: &Cell, label: Option<&str>, state: &str, told: &str) -> Markup {
    let id = cell.id();
    let language = cell.language().unwrap_or(Language::Elixir);
    let now = look.view.state(id);
    let output = now.and_then(|state| state.output.as_deref());
    let wrong = output.and_then(|output| match &output.result {
        Some(Outcome::Failed(failure)) if state == "failed" => failure.line,
        _ => None,
    });
    let is_busy = matches!(state, "evaluating" | "queued");
    let took = output.and_then(|output| output.took).filter(|_| state == "fresh" || state == "failed");
    html! {
        div.bar {
            (look.form("run", "", html! {
                input type="hidden" name="cell" value=(id);
                @if is_busy {
                    button.run name="do" value="cancel" type="submit" title="Cancel (ex)" { "■ Cancel" }
                } @else if language != Language::Pyproject && language != Language::Python {
                    button.run name="do" value="run" type="submit" form={ "code-" (id) } formaction=(look.action("run"))
                        title="Evaluate (Ctrl+Enter)" {
                        "▶ " @if state == "new" { "Evaluate" } @else { "Reevaluate" }
                    }
                }
            }))
            span.language {
                @if let Some(label) = label { (label) " · " }
                @if cell.kind() == Kind::Smart { "Smart · " }
                (shown(language))
            }
        }
        form.code #{ "code-" (id) } method="post" action=(look.action("edit")) {
            (look.site.form_token())
            input type="hidden" name="cell" value=(id);
            div.editor data-language=(language.info()) {
                pre.under aria-hidden="true" #{ "under-" (id) } { (output::coloured(cell.source(), language, wrong)) "\n" }
                @if look.may { (area(cell, &format!("{} code", shown(language)))) }
            }
            div.below {
                span.state data-state=(state) #{ "state-" (id) } {
                    @if !told.is_empty() { (told) }
                    @if let Some(took) = took { " · " (output::duration(took)) }
                    @if now.is_some_and(|state| !state.asks.is_empty()) { " · waits for an answer" }
                }
                @if look.may {
                    noscript { button name="do" value="source" type="submit" { "Keep" } }
                    @if label.is_none() { (tools(cell)) }
                }
            }
        }
        @if cell.kind() == Kind::Smart {
            p.hint { "A form of Livebook's has made this code. To edit it here makes a code cell of it." }
        }
        @if state == "not-run" { p.hint { "Python is shown, and not run: the nodes of a cluster have none." } }
        (output::output(look, id, now))
    }
}
