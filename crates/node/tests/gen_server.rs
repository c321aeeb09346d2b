//! Servers, met as their callers meet them.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::time::Duration;

use beamline_node::{Answer, CallError, Caller, GenServer, Listen, Next, Node, Process, Server, StartServerError};
use beamline_term::{Reference, Term, atom};
use common::{own_epmd, until};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    Get,
    Add(i64),
    Later,
    Release,
    Stop,
    Panic,
    Idle(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tell {
    Add(i64),
    Stop(String),
}

/// A counter that tells the test what is done with it.
struct Counter {
    count: i64,
    waiting: Vec<Caller<i64>>,
    events: mpsc::UnboundedSender<String>,
    fails: bool,
}

impl Counter {
    fn new() -> (Counter, mpsc::UnboundedReceiver<String>) {
        let (events, told) = mpsc::unbounded_channel();
        (Counter { count: 0, waiting: Vec::new(), events, fails: false }, told)
    }

    fn tell(&self, what: impl Into<String>) {
        let _ = self.events.send(what.into());
    }
}

impl GenServer for Counter {
    type Call = Ask;
    type Reply = i64;
    type Cast = Tell;
    type Info = (beamline_term::Atom, i64);

    async fn init(&mut self, _: &mut Process) -> Next {
        if self.fails { Next::Stop(atom("bad_start").into()) } else { Next::Continue(atom("more").into()) }
    }

    async fn call(&mut self, request: Ask, caller: Caller<i64>, _: &mut Process) -> Answer<i64> {
        match request {
            Ask::Get => {}
            Ask::Add(number) => self.count += number,
            Ask::Later => {
                self.waiting.push(caller);
                return Answer::later();
            }
            Ask::Release => {
                for caller in self.waiting.drain(..) {
                    caller.reply(&self.count).unwrap();
                }
            }
            Ask::Stop => return Answer::now(self.count).then(Next::stop()),
            Ask::Panic => panic!("asked to"),
            Ask::Idle(millis) => return Answer::now(0).then(Next::Timeout(Duration::from_millis(millis))),
        }
        self.count.into()
    }

    async fn cast(&mut self, request: Tell, _: &mut Process) -> Next {
        match request {
            Tell::Add(number) => self.count += number,
            Tell::Stop(reason) => return Next::Stop(reason.into()),
        }
        Next::Wait
    }

    async fn info(&mut self, (tag, number): (beamline_term::Atom, i64), _: &mut Process) -> Next {
        self.tell(format!("info {tag} {number}"));
        Next::Wait
    }

    async fn timeout(&mut self, _: &mut Process) -> Next {
        self.tell("timeout");
        Next::Wait
    }

    async fn resume(&mut self, what: Term, _: &mut Process) -> Next {
        self.tell(format!("resume {what}"));
        Next::Wait
    }

    async fn terminate(&mut self, reason: &Term, _: &mut Process) {
        self.tell(format!("terminate {reason}"));
    }

    fn state(&self) -> Option<Term> {
        Some(self.count.into())
    }
}

async fn alone() -> Node {
    Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).start().await.unwrap()
}

async fn system(node: &Node, server: &Server<Counter>, request: impl Into<Term> + Send + 'static) -> Term {
    let (tell, told) = tokio::sync::oneshot::channel();
    let pid = server.pid().unwrap().clone();
    node.spawn(|mut me| async move {
        let from = Term::from((me.pid().clone(), 7));
        me.send(&pid, &Term::from((atom("system"), from, request.into()))).await.unwrap();
        let (tag, answer): (i64, Term) = me.receive().await.unwrap().decode().unwrap();
        assert_eq!(tag, 7);
        let _ = tell.send(answer);
    });
    told.await.unwrap()
}

