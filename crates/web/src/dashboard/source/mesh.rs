//! Who sees whom: the links between the members of a cluster, each seen from both of its ends.

use serde::Serialize;
use tokio::time::Instant;

use super::state::{Member, Reach};

/// A link between two members, by their places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) state: LinkState,
}

/// How it is with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LinkState {
    /// Both ends see each other, or the one that could be asked sees the other.
    Up,
    /// Only `from` sees the other.
    OnlyFrom,
    /// Only `to` sees the other.
    OnlyTo,
    /// Neither sees the other.
    Missing,
    /// They have just met, or neither could be asked.
    Unknown,
}

impl LinkState {
    pub(crate) fn is_missing(self) -> bool {
        matches!(self, LinkState::OnlyFrom | LinkState::OnlyTo | LinkState::Missing)
    }
}

/// The links of all pairs of members that are not hidden: those have no mesh to be in.
pub(crate) fn links(members: &[Member], now: Instant) -> Vec<Link> {
    let visible: Vec<(usize, &Member)> = members.iter().enumerate().filter(|(_, member)| !member.is_hidden).collect();
    let mut links = Vec::with_capacity(visible.len() * visible.len() / 2);
    for (place, (from, one)) in visible.iter().enumerate() {
        for (to, other) in &visible[place + 1..] {
            let state = match (view(one, other, now), view(other, one, now)) {
                (View::Lacks, View::Lacks | View::Unknown) | (View::Unknown, View::Lacks) => LinkState::Missing,
                (View::Sees, View::Lacks) => LinkState::OnlyFrom,
                (View::Lacks, View::Sees) => LinkState::OnlyTo,
                (View::Sees, _) | (_, View::Sees) => LinkState::Up,
                (View::Unknown, View::Unknown) => LinkState::Unknown,
            };
            links.push(Link { from: *from, to: *to, state });
        }
    }
    links
}

enum View {
    Sees,
    Lacks,
    Unknown,
}

fn view(from: &Member, to: &Member, now: Instant) -> View {
    match from.visible() {
        Some(seen) if from.reach == Reach::Up => match seen.binary_search(&to.name) {
            Ok(_) => View::Sees,
            Err(_) if from.lacks(&to.name, now) => View::Lacks,
            Err(_) => View::Unknown,
        },
        _ => View::Unknown,
    }
}
