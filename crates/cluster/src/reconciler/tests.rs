//! The rules: one by one, then all at once in a seeded simulation. No clock but the test's.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    core::{Action, Core, Failure, News, Pruning},
    *,
};

const MS: Duration = Duration::from_millis(1);
const GRACE: Duration = Duration::from_secs(10);

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn names(alive: &[&str]) -> BTreeSet<NodeName> {
    alive.iter().map(|alive| name(&format!("{alive}@there"))).collect()
}

fn refused() -> Failure {
    Failure { reason: "refused".into(), code: "BL401", foreign: false }
}

fn foreign() -> Failure {
    Failure { reason: "the cookies differ".into(), code: "BL501", foreign: true }
}

/// A core, the time, and who is connected.
struct World {
    core: Core,
    now: Duration,
    up: BTreeSet<NodeName>,
    dialing: Vec<NodeName>,
    disconnected: Vec<NodeName>,
}

impl World {
    fn new(prune: bool) -> Self {
        Self {
            core: Core::new(name("me@here"), Pruning { enabled: prune, grace: GRACE }, 1),
            now: Duration::ZERO,
            up: BTreeSet::new(),
            dialing: Vec::new(),
            disconnected: Vec::new(),
        }
    }

    fn answer(&mut self, alive: &[&str]) -> usize {
        let discovered = self.core.answer(self.now, &names(alive)).len();
        self.act();
        discovered
    }

    fn said(&mut self, node: &str) {
        let node = name(node);
        let is_new = self.core.said(self.now, &node, self.up.contains(&node));
        let action = self.core.act_on(self.now, &node, is_new);
        self.take(action);
    }

    /// Looks at everybody; gives who was lost.
    fn act(&mut self) -> Vec<NodeName> {
        let actions = self.core.act(self.now, |node| self.up.contains(node), |_| false);
        self.take(actions)
    }

    fn take(&mut self, actions: impl IntoIterator<Item = Action>) -> Vec<NodeName> {
        let mut lost = Vec::new();
        for action in actions {
            match action {
                Action::Dial(node) => {
                    assert!(!self.dialing.contains(&node) && !self.up.contains(&node), "{node}");
                    self.dialing.push(node);
                }
                Action::Disconnect(node) => {
                    self.up.remove(&node);
                    self.disconnected.push(node);
                }
                Action::Lost(node) => lost.push(node),
            }
        }
        lost
    }

    /// All dials end so.
    fn end_dials(&mut self, result: Result<(), Failure>) -> Vec<News> {
        let ended: Vec<_> = self.dialing.drain(..).collect();
        let mut news = Vec::new();
        for node in ended {
            if result.is_ok() {
                self.up.insert(node.clone());
            }
            news.push(self.core.dialed(self.now, &node, result.clone(), self.up.contains(&node)));
        }
        self.act();
        news
    }

    /// Looks at everybody whenever the core wants it, until this time has passed.
    fn pass(&mut self, time: Duration) -> Vec<NodeName> {
        let end = self.now + time;
        let mut lost = self.act();
        while let Some(next) = self.core.next(self.now).filter(|next| *next <= end) {
            // What is due but cannot be done must not make the shell spin.
            assert!(next > self.now, "{:?}", self.core);
            self.now = next;
            lost.extend(self.act());
            if !self.dialing.is_empty() {
                return lost;
            }
        }
        self.now = end;
        lost
    }
}

#[test]
fn an_answer_is_dialed_at_once_all_together_and_never_ourselves() {
    let mut world = World::new(true);
    let mut answer = names(&["a", "b", "c"]);
    answer.insert(name("me@here"));
    assert_eq!(world.core.answer(world.now, &answer).len(), 3);
    world.act();
    assert_eq!(world.dialing.len(), 3);
    assert_eq!(world.answer(&["a", "b", "c"]), 0, "they are known");
    assert_eq!(world.dialing.len(), 3);
    world.end_dials(Ok(()));
    assert_eq!(world.core.next(world.now), None, "nothing to do");
    assert_eq!(world.core.figures(), (3, 3));
}

#[test]
fn pauses_grow_and_are_jittered() {
    let mut world = World::new(true);
    world.answer(&["a"]);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let before = world.now;
        world.end_dials(Err(refused()));
        world.pass(Duration::from_secs(20));
        pauses.push((world.now - before).as_millis());
    }
    let longest = [500, 1000, 2000, 4000, 8000, 8000, 8000];
    assert!(pauses.iter().zip(longest).all(|(pause, longest)| (longest / 2..=longest).contains(pause)), "{pauses:?}");
    assert!(pauses[5] != pauses[6], "{pauses:?}");
    world.end_dials(Ok(()));
    // The next failure begins anew.
    world.up.clear();
    world.pass(MS * 600);
    world.end_dials(Err(refused()));
    let before = world.now;
    world.pass(Duration::from_secs(20));
    assert!(world.now - before <= FIRST_PAUSE);
}

