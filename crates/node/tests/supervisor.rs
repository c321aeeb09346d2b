//! Supervisors: each strategy, restart type and way to stop, as `supervisor`'s documentation has them.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use beamline_node::{
    ChildSpec, ChildState, Listen, Node, Process, Restart, Shutdown, Strategy, Supervisor, SupervisorError,
    SupervisorHandle,
};
use beamline_term::{Pid, Term, atom};
use tokio::time::Instant;

async fn alone() -> Node {
    Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).start().await.unwrap()
}

/// What children did, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A child that notes its start, and its stop by `shutdown`; it ends with the reason that it is sent.
fn child(id: &str, log: &Log) -> ChildSpec {
    let (id, log) = (id.to_owned(), log.clone());
    ChildSpec::process(id.clone(), move |me| work(me, id.clone(), log.clone()))
}

async fn work(mut me: Process, id: String, log: Log) {
    me.trap_exit(true);
    log.add(format!("+{id}"));
    let Some(message) = me.receive().await else { return };
    let reason = match message.as_exit() {
        Some(exit) => {
            log.add(format!("-{id}"));
            exit.reason
        }
        None => message.term().unwrap(),
    };
    me.exit(reason).await;
}

async fn pid_of(supervisor: &SupervisorHandle, id: &str) -> Option<Pid> {
    supervisor.which_children().await.unwrap().into_iter().find(|child| child.id == id)?.pid
}

/// Waits until the supervisor has done what an end of a child brings.
async fn until_settled(node: &Node, ended: &Pid, supervisor: &SupervisorHandle) {
    common::until("the child ends", || !node.is_alive(ended)).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
        if !supervisor.is_alive() {
            return;
        }
        // It answers after what it was told before.
        let _ = supervisor.count_children().await;
    }
}

#[tokio::test]
async fn each_strategy_restarts_whom_it_should_in_order() {
    let node = alone().await;
    // Who fails; what is stopped and started then.
    let table: &[(Strategy, &str, &[&str])] = &[
        (Strategy::OneForOne, "a", &["+a"]),
        (Strategy::OneForOne, "b", &["+b"]),
        (Strategy::OneForAll, "b", &["-c", "-a", "+a", "+b", "+c"]),
        (Strategy::OneForAll, "c", &["-b", "-a", "+a", "+b", "+c"]),
        (Strategy::RestForOne, "a", &["-c", "-b", "+a", "+b", "+c"]),
        (Strategy::RestForOne, "b", &["-c", "+b", "+c"]),
        (Strategy::RestForOne, "c", &["+c"]),
    ];
    for (strategy, fails, wanted) in table {
        let log = Log::default();
        let supervisor =
            Supervisor::new(*strategy).child(child("a", &log)).child(child("b", &log)).child(child("c", &log));
        let supervisor = supervisor.start(&node).await.unwrap();
        until_started(&log, 3).await;
        assert_eq!(log.take(), ["+a", "+b", "+c"]);
        let pid = pid_of(&supervisor, fails).await.unwrap();
        node.send(&pid, &atom("oops")).await.unwrap();
        until_settled(&node, &pid, &supervisor).await;
        until_started(&log, wanted.len()).await;
        assert_eq!(log.take(), *wanted, "{strategy:?} when {fails} fails");
        supervisor.stop().await;
        assert_eq!(log.take(), ["-c", "-b", "-a"], "the last one stops first");
        assert!(!supervisor.is_alive());
    }
}

async fn until_started(log: &Log, count: usize) {
    common::until("the children have begun", || log.0.lock().unwrap().len() >= count).await;
}

#[tokio::test]
async fn each_restart_type_restarts_after_what_it_should() {
    let node = alone().await;
    let shutdown: Term = (atom("shutdown"), 1).into();
    // The type; the reason; whether it runs again, and whether the supervisor still knows it.
    let table: Vec<(Restart, Term, bool, bool)> = vec![
        (Restart::Permanent, atom("normal").into(), true, true),
        (Restart::Permanent, atom("oops").into(), true, true),
        (Restart::Transient, atom("normal").into(), false, true),
        (Restart::Transient, atom("shutdown").into(), false, true),
        (Restart::Transient, shutdown, false, true),
        (Restart::Transient, atom("oops").into(), true, true),
        (Restart::Temporary, atom("normal").into(), false, false),
        (Restart::Temporary, atom("oops").into(), false, false),
    ];
    for (restart, reason, runs, known) in table {
        let log = Log::default();
        let spec = child("x", &log).restart(restart);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start(&node).await.unwrap();
        let pid = pid_of(&supervisor, "x").await.unwrap();
        node.send(&pid, &reason).await.unwrap();
        until_settled(&node, &pid, &supervisor).await;
        let children = supervisor.which_children().await.unwrap();
        assert_eq!(children.len(), usize::from(known), "{restart:?} after {reason}");
        let new = children.first().and_then(|child| child.pid.clone());
        assert_eq!(new.is_some(), runs, "{restart:?} after {reason}");
        assert_ne!(new, Some(pid));
        supervisor.stop().await;
    }
}

