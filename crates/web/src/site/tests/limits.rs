//! What a client may cost.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Started;
use super::browser::{raw, read_until};
use super::site::MAIN;

#[tokio::test]
async fn a_body_has_a_limit_whether_it_says_its_length_or_not() {
    let site = Started::new().await;
    let head = |more: &str| {
        let port = site.address.port();
        format!(
            "POST /items/one/end HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nAccept: application/json\r\n{more}"
        )
    };
    let entered = format!("Authorization: Bearer {MAIN}\r\n");
    let said = raw(site.address, &head(&format!("{entered}Content-Length: 99999999999\r\n\r\n"))).await;
    assert_eq!(said.status, 413, "{said:?}");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let chunked = format!("{entered}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(40));
    let unsaid = raw(site.address, &head(&chunked)).await;
    assert_eq!(unsaid.status, 413, "{unsaid:?}");
    // A stranger's body is not read at all, but for the login's.
    let stranger = raw(site.address, &head("Content-Length: 99999999999\r\n\r\n")).await;
    assert_eq!(stranger.status, 401, "{stranger:?}");
    let login = head("Content-Length: 9000\r\n\r\n").replace("/items/one/end", "/login");
    assert_eq!(raw(site.address, &login).await.status, 413);
    let many = "X-Header: x\r\n".repeat(100);
    assert_eq!(raw(site.address, &head(&format!("{many}\r\n"))).await.status, 431);
    let long = format!("X-Header: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(raw(site.address, &head(&long)).await.status, 431);
}

/// The memory that the process has in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

/// Clients that send a byte now and then, and never a whole request. The client's half is in this process too.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_thousand_slow_clients_cost_little_and_keep_nobody_out() {
    let site = Started::new().await;
    let entered = site.entered().await;
    assert_eq!(entered.get("/items/one").await.status, 200);
    // One who has entered, over a connection that lasts.
    let mut page = entered.events("/items/one?refresh=pause").await;
    read_until(&mut page, "event: page").await;
    let before = resident();
    let mut slow = Vec::new();
    let mut turned_away = 0;
    for number in 0..1000 {
        match TcpStream::connect(site.address).await {
            Ok(mut client) => {
                let written = client.write_all(b"POST /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
                turned_away += usize::from(written.is_err());
                slow.push(client);
            }
            Err(_) => turned_away += 1,
        }
        if number % 100 == 99 {
            assert_eq!(entered.get("/items/one").await.status, 200, "after {number} slow clients");
        }
    }
    for client in &mut slow {
        let _ = client.write_all(b"xxxxxxxxxxxxxxxx").await;
    }
    assert_eq!(entered.get("/items/one").await.status, 200);
    let grown = resident().saturating_sub(before);
    println!("1000 slow clients, {turned_away} of them turned away at once: {} KiB more", grown / 1024);
    assert!(grown < 24 * 1024 * 1024, "{grown} bytes");
    // The page that was open still lives.
    super::site::change();
    read_until(&mut page, "event: page").await;
}

#[tokio::test]
async fn the_head_of_a_request_and_a_connection_without_one_have_their_time() {
    let site = Started::new().await;
    let begun = Instant::now();
    let mut half = TcpStream::connect(site.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: local").await.unwrap();
    let mut idle = TcpStream::connect(site.address).await.unwrap();
    idle.write_all(b"GET /public/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut idle, "beamline").await;
    let mut silent = TcpStream::connect(site.address).await.unwrap();
    for client in [&mut half, &mut idle, &mut silent] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), client.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is still open after {:?}", begun.elapsed());
    }
}
