//! `beamline notebook`: notebooks whose cells run at nodes of a cluster.

mod run;

pub(super) use run::run;
