//! Signals that only OTP 28 and later have: `exit/2` to an alias, and messages and exits with priority, in the form
//! `ALTACT_SIG_SEND`; with and without a trace token.

use beamline::node::{AliasKind, Epmd as UsedEpmd, Message};
use beamline::prelude::*;
use beamline::term::Reference;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, unique};

const COOKIE: &str = "secret";

mod otp29 {
    #[test]
    fn signals_with_priority_and_exits_to_aliases_are_understood() {
        let name = "otp29::signals_with_priority_and_exits_to_aliases_are_understood";
        whole_clusters::Otp::Sid.run(name, super::signals_with_priority_and_exits_to_aliases_are_understood);
    }
}

/// Traps exits, and hands on what it hears; its alias is an order to give that up.
async fn ear(mut me: Process, peer: NodeName, tell: mpsc::UnboundedSender<Message>) {
    me.trap_exit(true);
    let alias = me.alias(AliasKind::Explicit);
    me.send((atom("driver"), &peer), &(me.pid(), &alias)).await.expect("sent");
    while let Some(message) = me.receive().await {
        if message.decode::<Reference>().is_ok_and(|reference| reference == alias) {
            me.unalias(&alias);
        }
        let _ = tell.send(message);
    }
}

fn signals_with_priority_and_exits_to_aliases_are_understood(otp: Otp) {
    let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::beamline());
    let builder = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    let node = runtime.block_on(builder.start()).expect("the node starts");
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let peer: NodeName = beam.name().parse().expect("a name");
    beam.eval(&format!("Process.register(self(), :driver); rust = :{:?}", node.name().as_str()));
    let (tell, mut told) = mpsc::unbounded_channel();
    let pid = node.spawn(|me| ear(me, peer.clone(), tell));
    node.register("ear", &pid).expect("the name is free");
    beam.eval("{ear, alias} = receive do pair -> pair end; is_reference(alias)");
    let mut hear =
        || runtime.block_on(async { timeout(DEADLINE, told.recv()).await }).expect("in time").expect("it lives");

    let traced = ["", ":seq_trace.set_token(:label, 1); :seq_trace.set_token(:send, true);"];
    let (mut number, own) = (0, beam.eval("self()"));
    for token in traced {
        for (send, options) in [
            (":erlang.send(alias,", ""),
            (":erlang.send(alias,", ", [:priority]"),
            (":erlang.send(ear,", ", [:priority]"),
            (":erlang.send({:ear, rust},", ", [:priority]"),
        ] {
            number += 1;
            beam.eval(&format!("{token} {send} {number}{options}); :seq_trace.set_token([])"));
            assert_eq!(hear().decode::<i64>().expect("a number"), number, "{token} {send} {options}");
        }
        for (exit, options) in [("alias", ""), ("alias", ", [:priority]"), ("ear", ", [:priority]"), ("ear", "")] {
            number += 1;
            beam.eval(&format!(
                "{token} :erlang.exit({exit}, {{:reason, {number}}}{options}); :seq_trace.set_token([])"
            ));
            let exit = hear().as_exit().expect("an EXIT");
            assert_eq!(exit.reason, (atom("reason"), number).into());
            assert_eq!(exit.from.node(), peer.as_atom(), "{own}");
        }
    }
    // An alias that is given up is nobody's; to trap is no help against `kill`, which is told as `killed`.
    beam.eval("send(ear, alias)");
    assert!(hear().decode::<Reference>().is_ok());
    beam.eval(":erlang.exit(alias, :late); :erlang.exit(alias, :late, [:priority]); send(alias, :late)");
    beam.eval("ref = Process.monitor(ear); send(ear, :last); :erlang.exit(ear, :kill, [:priority])");
    assert_eq!(beam.eval("receive do {:DOWN, ^ref, _, _, reason} -> reason after 5000 -> :silence end"), ":killed");
    let rest: Vec<Term> =
        std::iter::from_fn(|| told.try_recv().ok()).map(|message| message.term().expect("a term")).collect();
    assert!(rest.is_empty() || rest == [Term::atom("last")], "{rest:?}");
    assert!(node.is_connected(&peer) && !beam.said().contains("[error]"), "{}", beam.said());
}
