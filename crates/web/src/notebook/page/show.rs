//! The page of one notebook.

use std::collections::HashMap;
use std::future::Future;

use beamline_livemd::{Id, Section};
use maud::{Markup, html};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::cell::{self, Look};
use super::{Which, side};
use crate::notebook::run::{CellId, CellState, Mark, Update, cell_id};
use crate::notebook::session::Snapshot;
use crate::site::{Asset, Eval, Page, Problem, Site};

/// The styles and scripts of notebooks.
pub(super) static ASSETS: &[&Asset] = &[&crate::site::NOTEBOOK_STYLE, &crate::site::NOTEBOOK];

/// The page.
pub(super) struct Show;

/// A notebook and what its cells have given.
pub(super) struct View {
    pub(super) path: String,
    pub(super) snapshot: Snapshot,
    pub(super) update: Update,
    states: HashMap<CellId, usize>,
}

impl View {
    /// How it is with a cell.
    pub(super) fn state(&self, id: Id) -> Option<&CellState> {
        self.update.cells.get(*self.states.get(&cell_id(id))?)
    }

    /// How many cells would be run to have all of them fresh.
    pub(super) fn stale(&self) -> usize {
        let is_stale = |state: &&CellState| matches!(state.mark, Mark::New | Mark::Stale | Mark::Aborted);
        self.update.cells.iter().filter(is_stale).count()
    }

    /// Whether anything runs or waits to.
    pub(super) fn is_busy(&self) -> bool {
        self.update.cells.iter().any(|state| matches!(state.mark, Mark::Evaluating | Mark::Queued))
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let notebook = &self.snapshot.notebook;
        let cell = |cell: &beamline_livemd::Cell| {
            json!({
                "id": u32::from(cell.id()),
                "kind": cell.language().map_or("markdown", |language| language.info()),
                "source": cell.source(),
                "state": self.state(cell.id()),
            })
        };
        let section = |section: &Section| {
            json!({
                "id": u32::from(section.id()),
                "name": section.name(),
                "parent": section.parent().map(u32::from),
                "cells": section.cells().iter().map(cell).collect::<Vec<_>>(),
            })
        };
        let mut view = serializer.serialize_struct("Notebook", 7)?;
        view.serialize_field("path", &self.path)?;
        view.serialize_field("name", notebook.name())?;
        view.serialize_field("unsaved", &self.snapshot.is_unsaved)?;
        view.serialize_field("changed_outside", &self.snapshot.outside.is_some())?;
        view.serialize_field("runtime", &self.update.runtime)?;
        view.serialize_field("setup", &notebook.setup().iter().map(cell).collect::<Vec<_>>())?;
        view.serialize_field("sections", &notebook.sections().iter().map(section).collect::<Vec<_>>())?;
        view.end()
    }
}

impl Page for Show {
    type Ask = Which;
    type View = View;

