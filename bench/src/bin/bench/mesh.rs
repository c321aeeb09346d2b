//! A full mesh: so many processes of one node each, all started and waiting; then all are told the names of all at once and
//! connect to each. It ends when the last one lists them all, and again when `global` of the last one is in sync.

use std::time::{Duration, Instant};

use crate::peer::{Lab, Network, Peer, Program};
use crate::results::Page;
use crate::rounds::median;
use crate::table::{Aims, Bound, Table, maybe};
use crate::{Error, Options, machine};

struct Mesh {
    full: f64,
    synced: f64,
    foreign: f64,
}

/// So many nodes that have started and wait to be told of each other.
fn start(lab: &Lab, program: Program, size: usize) -> Result<Vec<Peer>, Error> {
    let mut nodes: Vec<Peer> = Vec::new();
    // Not all at once: OTP nodes that boot together on two cores take minutes.
    for numbers in (0..size).collect::<Vec<_>>().chunks(8) {
        let mut starting = Vec::new();
        for number in numbers {
            let name = format!("mesh_{number}_{}", std::process::id());
            let arguments = ["mesh", &name];
            let arguments = if program == Program::Otp { &arguments[..1] } else { &arguments };
            starting.push(lab.launch(program, arguments, None, Network::Usual)?);
        }
        for mut peer in starting {
            let line = peer.line()?;
            peer.address = line.strip_prefix("ready ").ok_or("it is not ready")?.to_owned();
            nodes.push(peer);
        }
    }
    Ok(nodes)
}

/// Tells them of each other; after how many seconds all lists are full, and `global` in sync.
fn join(nodes: &mut [Peer]) -> Result<(f64, f64), Error> {
    let names: Vec<String> = nodes.iter().map(|node| node.address.clone()).collect();
    let begun = Instant::now();
    let names = names.join(" ");
    for node in nodes.iter_mut() {
        node.tell(&names)?;
    }
    for node in nodes.iter_mut() {
        node.line()?;
    }
    let full = begun.elapsed().as_secs_f64();
    for node in nodes {
        node.line()?;
    }
    Ok((full, begun.elapsed().as_secs_f64()))
}

/// A mesh in which `global` is in sync.
pub fn whole(lab: &Lab, program: Program, size: usize) -> Result<Vec<Peer>, Error> {
    let mut nodes = start(lab, program, size)?;
    join(&mut nodes)?;
    Ok(nodes)
}

fn once(lab: &Lab, program: Program, size: usize) -> Result<Mesh, Error> {
    let mut nodes = start(lab, program, size)?;
    machine::wait_for_quiet(0.4, Duration::from_secs(5));
    let watch = lab.watch(nodes.iter().map(Peer::id));
    let joined = join(&mut nodes);
    let foreign = watch.stop().foreign;
    // All at the same moment: one by one, each end would be told by all others to all others.
    nodes.iter_mut().for_each(Peer::kill);
    let (full, synced) = joined?;
    Ok(Mesh { full, synced, foreign })
}

pub fn mesh(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    let sizes: &[usize] = if options.quick { &[10] } else { &[10, 20, 40, 80] };
    let columns = [
        "nodes",
        "Beamline: lists full, s",
        "`global` in sync, s",
        "OTP: lists full, s",
        "`global` in sync, s",
        "quiet rounds",
    ];
    let mut table = Table::new(&columns);
    let mut aims = Vec::new();
    for size in sizes {
        // OTP needs minutes for 80.
        let rounds = if *size >= 40 { options.rounds.min(2) } else { options.rounds.min(3) };
        let (mut quiet, mut all) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let own = once(lab, Program::Beamline, *size)?;
            let otp = lab.has(Program::Otp, Network::Usual).then(|| once(lab, Program::Otp, *size)).transpose();
            let otp = otp.unwrap_or_else(|error| {
                eprintln!("OTP's mesh of {size}: {error}");
                None
            });
            let foreign = otp.as_ref().map_or(own.foreign, |otp| otp.foreign.max(own.foreign));
            eprintln!("mesh of {size}, round {}: others used {foreign:.2} of a core", round + 1);
            let values =
                [Some(own.full), Some(own.synced), otp.as_ref().map(|otp| otp.full), otp.map(|otp| otp.synced)];
            if foreign <= 0.4 {
                quiet.push(values);
            }
            all.push(values);
        }
        let noisy = quiet.is_empty();
        let used = if noisy { &all } else { &quiet };
        let middle = |column: usize| median(used.iter().filter_map(|values| values[column]).collect());
        let cells = [0, 1, 2, 3].map(|column| maybe(middle(column)));
        let rounds = if noisy { format!("none of {}", all.len()) } else { quiet.len().to_string() };
        table.row(&[vec![size.to_string()], cells.to_vec(), vec![rounds]].concat());
        aims.push((*size, noisy, middle(0), middle(1).zip(middle(3)).map(|(own, otp)| own / otp)));
    }
    page.say(&table.finish());
    for (size, noisy, full, sync) in aims {
        let mut aim = Aims::new(noisy);
        match size {
            40 => aim.check("40 nodes: lists full, s", full, Bound::AtMost(0.6), Bound::AtMost(0.6)),
            80 => aim.check("80 nodes: lists full, s", full, Bound::AtMost(2.5), Bound::AtMost(2.5)),
            _ => {}
        }
        aim.check(&format!("{size} nodes: `global` in sync, to OTP"), sync, Bound::AtMost(1.0), Bound::AtMost(1.0));
        page.say(&aim.finish());
    }
    Ok(())
}
