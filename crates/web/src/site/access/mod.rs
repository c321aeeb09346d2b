//! Who may enter: the rules of consoles that run code, in one place that every request passes.
//!
//! [`guard`](mod@guard) is the order of the checks; each of the other files is one of them. Nothing here knows a page.

mod cookie;
mod guard;
mod headers;
mod hosts;
mod keys;
mod login;
mod refusal;
mod secret;
mod sessions;
mod throttle;

use std::sync::Arc;

pub(crate) use guard::guard;
pub(crate) use hosts::Hosts;
pub(crate) use keys::Keys;
pub(crate) use refusal::Refusal;
use secret::random_secret;
pub use secret::{Password, SecretError, Token};
pub(crate) use sessions::{Key, Lifetime, Sessions};
use throttle::Throttle;

use super::{Power, Visitor};

/// All that is asked about a request before a page sees it.
pub(crate) struct Access {
    pub(crate) hosts: Hosts,
    pub(crate) keys: Keys,
    pub(crate) sessions: Sessions,
    throttle: Throttle,
    trusts_proxy: bool,
    is_open: bool,
    shared: Arc<Visitor>,
}

impl Access {
    pub(crate) fn new(hosts: Hosts, keys: Keys, lifetime: Lifetime) -> Self {
        let shared = Arc::new(Visitor::nobody());
        let throttle = Throttle::default();
        Self { hosts, keys, sessions: Sessions::new(lifetime), throttle, trusts_proxy: false, is_open: false, shared }
    }

    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto`, which a proxy in front must set.
    pub(crate) fn trust_proxy(mut self) -> Self {
        self.trusts_proxy = true;
        self
    }

    /// Whoever gets here has been let in already, and has this power: all are one visitor, whose forms carry one token.
    pub(crate) fn open_to(mut self, power: Power) -> Self {
        self.is_open = true;
        self.shared = Arc::new(Visitor::admitted(power, random_secret()));
        self
    }

    /// Whether the session of a page that is open still lasts; it counts as used.
    pub(crate) fn lasts(&self, visitor: &Visitor) -> bool {
        self.is_open || visitor.session.is_none_or(|key| self.sessions.touch(key).is_some())
    }

    /// Whether there is anything to leave.
    pub(crate) fn has_login(&self) -> bool {
        !self.is_open
    }
}
