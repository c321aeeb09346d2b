//! The notebooks' pages: the folder's list, and an open notebook, whose viewers all see the same.
//!
//! Without scripts everything is a form that leads back to the page. With them (`notebook.js`) the same forms are sent without
//! leaving it, text is sent as it is typed, and keys do what they do in Livebook. Pages show and ask; what a notebook is and how
//! it is saved is the business of `session`, what its cells give that of `run`.

mod ansi;
mod cell;
mod complete;
mod edit;
mod list;
mod markdown;
mod output;
mod run;
mod runtime;
mod save;
mod show;
mod side;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use serde::Deserialize;

use super::session::{FileError, Session};
use crate::site::{Problem, Site, action, route, segment};

pub(crate) use list::PATH as LIST;

/// Adds the pages and actions, if the site has notebooks.
pub(super) fn routes(site: &Site, router: Router<Site>) -> Router<Site> {
    if site.notebooks().is_none() {
        return router;
    }
    let router = route::<list::List>(router);
    let router = route::<show::Show>(router);
    let router = route::<save::Differences>(router);
    let router = route::<output::Rest>(router);
    let router = action::<list::Create>(site, router);
    let router = action::<edit::Edit>(site, router);
    let router = action::<run::Run>(site, router);
    let router = action::<runtime::Attach>(site, router);
    let router = action::<save::Save>(site, router);
    action::<complete::Complete>(site, router)
}

/// Which notebook an address is about.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Which {
    path: String,
}

impl Which {
    /// The notebook, which is opened if it is not.
    async fn session(&self, site: &Site) -> Result<Arc<Session>, Problem> {
        let library = site.notebooks().ok_or_else(|| Problem::not_found("This site has no notebooks."))?.clone();
        if let Some(session) = library.opened(&self.path) {
            return Ok(session);
        }
        let (node, path) = (site.node().clone(), self.path.clone());
        // The session's own task is started on this runtime.
        let opened = tokio::task::spawn_blocking(move || library.open(&node, &path)).await;
        opened.map_err(|_| Problem::not_found("The notebook could not be read."))?.map_err(problem)
    }

    /// The address of the notebook's page.
    fn page(&self) -> String {
        address("/notebook", &self.path)
    }
}

/// The address of something of a notebook: `/notebook/sub/a.livemd`.
pub(crate) fn address(base: &str, path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(segment).collect();
    format!("{base}/{}", parts.join("/"))
}

/// Where a notebook or a folder of them is shown.
pub(super) fn start(path: &str) -> String {
    if path.ends_with(".livemd") { address("/notebook", path) } else { list::folder(path) }
}

fn problem(error: FileError) -> Problem {
    let what = error.to_string();
    let advice = match error {
        FileError::Missing { .. } => return Problem::not_found(format!("{what}.")),
        FileError::Name { .. } | FileError::Taken { .. } => "choose another name",
        FileError::Long { .. } | FileError::NotText { .. } => "look at it with another program",
        FileError::Many { .. } => "close one of those that are open",
        _ => "see that the folder and the file may be read and written",
    };
    Problem::Refused { what, advice: advice.to_owned() }
}
