//! The commands and answers, and reading them from stdin. Knows nothing of how a rival works.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// Any error of a rival: it is only printed.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What this process is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Serves until stdin closes.
    Serve,
    /// Connects to this address and obeys.
    Client(String),
    /// Something that only this rival knows, with its arguments.
    Other(Vec<String>),
}

impl Role {
    /// As the command line says.
    pub fn of_arguments() -> Role {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["serve"] => Role::Serve,
            ["client", address] => Role::Client((*address).to_owned()),
            _ => Role::Other(arguments),
        }
    }
}

/// When to stop measuring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// After this time.
    Time(Duration),
    /// After this many, over all callers; for counting instructions.
    Count(u64),
}

impl Limit {
    fn parse(text: &str) -> Option<Limit> {
        if let Some(millis) = text.strip_suffix("ms") {
            return Some(Limit::Time(Duration::from_millis(millis.parse().ok()?)));
        }
        Some(Limit::Count(text.strip_suffix('x')?.parse().ok()?))
    }

    /// The part of one of so many callers.
    pub fn share(self, callers: usize) -> Limit {
        match self {
            Limit::Time(time) => Limit::Time(time),
            Limit::Count(count) => Limit::Count(count.div_ceil(callers.max(1) as u64)),
        }
    }

    /// Whether it is reached.
    pub fn reached(self, count: u64, elapsed: Duration) -> bool {
        match self {
            Limit::Time(time) => elapsed >= time,
            Limit::Count(most) => count >= most,
        }
    }
}

/// What the driver asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Calls of a kind, by so many callers at a time.
    Calls { kind: String, callers: usize, limit: Limit },
    /// Messages of this many bytes, unanswered.
    OneWay { size: usize, limit: Limit },
    /// Connecting anew, so many times, with a pause between, so that the peer has noticed that the last one is closed.
    Connect { count: usize, pause: Duration },
}

impl Command {
    fn parse(line: &str) -> Option<Command> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(match *words.as_slice() {
            ["calls", kind, callers, limit] => {
                Command::Calls { kind: kind.to_owned(), callers: callers.parse().ok()?, limit: Limit::parse(limit)? }
            }
            ["oneway", size, limit] => Command::OneWay { size: size.parse().ok()?, limit: Limit::parse(limit)? },
            ["connect", count, pause] => {
                let Limit::Time(pause) = Limit::parse(pause)? else { return None };
                Command::Connect { count: count.parse().ok()?, pause }
            }
            _ => return None,
        })
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// How many in what time, and what one took.
    Timed { word: &'static str, count: u64, elapsed: Duration, p50: u64, p99: u64 },
    /// How many in what time.
    Counted { count: u64, elapsed: Duration },
}

impl Report {
    /// From the time that each took, in nanoseconds.
    pub fn timed(word: &'static str, mut latencies: Vec<u64>, elapsed: Duration) -> Report {
        latencies.sort_unstable();
        let at = |share: f64| {
            let last = latencies.len().saturating_sub(1);
            latencies.get((last as f64 * share) as usize).copied().unwrap_or_default()
        };
        Report::Timed { word, count: latencies.len() as u64, elapsed, p50: at(0.5), p99: at(0.99) }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Report::Timed { word, count, elapsed, p50, p99 } => {
                write!(f, "{word} {count} {} {p50} {p99}", elapsed.as_nanos())
            }
            Report::Counted { count, elapsed } => write!(f, "oneway {count} {}", elapsed.as_nanos()),
        }
    }
}

/// Says a line to the driver.
pub fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    // A driver that is gone is seen when stdin closes.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Says how a command ended.
pub fn say_result(result: Result<Report, Error>) {
    match result {
        Ok(report) => say(report),
        Err(error) => say(format_args!("failed {}", error.to_string().replace('\n', " "))),
    }
}

/// Reads commands until stdin closes, which ends the process when it is a server.
pub fn read_commands(mut take: impl FnMut(Command)) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match Command::parse(&line) {
            Some(command) => take(command),
            None => say(format_args!("failed: I do not know `{line}`")),
        }
    }
}

/// Blocks until the driver closes our stdin.
pub fn wait_for_end() {
    read_commands(|_| say("failed: a server takes no commands"));
}

/// Calls one at a time on this thread.
pub fn calls(limit: Limit, mut call: impl FnMut() -> Result<(), Error>) -> Result<Report, Error> {
    let start = Instant::now();
    let (mut latencies, mut before) = (Vec::new(), start);
    while !limit.reached(latencies.len() as u64, before - start) {
        call()?;
        let now = Instant::now();
        latencies.push((now - before).as_nanos() as u64);
        before = now;
    }
    Ok(Report::timed("calls", latencies, before - start))
}
