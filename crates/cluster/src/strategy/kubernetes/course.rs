//! When to list and when to watch: no sockets, no clock.

use std::time::Duration;

/// After so many lists watching is tried again, twice as many each time it is refused anew. A server that has just started
/// refuses for a moment what it allows.
const FIRST_LISTS: u32 = 1;
const MOST_LISTS: u32 = 12;

/// So many watches in a row that end at once mean that there is no watching here.
const FUTILE: u32 = 3;

/// A watch that ends sooner, with nothing said, was of no use.
const BRIEF: Duration = Duration::from_secs(1);

/// After one that ends as soon with something said: servers that end each watch at its first word must not be asked all the time.
const BREATH: Duration = Duration::from_millis(100);

/// What to ask now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// For the list.
    List,
    /// For what changes from this version on.
    Watch(String),
}

/// How a watch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It was open, and is over.
    Closed {
        /// For so long it was open.
        lasted: Duration,
        /// Whether it said anything.
        useful: bool,
    },
    /// The version is too old.
    Gone,
    /// The server wants no watching: 403, or it does not know how.
    Refused,
    /// The server is not there, or does not know us.
    Unreachable,
    /// The server answers that it cannot now, or what cannot be read.
    Disturbed,
}

/// Where it stands.
#[derive(Debug)]
pub(super) struct Course {
    interval: Duration,
    version: Option<String>,
    futile: u32,
    /// Lists until watching is tried again; while there are any, it is polled.
    lists_left: u32,
    /// So many there were the last time; none while watching is possible.
    lists: u32,
}

impl Course {
    pub(super) fn new(interval: Duration) -> Self {
        // A pause of nothing would leave no time for anything else.
        Self { interval: interval.max(Duration::from_millis(1)), version: None, futile: 0, lists_left: 0, lists: 0 }
    }

    pub(super) fn step(&self) -> Step {
        match &self.version {
            Some(version) if self.lists_left == 0 => Step::Watch(version.clone()),
            _ => Step::List,
        }
    }

    /// Whether it is certain by now that there is no watching, so that it polls.
    pub(super) fn polls(&self) -> bool {
        self.lists > FIRST_LISTS
    }

    /// What is known is of another place now.
    pub(super) fn start_over(&mut self) {
        self.version = None;
    }

    /// Nothing could be asked; how long to wait.
    pub(super) fn failed(&mut self) -> Duration {
        self.interval
    }

    /// A list came, of this version; how long to wait.
    pub(super) fn listed(&mut self, version: String) -> Duration {
        self.version = Some(version).filter(|version| !version.is_empty());
        if self.lists_left > 0 {
            self.lists_left -= 1;
            return self.interval;
        }
        if self.version.is_some() { Duration::ZERO } else { self.interval }
    }

    /// The watch has said all until this version.
    pub(super) fn seen(&mut self, version: &str) {
        if !version.is_empty() {
            self.version = Some(version.to_owned());
        }
    }

    /// A watch has ended; how long to wait.
    pub(super) fn watched(&mut self, end: &End) -> Duration {
        match end {
            End::Closed { lasted, useful } if *useful || *lasted >= BRIEF => {
                (self.futile, self.lists) = (0, 0);
                if *lasted >= BRIEF { Duration::ZERO } else { BREATH }
            }
            End::Closed { .. } => self.fruitless(),
            End::Gone => {
                self.version = None;
                self.fruitless()
            }
            End::Refused => {
                self.poll();
                self.interval
            }
            End::Unreachable => self.interval,
            End::Disturbed => {
                self.version = None;
                self.interval
            }
        }
    }

    fn fruitless(&mut self) -> Duration {
        self.futile += 1;
        if self.futile >= FUTILE {
            self.poll();
            return self.interval;
        }
        // The first time nothing is wrong yet: a server that restarts, or a gap that was too long.
        if self.futile == 1 { Duration::ZERO } else { self.interval.min(BRIEF) }
    }

    fn poll(&mut self) {
        self.lists = (self.lists * 2).clamp(FIRST_LISTS, MOST_LISTS);
        (self.version, self.futile, self.lists_left) = (None, 0, self.lists);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn watching() -> Course {
        let mut course = Course::new(INTERVAL);
        assert_eq!(course.step(), Step::List);
        assert_eq!(course.listed("7".to_owned()), Duration::ZERO);
        assert_eq!(course.step(), Step::Watch("7".to_owned()));
        course
    }

    fn closed(seconds: u64, useful: bool) -> End {
        End::Closed { lasted: Duration::from_secs(seconds), useful }
    }

    #[test]
    fn a_watch_goes_on_where_it_was() {
        let mut course = watching();
        course.seen("9");
        course.seen("");
        for (end, pause) in [(closed(60, false), Duration::ZERO), (closed(0, true), BREATH)] {
            assert_eq!(course.watched(&end), pause);
            assert_eq!(course.step(), Step::Watch("9".to_owned()));
        }
        assert_eq!(course.watched(&End::Unreachable), INTERVAL);
        assert_eq!(course.step(), Step::Watch("9".to_owned()));
    }

    #[test]
    fn too_old_a_version_takes_a_list() {
        let mut course = watching();
        assert_eq!(course.watched(&End::Gone), Duration::ZERO);
        assert_eq!(course.step(), Step::List);
        assert_eq!(course.listed("20".to_owned()), Duration::ZERO);
        assert_eq!(course.step(), Step::Watch("20".to_owned()));
        assert_eq!(course.watched(&End::Disturbed), INTERVAL);
        assert_eq!(course.step(), Step::List);
    }

    #[test]
    fn without_the_right_it_polls_and_tries_again_later() {
        let mut course = watching();
        for lists in [1, 2, 4, 8, 12, 12] {
            assert_eq!(course.watched(&End::Refused), INTERVAL);
            assert_eq!(course.polls(), lists > 1);
            for _ in 0..lists {
                assert_eq!(course.step(), Step::List);
                assert_eq!(course.listed("8".to_owned()), INTERVAL);
            }
            assert_eq!(course.step(), Step::Watch("8".to_owned()));
        }
        course.watched(&closed(60, true));
        assert!(!course.polls());
    }

    #[test]
    fn watches_that_end_at_once_are_given_up() {
        let mut course = watching();
        for expected in [Duration::ZERO, BRIEF] {
            assert_eq!(course.watched(&closed(0, false)), expected);
            assert_eq!(course.step(), Step::Watch("7".to_owned()));
        }
        assert_eq!(course.watched(&closed(0, false)), INTERVAL);
        assert_eq!(course.step(), Step::List);

        let mut course = watching();
        for _ in 0..FUTILE {
            assert_eq!(course.step(), Step::Watch("7".to_owned()));
            course.watched(&End::Gone);
            course.listed("7".to_owned());
        }
        // A list whose version is always too old: it has polled once, and tries again.
        assert_eq!((course.lists, course.step()), (FIRST_LISTS, Step::Watch("7".to_owned())));
    }

    #[test]
    fn lists_without_a_version_are_polled() {
        let mut course = Course::new(Duration::ZERO);
        assert_eq!(course.listed(String::new()), Duration::from_millis(1));
        assert_eq!(course.step(), Step::List);
        assert_eq!(course.failed(), Duration::from_millis(1));
    }
}
