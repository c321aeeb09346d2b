//! How a test says which node it means.

use std::fmt;

use beamline_proto::NodeName;

/// A node of a cluster under test: its index, counted from 0 in the order in which nodes were asked for; or its name, with the
/// host or without.
///
/// ```
/// use beamline::testing::Which;
///
/// assert_eq!(Which::from(0).to_string(), "0");
/// assert_eq!(Which::from("app_a1").to_string(), "app_a1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// The index.
    Index(usize),
    /// The name.
    Name(String),
}

impl Which {
    pub(super) fn is(&self, index: usize, node: &NodeName) -> bool {
        match self {
            Which::Index(wanted) => *wanted == index,
            Which::Name(name) => name == node.as_str() || name == node.alive(),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Index(index) => index.fmt(f),
            Which::Name(name) => name.fmt(f),
        }
    }
}

impl From<usize> for Which {
    fn from(index: usize) -> Which {
        Which::Index(index)
    }
}

impl From<&str> for Which {
    fn from(name: &str) -> Which {
        Which::Name(name.to_owned())
    }
}

impl From<&NodeName> for Which {
    fn from(name: &NodeName) -> Which {
        Which::Name(name.to_string())
    }
}
