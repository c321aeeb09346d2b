//! What a cell gave: what it printed, its value as text or table, its error.

use std::time::Duration;

use beamline_elixir::{Highlight, highlight};
use beamline_livemd::{Id, Language};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::cell::Look;
use super::{Which, address, ansi};
use crate::notebook::run::{CellState, Evaluation, Failure, Outcome, Output, Question, Table, cell_id};
use crate::site::{Asset, Page, Problem, Site};

/// So many lines of what is printed stand in the page itself; the others are fetched when they are asked for, since the whole page
/// is sent whenever something on it changes.
const INLINE: usize = 200;

/// What a cell gave, and what it asks.
pub(super) fn output(look: &Look<'_>, id: Id, state: Option<&CellState>) -> Markup {
    let output = state.and_then(|state| state.output.as_deref());
    html! {
        div.outputs #{ "outputs-" (id) } aria-live="polite" {
            @if let Some(output) = output {
                @if output.printed.lines > 0 || output.printed.bytes > 0 { (printed(look, id, output)) }
                @match &output.result {
                    Some(Outcome::Value { table: Some(table), .. }) => (self::table(id, output.evaluation, table)),
                    Some(Outcome::Value { text, table: None }) => pre.value { (value(text)) },
                    Some(Outcome::Failed(failure)) => (failed(failure)),
                    Some(Outcome::Aborted(why)) => p.aborted { "Aborted: " (why) },
                    _ => {}
                }
            }
            @for question in state.map(|state| state.asks.as_slice()).unwrap_or_default() { (asks(look, id, question)) }
        }
    }
}

/// A line that the cell wants to read: those who may run it may answer.
fn asks(look: &Look<'_>, id: Id, question: &Question) -> Markup {
    let field = format!("answer-{id}-{}", question.number);
    let prompt = html! {
        @if question.prompt.trim().is_empty() { "The cell reads a line" } @else { (ansi::html(&question.prompt)) }
    };
    html! {
        @if look.may {
            // What is being written is kept while the page is shown anew.
            form.asks #{ "asks-" (field) } data-keep method="post" action=(look.action("run")) {
                (look.site.form_token())
                input type="hidden" name="cell" value=(id);
                input type="hidden" name="question" value=(question.number);
                label for=(field) { (prompt) }
                input #(field) name="text" autocomplete="off" autocapitalize="off" spellcheck="false";
                button.primary name="do" value="answer" type="submit" { "Answer" }
                button name="do" value="end" type="submit" title="Nothing more can be read (:eof)" { "End of input" }
            }
        } @else {
            p.asks #{ "asks-" (field) } { (prompt) }
        }
    }
}

fn printed(look: &Look<'_>, id: Id, output: &Output) -> Markup {
    let printed = &output.printed;
    let all = printed.kept();
    let is_done = output.result.is_some();
    // While it runs its end is of interest, and afterwards its beginning.
    let part = if is_done { head(all, INLINE) } else { tail(all, INLINE) };
    let lines = |text: &str| text.lines().count();
    let hidden = lines(all).saturating_sub(lines(part));
    let rest = look.site.path(&format!("{}?cell={id}", address("/notebooks/output", &look.which.path)));
    html! {
        @if !is_done && hidden > 0 { p.more { "… " (hidden) " lines before these" } }
        @if is_done && hidden > 0 {
            // A script puts the rest into it, where it stays until the cell is evaluated again.
            div #{ "printed-" (id) "-" (output.evaluation.0) } data-keep {
                pre.printed #{ "lines-" (id) } { (ansi::html(part)) }
                p.more { a href=(rest) data-rest={ "lines-" (id) } { "Show rest" } " (" (hidden) " lines)" }
            }
        } @else {
            pre.printed #{ "printed-" (id) } { (ansi::html(part)) }
        }
        @if printed.left_out() > 0 { p.more { (printed.left_out()) " more lines were printed and are not kept." } }
    }
}

fn head(text: &str, lines: usize) -> &str {
    text.match_indices('\n').nth(lines - 1).map_or(text, |(at, _)| &text[..=at])
}

fn tail(text: &str, lines: usize) -> &str {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.rmatch_indices('\n').nth(lines - 1).map_or(text, |(at, _)| &text[at + 1..])
}

/// A value, coloured as Elixir where it can be read as such.
fn value(text: &str) -> Markup {
    if text.contains('\u{1b}') { ansi::html(text) } else { coloured(text, Language::Elixir, None) }
}

