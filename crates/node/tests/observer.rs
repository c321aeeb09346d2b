//! What a node tells of itself: `erlang`'s functions on every node, and observer's on those that allow it.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use beamline_node::{ChildSpec, Module, Node, Process, Strategy, Supervisor};
use beamline_term::{Pid, Term, atom, term};
use common::{DEADLINE, own_epmd, run, until};
use tokio::sync::oneshot;

/// A node that is looked at, and one that looks.
async fn pair(observer: bool) -> (Node, Node) {
    let epmd = own_epmd();
    let start = |name: &str| Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone());
    (start("a").observer(observer).start().await.unwrap(), start("b").start().await.unwrap())
}

async fn ask(from: &Node, to: &Node, module: &'static str, function: &'static str, arguments: Vec<Term>) -> Term {
    from.call(to.name(), (module, function), arguments).timeout(DEADLINE).await.unwrap()
}

/// The value of a key in `[{key, value}]`.
fn item(list: &Term, key: &str) -> Term {
    let found = list.as_list().unwrap().iter().find_map(|pair| match pair.as_tuple() {
        Some([name, value]) if name.is_atom(key) => Some(value.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {key} in {list}"))
}

/// A process that waits for one message after the other, and takes none before it is let.
fn idle(node: &Node) -> (Pid, oneshot::Sender<()>) {
    let (go, gone) = oneshot::channel();
    let pid = node.spawn(|mut me| async move {
        let _ = gone.await;
        while me.receive().await.is_some() {}
    });
    (pid, go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_tells_what_its_processes_are() {
    let (a, b) = pair(false).await;
    let (pid, go) = idle(&a);
    a.register("waits", &pid).unwrap();
    for _ in 0..3 {
        a.send(&pid, &[0u8; 100].as_slice()).await.unwrap();
    }
    let info = ask(&b, &a, "erlang", "process_info", vec![pid.clone().into()]).await;
    assert_eq!(item(&info, "registered_name"), Term::atom("waits"));
    assert_eq!(item(&info, "message_queue_len"), 3.into());
    assert_eq!(item(&info, "reductions"), 0.into());
    assert_eq!(item(&info, "dictionary"), Term::nil());
    assert_eq!(item(&info, "initial_call").to_string(), "{:observer, :idle, 1}");
    go.send(()).unwrap();
    until("the messages are taken", || a.process_info(&pid).unwrap().handled == 3).await;
    let asked = term!([:reductions, :message_queue_len, :messages, :trap_exit]);
    let info = ask(&b, &a, "erlang", "process_info", vec![pid.clone().into(), asked]).await;
    assert_eq!(info, term!([reductions: 3, message_queue_len: 0, messages: [], trap_exit: false]));
    let memory = ask(&b, &a, "erlang", "process_info", vec![pid.clone().into(), Term::atom("memory")]).await;
    assert!(memory.as_tuple().unwrap()[1].as_u64().unwrap() > 200, "{memory}");
    assert!(b.call::<Term>(a.name(), ("erlang", "process_info"), (pid.clone(), atom("secrets"))).await.is_err());
    let all = ask(&b, &a, "erlang", "processes", vec![]).await;
    assert!(all.as_list().unwrap().iter().any(|other| other.as_pid() == Some(&pid)), "{all}");
    a.exit(&pid, atom("kill"));
    until("it has ended", || !a.is_alive(&pid)).await;
    let gone = ask(&b, &a, "erlang", "process_info", vec![pid.into(), Term::atom("links")]).await;
    assert_eq!(gone, Term::atom("undefined"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_monitors_are_told_as_the_beam_tells_them() {
    let (a, b) = pair(false).await;
    let (linked, watched) = (idle(&a).0, idle(&a).0);
    let (asker, its_node) = (b.clone(), a.clone());
    let items = term!([:links, :monitors, :monitored_by, :parent]);
    let (info, other, parent) = run(&a, |me| async move {
        me.link(&linked);
        me.monitor(&watched);
        me.monitor(("nobody", asker.name()));
        let info = ask(&asker, &its_node, "erlang", "process_info", vec![me.pid().clone().into(), items.clone()]).await;
        let other = ask(&asker, &its_node, "erlang", "process_info", vec![watched.clone().into(), items]).await;
        assert_eq!(item(&info, "links"), Term::list([linked.into()]));
        // The monitor of nobody may have ended already.
        let monitors = item(&info, "monitors");
        assert!(monitors.as_list().unwrap().to_vec().contains(&term!({:process, (watched.clone())})), "{monitors}");
        assert_eq!(item(&other, "monitored_by"), Term::list([me.pid().clone().into()]));
        (item(&info, "parent"), item(&other, "parent"), its_node.whereis("user").unwrap())
    })
    .await;
    assert_eq!((&info, &other), (&parent.clone().into(), &parent.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_tells_its_memory_and_traffic() {
    let (a, b) = pair(false).await;
    let memory = ask(&b, &a, "erlang", "memory", vec![]).await;
    let total = item(&memory, "total").as_u64().unwrap();
    let parts = ["processes", "system"].map(|class| item(&memory, class).as_u64().unwrap());
    assert_eq!(total, parts.iter().sum::<u64>(), "{memory}");
    assert!(total > 1 << 20, "a program takes more than a megabyte: {memory}");
    let atoms = ask(&b, &a, "erlang", "memory", vec![term!([:atom, :ets])]).await;
    assert_eq!(atoms, term!([atom: 0, ets: 0]));
    let io = |term: Term| -> (u64, u64) {
        let counts: Vec<u64> =
            term.as_tuple().unwrap().iter().map(|pair| pair.as_tuple().unwrap()[1].as_u64().unwrap()).collect();
        (counts[0], counts[1])
    };
    let before = io(ask(&b, &a, "erlang", "statistics", vec![Term::atom("io")]).await);
    ask(&b, &a, "Elixir.Node", "list", vec![]).await;
    let after = io(ask(&b, &a, "erlang", "statistics", vec![Term::atom("io")]).await);
    assert!(before.0 > 0 && after.0 > before.0 && after.1 > before.1, "{before:?} {after:?}");
    let ports = ask(&b, &a, "erlang", "ports", vec![]).await;
    let port = ports.as_list().unwrap().get(0).unwrap().into_owned();
    let input = ask(&b, &a, "erlang", "port_info", vec![port, Term::atom("input")]).await;
    assert!(input.as_tuple().unwrap()[1].as_u64().unwrap() > 0);
    let nodes = ask(&b, &a, "net_kernel", "nodes_info", vec![]).await;
    let of_b = item(&nodes.as_tuple().unwrap()[1], "b@127.0.0.1");
    assert_eq!(item(&of_b, "type"), Term::atom("normal"));
    assert!(item(&of_b, "in").as_u64().unwrap() > 0);
    // What a connection carried stays counted when it is over.
    let counted = io(ask(&b, &a, "erlang", "statistics", vec![Term::atom("io")]).await);
    b.disconnect(a.name());
    until("the connection is over", || a.nodes(beamline_node::NodeSet::Connected).is_empty()).await;
    let later = io(ask(&b, &a, "erlang", "statistics", vec![Term::atom("io")]).await);
    assert!(later.0 > counted.0 && later.1 > counted.1, "{counted:?} {later:?}");
}

#[tokio::test]
async fn observers_functions_are_there_when_a_program_says_so() {
    let (a, b) = pair(false).await;
    let failed = b.call::<Term>(a.name(), ("observer_backend", "sys_info"), ()).await.unwrap_err();
    assert!(failed.to_string().contains("undef"), "{failed}");
    let (a, b) = pair(true).await;
    let info = ask(&b, &a, "observer_backend", "sys_info", vec![]).await;
    assert!(item(&info, "process_count").as_u64().unwrap() >= 5, "{info}");
    assert_eq!(item(&info, "port_count"), 1.into());
    assert_eq!(item(&info, "alloc_info").as_list().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_processes_come_in_chunks_and_the_sender_ends_normally() {
    let (a, b) = pair(true).await;
    a.export(Module::new("m"));
    let idles: Vec<Pid> = (0..10_050).map(|_| idle(&a).0).collect();
    let name = a.name().clone();
    let (found, chunks) = run(&b, |mut me| async move {
        me.trap_exit(true);
        let to = me.pid().clone();
        let spawned = me.spawn_link_on(&name, ("observer_backend", "procs_info"), (to,)).await.unwrap().pid;
        let (mut found, mut chunks) = (Vec::new(), 0);
        loop {
            let message = me.receive().await.unwrap();
            if let Some(exit) = message.as_exit() {
                assert_eq!((exit.from, exit.reason), (spawned, Term::atom("normal")));
                return (found, chunks);
            }
            let term = message.term().unwrap();
            let [tag, from, records] = term.as_tuple().unwrap() else { panic!("{term}") };
            assert!(tag.is_atom("procs_info") && from.as_pid() == Some(&spawned));
            chunks += 1;
            found.extend(records.as_list().unwrap().iter().map(|record| record.into_owned()));
        }
    })
    .await;
    assert_eq!(chunks, 2);
    let pids: std::collections::HashSet<&Pid> =
        found.iter().map(|record| record.as_tuple().unwrap()[1].as_pid().unwrap()).collect();
    assert!(idles.iter().all(|pid| pids.contains(pid)));
    let rex = found.iter().find(|record| record.as_tuple().unwrap()[4].is_atom("rex")).unwrap();
    assert!(rex.as_tuple().unwrap()[0].is_atom("etop_proc_info") && rex.as_tuple().unwrap().len() == 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_sent_until_a_message_comes_or_nobody_is_there() {
    let (a, b) = pair(true).await;
    let name = a.name().clone();
    run(&b, |mut me| async move {
        let to = me.pid().clone();
        let spawned = me.spawn_monitor_on(&name, ("observer_backend", "fetch_stats"), (to, 1)).await.unwrap();
        for _ in 0..2 {
            let stats = me.receive_matching(|message| message.is_tagged("stats", 5)).await.unwrap();
            let stats = stats.term().unwrap();
            assert!(item(&stats.as_tuple().unwrap()[4], "total").as_u64().unwrap() > 0);
            assert_eq!(stats.as_tuple().unwrap()[2].as_list().unwrap().len(), 2, "the workers of the runtime");
        }
        me.send(&spawned.pid, "enough").await.unwrap();
        let down = me.receive_down(&spawned.monitor.unwrap()).await.unwrap();
        assert_eq!(down.reason, Term::atom("normal"));
    })
    .await;
    // The receiver ends at once.
    let name = a.name().clone();
    let left = run(&b, |me| async move {
        let to = me.pid().clone();
        me.spawn_on(&name, ("observer_backend", "fetch_stats"), (to, 1)).await.unwrap().pid
    })
    .await;
    until("nobody listens", || !a.is_alive(&left)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_shows_who_started_whom() {
    let (a, b) = pair(true).await;
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child(ChildSpec::process("worker", |mut me: Process| async move {
            let _ = me.register("the_worker");
            while me.receive().await.is_some() {}
        }))
        .start(&a)
        .await
        .unwrap();
    a.register("the_supervisor", supervisor.pid()).unwrap();
    until("the worker has its name", || a.whereis("the_worker").is_some()).await;
    let apps = ask(&b, &a, "application", "which_applications", vec![]).await;
    let app = apps.as_list().unwrap().get(0).unwrap().as_tuple().unwrap()[0].clone();
    let name = a.name().clone();
    let (node, this) = (b.clone(), a.clone());
    let server = run(&b, |mut me| async move {
        let nothing = Term::nil();
        let server = ask(
            &node,
            &this,
            "appmon_info",
            "start_link2",
            vec![me.pid().clone().into(), me.pid().clone().into(), nothing.clone()],
        )
        .await;
        let server = server.as_tuple().unwrap()[1].as_pid().unwrap().clone();
        me.trap_exit(true);
        for (task, aux) in [("app_ctrl", Term::from(name.to_atom())), ("app", app.clone())] {
            let order = (me.pid().clone(), atom(task), aux, true, Vec::<Term>::new());
            me.send(&server, &(atom("$gen_cast"), order)).await.unwrap();
        }
        let mut results = Vec::new();
        for _ in 0..2 {
            let message = me.receive_matching(|message| message.is_tagged("delivery", 5)).await.unwrap();
            results.push(message.term().unwrap().as_tuple().unwrap()[4].clone());
        }
        assert_eq!(results[0].as_list().unwrap().len(), 1);
        let tree = results[1].as_tuple().unwrap();
        assert_eq!(tree[0], Term::charlist("user"));
        let line = |parent: &str, child: &str| Term::from((Term::charlist(parent), Term::charlist(child)));
        let lines: Vec<Term> = tree[2].as_list().unwrap().to_vec();
        assert!(lines.contains(&line("user", "the_supervisor")), "{tree:?}");
        assert!(lines.contains(&line("the_supervisor", "the_worker")), "{tree:?}");
        server
    })
    .await;
    until("the server ends with its client", || !a.is_alive(&server)).await;
}
