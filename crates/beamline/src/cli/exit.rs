//! The exit codes of the `beamline` program, after BSD's sysexits where it has one.

use std::process::ExitCode;

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// The remote function raised, or the answer is no.
    Remote = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The doctor could not finish.
    Unfinished = 3,
    /// The node cannot be reached.
    Unreachable = 69,
    /// No answer in time.
    Timeout = 75,
    /// The cookie was rejected, by either side.
    Cookie = 77,
    /// Something on this machine is not set up.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