    const PATH: &'static str = "/notebook/{*path}";
    const ASSETS: &'static [&'static Asset] = ASSETS;

    async fn load(site: &Site, ask: &Which) -> Result<View, Problem> {
        let session = ask.session(site).await?;
        let snapshot = session.snapshot();
        let update = session.engine().since(0);
        let states = update.cells.iter().enumerate().map(|(at, state)| (state.id, at)).collect();
        Ok(View { path: session.path().to_owned(), snapshot, update, states })
    }

    fn title(_: &Which, view: &View) -> String {
        format!("{}{}", if view.is_busy() { "● " } else { "" }, view.snapshot.notebook.name())
    }

    fn body(site: &Site, ask: &Which, view: &View) -> Markup {
        let notebook = &view.snapshot.notebook;
        let look = Look { site, which: ask, view, may: site.permit::<Eval>().is_some() };
        html! {
            div #notebook.notebook data-number=(view.snapshot.number) data-may=(look.may)
                data-edit=[look.sends("edit")] data-run=[look.sends("run")] data-save=[look.sends("save")]
                data-runtime=[look.sends("runtime")] data-complete=[look.sends("complete")] {
                (side::side(&look))
                article.sheet aria-label=(notebook.name()) {
                    (side::banners(&look))
                    (title(&look))
                    @for cell in notebook.setup() { (cell::cell(&look, cell, Some("Setup"))) }
                    @if notebook.setup().is_empty() && look.may { (add_setup(&look)) }
                    @for (index, section) in notebook.sections().iter().enumerate() { (self::section(&look, index, section)) }
                    (look.form("edit", "add-section", html! {
                        input type="hidden" name="index" value=(notebook.sections().len());
                        button name="do" value="insert-section" type="submit" { "+ Section" }
                    }))
                }
            }
            (side::help())
        }
    }

    fn changed(site: &Site, ask: &Which) -> impl Future<Output = ()> + Send + use<> {
        let session = site.notebooks().and_then(|library| library.opened(&ask.path));
        let numbers = session.as_ref().map(|it| (it.number(), it.engine().since(u64::MAX).number));
        async move {
            match session.zip(numbers) {
                Some((session, (number, engine))) => session.changed(number, engine).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// The name; a click on it lets one change it.
fn title(look: &Look<'_>) -> Markup {
    let notebook = &look.view.snapshot.notebook;
    html! {
        header.title {
            h1 #name { (notebook.name()) }
            @if look.may {
                details #rename.rename {
                    summary title="Rename" { span.hidden { "Rename the notebook" } "✎" }
                    (look.form("edit", "rename-form", html! {
                        label.hidden for="new-name" { "Name of the notebook" }
                        input #new-name name="text" value=(notebook.name()) required autocomplete="off";
                        button name="do" value="rename" type="submit" { "Rename" }
                    }))
                }
            }
        }
    }
}

fn add_setup(look: &Look<'_>) -> Markup {
    look.form("edit", "add-setup", html! { button name="do" value="setup" type="submit" { "+ Setup" } })
}

fn section(look: &Look<'_>, index: usize, section: &Section) -> Markup {
    let id = section.id();
    let sections = look.view.snapshot.notebook.sections();
    let parent = section.parent().and_then(|parent| sections.iter().find(|section| section.id() == parent));
    html! {
        section.part #{ "section-" (id) } data-section=(id) aria-labelledby={ "heading-" (id) } {
            div.heading {
                h2 #{ "heading-" (id) } { (section.name()) }
                @if let Some(parent) = parent {
                    span.chip title="Runs beside the sections that follow, on top of what that section has bound" {
                        "↳ from " (parent.name())
                    }
                }
                @if look.may { (section_menu(look, index, section)) }
            }
            @for (at, cell) in section.cells().iter().enumerate() {
                (insert(look, id, at))
                (cell::cell(look, cell, None))
            }
            (insert(look, id, section.cells().len()))
        }
    }
}

fn section_menu(look: &Look<'_>, index: usize, section: &Section) -> Markup {
    let id = section.id();
    let sections = &look.view.snapshot.notebook.sections()[..index];
    let parents: Vec<&Section> = sections.iter().filter(|other| other.parent().is_none()).collect();
    html! {
        details.menu #{ "section-menu-" (id) } {
            summary { span.hidden { "Section: " (section.name()) } "⋯" }
            div.sheet-menu {
                (look.form("run", "", html! {
                    input type="hidden" name="section" value=(id);
                    button name="do" value="section" type="submit" { "▶ Evaluate section" }
                }))
                (look.form("edit", "", html! {
                    input type="hidden" name="section" value=(id);
                    label { "Name" input name="text" value=(section.name()) autocomplete="off"; }
                    button name="do" value="rename-section" type="submit" { "Rename" }
                }))
                @if !parents.is_empty() {
                    (look.form("edit", "", html! {
                        input type="hidden" name="section" value=(id);
                        label { "Branch from"
                            select name="text" {
                                option value="" { "the section above" }
                                @for parent in &parents {
                                    option value=(parent.id()) selected[section.parent() == Some(parent.id())] { (parent.name()) }
                                }
                            }
                        }
                        button name="do" value="branch" type="submit" { "Set" }
                    }))
                }
                (look.form("edit", "", html! {
                    input type="hidden" name="section" value=(id);
                    button.danger name="do" value="delete-section" type="submit" data-ask="Delete the section and all its cells?" {
                        "Delete section"
                    }
                }))
            }
        }
    }
}

/// The bar between two cells.
fn insert(look: &Look<'_>, section: Id, at: usize) -> Markup {
    html! {
        @if look.may {
            (look.form("edit", "insert", html! {
                input type="hidden" name="section" value=(section);
                input type="hidden" name="index" value=(at);
                button name="do" value="insert-code" type="submit" { "+ Code" }
                button name="do" value="insert-text" type="submit" { "+ Text" }
            }))
        }
    }
}
