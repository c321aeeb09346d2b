//! A small network of its own on this machine: hosts that are network namespaces, on a switch that is a bridge. The
//! test itself is one of the hosts, so that it can ask pages. Needs root and iproute2.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::program::path;
use crate::skip;

/// The hosts, and their switch; all is taken down when dropped, with every process in it.
pub struct Network {
    tag: String,
    net: u8,
    hosts: usize,
}

impl Network {
    /// As many hosts as asked for; `None`, and the reason written down, if this machine cannot have them. Only one at
    /// a time for each `net`, which is a part of the addresses.
    pub fn new(test: &str, net: u8, hosts: usize) -> Option<Self> {
        if !ip(&["-V"]).is_some_and(|output| output.status.success()) {
            skip(test, "ip");
            return None;
        }
        let network = Self { tag: format!("bl{net}"), net, hosts };
        // What a killed run has left.
        network.remove();
        let made = ip(&["netns", "add", &network.switch()]);
        if !made.is_some_and(|output| output.status.success()) {
            skip(test, "root (network namespaces)");
            return None;
        }
        network.build();
        Some(network)
    }

    fn build(&self) {
        let (switch, outside) = (self.switch(), self.name(0));
        let inside = |line: &str| run(&format!("-n {switch} {line}"));
        for bridge in ["br0", "br1"] {
            inside(&format!("link add {bridge} type bridge"));
            inside(&format!("link set {bridge} up"));
        }
        // The test's own port.
        run(&format!("link add {outside} type veth peer name p0 netns {switch}"));
        run(&format!("address add {}/24 dev {outside}", self.address(254)));
        run(&format!("link set {outside} up"));
        for host in 1..=self.hosts {
            let name = self.name(host);
            run(&format!("netns add {name}"));
            run(&format!("link add eth0 netns {name} type veth peer name p{host} netns {switch}"));
            run(&format!("-n {name} address add {}/24 dev eth0", self.address(host)));
            run(&format!("-n {name} link set lo up"));
            run(&format!("-n {name} link set eth0 up"));
            run(&format!("-n {name} route add default via {}", self.address(254)));
        }
        for port in 0..=self.hosts {
            inside(&format!("link set p{port} master br0"));
            inside(&format!("link set p{port} up"));
        }
    }

    /// The address of a host; they are numbered from 1. In a range that is set aside for such tests.
    pub fn address(&self, host: usize) -> String {
        format!("198.18.{}.{host}", self.net)
    }

    /// Gives the test one more address, which all hosts reach.
    pub fn add_address(&self, address: &str) {
        run(&format!("address add {address}/32 dev {}", self.name(0)));
    }

    /// One of our programs on that host.
    pub fn program(&self, host: usize, program: &str) -> Command {
        self.command(host, &path(program))
    }

    /// Any program on that host.
    pub fn command(&self, host: usize, program: &Path) -> Command {
        // Not on every user's PATH, and of use to root only anyway.
        let mut command = Command::new("/usr/sbin/ip");
        command.args(["netns", "exec", &self.name(host)]).arg(program);
        command
    }

    /// Parts these hosts from the others and the test: nobody is told, packets are just lost.
    pub fn cut(&self, hosts: &[usize]) {
        hosts.iter().for_each(|host| run(&format!("-n {} link set p{host} master br1", self.switch())));
    }

    /// The end of [`Network::cut`].
    pub fn heal(&self, hosts: &[usize]) {
        hosts.iter().for_each(|host| run(&format!("-n {} link set p{host} master br0", self.switch())));
    }

    /// Ends all TCP connections between two hosts; both hear of it at once. Whether there were any.
    pub fn disconnect(&self, host: usize, other: usize) -> bool {
        let mut command = self.command(host, Path::new("ss"));
        command.args(["--tcp", "--kill", "--no-header", "state", "established", "dst", &self.address(other)]);
        let output = command.stdin(Stdio::null()).output().expect("ss runs");
        !output.stdout.is_empty()
    }

    fn switch(&self) -> String {
        format!("{}sw", self.tag)
    }

    fn name(&self, host: usize) -> String {
        format!("{}n{host}", self.tag)
    }

    fn remove(&self) {
        for name in (1..=self.hosts).map(|host| self.name(host)).chain([self.switch()]) {
            let inside = ip(&["netns", "pids", &name]).map(|output| output.stdout).unwrap_or_default();
            let inside = String::from_utf8_lossy(&inside).into_owned();
            if !inside.trim().is_empty() {
                // epmd, which a node starts for the whole host; the nodes have ended before.
                let _ = Command::new("kill").arg("-9").args(inside.split_whitespace()).status();
            }
            // It may not be there, which is as good.
            ip(&["netns", "delete", &name]);
        }
        ip(&["link", "delete", &self.name(0)]);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.remove();
    }
}

fn ip(arguments: &[&str]) -> Option<Output> {
    Command::new("/usr/sbin/ip").args(arguments).stdin(Stdio::null()).output().ok()
}

#[track_caller]
fn run(line: &str) {
    let output = ip(&line.split_whitespace().collect::<Vec<_>>()).expect("ip runs");
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
}
