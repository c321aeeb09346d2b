//! The frame of every page: header, navigation, the node and refresh pickers, and `<main>`.

use axum::http::Uri;
use maud::{DOCTYPE, Markup, html};

use super::Site;
use super::address::segment;
use super::ask::Refresh;
use super::assets::{Asset, ICON, LIVE, STYLE};
use super::live::version;
use crate::dashboard;

/// A page in the navigation.
pub(crate) struct Place {
    /// What it is called there.
    pub(crate) label: &'static str,
    /// Its path: from the site's root, or, of a page about a node, from the node's own page (`""`, `/processes`).
    pub(crate) path: &'static str,
}

/// What a page puts into its frame.
pub(super) struct Inside<'a> {
    pub(super) uri: &'a Uri,
    pub(super) node: Option<&'a str>,
    pub(super) refresh: Refresh,
    pub(super) assets: &'static [&'static Asset],
    pub(super) title: &'a str,
    pub(super) body: &'a Markup,
}

/// A page that is kept up to date.
pub(super) fn page(site: &Site, inside: &Inside<'_>) -> Markup {
    document(
        site,
        inside.title,
        inside.assets,
        &html! {
            (header(site, Some(inside)))
            @if let Some(node) = inside.node { (tabs(site, inside.uri, node)) }
            noscript {
                p { "This page is as of its loading. " a href=(with(site, inside.uri, inside.refresh)) { "Load it again" } }
            }
            main #main data-version=(version(&inside.body.0)) tabindex="-1" { (inside.body) }
        },
    )
}

/// A page that is about nothing in particular, such as a problem.
pub(super) fn bare(site: &Site, title: &str, body: &Markup) -> Markup {
    document(site, title, &[], &html! { (header(site, None)) main #main tabindex="-1" { (body) } })
}

/// A page for somebody who has not entered: it shows nothing of the site.
pub(super) fn outside(site: &Site, title: &str, body: &Markup) -> Markup {
    document(site, title, &[], &html! { main #main { (body) } })
}

fn document(site: &Site, title: &str, assets: &[&'static Asset], inside: &Markup) -> Markup {
    let styles = assets.iter().filter(|asset| asset.is_style());
    let scripts = assets.iter().filter(|asset| !asset.is_style());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if !site.visitor().form_token.is_empty() {
                    meta name="form-token" content=(site.visitor().form_token);
                }
                meta name="base" content=(site.base());
                title { (title) " · Beamline" }
                link rel="icon" type="image/svg+xml" href=(site.path(&ICON.path()));
                link rel="stylesheet" href=(site.path(&STYLE.path()));
                @for style in styles { link rel="stylesheet" href=(site.path(&style.path())); }
                script src=(site.path(&LIVE.path())) defer {}
                @for script in scripts { script src=(site.path(&script.path())) defer {} }
            }
            body { (inside) }
        }
    }
}

fn header(site: &Site, inside: Option<&Inside<'_>>) -> Markup {
    let path = inside.map_or("", |inside| inside.uri.path());
    html! {
        a.skip href="#main" { "Skip to the content" }
        header.site {
            a.brand href=(site.path("/")) { img src=(site.path(&ICON.path())) alt=""; "Beamline" }
            nav.places aria-label="Site" {
                @for place in dashboard::PLACES {
                    a href=(site.path(place.path)) aria-current=[(path == place.path).then_some("page")] { (place.label) }
                }
                @if site.notebooks().is_some() {
                    a href=(site.path("/notebooks")) aria-current=[path.starts_with("/notebook").then_some("page")] { "Notebooks" }
                }
            }
            div.tools {
                span #live role="status" aria-live="polite" {}
                @if let Some(inside) = inside {
                    (nodes(site, inside))
                    (refreshes(site, inside))
                }
                @if site.access().has_login() && site.visitor().session.is_some() {
                    form method="post" action=(site.path("/logout")) { (site.form_token()) button type="submit" { "Log out" } }
                }
            }
        }
    }
}

/// Leads to the same page about another node, or to a node's own page.
fn nodes(site: &Site, inside: &Inside<'_>) -> Markup {
    let names = site.sources().names();
    let rest = inside.node.and_then(|node| rest_of(inside.uri, node)).unwrap_or_default();
    // A page below a node's page is about something that only this node has.
    let rest = if dashboard::NODE_PLACES.iter().any(|place| place.path == rest) { rest } else { String::new() };
    html! {
        @if !names.is_empty() {
            details #nodes.menu {
                summary { span.hidden { "Node: " } span.picked { (inside.node.unwrap_or("All nodes")) } }
                ul {
                    li { a href=(site.path("/")) aria-current=[inside.node.is_none().then_some("true")] { "All nodes" } }
                    @for name in &names {
                        li {
                            a href=(site.path(&format!("/n/{}{rest}", segment(name.as_str()))))
                                aria-current=[(inside.node == Some(name.as_str())).then_some("true")] { (name) }
                        }
                    }
                }
            }
        }
    }
}

fn refreshes(site: &Site, inside: &Inside<'_>) -> Markup {
    let label = |refresh: Refresh| match refresh {
        Refresh::Every(seconds) => format!("{seconds} s"),
        Refresh::Pause => "Paused".to_owned(),
    };
    html! {
        details #refresh.menu {
            summary { span.hidden { "Refresh: " } span.picked { (label(inside.refresh)) } }
            ul {
                @for choice in Refresh::CHOICES {
                    li {
                        a href=(with(site, inside.uri, choice)) aria-current=[(choice == inside.refresh).then_some("true")] {
                            (label(choice))
                        }
                    }
                }
            }
        }
    }
}

fn tabs(site: &Site, uri: &Uri, node: &str) -> Markup {
    let here = rest_of(uri, node).unwrap_or_default();
    let is_here = |path: &str| if path.is_empty() { here.is_empty() } else { here.starts_with(path) };
    html! {
        nav.tabs aria-label={ "Pages of " (node) } {
            @for place in dashboard::NODE_PLACES {
                a href=(site.path(&format!("/n/{}{}", segment(node), place.path)))
                    aria-current=[is_here(place.path).then_some("page")] { (place.label) }
            }
        }
    }
}

/// What follows the node in the path of a page about it.
fn rest_of(uri: &Uri, _node: &str) -> Option<String> {
    let after = uri.path().strip_prefix("/n/")?;
    Some(after.split_once('/').map(|(_, rest)| format!("/{rest}")).unwrap_or_default())
}

/// The same address with another refresh.
fn with(site: &Site, uri: &Uri, refresh: Refresh) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let kept = pairs.into_iter().filter(|(name, _)| name != "refresh" && name != "version");
    let all: Vec<(String, String)> = kept.chain([("refresh".to_owned(), refresh.value())]).collect();
    site.path(&format!("{}?{}", uri.path(), serde_urlencoded::to_string(all).unwrap_or_default()))
}
