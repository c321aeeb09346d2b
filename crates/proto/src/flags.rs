//! Distribution flags: what a node can do. Two nodes use what both can.
//!
//! The values are those of `dist.h`; the manual differs from them in one place ([`Flags::MANDATORY_25_DIGEST`]).

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// A set of distribution flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flags(u64);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $value:expr;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Flags = Flags($value);)*
        }

        const NAMES: &[(u64, &str)] = &[$(($value, stringify!($name))),*];
    };
}

flags! {
    /// The node is visible: it counts among `nodes()`.
    PUBLISHED = 0x1;
    /// References of more than one word.
    EXTENDED_REFERENCES = 0x4;
    /// Monitors.
    DIST_MONITOR = 0x8;
    /// Funs.
    FUN_TAGS = 0x10;
    /// Monitors on names.
    DIST_MONITOR_NAME = 0x20;
    /// Funs of the newer kind.
    NEW_FUN_TAGS = 0x80;
    /// Pids and ports of the longer kind.
    EXTENDED_PIDS_PORTS = 0x100;
    /// External funs.
    EXPORT_PTR_TAG = 0x200;
    /// Bit strings.
    BIT_BINARIES = 0x400;
    /// Floats as eight bytes.
    NEW_FLOATS = 0x800;
    /// The io protocol speaks Unicode.
    UNICODE_IO = 0x1000;
    /// Distribution headers with an atom cache.
    DIST_HDR_ATOM_CACHE = 0x2000;
    /// Short atoms.
    SMALL_ATOM_TAGS = 0x4000;
    /// Atoms in UTF-8.
    UTF8_ATOMS = 0x10000;
    /// Maps.
    MAP_TAG = 0x20000;
    /// Creations of 32 bits.
    BIG_CREATION = 0x40000;
    /// Sends tell their sender.
    SEND_SENDER = 0x80000;
    /// Trace labels of any term.
    BIG_SEQTRACE_LABELS = 0x100000;
    /// Exit reasons stand outside the control message.
    EXIT_PAYLOAD = 0x400000;
    /// Large messages come in parts.
    FRAGMENTS = 0x800000;
    /// The handshake of OTP 23.
    HANDSHAKE_23 = 0x1000000;
    /// Unlinking with an acknowledgement.
    UNLINK_ID = 0x2000000;
    /// Stands for everything that OTP 25 demands.
    MANDATORY_25_DIGEST = 0x4000000;
    /// Spawn requests.
    SPAWN = 1 << 32;
    /// A request: give me a name.
    NAME_ME = 1 << 33;
    /// Larger pids, ports and references.
    V4_NC = 1 << 34;
    /// Process aliases.
    ALIAS = 1 << 35;
    /// Signals with alternative actions (OTP 28): sends and exits to aliases, priorities.
    ALTACT_SIG = 1 << 37;
    /// Native records (OTP 29).
    NATIVE_RECORDS = 1 << 38;
}

impl Flags {
    /// No flags.
    pub const NONE: Flags = Flags(0);

    /// What OTP 25 demands, each by itself.
    pub const MANDATORY_25: Flags = Flags(0x0107_0F94);

    /// What OTP 26 and later demand, and so do we.
    pub const MANDATORY: Flags = Flags(0x4_0307_0F94);

    /// What a hidden Beamline node offers: everything that it speaks. The atom cache is left out, so that headers stay
    /// empty and the order of frames means nothing.
    pub const OFFERED: Flags = Flags(0x2D_07DF_5FBC);

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> Flags {
        Flags(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of `other` is in here.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These without those of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// What of the mandatory flags is missing, where the digest flag stands for those of OTP 25.
    pub fn missing(self) -> Flags {
        let stated = if self.contains(Flags::MANDATORY_25_DIGEST) { self | Flags::MANDATORY_25 } else { self };
        Flags::MANDATORY.without(stated)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the flags, as OTP writes them without the prefix.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(value, _)| self.0 & value != 0).map(|(_, name)| *name)
    }
}

impl BitAnd for Flags {
    type Output = Flags;
    fn bitand(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names().enumerate() {
            write!(f, "{}{name}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_real_nodes_send_are_enough_for_us() {
        for word in [0x0D_07DF_7FBD, 0x0D_07DF_7FBC, 0x6D_07DF_7FBD, 0x4_0600_0000] {
            assert_eq!(Flags::from_bits(word).missing(), Flags::NONE, "{word:#x}");
        }
    }

    #[test]
    fn what_is_missing_has_a_name() {
        let word = Flags::OFFERED.without(Flags::V4_NC);
        assert_eq!(word.missing().to_string(), "V4_NC");
    }
}
