//! serde straight to and from bytes, beside the way through terms that it saves, and beside erltf_serde: the best of some
//! rounds, with the allocations of one run. `cargo run --release --manifest-path bench/Cargo.toml --bin serde`; exits with 1
//! where serde takes a quarter longer than building, or writing, the same terms.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use beamline_term::{Atom, Creation, Pid, Reference, Term, atom, codec::encode, serde as terms};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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

/// A call of a GenServer, with the parts that Erlang puts around it.
type Call = (Atom, (Pid, Term), Request);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    Get(String, Options, f64),
}

#[derive(Serialize, Deserialize)]
struct Options {
    timeout: u32,
}

#[derive(Serialize, Deserialize)]
struct Row(#[serde(with = "beamline_term::serde::keyword")] Fields);

/// One row of the property lists of `terms`.
#[derive(Serialize, Deserialize)]
struct Fields {
    id: i64,
    name: String,
    tags: (Atom, Atom, f64),
    at: (u16, u8, u8),
}

/// The same as a map, which erltf_serde knows too.
#[derive(Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
    score: f64,
    active: bool,
    parent: Option<i64>,
}

/// The best time of one run in this round, and the allocations of one.
fn measure(mut run: impl FnMut()) -> (f64, u64) {
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
    ((start.elapsed() / times).as_secs_f64() * 1e6, allocations)
}

/// Prints a line; whether serde keeps up in both directions.
fn compare<T: Serialize + DeserializeOwned>(name: &str, value: &T, rival: bool) -> bool {
    let bytes = Bytes::from(terms::to_bytes(value).expect("it can be written"));
    let term = Term::decode(&bytes).expect("a term");
    let mut best = [(f64::MAX, 0); 6];
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for _ in 0..9 {
        let mut note = |place: usize, one: (f64, u64)| best[place] = (best[place].0.min(one.0), one.1);
        note(
            0,
            measure(|| {
                out.clear();
                terms::write(black_box(value), &mut out).expect("it can be written");
                black_box(&out);
            }),
        );
        note(
            1,
            measure(|| {
                out.clear();
                encode::term(&mut out, black_box(&term));
                black_box(&out);
            }),
        );
        note(3, measure(|| drop(black_box(terms::from_bytes::<T>(black_box(&bytes)).expect("it can be read")))));
        note(4, measure(|| drop(black_box(Term::decode(black_box(&bytes)).expect("a term")))));
        if rival {
            note(2, measure(|| drop(black_box(erltf_serde::to_bytes(black_box(value)).expect("it can be written")))));
            note(
                5,
                measure(|| drop(black_box(erltf_serde::from_bytes::<T>(black_box(&bytes)).expect("it can be read")))),
            );
        }
    }
    let shown = best.map(|(time, count)| match time {
        f64::MAX => format!("{:14}", "-"),
        time => format!("{time:>8.3} {:<5}", format!("({count})")),
    });
    println!("{name:32} {}", shown.join(" "));
    best[0].0 <= 1.25 * best[1].0 && best[3].0 <= 1.25 * best[4].0
}

fn main() {
    let pid = Pid::new(atom("some_service@10.20.30.40"), 100, 0, Creation::new(1_700_000_000));
    let reference = Reference::at(pid.origin(), &[1, 2, 3, 4, 5]).expect("5 words");
    let tag = Term::improper([atom("alias").into()], reference.into());
    let call: Call = (atom("$gen_call"), (pid, tag), Request::Get("some key".into(), Options { timeout: 5000 }, 1.5));
    let fields =
        |id| Fields { id, name: "a name of someone".into(), tags: (atom("a"), atom("b"), 1.5), at: (2024, 2, 29) };
    let rows: Vec<Row> = (0..80).map(|id| Row(fields(id))).collect();
    let user =
        |id| User { id, name: "a name of someone".into(), score: 1.5, active: true, parent: (id > 9).then_some(id) };
    let users: Vec<User> = (0..100).map(user).collect();
    println!("microseconds (allocations)");
    println!("{:32} {:^44} {:^44}", "", "write", "read");
    let titles = ["serde", "terms alone", "erltf_serde"].map(|title| format!("{title:14}")).join(" ");
    println!("{:32} {titles} {titles}", "");
    let faster = [
        compare("$gen_call, 196 B", &call, false),
        compare("80 property lists, 8.5 KB", &rows, false),
        compare("100 structs as maps", &users, true),
        compare(
            "1000 pairs of integer and text",
            &(0..1000).map(|id| (id, "text".to_owned())).collect::<Vec<(i64, String)>>(),
            true,
        ),
    ];
    if faster.contains(&false) {
        println!("serde is behind");
        std::process::exit(1);
    }
}
