//! Who sees whom, on the page of the cluster: as a picture, as a matrix, and what is missing in words.

use maud::{Markup, html};

use super::super::source::mesh::LinkState;
use super::super::view::mesh::{Spot, pair, picture, told};
use super::cluster::View;
use crate::site::Site;

/// All of it.
pub(super) fn seen(site: &Site, view: &View) -> Markup {
    html! {
        section aria-label="Who sees whom" {
            h2 { "Who sees whom" }
            div.columns {
                div.panel { (picture(site, &spots(view), &view.links)) (pairs(view)) }
                (matrix(view))
            }
        }
    }
}

/// What is missing, in words.
pub(super) fn gaps(site: &Site, view: &View) -> Markup {
    const SHOWN: usize = 8;
    html! {
        @if !view.missing.is_empty() {
            section.problem #gaps role="alert" {
                h2 { (view.missing.len()) @if view.missing.len() == 1 { " link is missing" } @else { " links are missing" } }
                ul {
                    @for gap in view.missing.iter().take(SHOWN) {
                        li {
                            (told(&gap.from, &gap.to, gap.state)) ". "
                            a href=(pair(site, &gap.from, &gap.to).href()) { "Why?" }
                        }
                    }
                    @if view.missing.len() > SHOWN { li { "and " (view.missing.len() - SHOWN) " more" } }
                }
            }
        }
    }
}

fn spots(view: &View) -> Vec<Spot<'_>> {
    let visible = view.nodes.iter().enumerate().filter(|(_, row)| !row.is_hidden);
    visible.map(|(place, row)| Spot { name: &row.node, place, is_up: row.state == "up" }).collect()
}

fn pairs(view: &View) -> Markup {
    html! {
        p.hint {
            @if view.links.is_empty() {
                "One node has nobody to be connected with."
            } @else if view.missing.is_empty() {
                "Every node sees every other."
            } @else {
                "Dashed red lines with a cross are links that are missing; choose one to ask the doctor."
            }
        }
    }
}

/// Each row's node, and whether it sees each column's: both directions. Of many nodes the picture and the list must do.
fn matrix(view: &View) -> Markup {
    const MOST: usize = 24;
    let places: Vec<usize> =
        view.nodes.iter().enumerate().filter(|(_, row)| !row.is_hidden).map(|(place, _)| place).collect();
    let sees = |from: usize, to: usize| {
        let link = view.links.iter().find(|link| (link.from, link.to) == (from.min(to), from.max(to)))?;
        match (link.state, from < to) {
            (LinkState::Up, _) => Some(true),
            (LinkState::OnlyFrom, is_first) => Some(is_first),
            (LinkState::OnlyTo, is_first) => Some(!is_first),
            (LinkState::Missing, _) => Some(false),
            (LinkState::Unknown, _) => None,
        }
    };
    html! {
        @if places.len() > 1 && places.len() <= MOST {
            div.scroll {
                table #matrix {
                    caption { "Each row's node sees" }
                    thead { tr {
                        td {}
                        @for to in &places { th scope="col" title=(view.nodes[*to].node) { (to + 1) } }
                    } }
                    tbody {
                        @for from in &places {
                            tr {
                                th scope="row" { (from + 1) " " (view.nodes[*from].node) }
                                @for to in &places {
                                    @match sees(*from, *to) {
                                        _ if from == to => td.quiet { "·" },
                                        Some(true) => td.good title="sees it" { "✓" },
                                        Some(false) => td.bad title="does not see it" { "✕" },
                                        None => td.quiet title="not known" { "?" },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
