//! Options of monitors and aliases.

use beamline_proto::ties::Alias;
use beamline_term::Term;

/// When an alias ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AliasKind {
    /// It does not: [`Process::unalias`](crate::Process::unalias) ends it.
    #[default]
    Explicit,
    /// With the first message through it.
    Reply,
}

/// Options of [`Process::monitor_with`](crate::Process::monitor_with), as those of `erlang:monitor/3`.
#[derive(Clone, Debug, Default)]
pub struct MonitorOptions {
    pub(super) alias: Option<Alias>,
    pub(super) tag: Option<Term>,
}

impl MonitorOptions {
    /// None: a plain monitor.
    pub fn new() -> MonitorOptions {
        MonitorOptions::default()
    }

    /// The reference is an alias too, which lasts until it is taken away: `{alias, explicit_unalias}`.
    pub fn alias(mut self) -> MonitorOptions {
        self.alias = Some(Alias::Explicit);
        self
    }

    /// The reference is an alias too, which ends with the monitor: `{alias, demonitor}`.
    pub fn alias_until_down(mut self) -> MonitorOptions {
        self.alias = Some(Alias::Demonitor);
        self
    }

    /// The reference is an alias too, and the first message through it ends alias and monitor: `{alias, reply_demonitor}`.
    pub fn alias_until_reply(mut self) -> MonitorOptions {
        self.alias = Some(Alias::ReplyDemonitor);
        self
    }

    /// What the message begins with, instead of with the atom `DOWN`.
    pub fn tag(mut self, tag: impl Into<Term>) -> MonitorOptions {
        self.tag = Some(tag.into());
        self
    }
}
