//! Processes of two nodes over real sockets: links, monitors, exits, aliases, names, spawns, timers, limits.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use beamline_node::{
    AliasKind, CallError, Down, Exit, Listen, Message, Module, MonitorOptions, NameTaken, Node, Process, Raise, Request,
};
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Reference, Term, atom};
use common::{DEADLINE, own_epmd, run, until};
use tokio::sync::oneshot;
use tokio::time::timeout;

fn module() -> Module {
    Module::new("Elixir.Test")
        .function("hello", || async { Ok(atom("world")) })
        .function("exit", |reason: Term| async { Err::<(), _>(Raise::exit(reason)) })
        .function("sleep", || async {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(())
        })
}

async fn pair() -> (Node, Node) {
    let epmd = own_epmd();
    let start =
        |name: &str| Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).module(module());
    (start("a").start().await.unwrap(), start("b").start().await.unwrap())
}

async fn alone() -> Node {
    Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).module(module()).start().await.unwrap()
}

/// A process that waits to be told to end.
fn idle(node: &Node) -> Pid {
    node.spawn(|mut me| async move { while me.receive().await.is_some() {} })
}

/// A process that tells all that it receives.
fn listener(node: &Node, trap: bool) -> (Pid, tokio::sync::mpsc::UnboundedReceiver<Message>) {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let pid = node.spawn(move |mut me| async move {
        me.trap_exit(trap);
        // So that it is known to trap.
        let _ = tell.send(me.receive().await.unwrap());
        while let Some(message) = me.receive().await {
            let _ = tell.send(message);
        }
    });
    (pid, told)
}

async fn down_within(me: &mut Process, monitor: &Reference) -> Down {
    timeout(DEADLINE, me.receive_down(monitor)).await.expect("a DOWN").unwrap()
}

/// What a process is told that was linked with another one, and how it ends itself if it does not trap exits: by the reason
/// with which that one ended.
async fn linked_exit(a: &Node, of: &Node, trap: bool, how: impl Fn(Process) + Send + 'static) -> Result<Term, Term> {
    let other = of.spawn(|mut me| async move {
        me.receive().await;
        how(me);
        std::future::pending().await
    });
    run(a, move |mut me| async move {
        let (linked, monitor) = me.spawn_monitor({
            let other = other.clone();
            move |mut me| async move {
                me.trap_exit(trap);
                me.link(&other);
                me.send(&other, "go").await.unwrap();
                let exit = me.receive().await.and_then(|message| message.as_exit()).unwrap();
                assert_eq!(exit.from, other);
                me.exit(Term::from((atom("heard"), exit.reason))).await;
            }
        });
        let down = me.receive_matching_within(Duration::from_millis(300), |message| message.as_down().is_some());
        match down.await.and_then(|message| message.as_down()).map(|down| down.reason) {
            Some(reason) => match reason.as_tuple() {
                Some([tag, heard]) if tag.is_atom("heard") => Ok(heard.clone()),
                _ => Err(reason),
            },
            None => {
                me.demonitor(&monitor);
                me.send_exit(&linked, atom("kill"));
                Err(atom("lives").into())
            }
        }
    })
    .await
}

#[tokio::test]
async fn exit_signals_do_what_otp_says_here_and_there() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    let exits = |reason: &'static str| move |me: Process| drop(tokio::spawn(me.exit(atom(reason))));
    for of in [&a, &b] {
        let heard = |reason: &'static str| Ok(Term::from(atom(reason)));
        let dies = |reason: &'static str| Err(Term::from(atom(reason)));
        assert_eq!(linked_exit(&a, of, true, exits("oops")).await, heard("oops"));
        assert_eq!(linked_exit(&a, of, false, exits("oops")).await, dies("oops"));
        assert_eq!(linked_exit(&a, of, true, exits("normal")).await, heard("normal"));
        assert_eq!(linked_exit(&a, of, false, exits("normal")).await, dies("lives"));
        // `kill` over a link is a reason like any other.
        assert_eq!(linked_exit(&a, of, true, exits("kill")).await, heard("kill"));
        let killed = |me: Process| me.send_exit(me.pid(), atom("kill"));
        assert_eq!(linked_exit(&a, of, true, killed).await, heard("killed"));
        assert_eq!(linked_exit(&a, of, false, killed).await, dies("killed"));
        // A process may end itself with `normal`.
        let itself = |me: Process| me.send_exit(me.pid(), atom("normal"));
        assert_eq!(linked_exit(&a, of, true, itself).await, heard("normal"));
    }
}

