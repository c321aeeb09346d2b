//! Aliases: references that lead to a process until it, or a rule, takes them away.

use beamline_term::Reference;

use super::{Ties, Watch};

/// When an alias ends by itself, as the options of `erlang:alias/1` and of `monitor/3` say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alias {
    /// It does not: `explicit_unalias`.
    Explicit,
    /// With the first message through it: `reply`.
    Reply,
    /// With the monitor that it belongs to: `{alias, demonitor}`.
    Demonitor,
    /// With the monitor, or with the first message, which takes the monitor away too: `{alias, reply_demonitor}`.
    ReplyDemonitor,
}

/// What a message through an alias does.
#[derive(Debug)]
pub struct Through<L> {
    /// The alias is gone now.
    pub spent: bool,
    /// A monitor that went with it, for which DEMONITOR must go out.
    pub unwatched: Option<Watch<L>>,
}

impl<L: Clone + PartialEq> Ties<L> {
    /// The process makes an alias of a reference.
    pub fn alias(&mut self, reference: Reference, alias: Alias) {
        self.aliases.insert(reference, alias);
    }

    /// The process takes an alias away; false if it is none.
    pub fn unalias(&mut self, reference: &Reference) -> bool {
        self.aliases.remove(reference).is_some()
    }

    /// A message arrives through an alias; `None` if it leads nowhere, and then the message is lost.
    pub fn through(&mut self, reference: &Reference) -> Option<Through<L>> {
        match self.aliases.get(reference)? {
            Alias::Explicit | Alias::Demonitor => Some(Through { spent: false, unwatched: None }),
            Alias::Reply => {
                self.aliases.remove(reference);
                Some(Through { spent: true, unwatched: None })
            }
            Alias::ReplyDemonitor => {
                self.aliases.remove(reference);
                Some(Through { spent: true, unwatched: self.watches.remove(reference) })
            }
        }
    }

    /// Whether the reference is an alias of this process.
    pub fn is_alias(&self, reference: &Reference) -> bool {
        self.aliases.get(reference).is_some()
    }

    pub(super) fn end_alias_of_monitor(&mut self, reference: &Reference) {
        if let Some(Alias::Demonitor | Alias::ReplyDemonitor) = self.aliases.get(reference) {
            self.aliases.remove(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Target;
    use beamline_term::{Creation, Origin, atom};

    fn with(alias: Alias) -> (Ties<u8>, Reference) {
        let origin = Origin::new(atom("a@h"), Creation::new(1));
        let reference = Reference::at(&origin, &[1, 2, 3]).unwrap();
        let mut ties = Ties::default();
        let watch = Watch { target: Target::Name(atom("x")), node: atom("b@h"), line: Some(1), tag: None };
        ties.watch(reference.clone(), watch);
        ties.alias(reference.clone(), alias);
        (ties, reference)
    }

    #[test]
    fn each_kind_ends_when_it_should() {
        // The kind; ties left after: a message, demonitor, DOWN. The monitor counts as one, the alias as another.
        let table = [
            (Alias::Explicit, [2, 1, 1]),
            (Alias::Reply, [1, 1, 1]),
            (Alias::Demonitor, [2, 0, 0]),
            (Alias::ReplyDemonitor, [0, 0, 0]),
        ];
        for (alias, [message, demonitor, down]) in table {
            let (mut ties, reference) = with(alias);
            assert!(ties.through(&reference).is_some());
            assert_eq!(ties.len(), message, "{alias:?} after a message");
            let (mut ties, reference) = with(alias);
            ties.unwatch(&reference);
            assert_eq!(ties.len(), demonitor, "{alias:?} after demonitor");
            let (mut ties, reference) = with(alias);
            assert!(ties.down(&reference, Some(&1)).is_some());
            assert_eq!(ties.len(), down, "{alias:?} after DOWN");
        }
    }

    #[test]
    fn a_reply_takes_the_monitor_away_and_the_second_is_lost() {
        let (mut ties, reference) = with(Alias::ReplyDemonitor);
        let through = ties.through(&reference).unwrap();
        assert!(through.spent && through.unwatched.is_some());
        assert!(ties.through(&reference).is_none());
    }
}
