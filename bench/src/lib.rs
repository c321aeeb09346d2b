//! What the rivals share: a line protocol on stdin and stdout, so that one driver can measure programs of any language.
//!
//! `RIVAL serve` prints `ready ADDRESS` and serves until its stdin closes. `RIVAL client ADDRESS` connects, prints
//! `ready`, and answers each command on stdin with one line:
//!
//! | command | answer |
//! | --- | --- |
//! | `calls KIND CALLERS LIMIT` | `calls COUNT NANOSECONDS P50 P99`, latencies in nanoseconds |
//! | `oneway SIZE LIMIT` | `oneway COUNT NANOSECONDS`, until the receiver said that it had them all |
//! | `connect COUNT PAUSEms` | `connect COUNT NANOSECONDS P50 P99`, of connecting anew |
//!
//! LIMIT is `400ms` or `1000x`. What a rival cannot do it answers with `failed WHY`. `bench.erl` speaks the same.
#![cfg(feature = "network")]

pub mod asynchronous;
pub mod protocol;

pub use protocol::{Command, Error, Limit, Report, Role};
