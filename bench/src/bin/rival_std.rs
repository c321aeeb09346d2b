//! The limit with blocking sockets: 20 bytes there and back; messages with one write each; a connection and one round trip.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use beamline_bench::protocol::{self, Command, Error, Limit, Report, Role, say, say_result};

const FRAME: usize = 20;

fn main() -> ExitCode {
    let result = match Role::of_arguments() {
        Role::Serve => serve(),
        Role::Client(address) => client(&address),
        Role::Other(_) => Err("serve, or client ADDRESS".into()),
    };
    if let Err(error) = result {
        say(format_args!("failed {error}"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn serve() -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    say(format_args!("ready {}", listener.local_addr()?));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    protocol::wait_for_end();
    Ok(())
}

/// The first byte says what the connection is for.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut purpose = [0];
    stream.read_exact(&mut purpose)?;
    if purpose == *b"o" {
        return count(stream);
    }
    let mut frame = [0; FRAME];
    loop {
        stream.read_exact(&mut frame)?;
        stream.write_all(&frame)?;
    }
}

/// Counts messages, each after its length; at one of length 0 says how many there were.
fn count(stream: TcpStream) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    let (mut count, mut message) = (0_u64, Vec::new());
    loop {
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        match u32::from_be_bytes(length) as usize {
            0 => writer.write_all(&std::mem::take(&mut count).to_be_bytes())?,
            length => {
                message.resize(length, 0);
                reader.read_exact(&mut message)?;
                count += 1;
            }
        }
    }
}

fn connect(address: &str, purpose: u8) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&[purpose])?;
    Ok(stream)
}

fn client(address: &str) -> Result<(), Error> {
    let mut calling = connect(address, b'c')?;
    let mut sending = connect(address, b'o')?;
    say("ready");
    protocol::read_commands(|command| {
        say_result(match command {
            Command::Calls { callers: 1, limit, .. } => protocol::calls(limit, || round_trip(&mut calling)),
            Command::Calls { .. } => Err("a blocking socket has one caller".into()),
            Command::OneWay { size, limit } => one_way(&mut sending, size, limit),
            Command::Connect { count, pause } => connects(address, count, pause),
        });
    });
    Ok(())
}

fn round_trip(stream: &mut TcpStream) -> Result<(), Error> {
    let mut frame = [7; FRAME];
    stream.write_all(&frame)?;
    stream.read_exact(&mut frame)?;
    Ok(())
}

fn one_way(stream: &mut TcpStream, size: usize, limit: Limit) -> Result<Report, Error> {
    let mut message = (size as u32).to_be_bytes().to_vec();
    message.resize(4 + size, 7);
    let start = Instant::now();
    let mut count = 0;
    while !limit.reached(count, start.elapsed()) {
        stream.write_all(&message)?;
        count += 1;
    }
    stream.write_all(&[0; 4])?;
    let mut arrived = [0; 8];
    stream.read_exact(&mut arrived)?;
    if u64::from_be_bytes(arrived) != count {
        return Err("not all messages arrived".into());
    }
    Ok(Report::Counted { count, elapsed: start.elapsed() })
}

fn connects(address: &str, count: usize, pause: Duration) -> Result<Report, Error> {
    let start = Instant::now();
    let mut latencies = Vec::new();
    for _ in 0..count {
        let before = Instant::now();
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(b"c")?;
        round_trip(&mut stream)?;
        latencies.push(before.elapsed().as_nanos() as u64);
        drop(stream);
        std::thread::sleep(pause);
    }
    Ok(Report::timed("connect", latencies, start.elapsed()))
}
