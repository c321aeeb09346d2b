//! What the tests of whole clusters share: real Erlang and Elixir nodes of
//! three releases, our own programs as child processes, and waiting for a
//! condition with a deadline. Everything started is ended when it is dropped.
//!
//! A test written as `fn name(otp: Otp)` and listed in [`for_each_otp!`] runs
//! with OTP 25 from the PATH and with OTP 27 and 29 from the Debian trees that
//! `cargo xtask tools` makes.

mod beam;
pub mod chrome;
mod compose;
mod display;
mod dns;
mod kube;
mod network;
mod otp;
pub mod pod;
mod ports;
mod program;
mod proxy;
mod site;
mod terminal;
mod wait;

pub use beam::Beam;
pub use chrome::Chrome;
pub use compose::{Compose, compose_program, docker, with_hosts};
pub use display::Display;
pub use dns::DnsServer;
pub use kube::Kube;
pub use network::Network;
pub use otp::{Otp, skip};
pub use ports::{Epmd, free_port};
pub use program::{Program, path};
pub use proxy::Proxy;
pub use site::{OpenPage, Site};
pub use terminal::Terminal;
pub use wait::{DEADLINE, wait_until};

/// The host part of every name in these tests.
pub const HOST: &str = "127.0.0.1";

/// A name on [`HOST`] that no other test uses.
pub fn unique(alive: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{alive}_{}_{count}@{HOST}", std::process::id())
}

/// Makes a test for each release out of each function that takes an [`Otp`].
#[macro_export]
macro_rules! for_each_otp {
    ($($name:ident),* $(,)?) => {
        mod otp25 { $(#[test] fn $name() { $crate::Otp::Host.run(concat!("otp25::", stringify!($name)), super::$name); })* }
        mod otp27 { $(#[test] fn $name() { $crate::Otp::Trixie.run(concat!("otp27::", stringify!($name)), super::$name); })* }
        mod otp29 { $(#[test] fn $name() { $crate::Otp::Sid.run(concat!("otp29::", stringify!($name)), super::$name); })* }
    };
}
