//! A visible Rust node that connects to nobody by itself, beside a cluster of real nodes: it has names of its own, and nobody
//! waits for it.

use std::time::{Duration, Instant};

use beamline::node::{Epmd as UsedEpmd, NodeBuilder};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";
/// Two real nodes that meet take up to three seconds to agree.
const SOON: Duration = Duration::from_secs(6);

fn start(runtime: &Runtime, builder: NodeBuilder, epmd: &Epmd) -> Node {
    let builder = builder.cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    runtime.block_on(builder.start()).expect("the node starts")
}

/// All that `global` does works at this node, under this name, without delay.
fn assert_works(beam: &mut Beam, name: &str) {
    let begun = Instant::now();
    assert_eq!(beam.eval(":global.sync()"), ":ok");
    assert_eq!(
        beam.eval(&format!(":global.register_name(:{name}, spawn(fn -> Process.sleep(:infinity) end))")),
        ":yes"
    );
    let lock = "lock = {:job, self()}; nodes = [node() | Node.list()]; :global.set_lock(lock, nodes, 1)";
    assert_eq!(beam.eval(lock), "true");
    assert_eq!(beam.eval(":global.del_lock(lock, nodes)"), "true");
    assert_eq!(beam.eval(":global.trans({:job, self()}, fn -> :done end)"), ":done");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

fn nobody_waits_for_a_node_that_connects_to_nobody(otp: Otp) {
    let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::beamline());
    let mut beams: Vec<Beam> = (0..2).map(|_| Beam::start(otp, &unique("e"), epmd.port(), COOKIE)).collect();
    let apart = start(&runtime, Node::builder(unique("apart")).connect_all(false), &epmd);
    let whole = start(&runtime, Node::builder(unique("rust")), &epmd);
    let other = beams[1].atom();
    assert_eq!(beams[0].eval(&format!("Node.connect({other})")), "true");
    for peer in [beams[0].name().parse().expect("a name"), whole.name().clone()] {
        runtime.block_on(apart.connect(&peer)).expect("they connect");
    }
    // They have met, and each waits for all that it sees.
    assert_eq!(beams[0].eval(&format!(":{:?} in Node.list()", apart.name().as_str())), "true");
    assert_works(&mut beams[0], "first");
    assert_works(&mut beams[1], "second");
    let sync = async { timeout(SOON, whole.global().sync()).await };
    runtime.block_on(sync).expect("the other Rust node is in sync");
    // One that comes later finds it there.
    beams.push(Beam::start(otp, &unique("e"), epmd.port(), COOKIE));
    runtime.block_on(apart.connect(&beams[2].name().parse().expect("a name"))).expect("they connect");
    assert_works(&mut beams[2], "third");
    let other = beams[0].atom();
    assert_eq!(beams[2].eval(&format!("Node.connect({other})")), "true");
    assert_works(&mut beams[2], "fourth");
    assert_eq!(beams[1].eval("Enum.sort(:global.registered_names())"), "[:first, :fourth, :second, :third]");
    beams[1].eval_until("length(Node.list())", "2");

    // It knows only whom it was told to meet, and has its own names.
    assert_eq!(apart.list().len(), 3);
    let pid = apart.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    let global = apart.global();
    runtime.block_on(async { timeout(SOON, global.sync()).await }).expect("it waits for nobody");
    runtime.block_on(async { timeout(SOON, global.register(atom("own"), &pid)).await }).expect("soon").expect("free");
    let names: Vec<Term> = global.names().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [Term::atom("own")]);
    assert_eq!(beams[0].eval(":global.whereis_name(:own)"), ":undefined");

    // Its end is nobody's loss.
    let first = beams[0].atom();
    beams[1].eval(":net_kernel.monitor_nodes(true)");
    runtime.block_on(apart.stop());
    beams[0].eval_until_within(DEADLINE, "length(Node.list())", "2");
    assert_eq!(beams[1].eval(&format!("{first} in Node.list()")), "true");
    assert_eq!(beams[1].eval("receive do other -> other after 100 -> :silence end"), ":silence");
    assert_works(&mut beams[0], "fifth");
}

for_each_otp!(nobody_waits_for_a_node_that_connects_to_nobody);
