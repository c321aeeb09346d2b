//! `beamline rpc`: an expression at a node, or at all nodes of a cluster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use beamline::node::{CallError, Node};
use beamline::proto::NodeName;
use beamline::term::{Atom, Term};
use beamline_console::{Device, Format, Oneshot, OneshotError, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::arguments::{Rpc, Written};
use super::exit::Exit;
use super::remote::{ask, exit_of, print, told};

/// In place of a node's name: all of a cluster.
const EVERYWHERE: &str = "@all";

/// `beamline rpc NODE EXPR`
pub(crate) async fn rpc(rpc: Rpc) -> Exit {
    let expression = match &rpc.expression {
        Some(expression) => expression.clone(),
        None => match std::io::read_to_string(std::io::stdin()) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("stdin is no script: {error}");
                return Exit::Usage;
            }
        },
    };
    if let Err(error) = beamline_console::check(&expression) {
        eprintln!("{error}");
        return Exit::Usage;
    }
    let oneshot = Oneshot::new(&expression).format(match rpc.output {
        Written::Elixir => Format::Elixir,
        Written::Erlang => Format::Erlang,
        Written::Json => Format::Json,
    });
    if rpc.node == EVERYWHERE {
        return everywhere(&rpc, oneshot.one_line()).await;
    }
    let mut exit = Exit::Ok;
    let asked = ask(&rpc.node, &rpc.way, async |node, peer| {
        match oneshot.evaluate(node, peer, rpc.way.timeout).await {
            Ok(value) => print(&value),
            Err(OneshotError::Call(error)) => return Err(error),
            Err(error) => {
                exit = exit_without(&error);
                eprintln!("{error}");
            }
        }
        Ok(())
    })
    .await;
    if asked == Exit::Ok { exit } else { asked }
}

/// At all nodes at the same time: a line for each, in the order of their names. It ends as the first that failed would.
async fn everywhere(rpc: &Rpc, oneshot: Oneshot) -> Exit {
    let Some(via) = &rpc.via else {
        eprintln!("{EVERYWHERE} is all nodes of a cluster: --via NODE, or BEAMLINE_NODE, says of which");
        return Exit::Usage;
    };
    let time = rpc.way.timeout;
    // A little before the end of all together, so that those that have answered are told of.
    let deadline = Instant::now() + time - time / 20;
    let mut exit = Exit::Ok;
    let asked = ask(via, &rpc.way, async |node, peer| {
        let connected: Vec<Atom> = node.call(peer, ("erlang", "nodes"), ()).timeout(time).await?;
        let connected = connected.iter().filter_map(|name| NodeName::from_atom(name).ok());
        let late = |peer: &NodeName| Err(CallError::Timeout { node: peer.clone(), after: time }.into());
        let mut answers: BTreeMap<NodeName, Answer> =
            connected.chain([peer.clone()]).map(|peer| (peer.clone(), late(&peer))).collect();
        let mut asked = JoinSet::new();
        for peer in answers.keys() {
            asked.spawn(answer(node.clone(), peer.clone(), oneshot.clone(), time));
        }
        while let Ok(Some(Ok((peer, answer)))) = timeout_at(deadline, asked.join_next()).await {
            answers.insert(peer, answer);
        }
        for (peer, answer) in answers {
            tell(&peer, &answer, rpc.output);
            if let (Err(error), Exit::Ok) = (&answer, exit) {
                exit = exit_without(error);
            }
        }
        Ok(())
    })
    .await;
    if asked == Exit::Ok { exit } else { asked }
}

type Answer = Result<String, OneshotError>;

async fn answer(node: Node, peer: NodeName, oneshot: Oneshot, time: Duration) -> (NodeName, Answer) {
    let oneshot = oneshot.prints_to(Arc::new(Labelled::new(&peer)));
    let answer = oneshot.evaluate(&node, &peer, time).await;
    (peer, answer)
}

fn tell(peer: &NodeName, answer: &Answer, output: Written) {
    let failure = |error: &OneshotError| match error {
        OneshotError::Call(error) => told(error),
        error => error.to_string(),
    };
    let object = |key: &str, value: &str| print(&format!("{{\"node\":{},\"{key}\":{value}}}", text(peer.as_str())));
    match (answer, output) {
        (Ok(value), Written::Json) => object("value", value),
        (Err(error), Written::Json) => object("error", &text(&failure(error))),
        (Ok(value), _) => print(&format!("{peer}: {value}")),
        (Err(error), _) => failure(error).lines().for_each(|line| eprintln!("{peer}: {line}")),
    }
}

fn text(text: &str) -> String {
    json(&Term::from(text))
}

fn exit_without(error: &OneshotError) -> Exit {
    match error {
        OneshotError::Wrong(_) => Exit::Usage,
        OneshotError::Call(error) => exit_of(error),
        _ => Exit::Remote,
    }
}

/// What one of several nodes prints: on stderr, so that stdout has a line for each, and behind its name.
struct Labelled {
    name: String,
    /// A line that has no end yet.
    begun: Mutex<String>,
}

/// A line that is longer is not waited for.
const LONGEST: usize = 64 << 10;

impl Labelled {
    fn new(peer: &NodeName) -> Labelled {
        Labelled { name: peer.to_string(), begun: Mutex::default() }
    }
}

/// There is one stdin, and many would read: nobody does.
impl Device for Labelled {
    fn print(&self, text: &str) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push_str(text);
        while let Some(end) = begun.find('\n').or_else(|| (begun.len() > LONGEST).then_some(begun.len())) {
            eprintln!("{}: {}", self.name, &begun[..end]);
            let next = begun.len().min(end + 1);
            begun.drain(..next);
        }
    }
}

impl Drop for Labelled {
    fn drop(&mut self) {
        if !self.begun.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.print("\n");
        }
    }
}
