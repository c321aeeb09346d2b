//! The tree of processes that the Applications tab draws: who started whom, below the process `user`.
//!
//! Processes that a peer has started here are led by that peer and not in it, as on the BEAM.

use std::collections::{HashMap, HashSet, VecDeque};

use beamline_term::{Pid, Term};

use crate::node::Inner;
use crate::process::ProcessInfo;

/// More processes are not drawn: nobody could read them, and observer would be busy for minutes.
const MOST: usize = 1000;

struct Drawn {
    pid: Pid,
    name: String,
    links: Vec<Pid>,
}

/// `{RootName, [{Pid, Name}], [{ParentName, ChildName}], [{Name, Name}]}`, the last of links that are not between parent and
/// child. Names are charlists. The process that draws it is left out.
pub(super) fn of(node: &Inner, without: &Pid) -> Term {
    let infos: Vec<(Pid, ProcessInfo)> = node
        .processes
        .in_order()
        .into_iter()
        .filter_map(|cell| Some((cell.pid.clone(), cell.info()?)))
        .filter(|(pid, info)| info.group_leader == node.caller && pid != without)
        .collect();
    let known: HashSet<&Pid> = infos.iter().map(|(pid, _)| pid).collect();
    let mut children: HashMap<&Pid, Vec<&(Pid, ProcessInfo)>> = HashMap::new();
    for entry in infos.iter().filter(|(pid, _)| *pid != node.caller) {
        // The parent may have ended.
        let parent = Some(&entry.1.parent).filter(|parent| known.contains(parent)).unwrap_or(&node.caller);
        children.entry(parent).or_default().push(entry);
    }
    let root = infos.iter().find(|(pid, _)| *pid == node.caller);
    let Some(root) = root else { return (Term::nil(), Term::nil(), Term::nil(), Term::nil()).into() };
    let mut drawn: Vec<Drawn> = Vec::new();
    let mut lines = Vec::new();
    let mut next = VecDeque::from([(None, root)]);
    while let Some((parent, (pid, info))) = next.pop_front() {
        let place = drawn.len();
        if let Some(parent) = parent {
            lines.push((parent, place));
        }
        drawn.push(Drawn { pid: pid.clone(), name: told(pid, info), links: info.links.clone() });
        let room = MOST.saturating_sub(drawn.len() + next.len());
        let below = children.get(pid).into_iter().flatten();
        next.extend(below.take(room).map(|child| (Some(place), *child)));
    }
    let names = |(one, other): (usize, usize)| match (drawn.get(one), drawn.get(other)) {
        (Some(one), Some(other)) => Some((Term::charlist(&one.name), Term::charlist(&other.name)).into()),
        _ => None,
    };
    let processes = drawn.iter().map(|process| (process.pid.clone(), Term::charlist(&process.name)).into());
    (
        drawn.first().map_or_else(Term::nil, |root| Term::charlist(&root.name)),
        Term::list(processes),
        Term::list(lines.iter().copied().filter_map(names)),
        Term::list(other_links(&drawn, &lines).into_iter().filter_map(names)),
    )
        .into()
}

/// Links between processes of which neither has started the other, once each.
fn other_links(drawn: &[Drawn], lines: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let places: HashMap<&Pid, usize> = drawn.iter().enumerate().map(|(place, process)| (&process.pid, place)).collect();
    let tree: HashSet<&(usize, usize)> = lines.iter().collect();
    let all = drawn.iter().enumerate().flat_map(|(place, process)| {
        let links = process.links.iter().filter_map(|peer| places.get(peer));
        links.map(move |other| (place, *other))
    });
    // Processes are drawn after their parents, so a line of the tree goes from the lesser place to the greater.
    all.filter(|link| link.0 < link.1 && !tree.contains(link)).collect()
}

/// The registered name, or the pid as its own node writes it.
fn told(pid: &Pid, info: &ProcessInfo) -> String {
    info.name.as_ref().map_or_else(|| format!("<0.{}.{}>", pid.id(), pid.serial()), |name| name.as_str().to_owned())
}