#[tokio::test]
async fn exit_2_ends_those_that_do_not_trap_and_kill_ends_all() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    for of in [&a, &b] {
        let (trapping, mut told) = listener(of, true);
        a.send(&trapping, "ready").await.unwrap();
        told.recv().await.unwrap();
        a.exit(&trapping, atom("normal"));
        let exit: Exit = told.recv().await.unwrap().as_exit().unwrap();
        assert!(exit.reason.is_atom("normal"));
        a.exit(&trapping, atom("kill"));
        until("it is killed", || !of.is_alive(&trapping)).await;

        let plain = idle(of);
        a.exit(&plain, atom("normal"));
        a.ping(of.name()).await.unwrap();
        assert!(of.is_alive(&plain), "`normal` of others is nothing to it");
        a.exit(&plain, atom("enough"));
        until("it ends", || !of.is_alive(&plain)).await;
    }
}

#[tokio::test]
async fn a_down_has_the_shape_of_what_was_watched() {
    let (a, b) = pair().await;
    let peer = b.name().clone();
    for of in [&a, &b] {
        let (pid, named) = (idle(of), idle(of));
        of.register("named", &named).unwrap();
        let (peer, own) = (peer.clone(), of.name().clone());
        let there = of.clone();
        run(&a, move |mut me| async move {
            let by_pid = me.monitor(&pid);
            let by_name = me.monitor((atom("named"), &own));
            let nobody = me.monitor((atom("nobody"), &own));
            let down = down_within(&mut me, &nobody).await;
            assert_eq!(down.object, (atom("nobody"), own.to_atom()).into());
            assert!(down.reason.is_atom("noproc"));
            // The name goes to another process; what is watched stays the one that had it.
            if own != peer {
                there.unregister("named");
            }
            me.send_exit(&pid, atom("first"));
            me.send_exit(&named, atom("second"));
            let down = down_within(&mut me, &by_pid).await;
            assert_eq!((down.object, down.reason), (pid.clone().into(), atom("first").into()));
            let down = down_within(&mut me, &by_name).await;
            assert_eq!((down.object, down.reason), ((atom("named"), own.to_atom()).into(), atom("second").into()));
            let again = me.monitor(&pid);
            assert!(down_within(&mut me, &again).await.reason.is_atom("noproc"));
            let tagged = me.monitor_with(&pid, MonitorOptions::new().tag(atom("GONE")));
            let message = timeout(DEADLINE, me.receive()).await.unwrap().unwrap();
            let (tag, reference, _, object, _): (Atom, Reference, Atom, Pid, Atom) = message.decode().unwrap();
            assert_eq!((tag.as_str(), reference, object), ("GONE", tagged, pid));
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_not_watched_any_more_is_not_told() {
    let (a, b) = pair().await;
    for of in [a.clone(), b] {
        let (pid, there) = (idle(&of), of.clone());
        run(&a, move |mut me| async move {
            let monitor = me.monitor(&pid);
            me.demonitor(&monitor);
            me.link(&pid);
            me.unlink(&pid);
            me.send_exit(&pid, atom("oops"));
            until("it ends", || !there.is_alive(&pid)).await;
            let last = me.monitor(&pid);
            down_within(&mut me, &last).await;
            assert!(me.receive_within(Duration::ZERO).await.is_none(), "neither DOWN nor EXIT came before");
        })
        .await;
    }
}

#[tokio::test]
async fn signals_to_a_node_that_is_not_connected_keep_their_order() {
    let (a, b) = pair().await;
    let (pid, mut told) = listener(&b, true);
    b.send(&pid, "ready").await.unwrap();
    told.recv().await.unwrap();
    let watched = pid.clone();
    let heard = a.spawn(|mut me| async move {
        me.monitor(&watched);
        me.send_exit(&watched, 1);
        me.send_exit(&watched, 2);
        me.send(&watched, &3).await.unwrap();
        while me.receive().await.is_some_and(|message| message.as_down().is_none()) {}
    });
    for number in 1..=2 {
        assert_eq!(told.recv().await.unwrap().as_exit().unwrap().reason, number.into());
    }
    assert_eq!(told.recv().await.unwrap().decode::<i64>().unwrap(), 3);
    b.exit(&pid, atom("kill"));
    until("the monitor, which was set first, has fired", || !a.is_alive(&heard)).await;
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_as_noconnection() {
    let (a, b) = pair().await;
    let nobody: NodeName = "nobody@127.0.0.1".parse().unwrap();
    let gone = b.spawn(|_| async {});
    let gone = Pid::new(nobody.to_atom(), gone.id(), gone.serial(), gone.creation());
    run(&a, move |mut me| async move {
        me.trap_exit(true);
        let (by_pid, by_name) = (me.monitor(&gone), me.monitor((atom("x"), &nobody)));
        let taken_back = me.monitor(&gone);
        me.link(&gone);
        me.demonitor(&taken_back);
        let down = down_within(&mut me, &by_pid).await;
        assert_eq!((down.object, down.reason), (gone.clone().into(), atom("noconnection").into()));
        let down = down_within(&mut me, &by_name).await;
        assert_eq!((down.object, down.reason), ((atom("x"), nobody.to_atom()).into(), atom("noconnection").into()));
        let exit = timeout(DEADLINE, me.receive()).await.unwrap().unwrap().as_exit().unwrap();
        assert_eq!((exit.from, exit.reason), (gone.clone(), atom("noconnection").into()));
        assert!(me.receive_within(Duration::from_millis(50)).await.is_none(), "and nothing else");
        assert!(me.send(&gone, &1).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_ends_every_tie_over_it_once() {
    let (a, b) = pair().await;
    let (pid, other) = (idle(&b), idle(&b));
    let (node, peer) = (a.clone(), b.name().clone());
    let (linked, watched) = (pid.clone(), other.clone());
    let mine = run(&a, move |mut me| async move {
        me.trap_exit(true);
        me.link(&linked);
        let monitor = me.monitor(&watched);
        let alias = me.monitor_with(&watched, MonitorOptions::new().alias_until_down());
        node.ping(&peer).await.unwrap();
        assert_eq!(node.process_info(me.pid()).unwrap().ties, 4, "a link, two monitors, an alias");
        node.disconnect(&peer);
        for monitor in [&monitor, &alias] {
            assert!(down_within(&mut me, monitor).await.reason.is_atom("noconnection"));
        }
        let exit = timeout(DEADLINE, me.receive()).await.unwrap().unwrap().as_exit().unwrap();
        assert_eq!((exit.from, exit.reason), (linked, atom("noconnection").into()));
        assert!(me.receive_within(Duration::from_millis(50)).await.is_none(), "once");
        assert_eq!(node.process_info(me.pid()).unwrap().ties, 0);
        me.pid().clone()
    })
    .await;
    until("the linked process of b ends", || !b.is_alive(&pid)).await;
    assert_eq!(b.process_info(&other).unwrap().ties, 0, "nobody watches it any more");
    // Over a new connection the old ties are not told again.
    a.connect(b.name()).await.unwrap();
    assert!(!a.is_alive(&mine));
    b.exit(&other, atom("kill"));
    a.ping(b.name()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_made_and_unmade_from_both_sides_leave_nothing() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    let (tell, told) = oneshot::channel::<Pid>();
    let done = Arc::new(AtomicUsize::new(0));

    let churn = |me: &Process, peer: &Pid, seed: u32| {
        let mut state = seed;
        for _ in 0..300 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { me.link(peer) } else { me.unlink(peer) }
        }
    };
    let one_done = Arc::clone(&done);
    let one = a.spawn(move |mut me| async move {
        let peer = told.await.unwrap();
        churn(&me, &peer, 1);
        me.unlink(&peer);
        one_done.fetch_add(1, Ordering::SeqCst);
        while me.receive().await.is_some() {}
    });
    let peer = one.clone();
    let two_done = Arc::clone(&done);
    let two = b.spawn(move |mut me| async move {
        let _ = tell.send(me.pid().clone());
        churn(&me, &peer, 2);
        me.unlink(&peer);
        two_done.fetch_add(1, Ordering::SeqCst);
        while me.receive().await.is_some() {}
    });
    let ties = |node: &Node, pid: &Pid| node.process_info(pid).unwrap().ties;
    until("both are done", || done.load(Ordering::SeqCst) == 2).await;
    until("nothing is left", || ties(&a, &one) == 0 && ties(&b, &two) == 0).await;
    // Neither hears of the other's end.
    a.exit(&one, atom("oops"));
    until("it ends", || !a.is_alive(&one)).await;
    a.ping(b.name()).await.unwrap();
    assert!(b.is_alive(&two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_within_a_node_are_made_and_unmade_together() {
    let node = alone().await;
    for _ in 0..20 {
        let (one, two) = (idle(&node), idle(&node));
        let churn = |peer: Pid, own: Pid| {
            let node = node.clone();
            let done = oneshot::channel();
            node.spawn(move |mut me| async move {
                me.trap_exit(true);
                for _ in 0..200 {
                    me.link(&peer);
                    me.unlink(&peer);
                    me.link(&own);
                }
                me.unlink(&peer);
                me.unlink(&own);
                assert!(me.receive_within(Duration::ZERO).await.is_none());
                let _ = done.0.send(());
            });
            done.1
        };
        let (first, second) = (churn(one.clone(), two.clone()), churn(two.clone(), one.clone()));
        first.await.unwrap();
        second.await.unwrap();
        for pid in [&one, &two] {
            assert_eq!(node.process_info(pid).unwrap().ties, 0);
            node.exit(pid, atom("kill"));
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_reason_with_its_message() {
    let node = alone().await;
    run(&node, |mut me| async move {
        let (_, monitor) = me.spawn_monitor(|me| async move { panic!("no more of {}", me.node_name()) });
        assert_eq!(down_within(&mut me, &monitor).await.reason.to_string(), "{:panic, \"no more of a@127.0.0.1\"}");
        let at_once = |_: Process| -> std::future::Ready<()> { panic!("at once") };
        let (_, monitor) = me.spawn_monitor(at_once);
        let reason = down_within(&mut me, &monitor).await.reason;
        assert!(["{:panic, \"at once\"}", ":noproc"].contains(&reason.to_string().as_str()), "{reason}");
    })
    .await;
}

#[tokio::test]
async fn a_full_mailbox_ends_the_process_and_its_ties_hear_why() {
    let (a, b) = pair().await;
    for of in [a.clone(), b.clone()] {
        let slow = of.spawn(|me| async move {
            me.set_mailbox_limit(10_000);
            std::future::pending::<()>().await;
            drop(me);
        });
        run(&a, move |mut me| async move {
            me.trap_exit(true);
            let monitor = me.monitor(&slow);
            me.link(&slow);
            for _ in 0..20 {
                me.send(&slow, "x".repeat(1000).as_str()).await.unwrap();
            }
            let down = down_within(&mut me, &monitor).await;
            assert!(down.reason.is_atom("message_queue_limit"), "{down:?}");
            let exit = timeout(DEADLINE, me.receive()).await.unwrap().unwrap().as_exit().unwrap();
            assert!(exit.reason.is_atom("message_queue_limit"));
        })
        .await;
    }
}

#[tokio::test]
async fn aliases_lead_to_their_process_until_they_end() {
    let (a, b) = pair().await;
    let sender = b.spawn(|mut me| async move {
        while let Some(message) = me.receive().await {
            let (alias, count): (Reference, i64) = message.decode().unwrap();
            for number in 0..count {
                me.send(&alias, &number).await.unwrap();
            }
            me.send(message.decode::<(Reference, i64)>().unwrap().0.origin().node().clone(), &()).await.unwrap();
        }
    });
    run(&a, move |mut me| async move {
        let ask = async |me: &mut Process, alias: &Reference, count: i64| {
            me.send(&sender, &(alias.clone(), count)).await.unwrap();
            let mut heard = 0;
            while me.receive_within(Duration::from_millis(100)).await.is_some() {
                heard += 1;
            }
            heard
        };
        let explicit = me.alias(AliasKind::Explicit);
        assert_eq!(ask(&mut me, &explicit, 3).await, 3);
        assert!(me.unalias(&explicit) && !me.unalias(&explicit));
        assert_eq!(ask(&mut me, &explicit, 3).await, 0);
        let once = me.alias(AliasKind::Reply);
        assert_eq!(ask(&mut me, &once, 3).await, 1);
        let watched = me.monitor_with(&sender, MonitorOptions::new().alias_until_reply());
        assert_eq!(ask(&mut me, &watched, 3).await, 1);
        let until_down = me.monitor_with(&sender, MonitorOptions::new().alias_until_down());
        assert_eq!(ask(&mut me, &until_down, 2).await, 2);
        me.send_exit(&sender, atom("kill"));
        down_within(&mut me, &until_down).await;
        assert!(me.receive_within(Duration::ZERO).await.is_none(), "the monitor with the reply ended with it");
    })
    .await;
}

#[tokio::test]
async fn a_process_has_one_name_and_it_goes_with_it() {
    let node = alone().await;
    let (pid, other) = (idle(&node), idle(&node));
    node.register("name", &pid).unwrap();
    assert_eq!(node.whereis("name"), Some(pid.clone()));
    assert!(matches!(node.register("name", &other), Err(NameTaken::Taken { pid: taken, .. }) if taken == pid));
    assert!(matches!(node.register("second", &pid), Err(NameTaken::HasName { name, .. }) if name == "name"));
    assert_eq!(node.whereis("second"), None);
    assert!(node.unregister("name") && !node.unregister("name"));
    node.register("second", &pid).unwrap();
    node.exit(&pid, atom("kill"));
    until("the name is gone", || node.whereis("second").is_none()).await;
    assert!(matches!(node.register("x", &pid), Err(NameTaken::NoProcess { .. })));
    node.register("second", &other).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_free_once_its_process_has_ended() {
    let node = alone().await;
    for _ in 0..500 {
        let (first, second) = (idle(&node), idle(&node));
        node.register("name", &first).unwrap();
        node.exit(&first, atom("kill"));
        // Its task may not have been dropped yet.
        assert_eq!(node.process_info(&first), None);
        assert_eq!(node.whereis("name"), None);
        node.register("name", &second).unwrap();
        node.exit(&second, atom("kill"));
    }
}

#[tokio::test]
async fn functions_are_spawned_on_nodes_with_links_and_monitors() {
    let (a, b) = pair().await;
    for peer in [b.name().clone(), a.name().clone()] {
        run(&a, move |mut me| async move {
            me.trap_exit(true);
            let oops = (atom("oops"),);
            let spawned = me.spawn_monitor_on(&peer, ("Elixir.Test", "exit"), &oops).await.unwrap();
            let down = down_within(&mut me, &spawned.monitor.unwrap()).await;
            assert_eq!((down.object, down.reason), (spawned.pid.into(), atom("oops").into()));
            let spawned = me.spawn_link_on(&peer, ("Elixir.Test", "exit"), &oops).await.unwrap();
            let exit = timeout(DEADLINE, me.receive()).await.unwrap().unwrap().as_exit().unwrap();
            assert_eq!((exit.from, exit.reason), (spawned.pid, atom("oops").into()));
            let spawned = me.spawn_link_on(&peer, ("Elixir.Test", "sleep"), ()).await.unwrap();
            me.send_exit(&spawned.pid, atom("kill"));
            let exit = timeout(DEADLINE, me.receive()).await.unwrap().unwrap().as_exit().unwrap();
            assert!(exit.from == spawned.pid && exit.reason.is_atom("killed"));
            let spawned = me.spawn_monitor_on(&peer, ("Elixir.Test", "nothing"), (1,)).await.unwrap();
            let down = down_within(&mut me, &spawned.monitor.unwrap()).await;
            assert_eq!(down.reason.to_string(), "{:undef, [{Test, :nothing, [1], []}]}");
        })
        .await;
    }
    let nobody: NodeName = "nobody@127.0.0.1".parse().unwrap();
    let error = a.spawn_on(&nobody, ("m", "f"), ()).await.unwrap_err();
    assert!(matches!(error, CallError::Connect(_)), "{error}");
}

#[tokio::test]
async fn group_leaders_are_inherited_and_set() {
    let (a, b) = pair().await;
    let leader = idle(&a);
    let there = b.clone();
    run(&a, move |me| async move {
        me.set_group_leader(&leader, me.pid());
        let spawned = me.spawn_on(there.name(), ("Elixir.Test", "sleep"), ()).await.unwrap().pid;
        assert_eq!(there.process_info(&spawned).unwrap().group_leader, leader);
        let (tell, told) = oneshot::channel();
        me.spawn(|me| async move { drop(tell.send(me.group_leader())) });
        assert_eq!(told.await.unwrap(), leader);
        let other = me.pid().clone();
        me.set_group_leader(&other, &spawned);
        until("it is led by another", || there.process_info(&spawned).unwrap().group_leader == other).await;
    })
    .await;
}

#[tokio::test]
async fn a_process_calls_in_its_own_name() {
    let (a, b) = pair().await;
    let server = b.spawn(|mut me| async move {
        while let Some(message) = me.receive().await {
            match Request::from_term(message.term().unwrap()) {
                Ok(request) => me.reply(&request, request.from.clone()),
                Err(_) => continue,
            }
        }
    });
    b.register("server", &server).unwrap();
    let (own, peer) = (a.name().clone(), b.name().clone());
    let local = a.spawn(|mut me| async move {
        while let Some(message) = me.receive().await {
            if let Ok(request) = Request::from_term(message.term().unwrap()) {
                me.reply(&request, request.from.clone());
            }
        }
    });
    a.register("local", &local).unwrap();
    let node = a.clone();
    run(&a, move |mut me| async move {
        assert_eq!(me.server_call::<Pid>(&server, atom("who")).await.unwrap(), *me.pid());
        assert_eq!(me.server_call::<Pid>((atom("server"), &peer), atom("who")).await.unwrap(), *me.pid());
        assert_eq!(me.server_call::<Pid>("local", atom("who")).await.unwrap(), *me.pid());
        assert_eq!(node.server_call::<Pid>(atom("local"), &own, atom("who")).await.unwrap().node(), own.as_atom());
        assert_eq!(me.call::<Atom>(&peer, ("Elixir.Test", "hello"), ()).await.unwrap(), "world");
        let nobody = me.server_call::<Term>("nobody", 1).await.unwrap_err();
        assert!(matches!(&nobody, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{nobody}");
        let late = me.server_call::<Term>("user", 1).timeout(Duration::from_millis(20)).await.unwrap_err();
        assert!(matches!(late, CallError::Timeout { .. }), "{late}");
        assert!(me.receive_within(Duration::ZERO).await.is_none(), "answers do not pass through the mailbox");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn timers_send_once_and_can_be_cancelled() {
    let node = alone().await;
    let (tell, told) = oneshot::channel();
    node.spawn(|mut me| async move {
        let first = me.send_after(Duration::from_secs(2), me.pid(), "second");
        let cancelled = me.send_after(Duration::from_secs(1), me.pid(), "never");
        me.send_after(Duration::from_millis(500), me.pid(), "first");
        assert_eq!(me.receive().await.unwrap().decode::<String>().unwrap(), "first");
        assert_eq!(cancelled.cancel(), Some(Duration::from_millis(500)));
        assert_eq!(first.remaining(), Some(Duration::from_millis(1500)));
        assert_eq!(me.receive().await.unwrap().decode::<String>().unwrap(), "second");
        assert_eq!(first.cancel(), None);
        assert!(me.receive_within(Duration::from_secs(60)).await.is_none());
        let _ = tell.send(());
    });
    told.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_more_calls_than_the_limit_are_refused() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    let (mut running, mut refused) = (0, 0);
    while refused == 0 && running < 101_000 {
        let mut spawns = tokio::task::JoinSet::new();
        for _ in 0..2000 {
            spawns.spawn(a.spawn_on(b.name(), ("Elixir.Test", "sleep"), ()).timeout(DEADLINE).into_future());
        }
        for outcome in spawns.join_all().await {
            match outcome {
                Ok(_) => running += 1,
                Err(CallError::Refused { reason, .. }) if reason == "system_limit" => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(running, 100_000);
    let error = a.call::<Term>(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap_err();
    assert!(matches!(&error, CallError::Refused { reason, .. } if *reason == "system_limit"), "{error}");
    b.ping(a.name()).await.unwrap();
}

#[tokio::test]
async fn the_processes_of_a_stopped_node_end() {
    struct Tell(Option<oneshot::Sender<()>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }
    let node = alone().await;
    let (tell, told) = oneshot::channel();
    let tell = Tell(Some(tell));
    node.spawn(|_| async move {
        let _tell = tell;
        std::future::pending::<()>().await;
    });
    drop(node);
    timeout(DEADLINE, told).await.unwrap().unwrap();
}
