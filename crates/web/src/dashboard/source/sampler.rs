//! The readers: one task a node, so that one that is slow or dead delays nobody else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use beamline_doctor::Options;
use beamline_node::{Node, NodeEvent, NodeName};
use tokio::runtime::Handle as Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::ask::Ask;
use super::clinic::Clinic;
use super::event::Event;
use super::figures::sample;
use super::history::History;
use super::identity::{Identity, Kind};
use super::load::Load;
use super::memo::{AsyncAsk, FRESH, Looked, Memo};
use super::seen::Seen;
use super::state::{Departed, Member, Outcome, Reading, State};
use super::trouble::Trouble;

/// Between two samples of a node while somebody looks.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// And while nobody does: often enough for a history.
const UNSEEN: Duration = Duration::from_secs(5);

/// Somebody looks who has looked within this time: an open page that is shown anew every few seconds.
const GAZE: Duration = Duration::from_secs(10);

/// A sample is given up after so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// A sample takes a fifth of the time at most: the pause is so many times as long.
const SHARE: u32 = 4;

/// The longest pause that follows from that.
const LONGEST: Duration = Duration::from_secs(30);

/// What a node is does not change, but what it exports may.
const IDENTITY_AGE: Duration = Duration::from_secs(30);

/// When a connection is lost, the others are asked at once whether they still see the node, and again after these times:
/// they may hear of it later than we do.
const ASK_AGAIN: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(400), Duration::from_millis(700)];

/// How long the first page waits for the first answers.
const FIRST: Duration = Duration::from_millis(1500);

/// What is known of the cluster; a cheap clone. The readers end with the last one.
#[derive(Clone)]
pub(crate) struct Sources {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    started: Once,
}

struct Shared {
    node: Node,
    state: Mutex<State>,
    readers: Mutex<HashMap<NodeName, AbortHandle>>,
    watching: Mutex<Option<AbortHandle>>,
    news: watch::Sender<u64>,
    hurry: watch::Sender<u64>,
    looked: Mutex<Option<Instant>>,
    memo: Memo,
    seen: Seen,
    clinic: Option<Clinic>,
}

/// The cluster at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) members: Vec<Member>,
    /// Targets that are no members at this moment.
    pub(crate) absent: Vec<Member>,
    /// Hidden nodes, such as tools, that members are connected with, and with how many each.
    pub(crate) hidden: BTreeMap<NodeName, usize>,
    /// How many more nodes there are than are read.
    pub(crate) unread: usize,
    pub(crate) at: Instant,
}

impl Drop for Handle {
    fn drop(&mut self) {
        lock(&self.shared.readers).drain().for_each(|(_, reader)| reader.abort());
        if let Some(watching) = lock(&self.shared.watching).take() {
            watching.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sources {
    /// Looks at the cluster of `targets`, and, unless it is hidden, at that of the node itself. Begins at once in a runtime,
    /// else with the first look. The doctor examines nodes if it is told how.
    pub(crate) fn new(node: &Node, targets: Vec<NodeName>, doctor: Option<Options>) -> Sources {
        let is_member = targets.is_empty();
        let roots = targets.into_iter().chain(is_member.then(|| node.name().clone()));
        let shared = Shared {
            node: node.clone(),
            state: Mutex::new(State::new(roots)),
            readers: Mutex::default(),
            watching: Mutex::default(),
            news: watch::Sender::new(0),
            hurry: watch::Sender::new(0),
            looked: Mutex::default(),
            memo: Memo::default(),
            seen: Seen::default(),
            clinic: doctor.map(Clinic::new),
        };
        let sources = Sources { handle: Arc::new(Handle { shared: Arc::new(shared), started: Once::new() }) };
        sources.start();
        sources
    }

    fn start(&self) {
        let Ok(runtime) = Runtime::try_current() else { return };
        self.handle.started.call_once(|| {
            let shared = &self.handle.shared;
            let roots: Vec<NodeName> = lock(&shared.state).roots().cloned().collect();
            *lock(&shared.watching) = Some(runtime.spawn(follow_events(Arc::clone(shared))).abort_handle());
            shared.carry_out(Outcome { start: roots, ..Outcome::default() });
        });
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The node that asks.
    pub(crate) fn node(&self) -> &Node {
        &self.shared().node
    }

    /// Somebody looks: samples are taken often for a while.
    pub(crate) fn look(&self) {
        self.start();
        let shared = self.shared();
        let before = lock(&shared.looked).replace(Instant::now());
        if before.is_none_or(|before| before.elapsed() > GAZE) {
            shared.hurry.send_modify(|count| *count += 1);
        }
    }

    /// The cluster now. The first who asks may wait a moment for the first answers.
    pub(crate) async fn cluster(&self) -> Cluster {
        self.look();
        let mut news = self.shared().news.subscribe();
        let known = async {
            while lock(&self.shared().state).members().all(|member| member.sample.is_none()) {
                if news.changed().await.is_err() {
                    break;
                }
            }
        };
        let _ = timeout(FIRST, known).await;
        let state = lock(&self.shared().state);
        let members: Vec<Member> = state.members().cloned().collect();
        let mut hidden: BTreeMap<NodeName, usize> = BTreeMap::new();
        for (sample, _) in members.iter().filter_map(|member| member.sample.as_ref()) {
            sample.hidden.iter().for_each(|name| *hidden.entry(name.clone()).or_default() += 1);
        }
        hidden.remove(self.shared().node.name());
        let (absent, unread) = (state.absent().cloned().collect(), state.unread);
        Cluster { members, absent, hidden, unread, at: Instant::now() }
    }

    /// The nodes that a picker offers.
    pub(crate) fn names(&self) -> Vec<NodeName> {
        lock(&self.shared().state).members().map(|member| member.name.clone()).collect()
    }

    /// What is known of one node; of others than members of the cluster nothing is asked.
    pub(crate) async fn member(&self, name: &NodeName) -> Result<Member, Trouble> {
        self.cluster().await;
        let found = || lock(&self.shared().state).member(name).cloned();
        let mut news = self.shared().news.subscribe();
        let first = async {
            while found().is_some_and(|member| member.identity.is_none() && member.reach == super::state::Reach::New) {
                if news.changed().await.is_err() {
                    break;
                }
            }
        };
        let _ = timeout(FIRST, first).await;
        found().ok_or_else(|| Trouble::Absent { what: format!("{name} is no member of this cluster.") })
    }

    /// A node that has left.
    pub(crate) fn departed(&self, name: &NodeName) -> Option<Departed> {
        lock(&self.shared().state).departed(name).cloned()
    }

    /// The last 15 minutes of a node, also of one that has left.
    pub(crate) fn history(&self, name: &NodeName) -> Option<History> {
        self.look();
        lock(&self.shared().state).history(name).cloned()
    }

    /// What happened, the newest first, and how much happened in all.
    pub(crate) fn events(&self, most: usize) -> (Vec<Event>, u64) {
        let state = lock(&self.shared().state);
        (state.events.newest().take(most).cloned().collect(), state.events.count())
    }

    /// Ends with the next news: a node, a link or a strategy has changed. What happens from the call on counts.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut news = self.shared().news.subscribe();
        let kept = self.clone();
        async move {
            let _ = news.changed().await;
            drop(kept);
        }
    }

    /// The answer to a question that is asked once for all who look.
    pub(crate) async fn once<T: Send + Sync + 'static>(
        &self,
        key: String,
        ask: impl AsyncAsk<T>,
    ) -> Result<Looked<T>, Trouble> {
        self.once_for(FRESH, key, ask).await
    }

    /// The same for an answer that is good for longer.
    pub(crate) async fn once_for<T: Send + Sync + 'static>(
        &self,
        fresh: Duration,
        key: String,
        ask: impl AsyncAsk<T>,
    ) -> Result<Looked<T>, Trouble> {
        self.look();
        self.shared().memo.get(fresh, key, ask).await
    }

    /// What was seen of processes.
    pub(crate) fn seen(&self) -> &Seen {
        &self.shared().seen
    }

    /// Where nodes are examined, if the doctor was given what it needs.
    pub(crate) fn clinic(&self) -> Option<&Clinic> {
        self.shared().clinic.as_ref()
    }
}

impl Shared {
    fn is_looked_at(&self) -> bool {
        lock(&self.looked).is_some_and(|looked| looked.elapsed() <= GAZE)
    }

