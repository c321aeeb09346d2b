//! Large messages between a Rust node and a real one, with small ones beside them: nothing is lost, nothing overtakes what it
//! must not.

use std::time::Duration;

use beamline::node::Epmd as UsedEpmd;
use beamline::prelude::*;
use beamline::term::Binary;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use whole_clusters::{Beam, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";
const LONG: Duration = Duration::from_secs(120);
const LARGE: usize = 200 << 20;
const SMALL: i64 = 20_000;

/// A Rust node with a process `sink` that hands on what it gets, and a real node that is connected with it.
fn pair(otp: Otp, runtime: &Runtime, epmd: &Epmd) -> (Node, Beam, mpsc::UnboundedReceiver<Term>) {
    let module = Module::new("Elixir.Test")
        .function("size", |value: Binary| async move { Ok(value.len()) })
        .function("bytes", |size: usize| async move { Ok(Binary::from(vec![7; size])) });
    let node = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port())).module(module);
    let node = runtime.block_on(node.start()).expect("the node starts");
    let mut events = node.events();
    runtime.spawn(async move {
        // For a test that fails.
        while let Some(event) = events.recv().await {
            eprintln!("{event:?}");
        }
    });
    let (tell, told) = mpsc::unbounded_channel();
    let sink = node.spawn(|mut me| async move {
        while let Some(message) = me.receive().await {
            let _ = tell.send(message.term().expect("a term"));
        }
    });
    node.register("sink", &sink).expect("the name is free");
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    beam.eval(&format!("peer = :{:?}", node.name().as_str()));
    assert_eq!(beam.eval("Node.connect(peer)"), "true");
    assert_eq!(beam.eval("Process.register(self(), :sink)"), "true");
    (node, beam, told)
}

fn small_messages_pass_beside_a_large_one(otp: Otp) {
    let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::erlang(otp));
    let (node, mut beam, mut told) = pair(otp, &runtime, &epmd);
    let expression = format!(
        "big = Task.async(fn -> :erpc.call(peer, Test, :size, [:binary.copy(<<7>>, {LARGE})], 120000) end);
         for n <- 1..{SMALL}, do: send({{:sink, peer}}, n);
         is_map(big)"
    );
    assert_eq!(beam.eval(&expression), "true");
    runtime.block_on(async {
        for number in 1..=SMALL {
            let message = timeout(LONG, told.recv()).await.expect("in time").expect("the process lives");
            assert_eq!(message.as_i64(), Some(number));
        }
    });
    beam.eval_until_within(LONG, "Process.alive?(big.pid)", "false");
    assert_eq!(beam.eval("Task.await(big)"), LARGE.to_string());

    let peer: NodeName = beam.name().parse().expect("a name");
    runtime.block_on(async {
        let (caller, to) = (node.clone(), peer.clone());
        let big = tokio::spawn(async move {
            let content = Binary::from(vec![7; LARGE]);
            caller.call::<usize>(&to, ("erlang", "byte_size"), (content,)).timeout(LONG).await
        });
        for number in 1..=SMALL {
            node.send(("sink", &peer), &number).await.expect("sent");
        }
        assert_eq!(big.await.expect("it runs").expect("an answer"), LARGE);
        let back = node.call::<Binary>(&peer, ("binary", "copy"), (Binary::from(vec![7; 1 << 20]), 50)).timeout(LONG);
        assert_eq!(back.await.expect("an answer").len(), 50 << 20);
    });
    let in_order = format!("Enum.all?(1..{SMALL}, fn n -> receive do m -> m == n after 5000 -> false end end)");
    assert_eq!(beam.eval(&in_order), "true");
    assert_eq!(beam.eval("byte_size(:erpc.call(peer, Test, :bytes, [50_000_000]))"), "50000000");
    assert!(!beam.said().contains("[error]"), "{}", beam.said());
}

fn a_pair_of_processes_keeps_its_order(otp: Otp) {
    let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::erlang(otp));
    let (node, mut beam, mut told) = pair(otp, &runtime, &epmd);
    let peer: NodeName = beam.name().parse().expect("a name");
    let size = 5_000_000;
    beam.eval(&format!(
        "for n <- 1..5 do send({{:sink, peer}}, {{n, :binary.copy(<<n>>, {size})}}); send({{:sink, peer}}, n) end; :ok"
    ));
    runtime.block_on(async {
        for number in 1..=5i64 {
            let large = timeout(LONG, told.recv()).await.expect("in time").expect("the process lives");
            let content = large.as_tuple().and_then(|pair| pair[1].as_binary()).expect("a binary");
            assert!(content.len() == size && content.iter().all(|byte| i64::from(*byte) == number));
            let small = timeout(LONG, told.recv()).await.expect("in time").expect("the process lives");
            assert_eq!(small.as_i64(), Some(number));
        }
        for number in 1..=5u8 {
            node.send(("sink", &peer), &(number, Binary::from(vec![number; size]))).await.expect("sent");
            node.send(("sink", &peer), &number).await.expect("sent");
        }
    });
    let in_order = format!(
        "Enum.all?(1..5, fn n ->
           large = receive do m -> m == {{n, :binary.copy(<<n>>, {size})}} after 20000 -> false end;
           large and receive do m -> m == n after 20000 -> false end
         end)"
    );
    assert_eq!(beam.eval(&in_order), "true");
}

for_each_otp!(small_messages_pass_beside_a_large_one, a_pair_of_processes_keeps_its_order);
