//! Strangers at every door: garbage, half handshakes and silence at the
//! distribution port, junk at the gossip port. The node must not grow, must
//! not fall, and must still let real peers in.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

use whole_clusters::{Beam, DEADLINE, Epmd, HOST, Otp, Program, free_port, unique, wait_until};

const COOKIE: &str = "secret";
const GOSSIP_PORT: u16 = 45892;
/// What a node may grow under the whole of an attack.
const GROWTH_KIB: u64 = 16 * 1024;

/// Random bytes that are the same in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// app_b with its distribution port.
fn app_b(name: &str, epmd: &Epmd, variables: &[(&str, &str)]) -> (Program, u16) {
    let port = free_port();
    let range = format!("-kernel inet_dist_listen_min {port} inet_dist_listen_max {port}");
    let arguments = ["--name", name, "--cookie", COOKIE, "--erl", &range];
    let mut app = Program::start("app_b", epmd.port(), &arguments, variables);
    wait_until("app_b listens", DEADLINE, || {
        app.assert_running();
        TcpStream::connect((HOST, port)).map(drop)
    });
    (app, port)
}

fn a_real_peer_gets_in(otp: Otp, epmd: &Epmd, name: &str) {
    let mut beam = Beam::start(otp, &unique("real"), epmd.port(), COOKIE);
    let answer = format!(":rpc.call(:{name:?}, AppB, :hello, [])");
    beam.eval_until(&answer, ":world");
}

/// A `SEND_NAME` of version 6 with plausible flags, whose sender then says no more.
fn half_handshake(number: u32) -> Vec<u8> {
    let name = format!("half{number}@{HOST}");
    let mut body = vec![b'N'];
    body.extend(0x0000_000d_07df_7fbd_u64.to_be_bytes());
    body.extend(number.to_be_bytes());
    body.extend(u16::try_from(name.len()).expect("short").to_be_bytes());
    body.extend(name.as_bytes());
    let mut message = u16::try_from(body.len()).expect("short").to_be_bytes().to_vec();
    message.extend(body);
    message
}

#[test]
fn long_a_thousand_strangers_at_the_distribution_port() {
    Otp::Host.run("long_a_thousand_strangers_at_the_distribution_port", |otp| {
        let epmd = Epmd::beamline();
        let name = unique("app_b");
        let (mut app, port) = app_b(&name, &epmd, &[]);
        a_real_peer_gets_in(otp, &epmd, &name);
        let before = app.resident_kib();
        let mut noise = Noise(42);
        let mut open = Vec::new();
        for number in 0..1000 {
            // The node may close the door on so many; that is its right.
            let Ok(mut stream) = TcpStream::connect((HOST, port)) else { continue };
            let bytes = match number % 4 {
                0 => noise.bytes(4096),
                1 => half_handshake(number),
                2 => [half_handshake(number), noise.bytes(200)].concat(),
                _ => Vec::new(),
            };
            // It may have closed already, having seen enough.
            let _ = stream.write_all(&bytes);
            open.push(stream);
        }
        app.assert_running();
        let during = app.resident_kib();
        assert!(during < before + GROWTH_KIB, "grew from {before} to {during} KiB");
        // Silent strangers may hold every place until their deadline; then real peers get in,
        // though the strangers never hang up.
        a_real_peer_gets_in(otp, &epmd, &name);
        drop(open);
        a_real_peer_gets_in(otp, &epmd, &name);
        app.assert_running();
        assert!(!app.said().contains("panicked"), "{}", app.said());
    });
}

#[test]
fn long_a_hundred_thousand_junk_datagrams() {
    Otp::Host.run("long_a_hundred_thousand_junk_datagrams", |otp| {
        let epmd = Epmd::beamline();
        let name = unique("app_b");
        let (mut app, _) = app_b(&name, &epmd, &[("LIBCLUSTER_STRATEGY", "gossip")]);
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
        let mut noise = Noise(7);
        let mut send = |count: u32| {
            for number in 0..count {
                let datagram = match number % 4 {
                    0 => noise.bytes(1400),
                    1 => [b"heartbeat::".to_vec(), noise.bytes(600)].concat(),
                    2 => [b"heartbeat::\x83".to_vec(), noise.bytes(600)].concat(),
                    _ => heartbeat(&format!("nobody{number}@{HOST}")),
                };
                // A full buffer loses datagrams, as the network would.
                let _ = socket.send_to(&datagram, (HOST, GOSSIP_PORT));
            }
        };
        // The first part brings every buffer to its size.
        send(10_000);
        let before = app.resident_kib();
        send(90_000);
        app.assert_running();
        wait_until("the node has heard the strangers", DEADLINE, || {
            let said = app.said();
            if said.contains("nobody") { Ok(()) } else { Err(said) }
        });
        let after = app.resident_kib();
        assert!(after < before + GROWTH_KIB, "grew from {before} to {after} KiB");
        let mut beam = Beam::start(otp, &unique("real"), epmd.port(), COOKIE);
        beam.eval("is_pid(Gossip.start())");
        beam.eval_until_within(Duration::from_secs(30), &format!(":{name:?} in Node.list()"), "true");
        assert!(!app.said().contains("panicked"), "{}", app.said());
    });
}

/// A well-formed heartbeat of a node that does not exist.
fn heartbeat(name: &str) -> Vec<u8> {
    let mut packet = b"heartbeat::\x83t\x00\x00\x00\x01w\x04nodew".to_vec();
    packet.push(u8::try_from(name.len()).expect("short"));
    packet.extend(name.as_bytes());
    packet
}
