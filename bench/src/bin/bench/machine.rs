//! What machine this is, and how busy it is with work that is not ours.

use std::collections::HashMap;
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

/// The CPU time so far of each process but these and this one, as the scheduler counts it: a mesh of ten is whole within one of
/// the ticks by which [`used_by`] does.
fn used_by_others(ours: &[u32]) -> HashMap<u32, Duration> {
    let own = std::process::id();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|id| *id != own && !ours.contains(id)).map(|id| (id, runtime(id))).collect()
}

fn runtime(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Watches for a while how much CPU others use.
pub struct Watch {
    start: Instant,
    others: HashMap<u32, Duration>,
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
        Watch { others: used_by_others(&processes), start: Instant::now(), ours, processes }
    }

    /// Until now.
    pub fn stop(self) -> Seen {
        let elapsed = self.start.elapsed().as_secs_f64().max(0.001);
        let ours = used_by(self.processes.iter().copied()).saturating_sub(self.ours);
        let before = |id| self.others.get(id).copied().unwrap_or_default();
        let others = used_by_others(&self.processes);
        let others: Duration = others.iter().map(|(id, now)| now.saturating_sub(before(id))).sum();
        Seen { foreign: others.as_secs_f64() / elapsed, ours }
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
