//! What the pages are made from: who is in the cluster, and what each node says of itself.
//!
//! One reader for each node, for all who look: [`sampler`] runs them, [`state`] decides who is a member. What only one page
//! shows is asked when that page is looked at, through [`memo`]. Nothing here knows of HTTP.
//!
//! | module | what it asks |
//! | --- | --- |
//! | [`identity`], [`figures`], [`load`], [`topology`] | what is read of every node |
//! | [`process`], [`application`] | processes: the top of many, one in detail, the tree of an application |
//! | [`system`], [`port`], [`table`], [`module`], [`distribution`] | what a node has |
//! | [`name`] | names of the whole cluster |
//! | [`clinic`] | what the doctor finds |
//! | [`history`], [`event`], [`seen`] | nothing: they remember |

pub(crate) mod application;
pub(crate) mod ask;
pub(crate) mod clinic;
pub(crate) mod distribution;
pub(crate) mod event;
pub(crate) mod figures;
pub(crate) mod history;
pub(crate) mod identity;
mod load;
pub(crate) mod memo;
pub(crate) mod mesh;
pub(crate) mod module;
pub(crate) mod name;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod read;
mod sampler;
mod seen;
pub(crate) mod state;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod topology;
pub(crate) mod trouble;

pub(crate) use sampler::{Cluster, Sources};

#[cfg(test)]
mod real_node_tests;
#[cfg(test)]
mod real_tests;
