//! The file: saving it, and what to do when somebody else has changed it.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Which, address, problem};
use crate::site::{Action, Asset, Done, Eval, Page, Permit, Problem, Site};

/// Saves, reloads or closes.
pub(super) struct Save;

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(rename = "do")]
    what: String,
}

impl Action for Save {
    type Power = Eval;
    type Ask = Which;
    type Form = Form;

    const PATH: &'static str = "/notebooks/save/{*path}";

    async fn act(site: &Site, _: Permit<Eval>, which: Which, form: Form) -> Result<Done, Problem> {
        let session = which.session(site).await?;
        match form.what.as_str() {
            "save" => session.save().await.map_err(problem)?,
            "reload" => session.reload().await.map_err(problem)?,
            "keep" => session.overwrite().await.map_err(problem)?,
            "close" => {
                session.save().await.map_err(problem)?;
                if let Some(library) = site.notebooks() {
                    library.close(session.path());
                }
                return Ok(Done::See(super::LIST.to_owned()));
            }
            other => return Err(Problem::bad_address(format!("{other:?} is nothing that can be done with a file"))),
        }
        let snapshot = session.snapshot();
        let told = json!({ "unsaved": snapshot.is_unsaved, "changed_outside": snapshot.outside.is_some() });
        Ok(Done::Told { see: which.page(), told })
    }
}

/// What the file says, beside what would be written to it.
pub(super) struct Differences;

#[derive(Debug, Serialize)]
struct Line {
    /// ` `, `-` for what only the file has, `+` for what only the page has.
    sign: char,
    text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct View {
    lines: Vec<Line>,
}

impl Page for Differences {
    type Ask = Which;
    type View = View;

    const PATH: &'static str = "/notebooks/differences/{*path}";
    const ASSETS: &'static [&'static Asset] = super::show::ASSETS;

    async fn load(site: &Site, ask: &Which) -> Result<View, Problem> {
        let (file, page) = ask.session(site).await?.both_texts();
        let lines = tokio::task::spawn_blocking(move || differences(&file, &page)).await;
        Ok(View { lines: lines.unwrap_or_default() })
    }

    fn title(ask: &Which, _: &View) -> String {
        format!("Differences · {}", ask.path)
    }

    fn body(site: &Site, ask: &Which, view: &View) -> Markup {
        html! {
            h1 { "What differs" }
            p.quiet { "Lines with − are in the file only, lines with + in the notebook as it is open here." }
            p { a href=(site.path(&address("/notebook", &ask.path))) { "Back to the notebook" } }
            pre.diff {
                @for line in &view.lines {
                    span class=(match line.sign { '+' => "added", '-' => "gone", _ => "same" }) { (line.sign) " " (line.text) "\n" }
                }
                @if view.lines.iter().all(|line| line.sign == ' ') { "Nothing." }
            }
        }
    }
}

fn differences(file: &str, page: &str) -> Vec<Line> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    let diff = similar::TextDiff::configure().deadline(deadline).diff_lines(file, page);
    let line = |change: similar::Change<&str>| Line {
        sign: change.tag().to_string().chars().next().unwrap_or(' '),
        text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
    };
    diff.grouped_ops(3).iter().flatten().flat_map(|op| diff.iter_changes(op)).map(line).collect()
}
