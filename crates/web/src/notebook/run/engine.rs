//! The engine: a plan, the node at which it is carried out, and what came of it. Everything here is told over a mutex that is
//! never held while anything is waited for.

mod device;
mod job;
mod question;
mod reach;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_console::{Completion, Context, Evaluator, Outlet};
use beamline_node::{Cookie, Node};
use beamline_proto::NodeName;
use tokio::sync::watch;

use super::outline::{CellId, Outline};
use super::output::{Outcome, Output};
use super::plan::{Ask, Evaluation, Mark, Plan};
use super::state::{CellState, RuntimeState, Update, kind_name};
use crate::site::{Eval, Permit};
use question::Asked;
use reach::reach;

/// All outputs of a notebook may take so many bytes; what is printed beyond that is counted.
const KEPT: usize = 64 << 20;
/// What all cells see, if the notebook is given variables.
const ROOT: Context = Context(u64::MAX);

/// Runs the cells of one notebook at one node. A clone is the same one; when the last is dropped, what runs is ended.
#[derive(Clone)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    _end: Arc<End>,
}

struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.detach(RuntimeState::Detached);
    }
}

struct Shared {
    node: Node,
    /// Whether there may be somebody to answer what cells ask.
    is_watched: bool,
    state: Mutex<State>,
    /// The number of the last change.
    number: watch::Sender<u64>,
}

struct State {
    plan: Plan,
    cells: HashMap<CellId, Held>,
    runtime: RuntimeState,
    /// Tells a runtime from those before it.
    generation: u64,
    evaluator: Option<Evaluator>,
    /// Variables that the notebook is given.
    given: Vec<(String, String)>,
    cancelled: HashSet<Evaluation>,
    /// The bytes of all outputs.
    kept: usize,
    changed: u64,
}

#[derive(Default)]
struct Held {
    mark: Option<Mark>,
    output: Option<Arc<Output>>,
    /// Where the cell prints, for as long as it is there: what it has started may print later.
    outlet: Option<Arc<Outlet>>,
    /// What its processes want to know.
    asked: Vec<Asked>,
    /// By whom it was last asked for.
    by: Option<Permit<Eval>>,
    changed: u64,
}

impl Engine {
    /// An engine whose calls `node` makes. It has no cells, and no node to run them at.
    pub(crate) fn new(node: &Node) -> Engine {
        Engine::start(node, true)
    }

    /// The same without anybody who could answer what cells ask.
    pub(crate) fn unwatched(node: &Node) -> Engine {
        Engine::start(node, false)
    }

    fn start(node: &Node, is_watched: bool) -> Engine {
        let state = State {
            plan: Plan::default(),
            cells: HashMap::new(),
            runtime: RuntimeState::Detached,
            generation: 0,
            evaluator: None,
            given: Vec::new(),
            cancelled: HashSet::new(),
            kept: 0,
            changed: 0,
        };
        let shared = Shared { node: node.clone(), is_watched, state: Mutex::new(state), number: watch::Sender::new(0) };
        let shared = Arc::new(shared);
        Engine { _end: Arc::new(End(Arc::clone(&shared))), shared }
    }

    /// The notebook is now this. To be called after each change of a code cell or of the order; nothing runs by that.
    pub(crate) fn set_outline(&self, outline: &Outline) {
        let mut state = self.shared.lock();
        let gone = state.plan.outline(outline);
        let ids: HashSet<CellId> = state.plan.cells().map(|cell| cell.id).collect();
        let left: Vec<CellId> = state.cells.keys().filter(|id| !ids.contains(id)).copied().collect();
        for id in left {
            if let Some(output) = state.cells.remove(&id).and_then(|held| held.output) {
                state.kept = state.kept.saturating_sub(output.printed.kept().len());
            }
        }
        self.shared.interrupt(&mut state, &gone.running);
        if let Some(evaluator) = state.evaluator.clone().filter(|_| !gone.cells.is_empty()) {
            let contexts: Vec<Context> = gone.cells.iter().map(|cell| Context(cell.0)).collect();
            tokio::spawn(async move { evaluator.forget(&contexts).await });
        }
        self.shared.settle(state);
    }

    /// Variables that all cells see, each with a text as its value. They hold from the next attaching on.
    pub(crate) fn give(&self, variables: Vec<(String, String)>) {
        self.shared.lock().given = variables;
    }

