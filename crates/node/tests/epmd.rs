//! epmd with real sockets: our client at the real daemon, real tools and nodes at our daemon, ours with ours.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::Duration,
};

use beamline_node::epmd::{
    Auto, Client, Daemon, Epmd, EpmdError, Name, NodeType, Registrant, Registration, Server, ServerOptions, lookup,
    register,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a test's program is there. If not, that is written down: on stderr, and in `BEAMLINE_SKIP_LOG`.
fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        let test = std::thread::current().name().unwrap_or("epmd").to_owned();
        let line = format!("skipped: {test}: needs {program}\n");
        eprint!("{line}");
        if let Some(log) = std::env::var_os("BEAMLINE_SKIP_LOG") {
            let log = std::fs::OpenOptions::new().create(true).append(true).open(log);
            log.and_then(|mut log| log.write_all(line.as_bytes())).unwrap();
        }
    }
    found
}

fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn node(text: &str, port: u16) -> Registrant {
    Registrant::new(format!("{text}@127.0.0.1").parse().unwrap(), port)
}

/// An `Epmd::Auto` that never starts the system's daemon.
fn ours(port: u16) -> Epmd {
    let mut auto = Auto::on_port(port);
    auto.daemon = Daemon::Never;
    Epmd::Auto(auto)
}

fn on_loopback(port: u16) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.port = port;
    options.addresses = Some(vec![]);
    options
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "never came: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn names(port: u16) -> Vec<String> {
    let mut names: Vec<_> = match Client::local(port).names().await {
        Ok(names) => names.into_iter().map(|node| node.name.to_string()).collect(),
        Err(_) => return vec![],
    };
    names.sort();
    names
}

async fn real_epmd(port: u16, more: &[&str]) -> Running {
    let epmd = Command::new("epmd").args(["-port", &port.to_string()]).args(more).stderr(Stdio::null()).spawn();
    let epmd = Running(epmd.unwrap());
    until("epmd listens", async || Client::local(port).names().await.is_ok()).await;
    epmd
}

fn epmd_tool(port: u16, argument: &str) -> (String, Option<i32>) {
    let output = Command::new("epmd").args(["-port", &port.to_string(), argument]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (text.into_owned(), output.status.code())
}

async fn everything_a_client_asks(port: u16) {
    let client = Client::local(port);
    let epmd = Epmd::External(client.address());
    let visible = register(&epmd, &node("visible", 1111)).await.unwrap();
    let hidden = register(&epmd, &Registrant { hidden: true, ..node("hidden", 2222) }).await.unwrap();
    assert!(visible.is_registered() && !visible.is_serving());
    assert!(visible.creation() > Some(1_700_000_000));

    let info = client.lookup(&name("hidden")).await.unwrap();
    assert_eq!((info.port, info.node_type, info.highest, info.lowest), (2222, NodeType::Hidden, 6, 5));
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let info = lookup([nowhere, client.address()], &name("visible"), Duration::from_secs(5)).await.unwrap();
    assert_eq!(info.port, 1111);

    match client.lookup(&name("nobody")).await {
        Err(EpmdError::NotRegistered { registered, .. }) => {
            assert_eq!(registered, [name("hidden"), name("visible")])
        }
        other => panic!("{other:?}"),
    }
    match register(&epmd, &node("visible", 3333)).await {
        Err(EpmdError::NameTaken { port, .. }) => assert_eq!(port, Some(1111)),
        other => panic!("{other:?}"),
    }
    assert!(client.dump().await.unwrap().contains("active name     <visible> at port 1111, fd = "));
    assert!(matches!(client.kill().await, Err(EpmdError::KillRefused { .. })));
    assert!(matches!(client.stop(&name("visible")).await, Err(EpmdError::Closed { .. })));

    let creation = visible.creation().unwrap();
    visible.unregister().await;
    until("the name is free", async || names(port).await == ["hidden"]).await;
    let again = register(&epmd, &node("visible", 1111)).await.unwrap();
    assert_eq!(again.creation(), Some(creation + 1));
    drop((again, hidden));
    until("all names are free", async || names(port).await.is_empty()).await;
    client.kill().await.unwrap();
    until("the daemon has ended", async || TcpStream::connect(client.address()).await.is_err()).await;
}

#[tokio::test]
async fn our_client_at_the_real_daemon() {
    if have("epmd") {
        let port = free_port();
        let _epmd = real_epmd(port, &[]).await;
        everything_a_client_asks(port).await;
    }
}

#[tokio::test]
async fn our_client_at_our_daemon() {
    let mut server = Server::bind(on_loopback(0)).await.unwrap();
    everything_a_client_asks(server.port()).await;
    server.killed().await;
}

#[tokio::test]
async fn stop_where_checks_are_relaxed() {
    let mut options = on_loopback(0);
    options.relaxed = true;
    let server = Server::bind(options).await.unwrap();
    let mut ports = vec![server.port()];
    let mut real = None;
    if have("epmd") {
        ports.push(free_port());
        real = Some(real_epmd(ports[1], &["-relaxed_command_check"]).await);
    }
    for port in ports {
        let client = Client::local(port);
        let registration = register(&Epmd::External(client.address()), &node("victim", 1)).await.unwrap();
        assert!(!client.stop(&name("nobody")).await.unwrap());
        assert!(client.stop(&name("victim")).await.unwrap());
        until("it is back", async || registration.is_registered() && names(port).await == ["victim"]).await;
        client.kill().await.unwrap();
    }
    drop(real);
}

#[tokio::test]
async fn real_tools_and_nodes_at_our_daemon() {
    if !have("epmd") || !have("erl") {
        return;
    }
    let mut server = Server::bind(on_loopback(0)).await.unwrap();
    let port = server.port();
    let client = Client::local(port);
    let (text, _) = on_another_thread(move || epmd_tool(port, "-names")).await;
    assert_eq!(text, format!("epmd: up and running on port {port} with data:\n"));

    let erl = |alive: &str| {
        let name = format!("{alive}@127.0.0.1");
        let erl = Command::new("erl")
            .args(["-noinput", "-start_epmd", "false", "-setcookie", "c", "-name", &name])
            .env("ERL_EPMD_PORT", port.to_string())
            .stdout(Stdio::null())
            .spawn();
        Running(erl.unwrap())
    };
    let first = erl("first");
    until("the first node", async || names(port).await == ["first"]).await;
    let second = erl("second");
    until("the second node", async || names(port).await == ["first", "second"]).await;
    let at = client.lookup(&name("second")).await.unwrap().port;
    let (text, _) = on_another_thread(move || epmd_tool(port, "-names")).await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1], format!("name second at port {at}"));
    assert_eq!(lines.len(), 3);

    // One finds the other through our daemon.
    let mut ping = Command::new("erl");
    ping.args(["-noinput", "-start_epmd", "false", "-setcookie", "c"])
        .args(["-name", "third@127.0.0.1", "-eval"])
        .arg("io:format(\"~p\", [net_adm:ping('first@127.0.0.1')]), halt().")
        .env("ERL_EPMD_PORT", port.to_string());
    let said = on_another_thread(move || ping.output().unwrap()).await.stdout;
    assert_eq!(String::from_utf8_lossy(&said), "pong");

    let (text, code) = on_another_thread(move || epmd_tool(port, "-kill")).await;
    assert_eq!((text.trim(), code), ("Killing not allowed - living nodes in database.", Some(1)));
    drop((first, second));
    until("no nodes", async || names(port).await.is_empty()).await;
    let (text, code) = on_another_thread(move || epmd_tool(port, "-kill")).await;
    assert_eq!((text.trim(), code), ("Killed", Some(0)));
    server.killed().await;
}

