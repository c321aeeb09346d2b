//! One node of a cluster under test: how it is started, and whether it runs.

use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use beamline_node::Node;
use beamline_proto::NodeName;

use super::network::Place;
use super::program::{Output, Program, Running};
use super::started::{Start, Started};

/// How to start it, the first time and again.
#[derive(Clone)]
pub(super) enum Recipe {
    Program(Program),
    Node(Start),
}

pub(super) struct Member {
    pub(super) name: NodeName,
    /// Counted from 1 within its group.
    pub(super) number: usize,
    pub(super) place: Place,
    pub(super) recipe: Recipe,
    pub(super) output: Output,
    life: Mutex<Option<Life>>,
}

/// What runs.
pub(super) struct Life {
    pub(super) body: Body,
    pub(super) paused: bool,
}

pub(super) enum Body {
    Program(Running),
    Node(Started, Option<beamline_cluster::Cluster>),
}

impl Member {
    pub(super) fn new(name: NodeName, number: usize, place: Place, recipe: Recipe) -> Member {
        Member { name, number, place, recipe, output: Output::default(), life: Mutex::default() }
    }

    pub(super) fn life(&self) -> MutexGuard<'_, Option<Life>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it runs, and is not paused.
    pub(super) fn is_awake(&self) -> bool {
        self.ended().is_none() && self.life().as_ref().is_some_and(|life| !life.paused)
    }

    /// How its program ended, if it did so by itself.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        match &mut self.life().as_mut()?.body {
            Body::Program(program) => program.ended(),
            Body::Node(..) => None,
        }
    }

    /// Its node, if that is in this process.
    pub(super) fn node(&self) -> Option<Node> {
        match &self.life().as_ref()?.body {
            Body::Node(started, _) => Some(started.node.clone()),
            Body::Program(_) => None,
        }
    }
}
