//! The applications of a node, and the tree of one.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::application::{Application, Branch, MOST, applications, tree};
use super::super::source::trouble::Trouble;
use super::super::view::link::{self, Address};
use super::super::view::table::{Column, Direction, Sorting, filters, has};
use super::subject::{Named, Subject, note};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/applications`
pub(super) struct Applications;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    /// Whose tree is to be shown.
    app: Option<String>,
    sort: Option<String>,
    dir: Option<Direction>,
    #[serde(default)]
    q: String,
    refresh: Option<String>,
}

const COLUMNS: &[Column<Application>] = &[
    Column::text("name", "Application", "Choose one for its tree of processes.").by(|a, b| a.name.cmp(&b.name)),
    Column::text("version", "Version", "As the node runs it.").by(|a, b| a.version.cmp(&b.version)),
    Column::text("", "Description", "Its own."),
];

/// The applications as JSON shows them.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    applications: Vec<Application>,
    /// The application whose tree is shown, and the tree, if it has processes.
    app: Option<String>,
    tree: Option<Branch>,
    /// Why there is no tree, or no list.
    note: Option<String>,
}

impl Page for Applications {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/applications";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let question = subject.ask();
        let listed = subject.once("applications", || applications(&question)).await;
        let (applications, mut note) = match listed {
            Ok(looked) => (looked.value.to_vec(), None),
            Err(Trouble::Missing { .. }) => {
                (Vec::new(), Some("This node does not tell which applications it has.".to_owned()))
            }
            Err(trouble) => return Err(trouble.into()),
        };
        let mut grown = None;
        if let Some(app) = &ask.app {
            // Only of an application that runs: the node would make an atom of any other name.
            if !applications.iter().any(|known| known.name == *app) {
                return Err(Problem::not_found(format!("{} has no application of that name.", subject.name)));
            }
            let what = format!("tree {app}");
            match subject.once(&what, || tree(&question, app)).await {
                Ok(looked) => grown = looked.value.as_ref().clone(),
                Err(trouble) if trouble.is_missing() => {
                    note = subject.identity.without_observer().map(str::to_owned).or(Some(trouble.to_string()));
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Ok(View { node: subject.name.to_string(), applications, app: ask.app.clone(), tree: grown, note })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        match &view.app {
            Some(app) => format!("{app} of {}", view.node),
            None => format!("Applications of {}", view.node),
        }
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let sorting = Sorting::of(COLUMNS, 0, ask.sort.as_deref(), ask.dir);
        let mut rows: Vec<&Application> =
            view.applications.iter().filter(|it| has(&it.name, &ask.q) || has(&it.description, &ask.q)).collect();
        sorting.order(&mut rows);
        let here = Address::of_node(site, &view.node, "/applications");
        let here = here.set("app", view.app.clone().unwrap_or_default()).set("q", &ask.q);
        let here = here.keep("sort", ask.sort.as_ref()).keep("refresh", ask.refresh.as_ref());
        html! {
            h1 { "Applications of " (view.node) }
            (note(view.note.as_deref()))
            @if let Some(app) = &view.app { (shown(site, view, app)) }
            (filters(&here, &ask.q, "Name or description", None))
            div.scroll {
                table #applications {
                    caption { (rows.len()) " of " (view.applications.len()) " run" }
                    (sorting.head(&here))
                    tbody {
                        @for it in rows {
                            tr id={ "app-" (it.name) } {
                                th scope="row" { a href=(here.clone().set("app", &it.name).href()) aria-current=[(view.app.as_ref() == Some(&it.name)).then_some("true")] { (it.name) } }
                                td { (it.version) }
                                td { (it.description) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}

fn shown(site: &Site, view: &View, app: &str) -> Markup {
    html! {
        section.panel #tree {
            h2 { (app) }
            @match &view.tree {
                Some(tree) => {
                    @let count = tree.count();
                    p.hint { (count) " processes and ports" @if count >= MOST { "; more are not shown" } "." }
                    ul.tree { (branch(site, &view.node, tree, 0)) }
                }
                None => p.quiet { "It has no processes." },
            }
        }
    }
}

/// Nested, so that it reads the same without its picture; what is deep begins closed.
fn branch(site: &Site, node: &str, it: &Branch, depth: usize) -> Markup {
    let label = html! {
        @match &it.pid {
            Some(pid) => {
                (link::process(site, node, pid, &it.name))
                @if it.name != *pid { " " span.quiet.mono { (pid) } }
            }
            None => span.mono { (it.name) },
        }
    };
    html! {
        li {
            @if it.below.is_empty() {
                (label)
            } @else {
                details id={ "branch-" (it.name) } open[depth < 3] {
                    summary { (label) " " span.quiet { (it.below.len()) } }
                    ul { @for child in &it.below { (branch(site, node, child, depth + 1)) } }
                }
            }
        }
    }
}
