//! The picture of a mesh: nodes on a circle, links between them, those that are missing marked. The same is told in a table
//! beside it, for who does not see the picture.

use std::f32::consts::TAU;

use maud::{Markup, html};

use super::super::source::mesh::{Link, LinkState};
use super::link::Address;
use crate::site::Site;

/// Of more nodes only missing links are drawn.
const ALL: usize = 40;

/// More nodes are not drawn.
pub(crate) const MOST: usize = 120;

const WIDTH: f32 = 640.0;
const HEIGHT: f32 = 420.0;

/// A node of the picture.
#[derive(Debug, Clone)]
pub(crate) struct Spot<'a> {
    pub(crate) name: &'a str,
    /// The place in the list that links count by.
    pub(crate) place: usize,
    /// Whether it answers.
    pub(crate) is_up: bool,
}

/// The doctor's page about a pair.
pub(crate) fn pair(site: &Site, from: &str, to: &str) -> Address {
    Address::of(site, "/doctor").set("node", from).set("peer", to)
}

/// The picture; nothing if there are too many nodes, or just one.
pub(crate) fn picture(site: &Site, spots: &[Spot<'_>], links: &[Link]) -> Markup {
    if spots.len() < 2 || spots.len() > MOST {
        return html! {};
    }
    let at = |place: usize| spots.iter().position(|spot| spot.place == place).map(|number| point(number, spots.len()));
    let name = |place: usize| spots.iter().find(|spot| spot.place == place).map_or("", |spot| spot.name);
    let missing = links.iter().filter(|link| link.state.is_missing()).count();
    let label = format!("The mesh of {} nodes; {missing} of {} links are missing.", spots.len(), links.len());
    let drawn = links.iter().filter(|link| link.state.is_missing() || spots.len() <= ALL);
    html! {
        svg.mesh #mesh viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group" aria-label=(label) {
            @for link in drawn {
                @if let (Some(from), Some(to)) = (at(link.from), at(link.to)) {
                    @if link.state.is_missing() {
                        a href=(pair(site, name(link.from), name(link.to)).href()) id={ "link-" (link.from) "-" (link.to) } {
                            (line(from, to, "missing", &told(name(link.from), name(link.to), link.state)))
                            // Its middle, so that a thin line can be met, and a sign that is no colour.
                            text x=((from.0 + to.0) / 2.0) y=((from.1 + to.1) / 2.0 + 4.0) text-anchor="middle" { "✕" }
                        }
                    } @else {
                        (line(from, to, "up", &told(name(link.from), name(link.to), link.state)))
                    }
                }
            }
            @for (number, spot) in spots.iter().enumerate() {
                (dot(site, spot, point(number, spots.len()), spots.len()))
            }
        }
    }
}

fn line(from: (f32, f32), to: (f32, f32), state: &str, told: &str) -> Markup {
    html! {
        line.link data-state=(state) x1=(from.0) y1=(from.1) x2=(to.0) y2=(to.1) { title { (told) } }
    }
}

fn dot(site: &Site, spot: &Spot<'_>, (x, y): (f32, f32), count: usize) -> Markup {
    let right = x > WIDTH / 2.0 + 1.0;
    let left = x < WIDTH / 2.0 - 1.0;
    let anchor = if right {
        "start"
    } else if left {
        "end"
    } else {
        "middle"
    };
    let aside = if right {
        14.0
    } else if left {
        -14.0
    } else {
        0.0
    };
    let below = if right || left {
        4.0
    } else if y < HEIGHT / 2.0 {
        -14.0
    } else {
        24.0
    };
    // The whole name is in the title; what is cut still fits the picture.
    let short = short(spot.name);
    html! {
        a href=(Address::of_node(site, spot.name, "").href()) {
            circle.node cx=(x) cy=(y) r=(if count > ALL { 4.0 } else { 8.0 }) data-state=(if spot.is_up { "up" } else { "down" }) {
                title { (spot.name) @if !spot.is_up { ": does not answer" } }
            }
            @if count <= ALL { text.name x=(x + aside) y=(y + below) text-anchor=(anchor) { (short) } }
        }
    }
}

/// The name without its host, or its beginning.
fn short(name: &str) -> String {
    let alive = name.split('@').next().unwrap_or(name);
    match alive.char_indices().nth(20) {
        Some((end, _)) => format!("{}…", &alive[..end]),
        None => alive.to_owned(),
    }
}

fn point(number: usize, count: usize) -> (f32, f32) {
    let angle = TAU * number as f32 / count as f32 - TAU / 4.0;
    let round = |value: f32| (value * 10.0).round() / 10.0;
    (round(WIDTH / 2.0 + 170.0 * angle.cos()), round(HEIGHT / 2.0 + 165.0 * angle.sin()))
}

/// A link in words.
pub(crate) fn told(from: &str, to: &str, state: LinkState) -> String {
    match state {
        LinkState::Up => format!("{from} and {to} are connected"),
        LinkState::OnlyFrom => format!("{to} does not see {from}, which sees it"),
        LinkState::OnlyTo => format!("{from} does not see {to}, which sees it"),
        LinkState::Missing => format!("{from} and {to} are not connected"),
        LinkState::Unknown => format!("{from} and {to}: not known yet"),
    }
}
