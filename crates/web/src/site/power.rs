//! What a visitor may do, as types: a function that does more than show takes a [`Permit`] that only the site gives.

use std::fmt;
use std::marker::PhantomData;

/// What a visitor may do; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Power {
    /// See figures and names.
    View,
    /// See what may hold secrets: messages, dictionaries, states.
    Reveal,
    /// End processes and the like.
    Act,
    /// Run code.
    Eval,
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Power::View => "view",
            Power::Reveal => "reveal",
            Power::Act => "act",
            Power::Eval => "eval",
        })
    }
}

/// A power as a type; to view needs no proof.
pub(crate) trait Level: Send + Sync + 'static {
    const POWER: Power;
}

macro_rules! levels {
    ($($name:ident),*) => {$(
        #[doc = concat!("[`Power::", stringify!($name), "`] as a type.")]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name;

        impl Level for $name {
            const POWER: Power = Power::$name;
        }
    )*};
}

levels!(Reveal, Act, Eval);

/// The proof that the visitor of a request has a power: [`Site::permit`](super::Site::permit) gives it.
#[derive(Debug, Clone)]
pub(crate) struct Permit<L: Level> {
    visitor: String,
    level: PhantomData<L>,
}

impl<L: Level> Permit<L> {
    pub(super) fn new(visitor: String) -> Self {
        Self { visitor, level: PhantomData }
    }

    /// Of whoever runs the program itself.
    pub(crate) fn operator() -> Self {
        Self::new("operator".to_owned())
    }

    /// Writes a line for those who must know later who did what: the visitor, the action (`eval`, `kill`), the node, and
    /// what was done to what, without secrets (of code its hash). It goes to the tracing target `beamline::audit`.
    pub(crate) fn audit(&self, action: &str, node: &str, what: &str) {
        tracing::info!(target: "beamline::audit", visitor = %self.visitor, action, node, what);
    }
}
