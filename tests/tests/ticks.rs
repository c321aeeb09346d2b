//! Silence between a Rust node and a real one, both with a tick time of 4 s: ticks keep an idle connection, and each notices in
//! that time that the other stands still.

use std::time::{Duration, Instant};

use beamline::node::{DownReason, Epmd as UsedEpmd};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, for_each_otp, unique, wait_until};

const COOKIE: &str = "secret";
const TICK_TIME: Duration = Duration::from_secs(4);
/// The time between ticks: a quarter.
const PART: Duration = Duration::from_secs(1);
const FLAGS: &str = "-kernel net_ticktime 4";

fn beam(otp: Otp, epmd: &Epmd) -> Beam {
    Beam::start_with(otp, &unique("a"), epmd.port(), COOKIE, &format!("-start_epmd false {FLAGS}"))
}

/// Between three and five quarters of the tick time, and what a busy machine adds.
fn assert_in_time(took: Duration) {
    assert!(took >= TICK_TIME - PART && took <= TICK_TIME + PART + Duration::from_millis(700), "{took:?}");
}

fn an_idle_connection_lives_and_a_real_node_that_stands_still_is_down(otp: Otp) {
    let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::beamline());
    let builder = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    let node = runtime.block_on(builder.net_ticktime(TICK_TIME).start()).expect("the node starts");
    let mut beam = beam(otp, &epmd);
    assert_eq!(beam.eval(":net_kernel.get_net_ticktime()"), "4");
    let peer: NodeName = beam.name().parse().expect("a name");
    runtime.block_on(node.ping(&peer)).expect("pong");
    beam.eval(":net_kernel.monitor_nodes(true)");
    let mut events = node.events();
    // This is what is tested, not a wait for something.
    let heard = runtime.block_on(async { timeout(TICK_TIME * 13 / 4, events.recv()).await });
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!(beam.eval("receive do other -> other after 0 -> :silence end"), ":silence");
    runtime.block_on(node.ping(&peer)).expect("pong");

    beam.signal("STOP");
    let begun = Instant::now();
    let down = runtime.block_on(async { timeout(DEADLINE, events.recv()).await }).expect("in time");
    let reason = DownReason::NetTickTimeout;
    assert_eq!(down, Some(NodeEvent::Down { node: peer, hidden: false, reason }));
    assert_in_time(begun.elapsed());
}

fn a_rust_node_that_stands_still_is_down(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut beam = beam(otp, &epmd);
    let name = unique("app_a");
    let arguments = ["--name", &name, "--cookie", COOKIE, "--erl", FLAGS];
    let app = Program::start("app_a", epmd.port(), &arguments, &[]);
    wait_until("the program is reached", DEADLINE, || match beam.eval(&format!("Node.connect(:{name:?})")) {
        answer if answer == "true" => Ok(()),
        answer => Err(answer),
    });
    assert_eq!(beam.eval(":global.sync()"), ":ok");
    beam.eval(":net_kernel.monitor_nodes(true, [:nodedown_reason])");
    app.signal("STOP");
    let begun = Instant::now();
    let down = "receive do {:nodedown, node, info} -> {node, info[:nodedown_reason]} after 15000 -> :silence end";
    assert_eq!(beam.eval(down), format!("{{:{name:?}, :net_tick_timeout}}"));
    assert_in_time(begun.elapsed());
}

for_each_otp!(
    an_idle_connection_lives_and_a_real_node_that_stands_still_is_down,
    a_rust_node_that_stands_still_is_down,
);
