//! Beamline in the browser: a dashboard of the whole cluster, and notebooks that run at any of its nodes.
//!
//! Pages are plain HTML that works without JavaScript; a page that is open is kept up to date by server-sent events. What a
//! node is asked goes through its function table as any call does; nothing is loaded into it.
//!
//! By itself, on a port of its own:
//!
//! ```no_run
//! # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
//! use beamline_web::Web;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:4040").await?;
//! let web = Web::new(&node);
//! println!("{}", web.entry("http://127.0.0.1:4040"));
//! web.serve(listener).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Or within an axum application, in one line:
//!
//! ```
//! # fn example(node: beamline_node::Node) -> axum::Router {
//! # use axum::Router;
//! # use beamline_web::Web;
//! Router::new().nest("/beamline", Web::new(&node).at("/beamline").router())
//! # }
//! ```

mod dashboard;
mod metrics;
mod notebook;
mod site;
mod web;

pub use beamline_livemd as livemd;
pub use metrics::{Recording, RecordingError};
pub use notebook::run::headless;
pub use site::access::{Password, SecretError, Token};
pub use web::{HostError, ServeError, Web};