#[tokio::test]
async fn temporary_children_are_not_started_again_with_the_others() {
    let node = alone().await;
    let log = Log::default();
    let supervisor = Supervisor::new(Strategy::OneForAll)
        .child(child("a", &log))
        .child(child("b", &log).restart(Restart::Temporary))
        .child(child("c", &log).restart(Restart::Transient))
        .start(&node)
        .await
        .unwrap();
    until_started(&log, 3).await;
    log.take();
    let pid = pid_of(&supervisor, "a").await.unwrap();
    node.send(&pid, &atom("oops")).await.unwrap();
    until_settled(&node, &pid, &supervisor).await;
    until_started(&log, 4).await;
    assert_eq!(log.take(), ["-c", "-b", "+a", "+c"]);
    assert_eq!(supervisor.count_children().await.unwrap().specs, 2);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_when_too_much_is_restarted_in_too_short_a_time() {
    let node = alone().await;
    let log = Log::default();
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .intensity(2, Duration::from_secs(5))
        .child(child("a", &log))
        .child(child("b", &log))
        .start(&node)
        .await
        .unwrap();
    let fail = async || {
        let pid = pid_of(&supervisor, "a").await.unwrap();
        node.send(&pid, &atom("oops")).await.unwrap();
        until_settled(&node, &pid, &supervisor).await;
    };
    for _ in 0..2 {
        fail().await;
        fail().await;
        assert!(supervisor.is_alive(), "two are allowed");
        tokio::time::sleep(Duration::from_millis(5001)).await;
    }
    fail().await;
    fail().await;
    log.take();
    fail().await;
    common::until("it gives up", || !supervisor.is_alive()).await;
    assert_eq!(log.take().last().unwrap(), "-b", "having stopped the others");
    assert_eq!(supervisor.which_children().await.unwrap_err(), SupervisorError::Ended);
}

#[tokio::test(start_paused = true)]
async fn children_are_stopped_as_their_specification_says() {
    let node = alone().await;
    let stubborn = || {
        ChildSpec::process("x", |mut me| async move {
            me.trap_exit(true);
            while me.receive().await.is_some() {}
        })
    };
    // How; how long it takes a child that does not stop by itself.
    let table =
        [(Shutdown::BrutalKill, Duration::ZERO), (Shutdown::Timeout(Duration::from_secs(3)), Duration::from_secs(3))];
    for (shutdown, wanted) in table {
        let spec = stubborn().shutdown(shutdown);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start(&node).await.unwrap();
        let pid = pid_of(&supervisor, "x").await.unwrap();
        tokio::task::yield_now().await;
        let began = Instant::now();
        supervisor.stop().await;
        let took = began.elapsed();
        assert!(took >= wanted && took < wanted + Duration::from_millis(100), "{shutdown:?} took {took:?}");
        assert!(!node.is_alive(&pid));
    }
    let slow = ChildSpec::process("x", |mut me| async move {
        me.trap_exit(true);
        me.receive().await;
        tokio::time::sleep(Duration::from_secs(1000)).await;
    });
    let supervisor = Supervisor::new(Strategy::OneForOne).child(slow.shutdown(Shutdown::Infinity));
    let supervisor = supervisor.start(&node).await.unwrap();
    tokio::task::yield_now().await;
    let began = Instant::now();
    supervisor.stop().await;
    assert!(began.elapsed() >= Duration::from_secs(1000));
}

#[tokio::test]
async fn children_are_added_stopped_restarted_and_deleted_by_hand() {
    let node = alone().await;
    let log = Log::default();
    let supervisor = Supervisor::new(Strategy::OneForOne).start(&node).await.unwrap();
    let pid = supervisor.start_child(child("a", &log)).await.unwrap();
    let again = supervisor.start_child(child("a", &log)).await.unwrap_err();
    assert_eq!(again, SupervisorError::AlreadyStarted { id: "a".to_owned(), pid: pid.clone() });
    assert_eq!(supervisor.delete_child("a").await.unwrap_err(), SupervisorError::Running { id: "a".to_owned() });
    assert_eq!(supervisor.restart_child("a").await.unwrap_err(), SupervisorError::Running { id: "a".to_owned() });
    supervisor.terminate_child("a").await.unwrap();
    assert!(!node.is_alive(&pid));
    assert_eq!(supervisor.which_children().await.unwrap()[0].state, ChildState::Stopped);
    let present = supervisor.start_child(child("a", &log)).await.unwrap_err();
    assert_eq!(present, SupervisorError::AlreadyPresent { id: "a".to_owned() });
    let second = supervisor.restart_child("a").await.unwrap();
    assert_ne!(second, pid);
    supervisor.terminate_child("a").await.unwrap();
    supervisor.delete_child("a").await.unwrap();
    assert_eq!(supervisor.delete_child("a").await.unwrap_err(), SupervisorError::NotFound { id: "a".to_owned() });
    // A temporary one is gone when it is stopped.
    supervisor.start_child(child("t", &log).restart(Restart::Temporary)).await.unwrap();
    supervisor.terminate_child("t").await.unwrap();
    assert_eq!(supervisor.count_children().await.unwrap().specs, 0);
}

#[tokio::test]
async fn a_tree_ends_with_its_root_from_the_leaves_up() {
    let node = alone().await;
    let log = Log::default();
    let inner = Supervisor::new(Strategy::OneForOne).child(child("b", &log)).child(child("c", &log));
    let root = Supervisor::new(Strategy::OneForOne).child(child("a", &log)).child(inner.as_child("inner"));
    let root = root.start(&node).await.unwrap();
    until_started(&log, 3).await;
    let counts = root.count_children().await.unwrap();
    assert_eq!((counts.specs, counts.active, counts.supervisors, counts.workers), (2, 2, 1, 1));
    log.take();
    // The inner one gives up, and is started again by its own supervisor.
    let inner = pid_of(&root, "inner").await.unwrap();
    node.exit(&inner, atom("kill"));
    until_settled(&node, &inner, &root).await;
    until_started(&log, 4).await;
    let mut ended = log.take();
    ended.sort();
    assert_eq!(ended, ["+b", "+c", "-b", "-c"], "linked children end with a supervisor that is killed");
    root.stop().await;
    assert_eq!(log.take(), ["-c", "-b", "-a"]);
}

#[tokio::test]
async fn a_child_that_does_not_start_stops_those_before_it() {
    use beamline_node::{Answer, Caller, GenServer, Next};
    struct Fails;
    impl GenServer for Fails {
        type Call = ();
        type Reply = ();
        type Cast = ();
        type Info = ();
        async fn init(&mut self, _: &mut Process) -> Next {
            Next::Stop(atom("bad_start").into())
        }
        async fn call(&mut self, (): (), _: Caller<()>, _: &mut Process) -> Answer<()> {
            ().into()
        }
    }
    let node = alone().await;
    let log = Log::default();
    let supervisor =
        Supervisor::new(Strategy::OneForOne).child(child("a", &log)).child(ChildSpec::server("b", || Fails));
    let error = supervisor.start(&node).await.unwrap_err();
    let wanted = SupervisorError::NotStarted { id: "b".to_owned(), reason: atom("bad_start").into() };
    assert_eq!(error, wanted);
    common::until("the first is stopped", || log.0.lock().unwrap().last().is_none_or(|last| last == "-a")).await;
}

#[tokio::test]
async fn others_ask_it_as_they_ask_supervisors() {
    let node = alone().await;
    let log = Log::default();
    let supervisor = Supervisor::new(Strategy::OneForOne).child(child("a", &log)).start(&node).await.unwrap();
    let ask = async |request: Term| node.server_call_pid::<Term>(supervisor.pid(), request).await.unwrap();
    let pid = pid_of(&supervisor, "a").await.unwrap();
    let wanted = Term::from(("a", pid, atom("worker"), Term::nil()));
    assert_eq!(ask(atom("which_children").into()).await, Term::list([wanted]));
    let counts = ask(atom("count_children").into()).await;
    assert_eq!(counts.to_string(), "[specs: 1, active: 1, supervisors: 0, workers: 1]");
    assert!(ask((atom("terminate_child"), "a").into()).await.is_atom("ok"));
    assert_eq!(ask((atom("terminate_child"), "b").into()).await, (atom("error"), atom("not_found")).into());
    assert!(ask((atom("delete_child"), "a").into()).await.is_atom("ok"));
    assert_eq!(ask((atom("start_child"), 1).into()).await, (atom("error"), atom("notsup")).into());
}