/// Waits for a program without keeping our own tasks from running.
async fn on_another_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_node_registers_again_with_the_real_daemon() {
    if !have("epmd") {
        return;
    }
    let port = free_port();
    let epmd = real_epmd(port, &[]).await;
    let registration = register(&Epmd::External(Client::local(port).address()), &node("a", 1)).await.unwrap();
    let creation = registration.creation();
    drop(epmd);
    until("the loss is noticed", async || !registration.is_registered()).await;
    let _epmd = real_epmd(port, &[]).await;
    until("it is back", async || registration.is_registered()).await;
    assert_eq!(names(port).await, ["a"]);
    assert_eq!(registration.creation(), creation);
}

#[tokio::test]
async fn auto_starts_the_systems_daemon() {
    if !have("epmd") {
        return;
    }
    let port = free_port();
    let mut auto = Auto::on_port(port);
    auto.daemon = Daemon::OnPath;
    let registration = register(&Epmd::Auto(auto), &node("a", 1)).await.unwrap();
    assert!(!registration.is_serving());
    assert_eq!(names(port).await, ["a"]);
    registration.unregister().await;
    until("no nodes", async || names(port).await.is_empty()).await;
    Client::local(port).kill().await.unwrap();
}

#[tokio::test]
async fn auto_serves_where_there_is_no_daemon() {
    let port = free_port();
    let mut auto = Auto::on_port(port);
    auto.daemon = Daemon::Program("/nonexistent/epmd".into());
    let registration = register(&Epmd::Auto(auto), &node("a", 1)).await.unwrap();
    assert!(registration.is_serving() && registration.is_registered());
    assert_eq!(names(port).await, ["a"]);
    registration.unregister().await;
    until("the daemon has ended", async || names(port).await.is_empty()).await;
}

#[tokio::test]
async fn another_node_takes_over() {
    let port = free_port();
    let epmd = ours(port);
    let mut nodes: Vec<Registration> = Vec::new();
    for (i, alive) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        nodes.push(register(&epmd, &node(alive, i as u16 + 1)).await.unwrap());
    }
    assert!(nodes[0].is_serving());
    for left in (2..5).rev() {
        let serving = nodes.iter().position(Registration::is_serving).unwrap();
        drop(nodes.remove(serving));
        until("all are registered with a new daemon", async || {
            nodes.iter().all(Registration::is_registered)
                && nodes.iter().filter(|node| node.is_serving()).count() == 1
                && names(port).await.len() == left
        })
        .await;
    }
}

