//! What machine this is, and how busy it is with work that is not ours.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Linux counts CPU time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// What a command prints, on one line; nothing if it cannot be run.
pub fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().replace('\n', " "))
}

/// How many cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The CPU's name.
pub fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model
        .and_then(|line| line.split_once(": "))
        .map_or_else(|| "an unknown CPU".to_owned(), |(_, name)| name.to_owned())
}

/// OTP's release, `25.3`, if `erl` is installed.
pub fn otp() -> Option<String> {
    const VERSION: &str = "\
        {ok, V} = file:read_file(filename:join([code:root_dir(), \"releases\", erlang:system_info(otp_release), \
        \"OTP_VERSION\"])), io:put_chars(V), halt().";
    says("erl", &["-noshell", "-eval", VERSION])
}

/// The CPU time of these processes so far, of all their threads.
pub fn used_by(processes: impl IntoIterator<Item = u32>) -> Duration {
    processes
        .into_iter()
        .filter_map(|id| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name may have spaces; what follows its bracket has none. utime and stime are fields 14 and 15.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let ticks = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
            Some(TICK * ticks)
        })
        .sum()
}

/// The CPU time of all processes so far: user, nice, system. Interrupts serve our sockets too and are left out.
fn used_by_all() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks = first.split_whitespace().skip(1).take(3).filter_map(|field| field.parse::<u32>().ok());
    TICK * ticks.sum::<u32>()
}

/// Watches for a while how much CPU others use.
pub struct Watch {
    start: Instant,
    all: Duration,
    ours: Duration,
    processes: Vec<u32>,
}

/// What a [`Watch`] saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Cores that others kept busy.
    pub foreign: f64,
    /// CPU time of the watched processes.
    pub ours: Duration,
}

impl Watch {
    /// From now on; these processes, and this one, are not others.
    pub fn start(processes: Vec<u32>) -> Watch {
        let ours = used_by(processes.iter().copied());
        Watch { start: Instant::now(), all: used_by_all(), ours, processes }
    }

    /// Until now.
    pub fn stop(self) -> Seen {
        let all = used_by_all().saturating_sub(self.all);
        let ours = used_by(self.processes.iter().copied()).saturating_sub(self.ours);
        let elapsed = self.start.elapsed().as_secs_f64().max(0.001);
        Seen { foreign: all.saturating_sub(ours).as_secs_f64() / elapsed, ours }
    }
}

/// Waits for a moment in which others are quiet, but not long.
pub fn wait_for_quiet(limit: f64, patience: Duration) {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let watch = Watch::start(Vec::new());
        std::thread::sleep(Duration::from_millis(200));
        if watch.stop().foreign <= limit {
            return;
        }
    }
}
