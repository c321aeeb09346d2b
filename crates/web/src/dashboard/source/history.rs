//! What a node's figures were: a ring of 15 minutes, of bounded size, so that a chart is full when its page is opened.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::figures::Figures;

/// How far back it reaches.
pub(crate) const SPAN: Duration = Duration::from_secs(15 * 60);

/// At most one point a second: with 64 bytes a point, 58 KB a node.
const MOST: usize = SPAN.as_secs() as usize;

/// The figures of one moment, in what a chart needs of them. `NaN` is what is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) at: Instant,
    /// KiB: total, processes, binary, code, ets, atom.
    pub(crate) memory: [f32; 6],
    pub(crate) processes: f32,
    pub(crate) run_queue: f32,
    /// Of all schedulers, 0 to 1.
    pub(crate) utilisation: f32,
    /// Bytes a second, in and out.
    pub(crate) io: [f32; 2],
}

/// What a chart draws of a [`Point`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Series {
    MemoryTotal,
    MemoryProcesses,
    MemoryBinary,
    MemoryCode,
    MemoryEts,
    MemoryAtom,
    Processes,
    RunQueue,
    Utilisation,
    IoIn,
    IoOut,
}

impl Point {
    /// The value of a series in its unit: bytes, a count, a fraction, bytes a second.
    pub(crate) fn value(&self, series: Series) -> f32 {
        const KIB: f32 = 1024.0;
        match series {
            Series::MemoryTotal => self.memory[0] * KIB,
            Series::MemoryProcesses => self.memory[1] * KIB,
            Series::MemoryBinary => self.memory[2] * KIB,
            Series::MemoryCode => self.memory[3] * KIB,
            Series::MemoryEts => self.memory[4] * KIB,
            Series::MemoryAtom => self.memory[5] * KIB,
            Series::Processes => self.processes,
            Series::RunQueue => self.run_queue,
            Series::Utilisation => self.utilisation,
            Series::IoIn => self.io[0],
            Series::IoOut => self.io[1],
        }
    }
}

/// The ring of one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    points: VecDeque<Point>,
    /// The counters of the last sample, which the next one's rates are the difference to.
    last_io: Option<(Instant, (u64, u64))>,
}

impl History {
    /// Adds a sample; two within the same half second are one.
    pub(crate) fn add(&mut self, at: Instant, figures: &Figures, utilisation: Option<f32>) {
        if self.points.back().is_some_and(|last| at.duration_since(last.at) < Duration::from_millis(500)) {
            return;
        }
        let io = match (self.last_io, figures.io) {
            (Some((then, before)), Some(now)) => {
                let time = at.duration_since(then).as_secs_f32().max(0.1);
                [now.0.saturating_sub(before.0) as f32 / time, now.1.saturating_sub(before.1) as f32 / time]
            }
            _ => [f32::NAN; 2],
        };
        self.last_io = figures.io.map(|now| (at, now));
        let memory = figures.memory.map_or([f32::NAN; 6], |memory| {
            let classes = [memory.total, memory.processes, memory.binary, memory.code, memory.ets, memory.atom];
            classes.map(|bytes| (bytes / 1024) as f32)
        });
        let or_nan = |figure: Option<u64>| figure.map_or(f32::NAN, |figure| figure as f32);
        self.points.push_back(Point {
            at,
            memory,
            processes: or_nan(figures.processes),
            run_queue: or_nan(figures.run_queue),
            utilisation: utilisation.unwrap_or(f32::NAN),
            io,
        });
        while self.points.len() > MOST || self.points.front().is_some_and(|first| at.duration_since(first.at) > SPAN) {
            self.points.pop_front();
        }
    }

    pub(crate) fn points(&self) -> impl ExactSizeIterator<Item = &Point> {
        self.points.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::source::figures::Memory;

    #[tokio::test(start_paused = true)]
    async fn it_holds_fifteen_minutes_and_no_more() {
        let begin = Instant::now();
        let mut history = History::default();
        for second in 0..2000_u64 {
            let memory = Some(Memory { total: second * 1024, ..Memory::default() });
            let figures = Figures { memory, io: Some((second * 10, 0)), ..Figures::default() };
            history.add(begin + Duration::from_secs(second), &figures, None);
            history.add(begin + Duration::from_millis(second * 1000 + 100), &figures, None);
        }
        assert_eq!(history.points().len(), MOST);
        assert!(MOST * size_of::<Point>() <= 64 << 10, "{}", size_of::<Point>());
        let last = history.points().last().unwrap();
        assert_eq!(last.value(Series::MemoryTotal), 1999.0 * 1024.0);
        assert_eq!((last.value(Series::IoIn), last.value(Series::IoOut)), (10.0, 0.0));
        assert!(last.value(Series::Utilisation).is_nan());
        assert!(last.at.duration_since(history.points().next().unwrap().at) <= SPAN);
    }
}