#[tokio::test]
async fn many_nodes_start_at_once() {
    let port = free_port();
    let starts: Vec<_> = (1..=20)
        .map(|i| {
            let epmd = ours(port);
            tokio::spawn(async move { register(&epmd, &node(&format!("n{i}"), i)).await })
        })
        .collect();
    let mut nodes = Vec::new();
    for start in starts {
        nodes.push(start.await.unwrap().unwrap());
    }
    assert_eq!(nodes.iter().filter(|node| node.is_serving()).count(), 1);
    assert_eq!(names(port).await.len(), 20);
}

#[tokio::test]
async fn a_registration_that_does_not_matter() {
    let port = free_port();
    let registration = register(&Epmd::IfRunning { port }, &node("a", 1)).await.unwrap();
    assert_eq!((registration.is_registered(), registration.creation()), (false, None));
    let _server = Server::bind(on_loopback(port)).await.unwrap();
    let registration = register(&Epmd::IfRunning { port }, &node("a", 1)).await.unwrap();
    assert!(registration.is_registered());
    assert!(!register(&Epmd::None, &node("b", 1)).await.unwrap().is_registered());
}

#[tokio::test]
async fn a_stranger_on_the_port() {
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = stranger.local_addr().unwrap().port();
    let registrant = Registrant { deadline: Duration::from_millis(200), ..node("a", 1) };
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "", "silence"] {
        let meet = async {
            let (mut stream, _) = stranger.accept().await.unwrap();
            match answer {
                "silence" => stream.read_to_end(&mut Vec::new()).await.map(drop),
                answer => stream.write_all(answer.as_bytes()).await,
            }
        };
        let epmd = ours(port);
        let (registered, _) = tokio::join!(register(&epmd, &registrant), meet);
        let error = registered.unwrap_err();
        match answer {
            "" => assert!(matches!(error, EpmdError::Closed { .. }), "{error}"),
            "silence" => assert!(matches!(error, EpmdError::TimedOut { .. }), "{error}"),
            _ => {
                assert!(matches!(error, EpmdError::NotEpmd { .. }), "{error}");
                let text = error.to_string();
                assert!(text.contains(&format!("port {port} of 127.0.0.1 is taken")), "{text}");
                assert!(text.contains("ERL_EPMD_PORT"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_daemon_nobody_runs() {
    let port = free_port();
    let error = Client::local(port).lookup(&name("a")).await.unwrap_err();
    assert!(matches!(error, EpmdError::Unreachable { .. }), "{error}");
    let error = register(&Epmd::External(Client::local(port).address()), &node("a", 1)).await.unwrap_err();
    assert!(matches!(error, EpmdError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn silence_and_garbage_do_not_keep_nodes_out() {
    let mut options = on_loopback(0);
    options.max_pending = 50;
    let server = Server::bind(options).await.unwrap();
    let port = server.port();
    let registration = register(&Epmd::External(Client::local(port).address()), &node("a", 1)).await.unwrap();
    let mut open = Vec::new();
    for i in 0..1000_u32 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        match i % 4 {
            0 => {}
            1 => stream.write_all(b"\0").await.unwrap(),
            2 => stream.write_all(b"\0\x20\x78half a request").await.unwrap(),
            _ => drop(stream.write_all(&i.wrapping_mul(2_654_435_761).to_be_bytes()).await),
        }
        open.push(stream);
    }
    assert_eq!(names(port).await, ["a"]);
    let other = register(&Epmd::External(Client::local(port).address()), &node("b", 1)).await.unwrap();
    assert!(registration.is_registered() && other.is_registered());
    // The oldest silent ones were closed to make room.
    assert_eq!(open[0].read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn half_a_request_ends() {
    let mut options = on_loopback(0);
    options.idle = Duration::from_millis(50);
    let server = Server::bind(options).await.unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).await.unwrap();
    stream.write_all(b"\0\x05n").await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn loopback_is_always_served() {
    let mut options = on_loopback(0);
    options.addresses = Some(vec!["127.0.0.2".parse().unwrap()]);
    let server = Server::bind(options).await.unwrap();
    let ips: Vec<_> = server.addresses().iter().map(|address| address.ip().to_string()).collect();
    assert!(ips.contains(&"127.0.0.1".to_owned()) && ips.contains(&"127.0.0.2".to_owned()), "{ips:?}");
    for ip in ips {
        let address = SocketAddr::new(ip.parse().unwrap(), server.port());
        assert!(Client::new(address).names().await.unwrap().is_empty());
    }
    let error = Server::bind(on_loopback(server.port())).await.unwrap_err();
    assert!(matches!(error, EpmdError::Bind { .. }), "{error}");
}
