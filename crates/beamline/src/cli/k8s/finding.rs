//! What a check finds: a code that does not change, a place, what is wrong there and what to do about it.

use std::fmt;

use super::yaml::Place;

/// Whether nodes stay apart, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Error,
    Warning,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Code {
    /// A workload's selector does not fit the labels of its own pods.
    OwnSelector,
    /// Two workloads select the same pods.
    Overlap,
    /// A service selects no pod.
    ServiceSelectsNone,
    /// A headless service is missing.
    NoHeadlessService,
    /// The service is there, but is not headless.
    NotHeadless,
    /// The host in a node's name is not what its pod is called.
    Host,
    /// The base name is not the one that the strategy looks for.
    BaseName,
    /// The form of the host is not that which the strategy makes of what it finds.
    Mode,
    /// Nothing lets the strategy ask the API.
    NoRole,
    /// What lets it ask does not suffice.
    NarrowRole,
    /// Something is in, or asks for, another namespace.
    Namespace,
    /// The distribution port is chosen anew at each start.
    PortNotFixed,
    /// The distribution port is not among the ports of the container.
    PortNotExposed,
    /// The strategy finds a pod that is no node.
    NoNode,
    /// A headless service without ports has no SRV records.
    NoPorts,
    /// Gossip needs a network that carries multicast.
    Multicast,
    /// The strategy is none.
    Strategy,
    /// Cookies differ, or there is none.
    Cookie,
    /// The strategy's selector finds none of the nodes.
    StrategySelectsNone,
}

impl Code {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::OwnSelector => "K01",
            Self::Overlap => "K02",
            Self::ServiceSelectsNone => "K03",
            Self::NoHeadlessService => "K04",
            Self::NotHeadless => "K05",
            Self::Host => "K06",
            Self::BaseName => "K07",
            Self::Mode => "K08",
            Self::NoRole => "K09",
            Self::NarrowRole => "K10",
            Self::Namespace => "K11",
            Self::PortNotFixed => "K12",
            Self::PortNotExposed => "K13",
            Self::NoNode => "K14",
            Self::NoPorts => "K15",
            Self::Multicast => "K16",
            Self::Strategy => "K17",
            Self::Cookie => "K18",
            Self::StrategySelectsNone => "K19",
        }
    }

    pub(super) fn weight(self) -> Weight {
        match self {
            Self::PortNotFixed | Self::PortNotExposed | Self::NoNode | Self::NoPorts | Self::Multicast => {
                Weight::Warning
            }
            _ => Weight::Error,
        }
    }
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) code: Code,
    pub(super) place: Place,
    /// The workload that it is about, if it is about one.
    pub(super) workload: Option<String>,
    text: String,
    fix: String,
}

impl Finding {
    pub(super) fn new(code: Code, place: &Place, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code, place: place.clone(), workload: None, text: text.into(), fix: fix.into() }
    }

    /// The same about this workload.
    pub(super) fn about(self, workload: &str) -> Self {
        Self { workload: Some(workload.to_owned()), ..self }
    }

    /// Two that agree in this are one.
    pub(super) fn order(&self) -> (&Place, Code) {
        (&self.place, self.code)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.code.weight() {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        let Self { place, text, fix, .. } = self;
        writeln!(f, "{}:{}: {weight} {}: {text}", place.file, place.line, self.code.id())?;
        write!(f, "    fix: {fix}")
    }
}
