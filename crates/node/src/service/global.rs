//! `global_name_server`: the names of the whole cluster.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use beamline_proto::NodeName;
use beamline_term::{Pid, Term};
use tokio::sync::mpsc;

use crate::node::Inner;

pub(crate) type Inputs = mpsc::UnboundedReceiver<Input>;

/// What the rules of `global` hear of.
#[derive(Debug)]
pub(crate) enum Input {
    NodeUp(NodeName),
    NodeDown(NodeName, bool),
    ProcessDown(Pid),
}

/// What other parts of the node know of `global`: where to tell it things, and a copy of its table.
pub(crate) struct Shared {
    inputs: mpsc::UnboundedSender<Input>,
    names: ArcSwap<HashMap<Term, Pid>>,
}

impl Shared {
    pub(crate) fn new() -> (Shared, Inputs) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        (Shared { inputs, names: ArcSwap::default() }, receiver)
    }

    pub(crate) fn node_up(&self, node: &NodeName) {
        let _ = self.inputs.send(Input::NodeUp(node.clone()));
    }

    pub(crate) fn node_down(&self, node: &NodeName, on_purpose: bool) {
        let _ = self.inputs.send(Input::NodeDown(node.clone(), on_purpose));
    }

    pub(crate) fn process_down(&self, pid: &Pid) {
        let _ = self.inputs.send(Input::ProcessDown(pid.clone()));
    }
}

/// The names of the whole cluster, as `:global`.
#[derive(Clone)]
pub struct Global {
    node: Arc<Inner>,
}

impl Global {
    pub(crate) fn new(node: &Arc<Inner>) -> Global {
        Global { node: Arc::clone(node) }
    }

    /// The process of a name. Takes no lock.
    pub fn whereis(&self, name: &Term) -> Option<Pid> {
        self.node.global.names.load().get(name).cloned()
    }

    /// All names.
    pub fn names(&self) -> Vec<(Term, Pid)> {
        self.node.global.names.load().iter().map(|(name, pid)| (name.clone(), pid.clone())).collect()
    }
}

pub(crate) fn start(_node: &Arc<Inner>, _inputs: Inputs) {}
