//! Rounds: in each, every row of a set is measured once, one after the other, so that what the machine does hits all alike.
//! A round in which others used more than 0.4 of a core does not count.

use std::collections::HashMap;
use std::time::Duration;

use crate::machine;
use crate::peer::{Lab, Network, Peer, Program};
use crate::{Error, Options};

/// Cores that others may use.
const FOREIGN: f64 = 0.4;

/// How many rounds are tried for each that is wanted.
const ATTEMPTS: usize = 3;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub label: &'static str,
    pub client: Program,
    pub server: Program,
    pub network: Network,
    /// What the client is asked for: the kind of call.
    pub kind: &'static str,
}

impl Row {
    /// A rival with itself.
    pub const fn new(label: &'static str, program: Program, kind: &'static str) -> Row {
        Row { label, client: program, server: program, network: Network::Usual, kind }
    }

    /// A client with another server.
    pub const fn to(label: &'static str, client: Program, server: Program, kind: &'static str) -> Row {
        Row { label, client, server, network: Network::Usual, kind }
    }

    /// The same where nothing stalls.
    pub const fn quick_ack(self, label: &'static str) -> Row {
        Row { label, network: Network::QuickAck, ..self }
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub count: f64,
    pub seconds: f64,
    /// Nanoseconds; 0 for messages.
    pub p50: f64,
    pub p99: f64,
    /// CPU time of both ends, in seconds.
    pub cpu: f64,
}

impl Sample {
    /// Calls or messages a second.
    pub fn rate(&self) -> f64 {
        self.count / self.seconds
    }
}

/// What was measured of a row; one sample a round, in the order of the rounds.
pub struct Measured {
    pub row: Row,
    pub samples: Vec<Sample>,
    /// Why there is none.
    pub failed: Option<String>,
}

/// A set of rows, measured.
pub struct Set {
    pub rows: Vec<Measured>,
    /// How many rounds count.
    pub rounds: usize,
    /// No round was quiet, and these are all that there were.
    pub noisy: bool,
}

impl Set {
    /// The row of this label, if it was measured.
    pub fn find(&self, label: &str) -> Option<&Measured> {
        self.rows.iter().find(|measured| measured.row.label == label && !measured.samples.is_empty())
    }

    /// The median of a value over the rounds.
    pub fn median(&self, label: &str, value: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(self.find(label)?.samples.iter().map(value).collect())
    }

    /// The median over the rounds of the ratio to another row in the same round.
    pub fn ratio(&self, label: &str, to: &str, value: impl Fn(&Sample) -> f64) -> Option<f64> {
        let (own, other) = (self.find(label)?, self.find(to)?);
        median(own.samples.iter().zip(&other.samples).map(|(own, other)| value(own) / value(other)).collect())
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

/// Running pairs on some cores, each started when a row first needs it.
pub struct Pairs<'a> {
    lab: &'a Lab,
    cores: &'a str,
    // Dropped before the servers, which they would miss.
    clients: HashMap<String, Peer>,
    servers: HashMap<String, Peer>,
}

impl<'a> Pairs<'a> {
    pub fn new(lab: &'a Lab, cores: &'a str) -> Pairs<'a> {
        Pairs { lab, cores, servers: HashMap::new(), clients: HashMap::new() }
    }

    /// Starts what a row needs, and warms it up.
    fn prepare(&mut self, row: &Row, command: &str) -> Result<(), Error> {
        let (server_key, client_key) = keys(row);
        if !self.servers.contains_key(&server_key) {
            let server = self.lab.start(row.server, &["serve"], Some(self.cores), row.network)?;
            self.servers.insert(server_key.clone(), server);
        }
        if !self.clients.contains_key(&client_key) {
            let address = self.servers[&server_key].address.clone();
            let client = self.lab.start(row.client, &["client", &address], Some(self.cores), row.network)?;
            self.clients.insert(client_key, client);
        }
        self.ask(row, command).map(drop)
    }

    /// One measurement, and how many cores others used meanwhile.
    fn ask(&mut self, row: &Row, command: &str) -> Result<(Sample, f64), Error> {
        let (server_key, client_key) = keys(row);
        let server = self.servers.get(&server_key).ok_or("no server")?.id();
        let client = self.clients.get_mut(&client_key).ok_or("no client")?;
        let watch = self.lab.watch([server, client.id()]);
        client.tell(command)?;
        let line = client.line()?;
        let seen = watch.stop();
        if let Some(why) = line.strip_prefix("failed") {
            return Err(why.trim().into());
        }
        let numbers: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
        let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
        if numbers.len() < 2 || at(0) == 0.0 {
            return Err(format!("it said: {line}").into());
        }
        let (seconds, cpu) = (at(1) / 1e9, seen.ours.as_secs_f64());
        Ok((Sample { count: at(0), seconds, p50: at(2), p99: at(3), cpu }, seen.foreign))
    }

    /// Measures a set. `command` gives what the client of a row is told, for so long or so many.
    pub fn measure(&mut self, rows: &[Row], options: &Options, command: impl Fn(&Row, &str) -> String) -> Set {
        let mut measured: Vec<Measured> = Vec::new();
        for row in rows {
            let failed = if !self.lab.has(row.client, row.network) || !self.lab.has(row.server, row.network) {
                Some("not on this machine".to_owned())
            } else {
                self.prepare(row, &command(row, "50ms")).err().map(|error| error.to_string())
            };
            measured.push(Measured { row: *row, samples: Vec::new(), failed });
        }
        let (mut quiet, mut noisy) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds * ATTEMPTS {
            machine::wait_for_quiet(FOREIGN, Duration::from_secs(if options.quick { 1 } else { 3 }));
            let (round, foreign) = self.round(&mut measured, options, &command);
            if foreign <= FOREIGN {
                quiet.push(round)
            } else {
                noisy.push(round)
            }
            eprintln!("  round {}: others used {foreign:.2} of a core", quiet.len() + noisy.len());
            if quiet.len() == options.rounds || (options.quick && quiet.len() + noisy.len() == options.rounds) {
                break;
            }
        }
        let is_noisy = quiet.is_empty();
        let rounds = if is_noisy { noisy } else { quiet };
        let count = rounds.len();
        for round in rounds {
            for (measured, sample) in measured.iter_mut().zip(round) {
                measured.samples.extend(sample.filter(|_| measured.failed.is_none()));
            }
        }
        Set { rows: measured, rounds: count, noisy: is_noisy }
    }

    /// Every row once; the most that others used while one was measured.
    fn round(
        &mut self,
        rows: &mut [Measured],
        options: &Options,
        command: &impl Fn(&Row, &str) -> String,
    ) -> (Vec<Option<Sample>>, f64) {
        let mut most = 0.0_f64;
        let samples = rows.iter_mut().map(|measured| {
            if measured.failed.is_some() {
                return None;
            }
            match self.ask(&measured.row, &command(&measured.row, options.limit())) {
                Ok((sample, foreign)) => {
                    most = most.max(foreign);
                    Some(sample)
                }
                Err(error) => {
                    measured.failed = Some(error.to_string());
                    None
                }
            }
        });
        (samples.collect(), most)
    }
}

/// Rows of the same programs share them.
fn keys(row: &Row) -> (String, String) {
    let server = format!("{:?} {:?}", row.server, row.network);
    let client = format!("{:?} {server}", row.client);
    (server, client)
}
