//! Who is a member, told as stories.

use super::*;
use crate::dashboard::source::figures::Figures;
use crate::dashboard::source::identity::Kind;

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn identity(creation: u32) -> Arc<Identity> {
    Arc::new(Identity {
        kind: Kind::Erlang,
        version: "OTP 27".to_owned(),
        otp: None,
        erts: None,
        architecture: None,
        creation,
        schedulers: 2,
        has_observer: true,
        started: None,
    })
}

fn sees(peers: &[&str]) -> Result<Reading, Trouble> {
    let mut visible: Vec<NodeName> = peers.iter().map(|peer| name(peer)).collect();
    visible.sort();
    let sample = Sample { figures: Figures::default(), visible, hidden: Vec::new(), topologies: Vec::new() };
    Ok(Reading { identity: identity(1), sample, utilisation: None })
}

fn fails(node: &str) -> Result<Reading, Trouble> {
    Err(Trouble::Unreachable { node: name(node), code: "BL302", reason: "not registered".to_owned() })
}

/// A clock and a state of it.
struct Story {
    state: State,
    now: Instant,
}

impl Story {
    fn of(targets: &[&str]) -> Story {
        Story { state: State::new(targets.iter().map(|target| name(target))), now: Instant::now() }
    }

    fn took(&mut self, node: &str, reading: Result<Reading, Trouble>) -> Outcome {
        self.state.took(&name(node), reading, Duration::ZERO, self.now)
    }

    fn members(&self) -> Vec<&str> {
        self.state.members().map(|member| member.name.as_str()).collect()
    }

    fn events(&self) -> Vec<String> {
        self.state.events.newest().map(|event| format!("{} {}", event.node, event.what.name())).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn members_are_found_by_asking_and_leave_when_nobody_sees_them() {
    let mut story = Story::of(&["a@h"]);
    assert!(story.members().is_empty());
    let found = story.took("a@h", sees(&["b@h", "c@h"]));
    assert_eq!((found.start, found.is_news), (vec![name("b@h"), name("c@h")], true));
    story.took("b@h", sees(&["a@h", "c@h"]));
    story.took("c@h", sees(&["a@h", "b@h"]));
    assert_eq!(story.members(), ["a@h", "b@h", "c@h"]);

    // c ends: the dashboard's connection is lost, then the others say that it is gone.
    assert!(story.state.lost(&name("c@h"), "connection_closed", story.now).is_news);
    assert_eq!(story.members(), ["a@h", "b@h", "c@h"], "the others still see it");
    assert!(story.took("a@h", sees(&["b@h"])).stop.is_empty());
    assert_eq!(story.took("b@h", sees(&["a@h"])).stop, [name("c@h")]);
    assert_eq!(story.members(), ["a@h", "b@h"]);
    assert_eq!(story.events()[0], "c@h node_down");
    let departed = story.state.departed(&name("c@h")).unwrap();
    assert!(departed.member.sample.is_some());

    // It comes back.
    let found = story.took("a@h", sees(&["b@h", "c@h"]));
    assert_eq!(found.start, [name("c@h")]);
    assert!(story.state.departed(&name("c@h")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_is_asked_on_but_is_no_member() {
    let mut story = Story::of(&["a@h", "b@h"]);
    story.took("a@h", sees(&["b@h"]));
    story.took("b@h", sees(&["a@h"]));
    story.state.lost(&name("b@h"), "connection_closed", story.now);
    assert!(story.took("a@h", sees(&[])).stop.is_empty());
    assert_eq!(story.members(), ["a@h"]);
    let absent: Vec<_> = story.state.absent().map(|member| member.name.as_str()).collect();
    assert_eq!(absent, ["b@h"]);
    story.took("b@h", sees(&["a@h"]));
    assert_eq!(story.members(), ["a@h", "b@h"]);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_reached_from_here_stays_while_others_see_it() {
    let mut story = Story::of(&["a@h"]);
    story.took("a@h", sees(&["b@h"]));
    story.took("b@h", fails("b@h"));
    story.took("b@h", fails("b@h"));
    assert_eq!(story.members(), ["a@h", "b@h"]);
    let tale = story.events().into_iter().filter(|event| event == "b@h unreachable").count();
    assert_eq!(tale, 1, "it is told once");
}

#[tokio::test(start_paused = true)]
async fn a_missing_link_is_told_after_a_while_and_when_it_is_back() {
    let mut story = Story::of(&["a@h"]);
    story.took("a@h", sees(&["b@h", "c@h"]));
    story.took("b@h", sees(&["a@h"]));
    assert!(story.events().iter().all(|event| !event.contains("link")), "they may just be meeting");
    story.now += SETTLING;
    assert!(story.took("b@h", sees(&["a@h"])).is_news);
    assert_eq!(story.events()[0], "b@h link_missing");
    assert!(story.state.member(&name("b@h")).unwrap().lacks(&name("c@h"), story.now));
    assert!(!story.state.member(&name("a@h")).unwrap().lacks(&name("c@h"), story.now));
    story.took("b@h", sees(&["a@h", "c@h"]));
    assert_eq!(story.events()[0], "b@h link_back");
}

#[tokio::test(start_paused = true)]
async fn restarts_and_failing_strategies_are_told() {
    let mut story = Story::of(&["a@h"]);
    let with = |error: Option<&str>, creation: u32| {
        let mut reading = sees(&[]).unwrap();
        reading.identity = identity(creation);
        reading.sample.topologies = vec![Topology {
            name: "t".to_owned(),
            strategy: "Cluster.Strategy.DNSPoll".to_owned(),
            last_answer: None,
            last_error: error.map(str::to_owned),
            peers: Vec::new(),
        }];
        Ok(reading)
    };
    story.took("a@h", with(None, 1));
    story.took("a@h", with(Some("no DNS"), 1));
    story.took("a@h", with(Some("no DNS"), 1));
    story.took("a@h", with(None, 2));
    assert_eq!(story.events(), ["a@h strategy_back", "a@h restarted", "a@h strategy_failed", "a@h node_up"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_names_thousands_does_not_fill_the_memory() {
    let mut story = Story::of(&["a@h"]);
    let many: Vec<String> = (0..1000).map(|number| format!("n{number}@h")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(story.took("a@h", sees(&many)).start.len(), MEMBERS - 1);
    assert_eq!((story.members().len(), story.state.unread), (MEMBERS, 1000 - (MEMBERS - 1)));
}
