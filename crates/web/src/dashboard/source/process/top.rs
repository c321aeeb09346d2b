//! The first few of many processes, kept while they pass. What is not kept is looked at no further than its order needs.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use beamline_term::codec::Decoder;
use beamline_term::{DecodeError, Pid, Term};
use bytes::Bytes;

use super::super::read::{function, local, text};
use super::{Listing, MOST, Query, Row, Sort};

/// The processes that come first so far.
#[derive(Debug)]
pub(super) struct Top {
    sort: Sort,
    descending: bool,
    search: String,
    limit: usize,
    /// The last of those that are kept is on top.
    kept: BinaryHeap<Kept>,
    total: usize,
    matched: usize,
    unasked: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Kept {
    key: Key,
    row: Raw,
    descending: bool,
}

/// What decides about the order. Pids decide where all else is the same, so that a list does not jump.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: u64,
    text: String,
    pid: (u32, u32),
}

/// A process as it came: names are decoded of those that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) pid: Pid,
    pub(super) memory: u64,
    pub(super) reductions: u64,
    pub(super) queue: u64,
    /// The encoded terms of its name and its current function.
    pub(super) name: Bytes,
    pub(super) current: Bytes,
}

impl Raw {
    /// A record whose shape is known.
    fn read(record: &Bytes) -> Result<Raw, DecodeError> {
        let mut decoder = Decoder::new(record);
        decoder.tuple_header()?;
        decoder.pass()?;
        let pid = decoder.pid()?;
        let (memory, reductions) = (decoder.unsigned()?, decoder.unsigned()?);
        let name = decoder.skip()?;
        decoder.pass()?;
        let current = decoder.skip()?;
        Ok(Raw { pid, memory, reductions, queue: decoder.unsigned()?, name, current })
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Kept) -> Ordering {
        let order = (self.key.number, &self.key.text).cmp(&(other.key.number, &other.key.text));
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| self.key.pid.cmp(&other.key.pid))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Kept) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Top {
    pub(super) fn new(query: &Query) -> Top {
        Top {
            sort: query.sort,
            descending: query.descending,
            search: query.search.to_lowercase(),
            limit: query.limit.clamp(1, MOST),
            kept: BinaryHeap::new(),
            total: 0,
            matched: 0,
            unasked: 0,
        }
    }

    /// Takes the next `{etop_proc_info, Pid, Memory, Reductions, NameOrMfa, Runtime, CurrentMfa, Queue}` of a message.
    pub(super) fn read(&mut self, message: &Bytes, decoder: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let start = decoder.position();
        let arity = decoder.tuple_header()?;
        if arity != 8 {
            return (0..arity).try_for_each(|_| decoder.pass());
        }
        decoder.pass()?;
        let pid = decoder.pid()?;
        let (memory, reductions) = (decoder.unsigned()?, decoder.unsigned()?);
        (0..3).try_for_each(|_| decoder.pass())?;
        let queue = decoder.unsigned()?;
        let number = match self.sort {
            Sort::Memory => Some(memory),
            Sort::Reductions => Some(reductions),
            Sort::Queue => Some(queue),
            _ => None,
        };
        // Most of many are behind those that are kept, and need not be read.
        if self.search.is_empty() && number.is_some_and(|number| self.is_behind(number, &pid)) {
            self.total += 1;
            self.matched += 1;
            return Ok(());
        }
        self.offer(Raw::read(&message.slice(start..decoder.position()))?);
        Ok(())
    }

    /// Whether it comes behind all that are kept. Many processes have the same figures, so the pid counts too.
    fn is_behind(&self, number: u64, pid: &Pid) -> bool {
        let Some(last) = self.kept.peek().filter(|_| self.kept.len() >= self.limit) else { return false };
        let order = number.cmp(&last.key.number);
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| (pid.serial(), pid.id()).cmp(&last.key.pid)).is_gt()
    }

    pub(super) fn offer(&mut self, row: Raw) {
        self.total += 1;
        if !self.search.is_empty() && !self.is_wanted(&row) {
            return;
        }
        self.matched += 1;
        let number = match self.sort {
            Sort::Memory => row.memory,
            Sort::Reductions => row.reductions,
            Sort::Queue => row.queue,
            Sort::Pid => (u64::from(row.pid.serial()) << 32) | u64::from(row.pid.id()),
            Sort::Name | Sort::Current => 0,
        };
        let text = match self.sort {
            Sort::Name => shown(&row.name).to_lowercase(),
            Sort::Current => shown(&row.current).to_lowercase(),
            _ => String::new(),
        };
        let key = Key { number, text, pid: (row.pid.serial(), row.pid.id()) };
        let mut new = Kept { key, row, descending: self.descending };
        if self.kept.len() >= self.limit && self.kept.peek().is_some_and(|last| new > *last) {
            return;
        }
        // What is kept does not keep the whole message that it came in.
        new.row.name = Bytes::copy_from_slice(&new.row.name);
        new.row.current = Bytes::copy_from_slice(&new.row.current);
        self.kept.push(new);
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    fn is_wanted(&self, row: &Raw) -> bool {
        let has = |text: String| text.to_lowercase().contains(&self.search);
        has(local(&row.pid)) || has(shown(&row.name)) || has(shown(&row.current))
    }

    /// So many more are there, and were not asked about.
    pub(super) fn leave_out(&mut self, count: usize) {
        self.total += count;
        self.unasked += count;
    }

    /// Those that were kept, in their order.
    pub(super) fn finish(self, note: Option<&'static str>) -> Listing {
        let kept = self.kept.into_sorted_vec().into_iter();
        let rows = kept.map(|kept| kept.row).map(|row| Row {
            pid: local(&row.pid),
            name: shown(&row.name),
            memory: row.memory,
            reductions: row.reductions,
            queue: row.queue,
            current: shown(&row.current),
        });
        Listing { rows: rows.collect(), total: self.total, matched: self.matched, unasked: self.unasked, note }
    }
}