#[test]
fn a_lost_connection_is_made_anew_though_the_list_did_not_change() {
    let mut world = World::new(true);
    world.answer(&["a"]);
    world.end_dials(Ok(()));
    world.now += Duration::from_secs(1000);
    world.up.clear();
    assert_eq!(world.pass(MS * 600), [name("a@there")]);
    assert_eq!(world.dialing, [name("a@there")]);
}

#[test]
fn only_what_an_answer_removed_is_disconnected_and_only_after_the_grace_period() {
    let mut world = World::new(true);
    world.up.insert(name("other@there"));
    world.answer(&["a", "b"]);
    world.end_dials(Ok(()));
    world.answer(&["a"]);
    world.pass(GRACE - MS);
    assert!(world.disconnected.is_empty());
    assert!(!world.core.wants(&name("b@there")) && world.core.wants(&name("a@there")));
    world.pass(MS);
    assert_eq!(world.disconnected, [name("b@there")]);
    world.pass(GRACE * 2);
    assert_eq!(world.up, BTreeSet::from([name("a@there"), name("other@there")]));
    assert!(!world.core.peers.contains_key(&name("b@there")), "it is forgotten");
}

#[test]
fn who_comes_back_within_the_grace_period_stays() {
    let mut world = World::new(true);
    world.answer(&["a", "b"]);
    world.end_dials(Ok(()));
    world.answer(&[]);
    world.pass(GRACE / 2);
    world.answer(&["a", "b"]);
    world.pass(GRACE * 2);
    assert!(world.disconnected.is_empty());
}

#[test]
fn who_leaves_is_not_dialed_any_more() {
    let mut world = World::new(true);
    world.answer(&["a", "b"]);
    world.end_dials(Ok(()));
    world.answer(&["a"]);
    world.up.remove(&name("b@there"));
    assert!(world.pass(GRACE).is_empty());
    assert!(world.dialing.is_empty());
}

#[test]
fn without_pruning_nobody_is_disconnected_or_dialed() {
    let mut world = World::new(false);
    world.answer(&["a", "b"]);
    world.end_dials(Ok(()));
    world.answer(&["a"]);
    world.pass(GRACE * 3);
    assert!(world.disconnected.is_empty());
    world.up.clear();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.dialing, [name("a@there")]);
}

#[test]
fn who_was_removed_while_it_was_dialed_is_disconnected_after_all() {
    let mut world = World::new(true);
    world.answer(&["a"]);
    world.answer(&[]);
    world.end_dials(Ok(()));
    world.pass(GRACE);
    assert_eq!(world.disconnected, [name("a@there")]);
}

#[test]
fn a_disconnect_that_did_not_work_is_done_again() {
    let mut world = World::new(true);
    world.answer(&["a"]);
    world.end_dials(Ok(()));
    world.answer(&[]);
    world.pass(GRACE);
    world.up.insert(name("a@there"));
    world.pass(FIRST_PAUSE * 2);
    assert_eq!(world.disconnected.len(), 2);
}

#[test]
fn one_dial_for_a_name_that_is_said_often() {
    let mut world = World::new(true);
    for _ in 0..100 {
        world.said("a@there");
        world.said("me@here");
    }
    assert_eq!(world.dialing, [name("a@there")]);
    world.end_dials(Err(refused()));
    // Nobody says it: nobody dials it.
    world.pass(Duration::from_secs(100));
    assert!(world.dialing.is_empty());
    for _ in 0..100 {
        world.said("a@there");
    }
    assert_eq!(world.dialing.len(), 1);
    // A replay in the pause causes nothing.
    world.end_dials(Err(refused()));
    for _ in 0..249 {
        world.now += MS;
        world.said("a@there");
    }
    assert!(world.dialing.is_empty());
}

#[test]
fn who_was_met_is_dialed_again_for_a_while_though_nobody_says_its_name() {
    let mut world = World::new(true);
    world.said("a@there");
    world.end_dials(Ok(()));
    world.said("b@there");
    world.end_dials(Err(refused()));
    world.now += Duration::from_secs(1000);
    world.up.clear();
    let begin = world.now;
    world.pass(MS * 600);
    let mut dials = 0;
    while !world.dialing.is_empty() {
        assert_eq!(world.dialing, [name("a@there")]);
        dials += 1;
        world.end_dials(Err(refused()));
        world.pass(LONGEST_PAUSE);
    }
    assert!(dials > 8, "{dials}");
    assert!(world.now - begin < KEEP + LONGEST_PAUSE * 2);
    assert!(!world.core.peers.contains_key(&name("a@there")), "it is forgotten");
}

