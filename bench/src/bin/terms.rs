//! Encoding and decoding of terms: Beamline, eetf and erltf in turn within each round, the best of the rounds, with the
//! allocations of one run. `cargo run --release --manifest-path bench/Cargo.toml --bin terms`; exits with 1 where
//! Beamline is not the fastest of the three.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use beamline_term::{Creation, Pid, Reference, Term, atom, codec::encode};
use bytes::Bytes;

/// Counts what is allocated.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(place, layout, size) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn payloads() -> Vec<(&'static str, Term)> {
    let node = atom("some_service@10.20.30.40");
    let pid = Pid::new(node.clone(), 100, 0, Creation::new(1_700_000_000));
    let reference = Reference::at(pid.origin(), &[1, 2, 3, 4, 5]).expect("5 words");
    let row = |number: i64| -> Term {
        Term::list([
            (atom("id"), number).into(),
            (atom("name"), "a name of someone").into(),
            (atom("tags"), Term::list([atom("a").into(), atom("b").into(), Term::from(1.5)])).into(),
            (atom("at"), (2024, 2, 29)).into(),
        ])
    };
    let key = |number: usize| Term::Atom(beamline_term::Atom::new(&format!("key_{number}")).expect("short"));
    vec![
        ("{ok, 42, <<\"abc\">>}", (atom("ok"), 42, "abc").into()),
        (
            "$gen_call, 196 B",
            (
                atom("$gen_call"),
                (pid, Term::improper([atom("alias").into()], reference.into())),
                (atom("get"), "some key", Term::map([(atom("timeout").into(), 5000.into())]), 1.5),
            )
                .into(),
        ),
        ("1000 small integers", Term::list((0..1000).map(|number| Term::from(number * 3)))),
        ("map of 100, atom to binary", Term::map((0..100).map(|number| (key(number), "some value".into())))),
        ("nested property list, 8.5 KB", Term::list((0..80).map(row))),
        ("10 000 floats", Term::list((0..10_000).map(|number| Term::from(f64::from(number) * 1.1)))),
        ("1000 nested lists", Term::list((0..1000).map(|number| Term::list([Term::from(number), atom("x").into()])))),
        ("1 MB binary", vec![7_u8; 1 << 20].into()),
    ]
}

/// The best time of one run in this round, and the allocations of one.
fn measure(mut run: impl FnMut()) -> (Duration, u64) {
    let before = COUNT.load(Ordering::Relaxed);
    run();
    let allocations = COUNT.load(Ordering::Relaxed) - before;
    let start = Instant::now();
    run();
    let once = start.elapsed().max(Duration::from_nanos(20));
    let times = (Duration::from_millis(10).as_nanos() / once.as_nanos()).clamp(1, 200_000) as u32;
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    (start.elapsed() / times, allocations)
}

#[derive(Clone, Copy)]
struct Result {
    nanoseconds: f64,
    allocations: u64,
}

fn main() {
    let mut behind = Vec::new();
    println!("microseconds (allocations)");
    println!("{:30} {:^44} {:^44}", "", "encode", "decode");
    let titles = ["beamline", "eetf", "erltf"];
    println!("{:30} {t} {t}", "", t = titles.map(|title| format!("{title:>14}")).join(" "));
    for (name, term) in payloads() {
        let bytes = Bytes::from(term.encode());
        let theirs = eetf::Term::decode(&bytes[..]).expect("eetf reads it");
        let other = erltf::decode(&bytes).expect("erltf reads it");
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let mut best = [Result { nanoseconds: f64::MAX, allocations: 0 }; 6];
        for _ in 0..7 {
            let mut note = |place: usize, (time, allocations): (Duration, u64)| {
                let nanoseconds = best[place].nanoseconds.min(time.as_secs_f64() * 1e9);
                best[place] = Result { nanoseconds, allocations };
            };
            note(0, measure(|| {
                out.clear();
                encode::version(&mut out);
                encode::term(&mut out, black_box(&term));
                black_box(&out);
            }));
            let mut buffer = Vec::with_capacity(bytes.len() + 64);
            note(1, measure(|| {
                buffer.clear();
                black_box(&theirs).encode(&mut buffer).expect("a buffer takes it");
                black_box(&buffer);
            }));
            note(2, measure(|| drop(black_box(erltf::encode(black_box(&other)).expect("a term")))));
            note(3, measure(|| drop(black_box(Term::decode(black_box(&bytes)).expect("a term")))));
            note(4, measure(|| drop(black_box(eetf::Term::decode(black_box(&bytes[..])).expect("a term")))));
            note(5, measure(|| drop(black_box(erltf::decode(black_box(&bytes)).expect("a term")))));
        }
        let shown = best.map(|one| format!("{:>9.3} {:<4}", one.nanoseconds / 1000.0, format!("({})", one.allocations)));
        println!("{name:30} {}", shown.join(" "));
        for (place, what) in [(0, "encode"), (3, "decode")] {
            if best[place].nanoseconds > best[place + 1].nanoseconds.min(best[place + 2].nanoseconds) {
                behind.push(format!("{what} of {name}"));
            }
        }
    }
    if !behind.is_empty() {
        println!("behind in: {}", behind.join(", "));
        std::process::exit(1);
    }
}
