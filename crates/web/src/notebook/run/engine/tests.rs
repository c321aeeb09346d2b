//! The engine at nodes of the same process, which reach each other without sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use beamline_node::transport::Memory;
use beamline_node::{Epmd, Listen, Module, Route};
use beamline_term::atom;

use super::*;
use crate::notebook::run::outline::{CodeCell, Language, Section, SectionId};

const DEADLINE: Duration = Duration::from_secs(20);

/// Two nodes that reach each other; the second has functions of its own.
async fn nodes() -> (Node, Node) {
    let network = Memory::new();
    let builder = |name: &str, port| {
        let builder = Node::builder(name).cookie("secret").epmd(Epmd::None).transport(network.clone());
        builder.listen(Listen::Ports(port, port)).resolver(async |peer: NodeName| {
            let port = if peer.alive() == "a" { 1 } else { 2 };
            Ok(Route::port([127, 0, 0, 1].into(), port))
        })
    };
    let running = Arc::new(AtomicUsize::new(0));
    let entered = Arc::clone(&running);
    let app = Module::new("Elixir.App")
        .function("hello", || async { Ok(atom("world")) })
        .function("forever", move || {
            let guard = Guard::new(&entered);
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Ok(atom("never"))
            }
        })
        .function("running", move || {
            let running = running.load(Ordering::SeqCst);
            async move { Ok(running as u64) }
        });
    let a = builder("a@127.0.0.1", 1).start().await.expect("it starts");
    let b = builder("b@127.0.0.1", 2).module(app).start().await.expect("it starts");
    (a, b)
}

/// Counts calls that run.
struct Guard(Arc<AtomicUsize>);

