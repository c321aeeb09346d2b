//! What all pages stand on: the server, who may enter, the frame of a page, and how an open page is kept up to date.

pub(crate) mod access;
mod action;
mod address;
mod ask;
mod assets;
mod frame;
mod live;
mod page;
mod power;
mod problem;
mod public;
pub(crate) mod server;
mod state;
#[cfg(test)]
mod tests;
mod visitor;

pub(crate) use action::{Action, BODY_LIMIT, Done, action};
pub(crate) use address::segment;
pub(crate) use assets::{Asset, NOTEBOOK, NOTEBOOK_STYLE};
pub(crate) use frame::Place;
pub(crate) use page::{Nothing, Page, route};
pub(crate) use power::{Act, Eval, Level, Permit, Power, Reveal};
pub(crate) use problem::Problem;
pub(crate) use public::around;
pub(crate) use state::{Figures, Setup, Site};
pub(crate) use visitor::Visitor;