    /// Runs the cells at that node from now on: its name may be that of our own. What an earlier node knew is forgotten. With a
    /// cookie, it is used for that node alone, from now on.
    pub(crate) fn attach(&self, target: &NodeName, cookie: Option<Cookie>) {
        if let Some(cookie) = cookie.filter(|_| target != self.shared.node.name()) {
            self.shared.node.set_cookie(target, cookie);
        }
        let generation = self.shared.detach(RuntimeState::Connecting { node: target.clone() });
        let (shared, target) = (Arc::downgrade(&self.shared), target.clone());
        let node = self.shared.node.clone();
        tokio::spawn(async move { reach(&node, &target, &shared, generation).await });
    }

    /// Attaches to the same node anew: all variables are forgotten.
    pub(crate) fn reconnect(&self) {
        let target = self.shared.lock().runtime.node().cloned();
        if let Some(target) = target {
            self.attach(&target, None);
        }
    }

    /// Lets go of the node.
    pub(crate) fn detach(&self) {
        self.shared.detach(RuntimeState::Detached);
    }

    /// Queues cells. Without a node they wait for one that is being reached, and are refused otherwise: false.
    pub(crate) fn run(&self, ask: Ask, by: &Permit<Eval>) -> bool {
        let mut state = self.shared.lock();
        if !matches!(state.runtime, RuntimeState::Ready { .. } | RuntimeState::Connecting { .. }) {
            return false;
        }
        state.plan.queue(ask);
        for (id, mark) in state.plan.marks() {
            let held = state.cells.entry(id).or_default();
            if mark == Mark::Queued && held.mark != Some(Mark::Queued) {
                held.by = Some(by.clone());
            }
        }
        self.shared.settle(state);
        true
    }

    /// Takes a cell, and what waits for it, out of the queue, and ends it if it runs.
    pub(crate) fn cancel(&self, cell: CellId) {
        let mut state = self.shared.lock();
        if let Some(number) = state.plan.cancel(cell) {
            state.cancelled.insert(number);
            self.shared.interrupt(&mut state, &[(cell, number)]);
        }
        self.shared.settle(state);
    }

    /// Does that with all cells.
    pub(crate) fn cancel_all(&self) {
        let cells: Vec<CellId> = self.shared.lock().plan.cells().map(|cell| cell.id).collect();
        cells.into_iter().for_each(|cell| self.cancel(cell));
    }

    /// Shows that as what a cell gave before, as its file has it. Does nothing if it has been evaluated.
    pub(crate) fn restore(&self, cell: CellId, outcome: Outcome) {
        let mut state = self.shared.lock();
        if state.plan.cell(cell).is_none() {
            return;
        }
        let held = state.cells.entry(cell).or_default();
        if held.output.is_none() {
            let output = Output { result: Some(outcome), ..Output::new(Evaluation(0)) };
            held.output = Some(Arc::new(output));
            let changed = state.next();
            state.cells.entry(cell).or_default().changed = changed;
        }
        self.shared.settle(state);
    }

    /// What could stand at the end of a text in a cell.
    pub(crate) async fn complete(&self, cell: CellId, before: &str) -> Vec<Completion> {
        let (evaluator, context) = {
            let state = self.shared.lock();
            let context = state.plan.context_of(cell).map(|cell| Context(cell.0));
            (state.evaluator.clone(), context.or(state.root()))
        };
        match evaluator {
            Some(evaluator) => evaluator.complete(context, before).await,
            None => Vec::new(),
        }
    }

    /// What has changed since the change of that number; since 0 it is everything.
    pub(crate) fn since(&self, number: u64) -> Update {
        let state = self.shared.lock();
        let cell = |(id, mark): (CellId, Mark)| {
            let held = state.cells.get(&id)?;
            let (output, asks) = (held.output.clone(), held.asked.iter().map(|asked| asked.question.clone()).collect());
            (held.changed > number || number == 0).then_some(CellState { id, mark, output, asks })
        };
        Update {
            number: state.changed,
            runtime: state.runtime.clone(),
            cells: state.plan.marks().into_iter().filter_map(cell).collect(),
        }
    }

    /// Waits until something has changed since the change of that number.
    pub(crate) async fn changed(&self, number: u64) {
        let mut numbers = self.shared.number.subscribe();
        // It lives as long as we do.
        let _ = numbers.wait_for(|now| *now > number).await;
    }

