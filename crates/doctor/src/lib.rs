//! Why a node cannot be reached, or does not join: the ladder of checks behind `beamline doctor`, as a library.
//!
//! Each [`Rung`] looks at one thing on the way from here to a node: what is set up here, the name, DNS, epmd, the port, the
//! handshake, the cookie, then what the node's peers and its discovery say. A rung that fails skips those that need it. What
//! is wrong is a [`Finding`] with a [`Code`] that stays the same from release to release, what was seen, and what to do.
//!
//! ```no_run
//! # async fn example() {
//! use beamline_doctor::{Cookies, Doctor, Options, Source};
//!
//! let cookie = Source::new("the variable BEAMLINE_COOKIE", "secret".into());
//! let doctor = Doctor::new(Options::new(Cookies::from(cookie)));
//! let report = doctor.examine(&"app@db1".parse().expect("a name")).await;
//! for finding in report.findings() {
//!     println!("{} {}", finding.code.id, finding.what);
//! }
//! # }
//! ```
//!
//! [`report`], [`code`](mod@code) and [`render`] are plain data and text; the files under `rung` do the I/O, with the parts of
//! `beamline-node` and with a deadline for each step. The doctor is never a member: it visits as a guest, or, hidden, under
//! the name that it is given. It shows no cookie, only its length and a few digits of its hash.

pub mod code;
mod doctor;
mod here;
mod options;
pub mod render;
pub mod report;
mod rung;
mod select;
mod wire;

pub use code::{Code, Weight};
pub use doctor::Doctor;
pub use here::nodes_of_this_host;
pub use options::{Cookies, Options, Source};
pub use report::{Checked, Examination, Finding, State, Summary};
pub use rung::Rung;
pub use select::{Selection, UnknownCheck};
