//! Why a name could not be looked up.

use std::{fmt, io, net::SocketAddr};

/// A look-up that found nothing, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsError {
    /// The name that was looked for.
    pub name: String,
    /// Which records: `A`, `AAAA`, `A and AAAA` or `SRV`.
    pub records: &'static str,
    /// The names that were asked for, by the search list.
    pub asked: Vec<String>,
    /// The servers to ask.
    pub servers: Vec<SocketAddr>,
    /// What came back.
    pub reason: DnsReason,
}

/// What came back. The order is that of their weight: if several names of the search list failed, the last of these is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DnsReason {
    /// No such name.
    NxDomain,
    /// The name is there and has no such records.
    NoRecords,
    /// The server did not answer the question but with this code, such as `servfail` or `refused`.
    Response {
        /// In small letters.
        code: String,
    },
    /// No answer in time.
    Timeout,
    /// The server cannot be reached.
    Unreachable {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The answer cannot be read, or another failure on the way.
    Failed {
        /// What happened.
        text: String,
    },
    /// No name of DNS: a label is empty or longer than 63 bytes, or the whole longer than 255.
    InvalidName,
    /// The configuration of the system or the program is wrong.
    Config {
        /// What is wrong with it.
        text: String,
    },
}

impl DnsReason {
    /// One word, as Erlang's resolver has it: `nxdomain`, `timeout`, `servfail`, `refused`, `econnrefused`, ...
    pub fn code(&self) -> &str {
        match self {
            // Erlang does not tell the two apart.
            Self::NxDomain | Self::NoRecords => "nxdomain",
            Self::Response { code } => code,
            Self::Timeout => "timeout",
            Self::Unreachable { kind: io::ErrorKind::ConnectionRefused } => "econnrefused",
            Self::Unreachable { .. } => "unreachable",
            Self::Failed { .. } => "failed",
            Self::InvalidName => "einval",
            Self::Config { .. } => "config",
        }
    }

    /// A server has said something about the name, so that others of the search list are worth a try.
    pub(super) fn is_of_the_name(&self) -> bool {
        matches!(self, Self::NxDomain | Self::NoRecords | Self::Response { .. })
    }

    /// The answer is that there is nothing.
    pub(super) fn is_negative(&self) -> bool {
        matches!(self, Self::NxDomain | Self::NoRecords)
    }
}

impl fmt::Display for DnsReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NxDomain => f.write_str("no such name"),
            Self::NoRecords => f.write_str("the name has no such records"),
            Self::Response { code } => write!(f, "the server said {code}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Unreachable { kind } => write!(f, "the server cannot be reached: {kind}"),
            Self::Failed { text } | Self::Config { text } => f.write_str(text),
            Self::InvalidName => f.write_str("not a name of DNS"),
        }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, records, asked, servers, reason } = self;
        match reason {
            DnsReason::InvalidName => return write!(f, "{name:?} is not a name of DNS"),
            DnsReason::Config { text } => return f.write_str(text),
            reason => write!(f, "{reason}")?,
        }
        if let [first, more @ ..] = servers.as_slice() {
            write!(f, "; asked {first}")?;
            more.iter().try_for_each(|server| write!(f, ", {server}"))?;
            write!(f, " for {records} of {}", asked.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for DnsError {}

impl From<DnsError> for io::Error {
    fn from(error: DnsError) -> Self {
        let kind = match error.reason {
            DnsReason::NxDomain | DnsReason::NoRecords => io::ErrorKind::NotFound,
            DnsReason::Timeout => io::ErrorKind::TimedOut,
            DnsReason::Unreachable { kind } => kind,
            DnsReason::InvalidName => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