    /// Whether nothing runs, and nothing waits to.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.lock().plan.is_idle()
    }

    /// Waits until nothing runs, and nothing waits to.
    pub(crate) async fn idle(&self) {
        let mut numbers = self.shared.number.subscribe();
        while !self.is_idle() {
            if numbers.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the node is ready or cannot be reached.
    pub(crate) async fn attached(&self) -> RuntimeState {
        let mut numbers = self.shared.number.subscribe();
        loop {
            let runtime = self.shared.lock().runtime.clone();
            if !matches!(runtime, RuntimeState::Connecting { .. }) || numbers.changed().await.is_err() {
                return runtime;
            }
        }
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.changed += 1;
        self.changed
    }

    fn root(&self) -> Option<Context> {
        (!self.given.is_empty()).then_some(ROOT)
    }

    fn output(&mut self, cell: CellId) -> Option<&mut Output> {
        Some(Arc::make_mut(self.cells.get_mut(&cell)?.output.as_mut()?))
    }

    /// Adds to what a cell has printed, as far as there is room.
    fn print(&mut self, cell: CellId, text: &str) {
        let room = KEPT.saturating_sub(self.kept);
        let Some(output) = self.output(cell) else { return };
        let before = output.printed.kept().len();
        output.printed.push(text, room);
        let after = output.printed.kept().len();
        self.kept = (self.kept + after).saturating_sub(before);
        self.touch(cell);
    }

    fn touch(&mut self, cell: CellId) {
        let changed = self.next();
        if let Some(held) = self.cells.get_mut(&cell) {
            held.changed = changed;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After any change: starts what can start, notes whose marks have changed, and tells the viewers.
    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if let Some(evaluator) = state.evaluator.clone() {
            for job in state.plan.start() {
                self.launch(&mut state, &evaluator, job);
            }
        }
        for (id, mark) in state.plan.marks() {
            if state.cells.entry(id).or_default().mark != Some(mark) {
                let changed = state.next();
                let held = state.cells.entry(id).or_default();
                (held.mark, held.changed) = (Some(mark), changed);
            }
        }
        self.tell(state);
    }

    fn tell(&self, state: MutexGuard<'_, State>) {
        let number = state.changed;
        drop(state);
        self.number.send_if_modified(|now| std::mem::replace(now, number.max(*now)) < number);
    }

    /// Ends evaluations at the node; they say themselves when they have ended.
    fn interrupt(&self, state: &mut State, running: &[(CellId, Evaluation)]) {
        let Some(evaluator) = state.evaluator.clone().filter(|_| !running.is_empty()) else { return };
        let lanes: Vec<_> = running.iter().filter_map(|(cell, number)| state.plan.lane_of(*cell, *number)).collect();
        tokio::spawn(async move {
            for lane in lanes {
                evaluator.interrupt(job::lane(lane)).await;
            }
        });
    }

    /// Lets go of the node that there was. Gives the number of the runtime that begins.
    fn detach(self: &Arc<Self>, runtime: RuntimeState) -> u64 {
        let mut state = self.lock();
        let running = state.plan.running();
        self.interrupt(&mut state, &running);
        let why = match &runtime {
            RuntimeState::Lost { told, .. } => told.clone(),
            _ => "the runtime was let go".to_owned(),
        };
        for (cell, _) in running {
            if let Some(output) = state.output(cell) {
                output.result = Some(Outcome::Aborted(why.clone()));
            }
            state.touch(cell);
        }
        state.plan.lost();
        state.cells.values_mut().for_each(|held| held.outlet = None);
        (state.evaluator, state.runtime) = (None, runtime);
        state.cancelled.clear();
        state.generation += 1;
        state.changed += 1;
        let generation = state.generation;
        self.settle(state);
        generation
    }

    fn is_of(&self, generation: u64) -> bool {
        self.lock().generation == generation
    }

    /// The node is there; false if another is wanted by now.
    fn ready(self: &Arc<Self>, generation: u64, target: &NodeName, evaluator: &Evaluator) -> bool {
        let mut state = self.lock();
        if state.generation != generation {
            return false;
        }
        state.runtime = RuntimeState::Ready { node: target.clone(), kind: kind_name(evaluator.kind()) };
        state.evaluator = Some(evaluator.clone());
        state.changed += 1;
        self.settle(state);
        true
    }

    /// The node has gone.
    fn lost(self: &Arc<Self>, generation: u64) {
        let target = {
            let state = self.lock();
            state.runtime.node().cloned().filter(|_| state.generation == generation)
        };
        if let Some(node) = target {
            let told = format!(
                "the connection to {node} was lost, and with it what the cells have bound; reconnect, and run them again"
            );
            self.detach(RuntimeState::Lost { node, told });
        }
    }
}

#[cfg(test)]
mod tests;
