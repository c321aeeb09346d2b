//! The article's applications as they stand in pods: `LIBCLUSTER_STRATEGY=kubernetes.dns`, one node a host, each host with an
//! address of its own, an epmd of its own, and a resolv.conf as Kubernetes writes it.

use std::time::Duration;

use whole_clusters::{DEADLINE, DnsServer, Network, Program, wait_until};

const PORT: u16 = 4001;
const SERVICE: &str = "beam-cluster.default.svc.cluster.local";
/// The host that has the DNS server.
const DNS: usize = 4;

fn seen(network: &Network, host: usize) -> Vec<String> {
    let Ok((_, body)) = Program::get_from(&network.address(host), PORT, "/") else { return Vec::new() };
    let list = body.split_once("Node.list: ").map_or("", |(_, list)| list);
    let mut nodes: Vec<_> = list.split('"').filter(|part| part.contains('@')).map(str::to_owned).collect();
    nodes.sort();
    nodes
}

fn name(network: &Network, host: usize) -> String {
    format!("cluster-app@{}", network.address(host))
}

#[track_caller]
fn wait_for_mesh(network: &Network, hosts: &[usize]) -> Duration {
    wait_until("each lists exactly the others", DEADLINE, || {
        for host in hosts {
            let others = hosts.iter().filter(|other| *other != host);
            let expected: Vec<_> = others.map(|other| name(network, *other)).collect();
            let seen = seen(network, *host);
            if seen != expected {
                return Err(format!("{} sees {seen:?}", name(network, *host)));
            }
        }
        Ok(())
    })
}

#[test]
fn pods_behind_a_headless_service_are_one_cluster() {
    let test = "pods_behind_a_headless_service_are_one_cluster";
    let Some(network) = Network::new(test, 72, 4) else { return };
    let line = |host| format!("{} {SERVICE}", network.address(host));
    let (first, second, third) = (line(1), line(2), line(3));
    let Some(mut dns) = DnsServer::dnsmasq_on((&network, DNS), test, &[&first, &second]) else { return };
    let resolv_conf = format!(
        "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver {}\noptions ndots:5\n",
        network.address(DNS)
    );
    let resolv_conf = dns.file("resolv.conf", &resolv_conf);
    let pod = |app: &str, host: usize| {
        let (name, port) = (name(&network, host), PORT.to_string());
        let arguments = ["--name", &name, "--cookie", "secret"];
        let variables = [("LIBCLUSTER_STRATEGY", "kubernetes.dns"), ("START_SERVER", "true"), ("PORT", &port)];
        Program::start_with_resolv_conf((&network, host), &resolv_conf, app, &arguments, &variables)
    };
    let mut pods = vec![pod("app_a", 1), pod("app_b", 2)];
    println!("two pods are one cluster after {:?}", wait_for_mesh(&network, &[1, 2]));
    assert!(dns.asked("A").iter().all(|name| name == SERVICE), "the first domain of the search list has it");

    dns.set_hosts(&[&first, &second, &third]);
    pods.push(pod("app_a", 3));
    println!("the third is in after {:?}", wait_for_mesh(&network, &[1, 2, 3]));

    // Without DNS nobody parts, and a pod that is killed and comes back is let in by the list that was kept.
    dns.stop();
    pods[1].kill();
    wait_for_mesh(&network, &[1, 3]);
    pods[1] = pod("app_b", 2);
    println!("a pod is back without DNS after {:?}", wait_for_mesh(&network, &[1, 2, 3]));
    for pod in &mut pods {
        pod.assert_running();
    }
}
