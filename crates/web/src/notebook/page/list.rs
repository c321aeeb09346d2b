//! The list of a folder's notebooks, and making a new one.

use maud::{Markup, html};
use serde::Deserialize;

use super::{address, problem};
use crate::notebook::session::{Library, Listing};
use crate::site::{Action, Asset, Done, Eval, Page, Permit, Problem, Site};

/// Its path within the site.
pub(crate) const PATH: &str = "/notebooks";

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    folder: String,
}

/// The list.
pub(super) struct List;

fn library(site: &Site) -> Result<Library, Problem> {
    site.notebooks().cloned().ok_or_else(|| Problem::not_found("This site has no notebooks."))
}

impl Page for List {
    type Ask = Ask;
    type View = Listing;

    const PATH: &'static str = PATH;
    const ASSETS: &'static [&'static Asset] = super::show::ASSETS;

    async fn load(site: &Site, ask: &Ask) -> Result<Listing, Problem> {
        let (library, folder) = (library(site)?, ask.folder.clone());
        let listed = tokio::task::spawn_blocking(move || library.list(&folder)).await;
        listed.map_err(|_| Problem::not_found("The folder could not be read."))?.map_err(problem)
    }

    fn title(_: &Ask, listing: &Listing) -> String {
        if listing.folder.is_empty() { "Notebooks".to_owned() } else { format!("{} · Notebooks", listing.folder) }
    }

    fn body(site: &Site, _: &Ask, listing: &Listing) -> Markup {
        let up = |folder: &str| folder.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned());
        html! {
            div.shelf {
                h1 { "Notebooks" }
                p.quiet.mono {
                    (site.notebooks().map(|library| library.folder().display().to_string()).unwrap_or_default())
                    @if !listing.folder.is_empty() { "/" (listing.folder) }
                }
                @if site.permit::<Eval>().is_some() {
                    form.filters method="post" action=(site.path("/notebooks/new")) {
                        (site.form_token())
                        input type="hidden" name="folder" value=(listing.folder);
                        label { span.hidden { "Name of a new notebook" }
                            input name="name" required maxlength="200" placeholder="Name of a new notebook" autocomplete="off"; }
                        button.primary type="submit" { "New notebook" }
                    }
                }
                ul.files {
                    @if !listing.folder.is_empty() {
                        li #up { a href=(folder_link(site, &up(&listing.folder))) { span.icon aria-hidden="true" { "↰" } "Up" } }
                    }
                    @for entry in &listing.entries {
                        li {
                            @if entry.is_notebook {
                                a href=(site.path(&address("/notebook", &entry.path))) {
                                    span.icon aria-hidden="true" { "◧" }
                                    (entry.name.strip_suffix(".livemd").unwrap_or(&entry.name))
                                    @if entry.is_open { span.chip data-state="ok" { "open" } }
                                }
                            } @else {
                                a href=(folder_link(site, &entry.path)) { span.icon aria-hidden="true" { "▸" } (entry.name) "/" }
                            }
                        }
                    }
                    @if listing.entries.is_empty() { li.quiet { "No notebooks here yet." } }
                    @if listing.left_out > 0 { li.quiet { "and " (listing.left_out) " more, which are not shown" } }
                }
            }
        }
    }
}

fn folder_link(site: &Site, path: &str) -> String {
    site.path(&folder(path))
}

/// Where a folder is shown.
pub(super) fn folder(path: &str) -> String {
    let query = serde_urlencoded::to_string([("folder", path)]).unwrap_or_default();
    if path.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
}

/// Makes a notebook.
pub(super) struct Create;

#[derive(Debug, Deserialize)]
pub(super) struct New {
    #[serde(default)]
    folder: String,
    name: String,
}

impl Action for Create {
    type Power = Eval;
    type Ask = crate::site::Nothing;
    type Form = New;

    const PATH: &'static str = "/notebooks/new";

    async fn act(site: &Site, _: Permit<Eval>, _: Self::Ask, form: New) -> Result<Done, Problem> {
        let library = library(site)?;
        let made = tokio::task::spawn_blocking(move || library.create(&form.folder, &form.name)).await;
        let path = made.map_err(|_| Problem::not_found("The notebook could not be made."))?.map_err(problem)?;
        Ok(Done::See(address("/notebook", &path)))
    }
}
