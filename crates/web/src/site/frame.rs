//! The frame of every page: header, navigation, the node and refresh pickers, and `<main>`.

use axum::http::Uri;
use maud::{DOCTYPE, Markup, html};

use super::Site;
use super::ask::Refresh;
use super::live::version;

/// A page in its frame.
pub(super) fn page(
    site: &Site,
    uri: &Uri,
    _node: Option<&str>,
    refresh: Refresh,
    title: &str,
    body: &Markup,
) -> Markup {
    let _ = (uri, refresh);
    document(site, title, &html! { main id="main" data-version=(version(&body.0)) { (body) } })
}

/// A page that is about nothing in particular, such as a problem.
pub(super) fn bare(site: &Site, title: &str, body: &Markup) -> Markup {
    document(site, title, &html! { main id="main" { (body) } })
}

fn document(site: &Site, title: &str, inside: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="form-token" content=(site.visitor().form_token);
                title { (title) " · Beamline" }
            }
            body { (inside) }
        }
    }
}
