//! The applications of a node, and the tree of processes of one, as `appmon_info` there tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beamline_node::{Message, Node, NodeName, Process};
use beamline_term::{Atom, Pid, Term, atom};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::ask::Ask;
use super::read::{local, text};
use super::trouble::Trouble;

/// So many applications.
const APPLICATIONS: usize = 500;

/// So many processes of a tree are shown.
pub(crate) const MOST: usize = 2000;

/// A tree is not followed further down.
const DEPTH: usize = 64;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(50);

const TREE: &str = "appmon_info:app";

/// How long the node may take to go through a tree.
const PATIENCE: Duration = Duration::from_secs(5);

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) version: String,
}

/// A process, port or the like in a tree, and what is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Branch {
    /// Its registered name, or its pid.
    pub(crate) name: String,
    pub(crate) pid: Option<String>,
    pub(crate) below: Vec<Branch>,
}

/// The applications that run.
pub(crate) async fn applications(ask: &Ask<'_>) -> Result<Vec<Application>, Trouble> {
    let answer = ask.call("application", "which_applications", ()).await?;
    let list = answer.as_list().ok_or_else(|| ask.strange("application:which_applications"))?;
    let mut all: Vec<Application> = list.iter().take(APPLICATIONS).filter_map(|it| Application::of(&it)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

impl Application {
    fn of(term: &Term) -> Option<Application> {
        let [name, description, version] = term.as_tuple()? else { return None };
        Some(Application { name: text(name), description: text(description), version: text(version) })
    }
}

/// The tree of an application; `None` if it has no processes.
pub(crate) async fn tree(ask: &Ask<'_>, application: &str) -> Result<Option<Branch>, Trouble> {
    let peer = ask.peer().clone();
    let name = Atom::new(application)
        .map_err(|_| Trouble::Absent { what: "This is no name of an application.".to_owned() })?;
    let (node, of): (&Node, NodeName) = (ask.node(), peer.clone());
    let (tell, told) = oneshot::channel();
    let pid = node.spawn(move |me| async move {
        let _ = tell.send(delivered(me, of, name).await);
    });
    match timeout(PATIENCE, told).await {
        Ok(Ok(done)) => Ok(Branch::of(&done?)),
        Ok(Err(_)) => Err(Trouble::Lost { node: peer, question: TREE.to_owned() }),
        Err(_) => {
            node.exit(&pid, atom("kill"));
            Err(Trouble::Late { node: peer, question: TREE.to_owned(), after: PATIENCE })
        }
    }
}

/// Asks until the server has answered once. There is one for all who ask: it ends when its last client has, which may be just as
/// this one joins, and by an error if a process ends while it goes through the tree. Then another is started.
async fn delivered(mut me: Process, peer: NodeName, application: Atom) -> Result<Term, Trouble> {
    me.trap_exit(true);
    let mut tries = 3;
    loop {
        match attempt(&mut me, &peer, &application).await {
            Err(Trouble::Failed { .. }) if tries > 1 => sleep(AGAIN).await,
            done => return done,
        }
        tries -= 1;
    }
}

/// Starts the server there, or joins the one that runs, and waits for its one delivery. The link lets it forget this process
/// when that ends.
async fn attempt(me: &mut Process, peer: &NodeName, application: &Atom) -> Result<Term, Trouble> {
    let own = me.pid().clone();
    let strange = || Trouble::Strange { node: peer.clone(), question: TREE.to_owned() };
    let lost = || Trouble::Lost { node: peer.clone(), question: TREE.to_owned() };
    let server = start(me, peer).await?;
    me.link(&server);
    let request = Term::tuple([own.into(), atom("app").into(), application.clone().into(), true.into(), Term::nil()]);
    let cast = Term::tuple([atom("$gen_cast").into(), request]);
    me.send(server.clone(), &cast).await.map_err(|_| lost())?;
    let ended = |message: &Message| message.as_exit().filter(|exit| exit.from == server);
    let is_end = |message: &Message| message.is_tagged("delivery", 5) || ended(message).is_some();
    let message = me.receive_matching(is_end).await.ok_or_else(lost)?;
    match ended(&message) {
        Some(exit) if exit.reason.is_atom("noconnection") => return Err(lost()),
        Some(exit) => return Err(Trouble::failed(peer, TREE, &exit.reason)),
        None => {}
    }
    match message.term().map_err(|_| strange())?.as_tuple() {
        Some([_, _, _, _, result]) => Ok(result.clone()),
        _ => Err(strange()),
    }
}

async fn start(me: &Process, peer: &NodeName) -> Result<Pid, Trouble> {
    const QUESTION: &str = "appmon_info:start_link2";
    let arguments = (me.pid().clone(), me.pid().clone(), Term::nil());
    let call = me.call::<Term>(peer, ("appmon_info", "start_link2"), arguments);
    let started = call.await.map_err(|error| Trouble::of(peer, QUESTION, error))?;
    match started.as_tuple() {
        Some([_, Term::Pid(server)]) => Ok(server.clone()),
        _ => Err(Trouble::Strange { node: peer.clone(), question: QUESTION.to_owned() }),
    }
}

impl Branch {
    /// Of `{Root, [{Pid, Name}], [{Parent, Child}], [SecondaryLinks]}`. Names are unique; a process that hangs from several
    /// is shown at the first.
    fn of(term: &Term) -> Option<Branch> {
        let [root, pids, links, ..] = term.as_tuple()? else { return None };
        let pairs = |list: &Term| -> Vec<(Term, Term)> {
            let list = list.as_list().into_iter().flat_map(|list| list.iter());
            list.take(2 * MOST).filter_map(|it| pair(&it)).collect()
        };
        let pids: BTreeMap<String, String> =
            pairs(pids).iter().filter_map(|(pid, name)| Some((text(name), local(pid.as_pid()?)))).collect();
        let mut below: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (parent, child) in pairs(links) {
            below.entry(text(&parent)).or_default().push(text(&child));
        }
        let mut shown = BTreeSet::new();
        Some(grow(text(root), &pids, &below, &mut shown, 0))
    }

    /// How many there are in it.
    pub(crate) fn count(&self) -> usize {
        1 + self.below.iter().map(Branch::count).sum::<usize>()
    }
}

fn pair(term: &Term) -> Option<(Term, Term)> {
    match term.as_tuple()? {
        [one, other] => Some((one.clone(), other.clone())),
        _ => None,
    }
}

fn grow(
    name: String,
    pids: &BTreeMap<String, String>,
    links: &BTreeMap<String, Vec<String>>,
    shown: &mut BTreeSet<String>,
    depth: usize,
) -> Branch {
    shown.insert(name.clone());
    let mut below = Vec::new();
    for child in links.get(&name).into_iter().flatten() {
        if depth < DEPTH && shown.len() < MOST && !shown.contains(child) {
            below.push(grow(child.clone(), pids, links, shown, depth + 1));
        }
    }
    below.sort_by(|a, b| a.name.cmp(&b.name));
    Branch { pid: pids.get(&name).cloned(), name, below }
}

#[cfg(test)]
mod tests {
    use beamline_term::{Creation, Origin};

    use super::*;

    fn tree(links: &[(&str, &str)]) -> Branch {
        let text = |text: &str| Term::charlist(text);
        let pid = Pid::at(&Origin::new(atom("a@b"), Creation::new(1)), 7, 0);
        let pids = Term::list([Term::tuple([pid.into(), text("sup")])]);
        let links = Term::list(links.iter().map(|(from, to)| Term::tuple([text(from), text(to)])));
        Branch::of(&Term::tuple([text("root"), pids, links, Term::nil()])).unwrap()
    }

    #[test]
    fn a_tree_and_one_that_bites_its_tail() {
        let branch = tree(&[("root", "sup"), ("sup", "b"), ("sup", "a")]);
        assert_eq!((branch.count(), branch.below[0].pid.as_deref()), (4, Some("<0.7.0>")));
        assert_eq!(branch.below[0].below.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let ring = tree(&[("root", "a"), ("a", "b"), ("b", "root"), ("b", "a")]);
        assert_eq!(ring.count(), 3);
    }

    #[test]
    fn a_tree_that_is_too_deep_or_too_large_is_cut() {
        let names: Vec<String> = (0..1000).map(|number| format!("p{number}")).collect();
        let mut chain = vec![("root", names[0].as_str())];
        chain.extend(names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())));
        assert_eq!(tree(&chain).count(), DEPTH + 1);
        let names: Vec<String> = (0..10_000).map(|number| format!("p{number}")).collect();
        let wide: Vec<_> = names.iter().map(|name| ("root", name.as_str())).collect();
        assert_eq!(tree(&wide).count(), MOST);
    }
}
