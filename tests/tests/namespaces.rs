//! Six nodes of the article on six hosts, one cluster by gossip: how fast they meet, how fast the loss of one is seen, and
//! how they come together again after a broken connection and after a cut of the network.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use whole_clusters::{Network, Program, wait_until};

const COOKIE: &str = "secret";
/// Four seconds of tick time: a silent peer is taken for dead after three to five.
const ERL: &str = "-kernel net_ticktime 4 inet_dist_listen_min 9000 inet_dist_listen_max 9000";
const PORT: u16 = 4001;

/// The article's three app_a and three app_b, one a host.
struct Six<'n> {
    network: &'n Network,
    nodes: Vec<(String, Program)>,
}

impl<'n> Six<'n> {
    fn start(network: &'n Network) -> Self {
        let hosts = [("app_a", 1), ("app_a", 2), ("app_a", 3), ("app_b", 4), ("app_b", 5), ("app_b", 6)];
        let nodes = hosts.map(|(app, host)| {
            let name = format!("{app}{host}@{}", network.address(host));
            let arguments = ["--name", &name, "--cookie", COOKIE, "--erl", ERL];
            let port = PORT.to_string();
            let variables = [("LIBCLUSTER_STRATEGY", "gossip"), ("START_SERVER", "true"), ("PORT", &port)];
            let program = Program::start_on((network, host), app, &arguments, &variables);
            (name, program)
        });
        Self { network, nodes: nodes.into() }
    }

    /// Whom that host's page lists.
    fn seen(&self, host: usize) -> BTreeSet<String> {
        let Ok((_, body)) = Program::get_from(&self.network.address(host), PORT, "/") else { return BTreeSet::new() };
        let list = body.split_once("Node.list: ").map_or("", |(_, list)| list);
        list.split('"').filter(|part| part.contains('@')).map(str::to_owned).collect()
    }

    /// Waits until each of these hosts lists exactly the others of them.
    #[track_caller]
    fn wait_for_mesh(&self, hosts: &[usize], limit: Duration) -> Duration {
        wait_until("each lists exactly the others", limit, || {
            for host in hosts {
                let expected = hosts.iter().filter(|other| *other != host);
                let expected: BTreeSet<String> = expected.map(|other| self.nodes[other - 1].0.clone()).collect();
                let seen = self.seen(*host);
                if seen != expected {
                    return Err(format!("{} sees {seen:?}", self.nodes[host - 1].0));
                }
            }
            Ok(())
        })
    }
}

const ALL: [usize; 6] = [1, 2, 3, 4, 5, 6];
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn six_hosts_meet_part_and_meet_again() {
    let Some(network) = Network::new("six_hosts_meet_part_and_meet_again", 71, 6) else { return };
    let mut times = Vec::new();
    for _ in 0..4 {
        let six = Six::start(&network);
        times.push(six.wait_for_mesh(&ALL, PATIENCE));
    }
    let mut six = Six::start(&network);
    times.push(six.wait_for_mesh(&ALL, PATIENCE));
    times.sort_unstable();
    println!("whole after the last start: {times:?}");
    assert!(times[2] <= Duration::from_millis(700), "{times:?}");

    // A broken connection is noticed at once, and heals.
    for (one, other) in [(1, 5), (6, 2), (3, 4)] {
        let begin = Instant::now();
        assert!(network.disconnect(one, other), "there was a connection");
        six.wait_for_mesh(&ALL, Duration::from_secs(1));
        println!("a disconnect healed after {:?}", begin.elapsed());
    }

    // A cut that is longer than the tick time: of one host, and into halves.
    for away in [&[2][..], &[1, 4, 6]] {
        let rest: Vec<usize> = ALL.into_iter().filter(|host| !away.contains(host)).collect();
        network.cut(away);
        six.wait_for_mesh(&rest, PATIENCE);
        network.heal(away);
        let time = six.wait_for_mesh(&ALL, Duration::from_secs(10));
        println!("whole {time:?} after a cut of {away:?}");
    }

    // `kill -9`: the others hear it from the system of its host.
    let begin = Instant::now();
    six.nodes[2].1.kill();
    six.wait_for_mesh(&[1, 2, 4, 5, 6], Duration::from_millis(200));
    println!("gone after {:?}", begin.elapsed());
}
