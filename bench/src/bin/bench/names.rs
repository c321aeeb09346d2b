//! Names of the whole cluster: registering one in a mesh of some nodes, and looking one up; Beamline and OTP in turn.

use std::time::Duration;

use crate::machine;
use crate::mesh::whole;
use crate::peer::{Lab, Network, Peer, Program};
use crate::results::Page;
use crate::rounds::median;
use crate::table::{Aims, Bound, Table, maybe, rate};
use crate::{Error, Options};

/// What the first node of a mesh says to a command: how many a second, and the median of one in milliseconds.
fn ask(mesh: &mut [Peer], command: &str) -> Result<(f64, f64), Error> {
    let node = mesh.first_mut().ok_or("an empty mesh")?;
    node.tell(command)?;
    let line = node.line()?;
    let numbers: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [count, elapsed, p50, ..] => Ok((count / elapsed * 1e9, p50 / 1e6)),
        _ => Err(format!("it said: {line}").into()),
    }
}

pub fn names(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    let columns = ["nodes", "Beamline: registering, ms", "OTP, ms", "Beamline: look-ups/s", "OTP", "quiet rounds"];
    let mut table = Table::new(&columns);
    let mut aims = Vec::new();
    let count = if options.quick { 20 } else { 200 };
    for size in [2, 5, 10] {
        let mut own = whole(lab, Program::Beamline, size)?;
        let otp = lab.has(Program::Otp, Network::Usual).then(|| whole(lab, Program::Otp, size)).transpose()?;
        let mut otp = otp.unwrap_or_default();
        let (mut quiet, mut all) = (Vec::new(), Vec::new());
        for round in 0..options.rounds {
            machine::wait_for_quiet(0.4, Duration::from_secs(3));
            let watch = lab.watch(own.iter().chain(&otp).map(Peer::id));
            let register = format!("register {count}");
            let (_, ours) = ask(&mut own, &register)?;
            let (ours_found, _) = ask(&mut own, "whereis 100000")?;
            let theirs = if otp.is_empty() { None } else { Some(ask(&mut otp, &register)?.1) };
            let theirs_found = if otp.is_empty() { None } else { Some(ask(&mut otp, "whereis 100000")?.0) };
            let foreign = watch.stop().foreign;
            eprintln!("names on {size}, round {}: others used {foreign:.2} of a core", round + 1);
            let values = [Some(ours), theirs, Some(ours_found), theirs_found];
            if foreign <= 0.4 {
                quiet.push(values);
            }
            all.push(values);
        }
        let noisy = quiet.is_empty();
        let used = if noisy { &all } else { &quiet };
        let middle = |column: usize| median(used.iter().filter_map(|values| values[column]).collect());
        let ratio = median(used.iter().filter_map(|values| Some(values[0]? / values[1]?)).collect());
        let rounds = if noisy { format!("none of {}", all.len()) } else { quiet.len().to_string() };
        let cells = [maybe(middle(0)), maybe(middle(1)), rate(middle(2)), rate(middle(3)), rounds];
        table.row(&[vec![size.to_string()], cells.to_vec()].concat());
        aims.push((size, noisy, ratio));
    }
    page.say(&table.finish());
    for (size, noisy, ratio) in aims {
        let mut aim = Aims::new(noisy);
        let must = if size == 2 { 0.75 } else { 0.6 };
        aim.check(&format!("{size} nodes: registering, to OTP"), ratio, Bound::AtMost(must), Bound::AtMost(0.5));
        page.say(&aim.finish());
    }
    Ok(())
}