#[tokio::test]
async fn it_answers_now_and_later_and_stops_when_it_says_so() {
    let node = alone().await;
    let (state, mut told) = Counter::new();
    let server = node.start_server(state).name("counter").await.unwrap();
    assert_eq!(node.whereis("counter"), server.pid().cloned());
    assert_eq!(told.recv().await.unwrap(), "resume :more");
    server.cast(&Tell::Add(2)).await.unwrap();
    assert_eq!(server.call(&Ask::Add(3)).await.unwrap(), 5);
    let named = node.server::<Counter>("counter");
    let later = tokio::spawn({
        let named = named.clone();
        async move { named.call(&Ask::Later).await }
    });
    until("the call has arrived", || node.process_info(server.pid().unwrap()).unwrap().ties == 1).await;
    assert_eq!(named.call(&Ask::Release).await.unwrap(), 5);
    assert_eq!(later.await.unwrap().unwrap(), 5);
    node.send("counter", &(atom("hello"), 1)).await.unwrap();
    assert_eq!(told.recv().await.unwrap(), "info hello 1");
    assert_eq!(named.call(&Ask::Stop).await.unwrap(), 5);
    assert_eq!(told.recv().await.unwrap(), "terminate :normal");
    until("it ends", || node.whereis("counter").is_none()).await;
    let gone = server.call(&Ask::Get).await.unwrap_err();
    assert!(matches!(&gone, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_when_nothing_comes() {
    let node = alone().await;
    let (state, mut told) = Counter::new();
    let server = node.start_server(state).await.unwrap();
    told.recv().await.unwrap();
    server.call(&Ask::Idle(500)).await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(told.recv().await.unwrap(), "timeout");
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    server.call(&Ask::Idle(500)).await.unwrap();
    server.call(&Ask::Get).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(told.try_recv().is_err(), "a message ends the wait");
}

#[tokio::test]
async fn callers_hear_how_it_ended() {
    let node = alone().await;
    let start = async || node.start_server(Counter::new().0).await.unwrap();
    let server = start().await;
    let error = server.call(&Ask::Panic).await.unwrap_err();
    assert!(matches!(&error, CallError::Exited { reason, .. } if reason.to_string().contains("asked to")), "{error}");
    let server = start().await;
    let waits = tokio::spawn({
        let server = server.clone();
        async move { server.call(&Ask::Later).await }
    });
    until("the call has arrived", || node.process_info(server.pid().unwrap()).unwrap().ties == 1).await;
    server.cast(&Tell::Stop("enough".to_owned())).await.unwrap();
    let error = waits.await.unwrap().unwrap_err();
    assert!(matches!(&error, CallError::Exited { reason, .. } if *reason == "enough".into()), "{error}");
    let down = start().await.stop(atom("shutdown")).await.unwrap();
    assert!(down.reason.is_atom("shutdown"));
}

#[tokio::test]
async fn what_it_does_not_understand_does_not_end_it() {
    let node = alone().await;
    let server = node.start_server(Counter::new().0).name("counter").await.unwrap();
    let answer: Term = node.server_call_pid(server.pid().unwrap(), atom("nonsense")).await.unwrap();
    assert!(answer.to_string().starts_with("{:error, {:badarg, "), "{answer}");
    node.send("counter", "nonsense").await.unwrap();
    node.send("counter", &(atom("$gen_cast"), 1)).await.unwrap();
    node.send("counter", &(atom("$gen_call"), 1, 2)).await.unwrap();
    assert_eq!(server.call(&Ask::Get).await.unwrap(), 0);
}

#[tokio::test]
async fn system_messages_are_answered() {
    let node = alone().await;
    let (state, mut told) = Counter::new();
    let server = node.start_server(state).await.unwrap();
    told.recv().await.unwrap();
    assert_eq!(system(&node, &server, atom("get_state")).await, (atom("ok"), 0).into());
    assert!(system(&node, &server, atom("get_status")).await.to_string().starts_with("{:status, "));
    assert_eq!(system(&node, &server, atom("suspend")).await, atom("ok").into());
    server.cast(&Tell::Add(1)).await.unwrap();
    assert_eq!(system(&node, &server, atom("get_state")).await, (atom("ok"), 0).into());
    let late = server.call(&Ask::Get).timeout(Duration::from_millis(30)).await;
    assert!(matches!(late, Err(CallError::Timeout { .. })));
    assert_eq!(system(&node, &server, atom("resume")).await, atom("ok").into());
    assert_eq!(server.call(&Ask::Get).await.unwrap(), 1);
    let unknown = system(&node, &server, Term::from((atom("replace_state"), 1))).await;
    assert_eq!(unknown.to_string(), "{:error, {:unknown_system_msg, {:replace_state, 1}}}");
    assert_eq!(system(&node, &server, Term::from((atom("terminate"), atom("shutdown")))).await, atom("ok").into());
    assert_eq!(told.recv().await.unwrap(), "terminate :shutdown");
}

#[tokio::test]
async fn who_starts_it_hears_why_it_did_not() {
    let node = alone().await;
    let mut state = Counter::new().0;
    state.fails = true;
    let error = node.start_server(state).await.unwrap_err();
    assert_eq!(error, StartServerError::Init { reason: atom("bad_start").into() });
    node.start_server(Counter::new().0).name("counter").await.unwrap();
    let error = node.start_server(Counter::new().0).name("counter").await.unwrap_err();
    assert!(matches!(error, StartServerError::Name(_)), "{error}");
}

#[tokio::test]
async fn a_linked_server_ends_with_its_parent() {
    let node = alone().await;
    let (state, mut told) = Counter::new();
    let (tell, parents) = tokio::sync::oneshot::channel();
    let parent = node.spawn(|mut me| async move {
        let server = me.start_server(state).await.unwrap();
        let _ = tell.send(server);
        me.receive().await;
    });
    let server = parents.await.unwrap();
    told.recv().await.unwrap();
    node.exit(&parent, atom("oops"));
    until("it ends too", || !node.is_alive(server.pid().unwrap())).await;
    assert_eq!(told.recv().await, None, "without terminate, as it traps no exits");
}

#[tokio::test]
async fn servers_of_other_nodes_are_called_cast_and_called_all_at_once() {
    let epmd = own_epmd();
    let start = async |name: &str| {
        Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).start().await.unwrap()
    };
    let (a, b, c) = (start("a").await, start("b").await, start("c").await);
    a.start_server(Counter::new().0).name("counter").await.unwrap();
    b.start_server(Counter::new().0).name("counter").await.unwrap();
    let remote = a.server::<Counter>(("counter", b.name()));
    remote.cast(&Tell::Add(4)).await.unwrap();
    assert_eq!(remote.call(&Ask::Add(1)).await.unwrap(), 5);
    let nodes = [a.name().clone(), b.name().clone(), c.name().clone()];
    let mut outcome = a.multi_call::<i64>(&nodes, atom("counter"), atom("get")).await;
    outcome.replies.sort();
    assert_eq!(outcome.replies, [(nodes[0].clone(), 0), (nodes[1].clone(), 5)]);
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.failed[0].0, nodes[2]);
}

#[tokio::test]
async fn every_tag_comes_back_as_it_was() {
    let node = alone().await;
    let server = node.start_server(Counter::new().0).await.unwrap();
    let (tell, told) = tokio::sync::oneshot::channel();
    let pid = server.pid().unwrap().clone();
    node.spawn(|mut me| async move {
        let tags = |me: &Process| {
            let alias = || Term::from(me.alias(beamline_node::AliasKind::Explicit));
            let cons = |head: Term, tail: Term| Term::improper([head], tail);
            [
                alias(),
                cons(atom("alias").into(), alias()),
                cons(cons(atom("alias").into(), alias()), alias()),
                (alias(), atom("a@127.0.0.1")).into(),
                atom("anything").into(),
            ]
        };
        for tag in tags(&me) {
            let from = Term::from((me.pid().clone(), tag.clone()));
            me.send(&pid, &Term::from((atom("$gen_call"), from, atom("get")))).await.unwrap();
            assert_eq!(me.receive().await.unwrap().term().unwrap(), (tag, 0).into());
        }
        // An alias that has ended is not answered, whoever the caller is.
        let gone: Reference = me.alias(beamline_node::AliasKind::Explicit);
        me.unalias(&gone);
        let from = Term::from((me.pid().clone(), Term::improper([atom("alias").into()], gone.into())));
        me.send(&pid, &Term::from((atom("$gen_call"), from, atom("get")))).await.unwrap();
        assert!(me.receive_within(Duration::from_millis(50)).await.is_none());
        let _ = tell.send(());
    });
    told.await.unwrap();
}
