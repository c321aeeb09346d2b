//! Beamline in the browser: a dashboard of the whole cluster, and notebooks that run at any of its nodes.
//!
//! Pages are plain HTML that works without JavaScript; a page that is open is kept up to date by server-sent events. What a
//! node is asked goes through its function table as any call does; nothing is loaded into it.

mod dashboard;
mod metrics;
mod notebook;
mod site;
mod web;

pub use metrics::{Recording, RecordingError};
pub use notebook::livemd;
pub use notebook::run::headless;
pub use site::access::{Password, SecretError, Token};
pub use web::{HostError, ServeError, Web};