#[test]
fn a_foreign_cluster_is_told_of_once_and_a_listed_node_each_once() {
    let mut world = World::new(true);
    world.said("x@there");
    assert_eq!(world.end_dials(Err(foreign())), [News::Fresh]);
    world.said("y@there");
    assert_eq!(world.end_dials(Err(foreign())), [News::Stale]);
    world.now += FOREIGN_PAUSE / 2 - MS;
    world.said("x@there");
    assert!(world.dialing.is_empty());
    world.now += FOREIGN_PAUSE;
    world.said("x@there");
    assert_eq!(world.end_dials(Err(foreign())), [News::Stale]);
    world.answer(&["a", "b"]);
    assert_eq!(world.end_dials(Err(foreign())), [News::Fresh, News::Fresh]);
    world.now += FOREIGN_PAUSE;
    world.act();
    assert_eq!(world.end_dials(Err(foreign())), [News::Stale, News::Stale]);
    // Another reason is news again.
    world.now += FOREIGN_PAUSE;
    world.act();
    assert_eq!(world.end_dials(Err(refused())), [News::Fresh, News::Fresh]);
}

#[test]
fn made_up_names_are_bounded() {
    let mut world = World::new(true);
    for i in 0..10_000 {
        world.said(&format!("n{i}@nowhere"));
    }
    assert_eq!(world.dialing.len(), MAX_DIALS);
    assert_eq!(world.core.peers.len(), MAX_DIALS);

    let mut world = World::new(true);
    let mut dials = 0;
    let seconds = 20;
    for i in 0..seconds * 1000 {
        world.said(&format!("n{i}@nowhere"));
        dials += world.dialing.len() as u32;
        world.end_dials(Err(refused()));
        world.now += MS;
    }
    assert!(dials <= BURST + seconds * DIALS_PER_SECOND + 1, "{dials}");
    assert!(world.core.peers.len() <= MAX_STRANGERS);
    // A real one still gets its turn, and is not pushed out.
    world.now += Duration::from_secs(1);
    world.said("a@there");
    assert_eq!(world.dialing, [name("a@there")]);
    world.end_dials(Ok(()));
    for i in 0..20_000 {
        world.now += MS;
        world.said(&format!("m{i}@nowhere"));
        world.end_dials(Err(refused()));
    }
    assert!(world.core.peers.contains_key(&name("a@there")));
}

#[test]
fn a_large_answer_is_dialed_within_the_budget_and_to_its_end() {
    let mut world = World::new(true);
    let all: Vec<String> = (0..1000).map(|i| format!("n{i}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    world.answer(&all);
    assert_eq!(world.dialing.len(), MAX_DIALS);
    // While they hang, nothing is to be done, and the shell sleeps.
    world.now += Duration::from_secs(5);
    world.act();
    assert_eq!((world.dialing.len(), world.core.next(world.now)), (MAX_DIALS, None));
    let begin = world.now;
    while world.up.len() < 1000 {
        assert!(!world.dialing.is_empty() || world.core.next(world.now).is_some());
        world.end_dials(Ok(()));
        world.pass(Duration::from_secs(1));
    }
    let took = world.now - begin;
    assert!(took < Duration::from_secs(1000 / u64::from(DIALS_PER_SECOND) + 2), "{took:?}");
}

/// A seeded world in which nodes come and go, answers change and fail, dials end as they like. Never may more than one dial
/// run for a name, or a node be cut that the last answer has or had within the grace period; and when it gets quiet, all
/// who are listed are connected, and none of whom answers removed.
#[test]
fn simulation() {
    for seed in 0..300 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(true);
        let all = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut last_listed: HashMap<NodeName, Duration> = HashMap::new();
        let mut listed = BTreeSet::new();
        for _ in 0..400 {
            world.now += MS * random.random_range(0..3000);
            match random.random_range(0..6) {
                0 => {
                    let answer: Vec<&str> = all.iter().copied().filter(|_| random.random_bool(0.7)).collect();
                    listed = names(&answer);
                    world.answer(&answer);
                }
                1 => world.said(&format!("{}@there", all.choose(&mut random).unwrap())),
                2 => {
                    let node = name(&format!("{}@there", all.choose(&mut random).unwrap()));
                    world.up.remove(&node);
                }
                3 => {
                    // It dialed us.
                    let node = name(&format!("{}@there", all.choose(&mut random).unwrap()));
                    world.up.insert(node);
                }
                _ => {
                    let result = if random.random_bool(0.5) { Ok(()) } else { Err(refused()) };
                    world.end_dials(result);
                }
            }
            for node in &listed {
                last_listed.insert(node.clone(), world.now);
            }
            world.act();
            for node in world.disconnected.drain(..) {
                let since = world.now - last_listed[&node];
                assert!(!listed.contains(&node) && since >= GRACE, "seed {seed}: {node} after {since:?}");
            }
        }
        for _ in 0..200 {
            world.end_dials(Ok(()));
            world.pass(Duration::from_secs(1));
        }
        assert!(listed.is_subset(&world.up), "seed {seed}");
        let left: Vec<_> = world.up.iter().filter(|node| !world.core.wants(node)).collect();
        let known = left.iter().filter(|node| world.core.peers.contains_key(node));
        assert_eq!(known.count(), 0, "seed {seed}: {left:?}");
    }
}