impl Guard {
    fn new(count: &Arc<AtomicUsize>) -> Guard {
        count.fetch_add(1, Ordering::SeqCst);
        Guard(Arc::clone(count))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn cells(sources: &[&str]) -> Outline {
    let cell = |(id, source): (usize, &&str)| CodeCell::new(CellId(id as u64), Language::Elixir, source);
    let cells = sources.iter().enumerate().map(cell).collect();
    Outline { setup: None, sections: vec![Section { id: SectionId(100), parent: None, cells }] }
}

/// Waits until a cell shows what is wanted.
async fn until(engine: &Engine, cell: u64, wanted: impl Fn(&CellState) -> bool) -> CellState {
    let found = async {
        loop {
            let update = engine.since(0);
            if let Some(state) = update.cells.into_iter().find(|state| state.id == CellId(cell) && wanted(state)) {
                return state;
            }
            engine.changed(update.number).await;
        }
    };
    match tokio::time::timeout(DEADLINE, found).await {
        Ok(state) => state,
        Err(_) => panic!("cell {cell} does not come to that: {:#?}", engine.since(0)),
    }
}

async fn engine(node: &Node, target: &NodeName, outline: &Outline) -> Engine {
    let engine = Engine::new(node);
    engine.set_outline(outline);
    engine.attach(target, None);
    let state = tokio::time::timeout(DEADLINE, engine.attached()).await.expect("in time");
    assert!(matches!(state, RuntimeState::Ready { .. }), "{state:?}");
    engine
}

fn run(engine: &Engine, ask: Ask) {
    assert!(engine.run(ask, &Permit::operator()));
}

async fn idle(engine: &Engine) {
    tokio::time::timeout(DEADLINE, engine.idle()).await.expect("all is done in time");
}

fn shown(state: &CellState) -> String {
    match state.output.as_ref().and_then(|output| output.result.as_ref()) {
        Some(Outcome::Value { text, .. }) => text.clone(),
        Some(Outcome::Failed(failure)) => format!("line {:?}: {}", failure.line, failure.message),
        Some(Outcome::Aborted(why)) => format!("aborted: {why}"),
        other => format!("{other:?}"),
    }
}

fn all(engine: &Engine) -> Vec<String> {
    engine.since(0).cells.iter().map(shown).collect()
}

#[tokio::test]
async fn cells_see_what_is_above_them() {
    let (a, b) = nodes().await;
    let engine = engine(&a, b.name(), &cells(&["x = App.hello()", "y = {x, 1}\nIO.puts(\"out\")\ny", "{x, y}"])).await;
    run(&engine, Ask::Cell(CellId(2)));
    idle(&engine).await;
    assert_eq!(all(&engine), [":world", "{:world, 1}", "{:world, {:world, 1}}"]);
    let second = engine.since(0).cells[1].clone();
    assert_eq!(second.output.expect("it ran").printed.kept(), "out\n");
    // The first again, after an edit: the last still shows what it gave, and is stale.
    engine.set_outline(&cells(&["x = 7", "y = {x, 1}", "{x, y}"]));
    run(&engine, Ask::Cell(CellId(0)));
    idle(&engine).await;
    assert_eq!(all(&engine), ["7", "{:world, 1}", "{:world, {:world, 1}}"]);
    assert_eq!(engine.since(0).cells[2].mark, Mark::Stale);
    run(&engine, Ask::Stale);
    idle(&engine).await;
    assert_eq!(all(&engine), ["7", "{7, 1}", "{7, {7, 1}}"]);
}

#[tokio::test]
async fn what_runs_at_the_node_ends_when_it_is_cancelled() {
    let (a, b) = nodes().await;
    let engine = engine(&a, b.name(), &cells(&["x = 1", "App.forever()", "x"])).await;
    run(&engine, Ask::All);
    let count = async || a.call::<u64>(b.name(), ("Elixir.App", "running"), ()).await.expect("it answers");
    until(&engine, 1, |cell| cell.mark == Mark::Evaluating).await;
    while count().await != 1 {
        tokio::task::yield_now().await;
    }
    engine.cancel(CellId(1));
    until(&engine, 1, |cell| cell.mark == Mark::Aborted).await;
    assert_eq!(all(&engine)[1], "aborted: it was cancelled");
    assert_eq!(engine.since(0).cells[2].mark, Mark::Aborted);
    while count().await != 0 {
        tokio::task::yield_now().await;
    }
    // What is above is as it was.
    engine.set_outline(&cells(&["x = 1", "x + 1", "x"]));
    run(&engine, Ask::Cell(CellId(1)));
    idle(&engine).await;
    assert_eq!(all(&engine)[1], "2");
}

#[tokio::test]
async fn a_loop_is_ended_and_so_is_one_whose_engine_is_gone() {
    let (a, _b) = nodes().await;
    let engine = engine(&a, a.name(), &cells(&["Enum.reduce(1..100_000_000, 0, & &1 + &2)"])).await;
    run(&engine, Ask::All);
    until(&engine, 0, |cell| cell.mark == Mark::Evaluating).await;
    engine.cancel_all();
    until(&engine, 0, |cell| cell.mark == Mark::Aborted).await;
    run(&engine, Ask::All);
    until(&engine, 0, |cell| cell.mark == Mark::Evaluating).await;
    let weak = Arc::downgrade(&engine.shared);
    drop(engine);
    let gone = async {
        while weak.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("nothing holds it");
}

#[tokio::test]
async fn a_node_that_goes_takes_the_variables_with_it() {
    let (a, b) = nodes().await;
    let engine = engine(&a, b.name(), &cells(&["x = 1", "App.forever()"])).await;
    run(&engine, Ask::All);
    until(&engine, 1, |cell| cell.mark == Mark::Evaluating).await;
    b.stop().await;
    let first = until(&engine, 0, |cell| cell.mark == Mark::Stale).await;
    assert_eq!(shown(&first), "1");
    let RuntimeState::Lost { node, told } = engine.since(0).runtime else { panic!("not lost: {:?}", engine.since(0)) };
    assert_eq!(node.as_str(), "b@127.0.0.1");
    assert!(told.contains("reconnect"), "{told}");
    assert!(!engine.run(Ask::All, &Permit::operator()), "there is nowhere to run them");
    engine.reconnect();
    let state = tokio::time::timeout(DEADLINE, engine.attached()).await.expect("in time");
    let RuntimeState::Failed { told, .. } = state else { panic!("{state:?}") };
    assert!(told.contains("doctor"), "{told}");
    // Somewhere else they run from the start.
    engine.attach(a.name(), None);
    run(&engine, Ask::Cell(CellId(0)));
    idle(&engine).await;
    assert_eq!(engine.since(0).cells[0].mark, Mark::Fresh);
}

#[tokio::test]
async fn failures_have_their_line_and_end_what_is_below() {
    let (a, b) = nodes().await;
    let sources =
        ["a = 1\n\nhd([])\n", "a = 1\nb =", "App.hello()\nApp.nope()", "Mix.install([:kino])", "# Mix.install\n1"];
    let engine = engine(&a, b.name(), &cells(&sources)).await;
    for cell in 0..sources.len() as u64 {
        run(&engine, Ask::Cell(CellId(cell)));
        idle(&engine).await;
    }
    let all = all(&engine);
    assert!(all[0].starts_with("line Some(3): ** (ArgumentError)"), "{}", all[0]);
    assert!(all[1].starts_with("line Some(2): ** (TokenMissingError)"), "{}", all[1]);
    assert!(all[2].starts_with("line Some(2): ** (UndefinedFunctionError)"), "{}", all[2]);
    assert!(all[3].contains("Mix.install is not run here"), "{}", all[3]);
    assert_eq!(all[4], "1");
    run(&engine, Ask::All);
    idle(&engine).await;
    assert_eq!(engine.since(0).cells[4].mark, Mark::Aborted);
}

#[tokio::test]
async fn nobody_answers_a_cell_that_reads() {
    let (a, b) = nodes().await;
    let engine = Engine::unwatched(&a);
    engine.set_outline(&cells(&["IO.gets(\"name? \")"]));
    engine.attach(b.name(), None);
    let state = tokio::time::timeout(DEADLINE, engine.attached()).await.expect("in time");
    assert!(matches!(state, RuntimeState::Ready { .. }), "{state:?}");
    run(&engine, Ask::All);
    idle(&engine).await;
    let cell = engine.since(0).cells.remove(0);
    assert_eq!(shown(&cell), "{:error, :enotsup}");
    assert!(cell.output.expect("it ran").printed.kept().contains("nobody is here to answer"));
}

#[tokio::test]
async fn a_flood_is_slowed_and_bounded_and_others_run() {
    let (a, b) = nodes().await;
    let line = "x".repeat(1000);
    let mut outline = cells(&["1", &format!("for _ <- 1..100_000, do: IO.puts(\"{line}\")")]);
    let side = vec![CodeCell::new(CellId(9), Language::Elixir, "App.hello()")];
    outline.sections.insert(0, Section { id: SectionId(99), parent: None, cells: Vec::new() });
    outline.sections.push(Section { id: SectionId(101), parent: Some(SectionId(99)), cells: side });
    let engine = engine(&a, b.name(), &outline).await;
    run(&engine, Ask::All);
    let flooded = |cell: &CellState| cell.output.as_ref().is_some_and(|output| output.printed.bytes > 1 << 20);
    until(&engine, 1, flooded).await;
    let side = until(&engine, 9, |cell| cell.mark == Mark::Fresh).await;
    assert_eq!(shown(&side), ":world");
    let flood = engine.since(0).cells[1].clone();
    assert_eq!(flood.mark, Mark::Evaluating, "it waits between its lines");
    engine.cancel(CellId(1));
    idle(&engine).await;
}

#[tokio::test]
async fn viewers_are_told_what_has_changed_since() {
    let (a, b) = nodes().await;
    let engine = engine(&a, b.name(), &cells(&["x = 1", "x + 1"])).await;
    let start = engine.since(0);
    assert_eq!(start.cells.len(), 2);
    assert!(engine.since(start.number).cells.is_empty());
    run(&engine, Ask::Cell(CellId(0)));
    tokio::time::timeout(DEADLINE, engine.changed(start.number)).await.expect("it changes");
    idle(&engine).await;
    let update = engine.since(start.number);
    assert_eq!(update.cells.iter().map(|cell| cell.id.0).collect::<Vec<_>>(), [0]);
    // One that was away sees the same as one that was there.
    assert_eq!(engine.since(0).cells[0], update.cells[0]);
    let json = serde_json::to_value(&update).expect("it is JSON");
    assert_eq!(json["runtime"]["kind"], "rust");
    assert_eq!(json["cells"][0]["mark"], "fresh");
    assert_eq!(json["cells"][0]["output"]["result"]["value"]["text"], "1");
}

#[tokio::test]
async fn what_stands_in_a_context_completes() {
    let (a, b) = nodes().await;
    let engine = engine(&a, b.name(), &cells(&["some_name = 1", "other_name = 2", "3"])).await;
    run(&engine, Ask::Cell(CellId(1)));
    idle(&engine).await;
    let texts = async |cell, before| -> Vec<String> {
        engine.complete(CellId(cell), before).await.into_iter().map(|found| found.text).collect()
    };
    assert_eq!(texts(1, "some_").await, ["some_name"]);
    assert!(texts(0, "some_").await.is_empty(), "a cell's own variables come after it");
    assert!(texts(1, "other_").await.is_empty());
    assert_eq!(texts(2, "other_").await, ["other_name"]);
    assert_eq!(texts(2, "App.hel").await, ["App.hello"]);
}

#[tokio::test]
async fn given_variables_are_seen_by_all_cells() {
    let (a, b) = nodes().await;
    let engine = Engine::new(&a);
    engine.set_outline(&cells(&["region <> \"!\"", "String.length(quoted)"]));
    engine.give(vec![("region".into(), "eu".into()), ("quoted".into(), "a\"#{b}\n".into())]);
    engine.attach(b.name(), None);
    run(&engine, Ask::All);
    idle(&engine).await;
    assert_eq!(all(&engine), ["\"eu!\"", "7"]);
}