/// A name, a label or a function.
fn shown(encoded: &Bytes) -> String {
    match Decoder::new(encoded).term() {
        Ok(Term::List(list)) if list.is_empty() => String::new(),
        Ok(term) => function(&term).unwrap_or_else(|| text(&term)),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use beamline_term::codec::encode;
    use beamline_term::{Creation, Origin, atom, term};
    use proptest::prelude::*;

    use super::*;

    fn encoded(term: &Term) -> Bytes {
        let mut out = Vec::new();
        encode::term(&mut out, term);
        out.into()
    }

    fn raw(id: u32, memory: u64, name: &str) -> Raw {
        let pid = Pid::at(&Origin::new(atom("a@b"), Creation::new(1)), id, 0);
        let current = encoded(&term!({:gen_server, :loop, 7}));
        Raw {
            pid,
            memory,
            reductions: memory / 2,
            queue: 0,
            name: encoded(&Term::binary(name.to_owned().into_bytes())),
            current,
        }
    }

    fn query(sort: Sort, descending: bool, search: &str, limit: usize) -> Query {
        Query { sort, descending, search: search.to_owned(), limit }
    }

    #[test]
    fn search_and_order_by_name() {
        let mut top = Top::new(&query(Sort::Name, false, "WORK", 2));
        for (id, name) in [(1, "Worker c"), (2, "other"), (3, "worker a"), (4, "worker b")] {
            top.offer(raw(id, 1, name));
        }
        let listing = top.finish(None);
        let names: Vec<_> = listing.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, listing.total, listing.matched), (vec!["worker a", "worker b"], 4, 3));
        assert_eq!(listing.rows[0].current, "gen_server:loop/7");
    }

    #[test]
    fn a_record_as_it_comes() {
        let pid = Pid::at(&Origin::new(atom("a@b"), Creation::new(1)), 9, 0);
        let record: Term = Term::tuple([
            atom("etop_proc_info").into(),
            pid.into(),
            2640.into(),
            u64::MAX.into(),
            term!({:"Elixir.AppB", :init, 1}),
            0.into(),
            term!({:gen_server, :loop, 7}),
            3.into(),
        ]);
        let bytes = encoded(&record);
        let mut top = Top::new(&query(Sort::Queue, true, "", 10));
        top.read(&bytes, &mut Decoder::new(&bytes)).unwrap();
        let row = top.finish(None).rows.remove(0);
        assert_eq!((row.pid.as_str(), row.name.as_str()), ("<0.9.0>", "AppB.init/1"));
        assert_eq!((row.memory, row.reductions, row.queue), (2640, u64::MAX, 3));
    }

    proptest! {
        /// The same as sorting all.
        #[test]
        fn it_keeps_what_comes_first(
            sizes in prop::collection::vec(0..50_u64, 0..200),
            descending in any::<bool>(),
            limit in 1..40_usize,
        ) {
            let mut top = Top::new(&query(Sort::Memory, descending, "", limit));
            let mut all: Vec<(u64, usize)> = sizes.iter().copied().zip(0..).collect();
            for (size, id) in &all {
                top.offer(raw(*id as u32, *size, "x"));
            }
            all.sort_by(|a, b| {
                let order = if descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
                order.then(a.1.cmp(&b.1))
            });
            let expected: Vec<_> = all.iter().take(limit).map(|(size, id)| (*size, format!("<0.{id}.0>"))).collect();
            let listing = top.finish(None);
            let found: Vec<_> = listing.rows.into_iter().map(|row| (row.memory, row.pid)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