fn failed(failure: &Failure) -> Markup {
    html! {
        div.failure role="alert" {
            @if let Some(line) = failure.line { p { "Line " (line) } }
            pre { (ansi::html(&failure.message)) }
        }
    }
}

fn table(id: Id, evaluation: Evaluation, table: &Table) -> Markup {
    let shown = table.rows.len() as u64;
    html! {
        // A script sorts it, so it stays as it is until the cell is evaluated again.
        div.scroll.data #{ "table-" (id) "-" (evaluation.0) } data-keep tabindex="0" role="region" aria-label="Table" {
            table data-sortable {
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody { @for row in &table.rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
        p.more {
            (table.total_rows) @if table.total_rows == 1 { " row" } @else { " rows" }
            @if shown < table.total_rows { ", the first " (shown) " are shown" }
        }
    }
}

/// Code with its colours; the line that went wrong is marked.
pub(super) fn coloured(source: &str, language: Language, wrong: Option<usize>) -> Markup {
    let parts = if language == Language::Elixir { highlight(source) } else { Vec::new() };
    let wrong = wrong.and_then(|line| {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1));
        starts.take(line).nth(line.checked_sub(1)?)
    });
    let mut pieces: Vec<(usize, usize, &str)> = Vec::new();
    let mut done = 0;
    let mut push = |start: usize, end: usize, class: &'static str| match wrong {
        Some(at) if start < at && at < end => pieces.extend([(start, at, class), (at, end, class)]),
        _ if start < end => pieces.push((start, end, class)),
        _ => {}
    };
    for (span, kind) in parts {
        push(done, span.start, "");
        push(span.start.max(done), span.end, class(kind));
        done = span.end.max(done);
    }
    push(done, source.len(), "");
    let is_marked = |start: usize| wrong == Some(start);
    html! {
        @for (start, end, class) in &pieces {
            @if is_marked(*start) { span.wrong {} }
            @if class.is_empty() { (source.get(*start..*end).unwrap_or_default()) }
            @else { span class=(class) { (source.get(*start..*end).unwrap_or_default()) } }
        }
    }
}

fn class(kind: Highlight) -> &'static str {
    match kind {
        Highlight::Keyword => "k",
        Highlight::Constant | Highlight::Identifier => "c",
        Highlight::Atom => "a",
        Highlight::Module => "m",
        Highlight::Function => "f",
        Highlight::Number => "n",
        Highlight::String => "s",
        Highlight::Operator => "o",
        Highlight::Comment => "h",
        Highlight::Error => "e",
        _ => "",
    }
}

/// How long something took.
pub(super) fn duration(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds < 0.001 => "< 1 ms".to_owned(),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds if seconds < 60.0 => format!("{seconds:.1} s"),
        seconds => format!("{} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0),
    }
}

/// All that a cell has printed and that is kept.
pub(super) struct Rest;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ask {
    path: String,
    cell: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Kept {
    cell: String,
    printed: String,
    left_out: u64,
}

impl Page for Rest {
    type Ask = Ask;
    type View = Kept;

    const PATH: &'static str = "/notebooks/output/{*path}";
    const ASSETS: &'static [&'static Asset] = super::show::ASSETS;

    async fn load(site: &Site, ask: &Ask) -> Result<Kept, Problem> {
        let session = Which { path: ask.path.clone() }.session(site).await?;
        let id: Id = ask.cell.parse().map_err(|_| Problem::bad_address("no such cell"))?;
        let cells = session.engine().since(0).cells;
        let output = cells.into_iter().find(|cell| cell.id == cell_id(id)).and_then(|cell| cell.output);
        let output = output.ok_or_else(|| Problem::not_found("The cell has given nothing."))?;
        let printed = output.printed.kept().to_owned();
        Ok(Kept { cell: ask.cell.clone(), printed, left_out: output.printed.left_out() })
    }

    fn title(ask: &Ask, _: &Kept) -> String {
        format!("Output · {}", ask.path)
    }

    fn body(site: &Site, ask: &Ask, kept: &Kept) -> Markup {
        html! {
            div.outputs {
                p { a href={ (site.path(&address("/notebook", &ask.path))) "#cell-" (kept.cell) } { "Back to the notebook" } }
                pre.printed #rest { (ansi::html(&kept.printed)) }
                @if kept.left_out > 0 { p.more { (kept.left_out) " more lines were printed and are not kept." } }
            }
        }
    }
}
