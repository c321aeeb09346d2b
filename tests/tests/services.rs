//! What becomes of a Rust node whose services a real node has ended.

use std::time::Duration;

use beamline::node::{Epmd as UsedEpmd, StopReason};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique};

for_each_otp!(a_killed_rex_answers_again, a_killed_global_ends_the_node);

/// A Rust node that tells the pids of its services, and a real one that is connected with it.
fn start(otp: Otp) -> (Runtime, Epmd, Node, Beam, String) {
    let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("rust"));
    let builder = Node::builder(&name).cookie("secret").epmd(UsedEpmd::on_port(epmd.port()));
    let node = runtime.block_on(builder.start()).expect("the node starts");
    let pids = ["rex", "net_kernel", "global_name_server"].map(|name| (name, node.whereis(name).expect("it runs")));
    node.export(Module::new("Elixir.Test").function("pid", move |name: Atom| {
        let pid = pids.iter().find(|(known, _)| name == *known).map(|(_, pid)| pid.clone());
        async move { pid.ok_or(Raise::runtime_error("no service")) }
    }));
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), "secret");
    assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "true");
    (runtime, epmd, node, beam, name)
}

fn kill(beam: &mut Beam, name: &str, service: &str) {
    let code = format!(
        "pid = :rpc.call(:{name:?}, Test, :pid, [:{service}]); ref = Process.monitor(pid); Process.exit(pid, :kill); \
         receive do {{:DOWN, ^ref, _, _, reason}} -> reason end"
    );
    assert_eq!(beam.eval(&code), ":killed");
}

fn a_killed_rex_answers_again(otp: Otp) {
    let (_runtime, _epmd, node, mut beam, name) = start(otp);
    for service in ["rex", "net_kernel"] {
        kill(&mut beam, &name, service);
    }
    // A call by way of rex itself; while there is none it fails at once.
    beam.eval_until(&format!(":rpc.block_call(:{name:?}, :erlang, :node, [])"), &format!(":{name:?}"));
    assert_eq!(beam.eval(&format!(":rpc.call(:{name:?}, :erlang, :node, [])")), format!(":{name:?}"));
    beam.eval_until(&format!("Node.ping(:{name:?})"), ":pong");
    assert_eq!(beam.eval(&format!("Node.list() == [:{name:?}]")), "true");
    drop(node);
}

fn a_killed_global_ends_the_node(otp: Otp) {
    let (runtime, _epmd, node, mut beam, name) = start(otp);
    let code = format!(
        "pid = :rpc.call(:{name:?}, Test, :pid, [:global_name_server]); Node.monitor(:{name:?}, true); \
         Process.exit(pid, :kill); receive do {{:nodedown, node}} -> node == :{name:?} end"
    );
    assert_eq!(beam.eval(&code), "true");
    let reason = runtime.block_on(async { timeout(DEADLINE.max(Duration::from_secs(10)), node.stopped()).await });
    let reason = reason.expect("it stops");
    let is_lost = matches!(&reason, StopReason::ServiceLost { service: "global_name_server", .. });
    assert!(is_lost, "{reason}");
    assert_eq!(beam.eval("Node.list()"), "[]");
}
