//! How the terminal is while nobody edits a line: what is typed is kept for the next one and not shown twice, and Ctrl-C is a
//! signal. Without this the terminal would keep whole lines only, and the editor would read their ends as another key.

#[cfg(unix)]
mod unix {
    use std::io::stdin;

    use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// The terminal as it was, for when this is dropped.
    pub(crate) struct Waiting {
        before: Termios,
    }

    impl Waiting {
        /// `None` if the terminal cannot be so.
        pub(crate) fn enter() -> Option<Waiting> {
            let before = tcgetattr(stdin()).ok()?;
            let mut modes = before.clone();
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
            modes.input_modes.remove(InputModes::ICRNL | InputModes::IXON);
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(stdin(), OptionalActions::Now, &modes).ok()?;
            Some(Waiting { before })
        }
    }

    impl Drop for Waiting {
        fn drop(&mut self) {
            // A terminal that has gone needs nothing.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::Waiting;

/// Elsewhere the terminal stays as it is.
#[cfg(not(unix))]
pub(crate) struct Waiting;

#[cfg(not(unix))]
impl Waiting {
    pub(crate) fn enter() -> Option<Waiting> {
        None
    }
}
