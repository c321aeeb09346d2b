//! Encoding and decoding of terms by Beamline, OTP, eetf and erltf, and a bare copy of the bytes: `cargo xtask bench terms`.
//!
//! Within a round each takes its turn on each term; what is shown is the median of the rounds, and the median of the rounds'
//! ratios, which a busy machine moves least. Allocations are counted apart. Exits with 1 where a rival is faster that must
//! not be. `terms ROUNDS` takes another number of rounds; `terms encode|decode NAME TIMES` only runs Beamline, for a profiler.

mod allocations;
mod otp;
mod payloads;
mod report;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use beamline_term::Term;
use beamline_term::codec::{Rope, encode};
use bytes::Bytes;

use otp::Otp;
use report::{Direction, Row};

/// The time of one run, in nanoseconds: the best of ten turns of a millisecond, since other processes take theirs in between.
fn measure(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..3).for_each(|_| run());
    let once = (start.elapsed() / 3).max(Duration::from_nanos(20));
    let times = (Duration::from_millis(1).as_nanos() / once.as_nanos()).clamp(1, 20_000) as u32;
    let turn = |_| {
        let start = Instant::now();
        (0..times).for_each(|_| run());
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    (0..10).map(turn).fold(f64::MAX, f64::min)
}

struct Contest {
    term: Term,
    bytes: Bytes,
    eetf: eetf::Term,
    erltf: erltf::OwnedTerm,
    file: Option<PathBuf>,
    encode: Row,
    decode: Row,
}

/// Where the copy of a binary is the whole work, the encoders that can avoid it do.
const BY_REFERENCE: usize = 64 << 10;

impl Contest {
    fn new(name: &'static str, term: Term) -> Contest {
        let bytes = Bytes::from(term.encode());
        let eetf = eetf::Term::decode(&bytes[..]).expect("eetf reads it");
        let erltf = erltf::decode(&bytes).expect("erltf reads it");
        assert_eq!(Term::decode(&bytes).as_ref(), Ok(&term));
        let (encode, decode) = (Row::new(name, Direction::Encode), Row::new(name, Direction::Decode));
        Contest { term, bytes, eetf, erltf, file: None, encode, decode }
    }

    fn is_large_binary(&self) -> bool {
        self.term.as_binary().is_some_and(|binary| binary.len() >= BY_REFERENCE)
    }

    fn round(&mut self, otp: Option<&mut Otp>) {
        let room = self.bytes.len() + 64;
        let (mut out, mut rope) = (Vec::with_capacity(room), Rope::new());
        let ours = match self.is_large_binary() {
            true => measure(|| encode_by_reference(&mut rope, &self.term)),
            false => measure(|| encode_into(&mut out, &self.term)),
        };
        let eetf = measure(|| {
            out.clear();
            black_box(&self.eetf).encode(&mut out).expect("a buffer takes it");
            black_box(&out);
        });
        let erltf = measure(|| drop(black_box(erltf::encode(black_box(&self.erltf)))));
        let copy = measure(|| {
            out.clear();
            out.extend_from_slice(black_box(&self.bytes));
            black_box(&out);
        });
        let decode = measure(|| decode(&self.bytes));
        let their_decode = measure(|| drop(black_box(eetf::Term::decode(black_box(&self.bytes[..])))));
        let other_decode = measure(|| drop(black_box(erltf::decode(black_box(&self.bytes)))));
        let way = if self.is_large_binary() { "iovec" } else { "encode" };
        let (otp_encode, otp_decode) = match (otp, &self.file) {
            (Some(otp), Some(file)) => (Some(otp.measure(way, file)), Some(otp.measure("decode", file))),
            _ => (None, None),
        };
        self.encode.note(ours, [otp_encode, Some(eetf), Some(erltf), Some(copy)]);
        self.decode.note(decode, [otp_decode, Some(their_decode), Some(other_decode), Some(copy)]);
    }

    fn count(&mut self) {
        let mut out = Vec::with_capacity(self.bytes.len() + 64);
        let mut rope = Rope::new();
        encode_by_reference(&mut rope, &self.term);
        self.encode.allocations = match self.is_large_binary() {
            true => allocations::count(|| encode_by_reference(&mut rope, &self.term)),
            false => allocations::count(|| encode_into(&mut out, &self.term)),
        };
        self.decode.allocations = allocations::count(|| decode(&self.bytes));
    }
}

fn encode_into(out: &mut Vec<u8>, term: &Term) {
    out.clear();
    encode::version(out);
    encode::term(out, black_box(term));
    black_box(out);
}

fn encode_by_reference(rope: &mut Rope, term: &Term) {
    rope.clear();
    encode::version(rope.buffer());
    rope.term(black_box(term));
    black_box(rope);
}

fn decode(bytes: &Bytes) {
    drop(black_box(Term::decode(black_box(bytes))));
}

/// Runs Beamline alone.
fn profile(direction: &str, name: &str, times: u32) -> ExitCode {
    let payloads = payloads::payloads();
    let Some((_, term)) = payloads.iter().find(|(own, _)| own.contains(name)) else {
        eprintln!("no such term: {name}");
        return ExitCode::from(2);
    };
    let bytes = Bytes::from(term.encode());
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for _ in 0..times {
        match direction {
            "encode" => encode_into(&mut out, term),
            _ => decode(&bytes),
        }
    }
    ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => 15,
        [rounds] => rounds.parse().unwrap_or(15),
        [direction, name, times] => return profile(direction, name, times.parse().unwrap_or(1000)),
        _ => return ExitCode::from(2),
    };
    let mut otp = Otp::start().inspect_err(|reason| println!("OTP is not measured: {reason}")).ok();
    let mut contests: Vec<Contest> =
        payloads::payloads().into_iter().map(|(name, term)| Contest::new(name, term)).collect();
    for (place, contest) in contests.iter_mut().enumerate() {
        contest.file = otp.as_ref().map(|otp| otp.file(place, &contest.bytes));
        contest.count();
    }
    for _ in 0..rounds {
        contests.iter_mut().for_each(|contest| contest.round(otp.as_mut()));
    }
    let rows: Vec<Row> = contests.into_iter().flat_map(|contest| [contest.encode, contest.decode]).collect();
    if report::print(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
