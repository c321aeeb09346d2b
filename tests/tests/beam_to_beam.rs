//! The harness itself: real nodes alone, so that a failing test of ours is ours.

use whole_clusters::{Beam, Epmd, Otp, for_each_otp, unique};

fn nodes_connect_and_call(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), "secret");
    let b = Beam::start(otp, &unique("b"), epmd.port(), "secret");
    assert_eq!(a.eval(&format!("Node.connect({})", b.atom())), "true");
    assert_eq!(a.eval("Node.list()"), format!("[{}]", b.atom()));
    assert_eq!(a.eval(&format!(":rpc.call({}, AppB, :hello, [])", b.atom())), ":world");
}

fn real_nodes_find_each_other_by_our_epmd(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), "secret");
    let b = Beam::start(otp, &unique("b"), epmd.port(), "secret");
    assert_eq!(a.eval(&format!("Node.connect({})", b.atom())), "true");
    let port = epmd.port().to_string();
    let output = otp.command("epmd").args(["-port", &port, "-names"]).output().expect("epmd runs");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in [a.name(), b.name()] {
        let alive = name.split('@').next().unwrap_or_default();
        assert!(names.contains(&format!("name {alive} at port ")), "{names}");
    }
}

fn a_wrong_cookie_is_refused(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), "secret");
    let b = Beam::start(otp, &unique("b"), epmd.port(), "other");
    assert_eq!(a.eval(&format!("Node.connect({})", b.atom())), "false");
}

fn nodes_find_each_other_by_the_gossip_script(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), "gossip");
    let mut b = Beam::start(otp, &unique("b"), epmd.port(), "gossip");
    // A port of its own: the default one belongs to the tests of our programs.
    let port = whole_clusters::free_port();
    a.eval(&format!("is_pid(Gossip.start({port}))"));
    b.eval(&format!("is_pid(Gossip.start({port}))"));
    let list = format!("[{}]", b.atom());
    a.eval_until("Node.list()", &list);
}

fn what_is_raised_is_told(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), "secret");
    let raised = a.try_eval("AppB.boom()").expect_err("it raises");
    assert!(raised.contains("%RuntimeError{message: \"boom\"}"), "{raised}");
}

for_each_otp!(
    nodes_connect_and_call,
    real_nodes_find_each_other_by_our_epmd,
    a_wrong_cookie_is_refused,
    nodes_find_each_other_by_the_gossip_script,
    what_is_raised_is_told,
);
