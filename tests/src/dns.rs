//! Real DNS servers, each an ordinary process on a port of its own: dnsmasq, whose addresses can be changed and whose log
//! counts the questions, and Knot, which serves a zone file to the letter.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{HOST, Network, free_port, skip, unique, wait_until};

/// Not on every user's PATH.
const SBIN: &str = "/usr/sbin";

/// A DNS server, ended with all its files when dropped.
pub struct DnsServer {
    folder: PathBuf,
    address: SocketAddr,
    command: Vec<String>,
    child: Option<Child>,
}

impl DnsServer {
    /// dnsmasq with these lines of a hosts file, and these arguments. It knows nothing but `cluster.local`, and counts a
    /// name there that has no address as unknown. Without a TTL among the arguments it is 0.
    ///
    /// `None` if there is no dnsmasq; the test is then written down as skipped.
    pub fn dnsmasq(test: &str, hosts: &[&str], arguments: &[&str]) -> Option<Self> {
        let (program, address) = (program(test, "dnsmasq")?, free_address());
        Some(Self::dnsmasq_at(&program, Vec::new(), address, hosts, arguments))
    }

    /// The same on a host of a network of the test's own, at its address and the port that all ask.
    pub fn dnsmasq_on((network, host): (&Network, usize), test: &str, hosts: &[&str]) -> Option<Self> {
        let program = program(test, "dnsmasq")?;
        let address = format!("{}:53", network.address(host)).parse().expect("an address");
        let there = network.command(host, &PathBuf::from("env"));
        let there = [there.get_program()].into_iter().chain(there.get_args());
        let prefix = there.map(|word| word.to_string_lossy().into_owned()).collect();
        Some(Self::dnsmasq_at(&program, prefix, address, hosts, &[]))
    }

    fn dnsmasq_at(
        program: &str,
        mut command: Vec<String>,
        address: SocketAddr,
        hosts: &[&str],
        arguments: &[&str],
    ) -> Self {
        let folder = folder();
        let path = |file: &str| folder.join(file).display().to_string();
        command.extend([
            program.to_owned(),
            "--conf-file=/dev/null".into(),
            "--keep-in-foreground".into(),
            "--no-resolv".into(),
            "--no-hosts".into(),
            "--no-poll".into(),
            "--bind-interfaces".into(),
            format!("--listen-address={}", address.ip()),
            format!("--port={}", address.port()),
            format!("--pid-file={}", path("pid")),
            format!("--user={}", user()),
            "--local=/cluster.local/".into(),
            format!("--addn-hosts={}", path("hosts")),
            "--log-queries=extra".into(),
            format!("--log-facility={}", path("log")),
        ]);
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let mut server = Self { folder, address, command, child: None };
        server.write_hosts(hosts);
        server.start();
        server
    }

    /// Knot with this zone file of `cluster.local`. `None` as above.
    pub fn knot(test: &str, zone: &str) -> Option<Self> {
        let program = program(test, "knotd")?;
        let (folder, address) = (folder(), free_address());
        let here = folder.display();
        let config = format!(
            "server:\n  listen: {HOST}@{port}\n  rundir: {here}\n  user: {user}:{user}\n  udp-workers: 1\n  tcp-workers: 1\n\
             database:\n  storage: {here}\n\
             log:\n  - target: {here}/log\n    any: info\n\
             zone:\n  - domain: cluster.local\n    file: {here}/zone\n    zonefile-sync: -1\n",
            port = address.port(),
            user = user()
        );
        fs::write(folder.join("zone"), zone).expect("a file of this test");
        fs::write(folder.join("knot.conf"), config).expect("a file of this test");
        let config = folder.join("knot.conf").display().to_string();
        let mut server = Self { folder, address, command: vec![program, "--config".into(), config], child: None };
        server.start();
        Some(server)
    }

    /// Starts it, also again after [`stop`](Self::stop).
    pub fn start(&mut self) {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = self.child.insert(command.spawn().expect("the server starts"));
        let address = self.address;
        // A server that listens for TCP has bound its UDP port before.
        wait_until("the DNS server listens", crate::DEADLINE, || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("the DNS server ended by itself: {status}");
            }
            TcpStream::connect(address).map(drop)
        });
    }

    /// Ends it; its port is then closed.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Puts other lines into dnsmasq's hosts file, and makes it read them.
    pub fn set_hosts(&self, hosts: &[&str]) {
        self.write_hosts(hosts);
        let reads = || self.log().matches("read ").count();
        let before = reads();
        let child = self.child.as_ref().expect("it runs");
        let sent = Command::new("kill").args(["-HUP", &child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
        wait_until(
            "dnsmasq reads its hosts",
            crate::DEADLINE,
            || {
                if reads() > before { Ok(()) } else { Err("not yet") }
            },
        );
    }

    /// The same while it is stopped.
    pub fn set_hosts_and_start(&mut self, hosts: &[&str]) {
        self.write_hosts(hosts);
        self.start();
    }

    /// Starts Knot anew with another zone file.
    pub fn set_zone(&mut self, zone: &str) {
        self.stop();
        self.file("zone", zone);
        self.start();
    }

    fn write_hosts(&self, hosts: &[&str]) {
        fs::write(self.folder.join("hosts"), hosts.join("\n") + "\n").expect("a file of this test");
    }

    /// The server as a configuration has it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// A file in its folder, which is removed with it.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("a file of this test");
        path
    }

    /// How often dnsmasq was asked for records of this type and name.
    pub fn questions(&self, of: &str, name: &str) -> usize {
        self.log().matches(&format!("query[{of}] {name} ")).count()
    }

    /// The names that dnsmasq was asked about for records of this type, in their order; one that was asked about again right
    /// after, as when an answer is late, counts once.
    pub fn asked(&self, of: &str) -> Vec<String> {
        let (log, mark) = (self.log(), format!("query[{of}] "));
        let words = log.split(&mark).skip(1).filter_map(|rest| rest.split(' ').next());
        let mut names: Vec<_> = words.map(str::to_owned).collect();
        names.dedup();
        names
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("-- the end of the DNS server's log, latest first:\n{}", last.join("\n"));
        }
        // It may be gone already, which is as good.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn program(test: &str, name: &str) -> Option<String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&paths).chain([PathBuf::from(SBIN)]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip(test, name);
    }
    found.map(|path| path.display().to_string())
}

/// A folder of this test alone.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(unique("dns").replace('@', "_"));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A port that is free for UDP and TCP.
fn free_address() -> SocketAddr {
    let address = |port| format!("{HOST}:{port}").parse().expect("an address");
    let is_free = |address: &SocketAddr| UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok();
    (0..100).map(|_| address(free_port())).find(is_free).expect("a port is free")
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
