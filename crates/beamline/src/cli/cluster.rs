//! `beamline cluster status NODE`: asks a node that has a cluster, and prints the answer for people.

use std::time::Duration;

use beamline::cluster::MODULE;
use beamline::term::{Atom, Term};

use super::arguments::Target;
use super::exit::Exit;
use super::remote::{ask, print};

/// Asks, and prints.
pub(crate) async fn status(target: &Target) -> Exit {
    ask(&target.node, &target.way, async |node, peer| {
        let topologies: Vec<Term> = node.call(peer, (MODULE, "status"), ()).timeout(target.way.timeout).await?;
        if topologies.is_empty() {
            print("no topologies");
        }
        topologies.iter().flat_map(lines).for_each(|line| print(&line));
        Ok(())
    })
    .await
}

/// One topology: what it heard, then its peers.
fn lines(topology: &Term) -> Vec<String> {
    let mut lines =
        vec![format!("{} ({}): {}", text(topology, "topology"), text(topology, "strategy"), heard(topology))];
    if let Some(error) = get(topology, "last_error").filter(|error| error.as_map().is_some()) {
        lines.push(format!("  kept, {} ago: {}", age(error), text(error, "reason")));
    }
    for peer in get(topology, "peers").and_then(Term::as_list).into_iter().flat_map(|peers| peers.iter()) {
        let peer = &*peer;
        let node = text(peer, "node");
        let state = match text(peer, "state") {
            "connected_hidden" => "connected, hidden",
            state => state,
        };
        let next = milliseconds(peer, "next").map(|time| match state {
            "leaving" => format!(", disconnected in {}", shown(time)),
            _ => format!(", next try in {}", shown(time)),
        });
        let failure = Some(text(peer, "last_failure")).filter(|failure| *failure != "nil" && !failure.is_empty());
        let failure = failure.map(|failure| format!(": {failure}"));
        lines.push(format!("  {node} {state}{}{}", next.unwrap_or_default(), failure.unwrap_or_default()));
    }
    lines
}

fn heard(topology: &Term) -> String {
    let of = |key| get(topology, key).filter(|value| value.as_map().is_some());
    match (of("last_answer"), of("last_sighting")) {
        (Some(answer), _) => {
            let count = get(answer, "nodes").and_then(Term::as_list).map_or(0, |nodes| nodes.len());
            format!("{count} {}, answered {} ago", if count == 1 { "node" } else { "nodes" }, age(answer))
        }
        (None, Some(sighting)) => format!("last heard of a node {} ago", age(sighting)),
        (None, None) => "nothing heard yet".to_owned(),
    }
}

fn get<'t>(term: &'t Term, key: &str) -> Option<&'t Term> {
    term.as_map()?.get_atom(key)
}

fn text<'t>(term: &'t Term, key: &str) -> &'t str {
    get(term, key).and_then(|value| value.as_str().or_else(|| value.as_atom().map(Atom::as_str))).unwrap_or_default()
}

fn milliseconds(term: &Term, key: &str) -> Option<Duration> {
    get(term, key)?.as_u64().map(Duration::from_millis)
}

fn age(term: &Term) -> String {
    milliseconds(term, "age").map_or_else(|| "?".to_owned(), shown)
}

fn shown(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use beamline::term::term;

    use super::*;

    #[test]
    fn a_topology_for_people() {
        let status = term!(%{
            topology: "fixed",
            strategy: "Cluster.Strategy.Epmd",
            last_answer: %{nodes: [:"a@h", :"b@h"], age: 1500},
            last_error: %{reason: "no DNS", age: 200},
            last_sighting: nil,
            peers: [
                %{node: :"a@h", state: :connected_hidden, next: nil, last_failure: nil},
                %{node: :"b@h", state: :waiting, next: 2000, last_failure: "it is down"},
                %{node: :"c@h", state: :leaving, next: 100, last_failure: nil}
            ]
        });
        let expected = [
            "fixed (Cluster.Strategy.Epmd): 2 nodes, answered 1.5s ago",
            "  kept, 0.2s ago: no DNS",
            "  a@h connected, hidden",
            "  b@h waiting, next try in 2.0s: it is down",
            "  c@h leaving, disconnected in 0.1s",
        ];
        assert_eq!(lines(&status), expected);
        // Another node may answer anything.
        assert_eq!(lines(&term!(:junk)), [" (): nothing heard yet"]);
    }
}