    fn carry_out(self: &Arc<Shared>, outcome: Outcome) {
        {
            let mut readers = lock(&self.readers);
            for name in outcome.stop {
                if let Some(reader) = readers.remove(&name) {
                    reader.abort();
                }
            }
            for name in outcome.start {
                let reader = tokio::spawn(read_on(Arc::clone(self), name.clone()));
                if let Some(before) = readers.insert(name, reader.abort_handle()) {
                    before.abort();
                }
            }
        }
        if outcome.is_news {
            self.news.send_modify(|count| *count += 1);
        }
    }
}

/// Hears of connections that end, which is sooner than the next sample.
async fn follow_events(shared: Arc<Shared>) {
    let mut events = shared.node.events();
    while let Some(event) = events.recv().await {
        let NodeEvent::Down { node, reason, .. } = event else { continue };
        let outcome = lock(&shared.state).lost(&node, &reason.to_string(), Instant::now());
        let is_known = outcome.is_news;
        shared.carry_out(outcome);
        if is_known {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                for pause in ASK_AGAIN {
                    sleep(pause).await;
                    shared.hurry.send_modify(|count| *count += 1);
                }
            });
        }
    }
}

/// Reads one node, again and again.
async fn read_on(shared: Arc<Shared>, name: NodeName) {
    let mut hurry = shared.hurry.subscribe();
    let mut identity: Option<(Arc<Identity>, Instant)> = None;
    let mut load: Option<Load> = None;
    loop {
        let begun = Instant::now();
        let reading = read(&shared, &name, &mut identity, load.as_ref()).await;
        let cost = begun.elapsed();
        load = match (&reading, load) {
            (Ok(reading), load) if reading.identity.has_observer && shared.is_looked_at() => {
                Some(load.unwrap_or_else(|| Load::follow(&shared.node, &name, reading.identity.schedulers)))
            }
            _ => None,
        };
        let outcome = lock(&shared.state).took(&name, reading, cost, Instant::now());
        shared.carry_out(outcome);
        let pause = if shared.is_looked_at() { LOOKED_AT } else { UNSEEN };
        tokio::select! {
            () = sleep(pause.max(cost * SHARE).min(LONGEST)) => {}
            // A failed dial is not made again at once, whatever hurry there is.
            _ = hurry.changed(), if identity.is_some() => {}
        }
        hurry.mark_unchanged();
    }
}

async fn read(
    shared: &Shared,
    name: &NodeName,
    known: &mut Option<(Arc<Identity>, Instant)>,
    load: Option<&Load>,
) -> Result<Reading, Trouble> {
    let ask = Ask::new(&shared.node, name).within(PATIENCE);
    let fresh = known.take().filter(|(_, at)| at.elapsed() < IDENTITY_AGE);
    let (identity, at) = match fresh {
        Some(fresh) => fresh,
        None => (Arc::new(Identity::read(&ask).await?), Instant::now()),
    };
    let sample = sample(&ask, identity.kind == Kind::Rust).await?;
    *known = Some((Arc::clone(&identity), at));
    Ok(Reading { identity, sample, utilisation: load.and_then(Load::latest) })
}
