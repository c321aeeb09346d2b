//! What all pages stand on: the server, who may enter, the frame of a page, and how an open page is kept up to date.

mod action;
mod ask;
mod frame;
mod live;
mod page;
mod power;
mod problem;
mod state;
mod visitor;

pub(crate) use action::{Action, Done, action};
pub(crate) use page::{Nothing, Page, route};
pub(crate) use power::{Act, Eval, Level, Permit, Power, Reveal, View};
pub(crate) use problem::Problem;
pub(crate) use state::Site;
pub(crate) use visitor::Visitor;
