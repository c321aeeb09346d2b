//! What can be called on a node: the modules that are loaded, and what each exports.

use futures_util::future::join_all;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::source::identity::Kind;
use super::super::source::module::{Function, Module, functions, modules};
use super::super::source::trouble::Trouble;
use super::super::view::link::Address;
use super::super::view::table::{filters, has, limit};
use super::subject::{Named, Subject};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/functions`
pub(super) struct Functions;

/// Of a Rust node all modules are shown with their functions: there are few. So many at most.
const OPEN: usize = 200;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
    /// The module whose functions are to be shown, as the node knows it: `Elixir.Enum`.
    module: Option<String>,
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    refresh: Option<String>,
}

/// Modules as JSON shows them.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    total: usize,
    modules: Vec<Opened>,
}

/// A module, and what it exports if that was asked for.
#[derive(Debug, Clone, Serialize)]
struct Opened {
    #[serde(flatten)]
    module: Module,
    functions: Option<Vec<Function>>,
}

impl Page for Functions {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/functions";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        let subject = Subject::of(site, &ask.node).await?;
        let question = subject.ask();
        let is_small = subject.identity.kind == Kind::Rust;
        let what = format!("modules {is_small}");
        let looked = subject.once(&what, || async {
            let all = modules(&question).await?;
            let exports = all.iter().take(if is_small { OPEN } else { 0 }).map(|it| functions(&question, &it.atom));
            let exports: Vec<Vec<Function>> = join_all(exports).await.into_iter().collect::<Result<_, Trouble>>()?;
            let mut exports = exports.into_iter();
            Ok(all.into_iter().map(|module| Opened { module, functions: exports.next() }).collect::<Vec<_>>())
        });
        let looked = looked.await?;
        let fits = |it: &&Opened| {
            let inside = it.functions.iter().flatten().any(|function| has(&function.name, &ask.q));
            has(&it.module.name, &ask.q) || inside || ask.module.as_ref() == Some(&it.module.atom)
        };
        let mut shown: Vec<Opened> = looked.value.iter().filter(fits).cloned().collect();
        if let Some(wanted) = &ask.module {
            // One that is loaded: the node would make an atom of any other name.
            let found = shown.iter().position(|it| it.module.atom == *wanted);
            let place = found.ok_or_else(|| Problem::not_found(format!("{} has no module {wanted}.", subject.name)))?;
            let mut opened = shown.remove(place);
            opened.functions = Some(functions(&question, wanted).await?);
            shown.insert(0, opened);
        }
        shown.truncate(limit(ask.limit));
        Ok(View { node: subject.name.to_string(), total: looked.value.len(), modules: shown })
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Functions of {}", view.node)
    }

    fn body(site: &Site, ask: &Asked, view: &View) -> Markup {
        let here = Address::of_node(site, &view.node, "/functions").set("q", &ask.q);
        let here = here.keep("limit", ask.limit.as_ref());
        let here = here.keep("refresh", ask.refresh.as_ref());
        html! {
            h1 { "Functions of " (view.node) }
            p.hint { "What other nodes can call, if they are let." }
            (filters(&here, &ask.q, "Name of a module", Some(limit(ask.limit))))
            div.scroll {
                table #modules {
                    caption { (view.modules.len()) " of " (view.total) " modules" }
                    thead { tr { th scope="col" { "Module" } th scope="col" { "Exports" } } }
                    tbody {
                        @for it in &view.modules {
                            tr id={ "m-" (it.module.atom) } {
                                th scope="row" { a.mono href=(here.clone().set("module", &it.module.atom).href()) { (it.module.name) } }
                                td.mono {
                                    @match &it.functions {
                                        Some(all) => @for function in all { (function.name) "/" (function.arity) " " },
                                        None => span.quiet { "choose the module" },
                                    }
                                }
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
