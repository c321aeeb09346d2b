//! Memory: a node that does nothing, and what each idle connection adds to it. It does not depend on how busy others are.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::peer::{Lab, Network, Program};
use crate::results::Page;
use crate::table::{Aims, Bound, Table, figure, maybe};
use crate::{Error, Options};

/// A figure of `/proc/ID/status`: kB for sizes.
fn status(id: u32, key: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Resident memory in kB, once it has stayed the same for a second.
fn settled(id: u32) -> Option<f64> {
    let end = Instant::now() + Duration::from_secs(15);
    let (mut last, mut since) = (0.0, Instant::now());
    while Instant::now() < end && since.elapsed() < Duration::from_secs(1) {
        sleep(Duration::from_millis(100));
        let now = status(id, "VmRSS:")?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Some(last)
}

pub fn memory(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    let count = if options.quick { 50 } else { 200 };
    let rivals = [
        ("Beamline", Program::Beamline),
        ("OTP", Program::Otp),
        ("tonic, server", Program::Tonic),
        ("ractor_cluster", Program::Ractor),
    ];
    let mut table = Table::new(&["idle, two cores", "RSS MB", "threads", "KB each idle connection"]);
    let mut own = (None, None);
    for (label, program) in rivals {
        if !lab.has(program, Network::Usual) {
            continue;
        }
        let node = lab.start(program, &["serve"], None, Network::Usual)?;
        let before = settled(node.id());
        let threads = status(node.id(), "Threads:");
        let mut each = None;
        // Who speaks the protocol is given many hidden nodes of one process, so that all serve the same clients.
        if matches!(program, Program::Beamline | Program::Otp) {
            let arguments = ["many", &count.to_string(), &node.address];
            let many = lab.start(Program::Beamline, &arguments, None, Network::Usual)?;
            each = settled(node.id()).zip(before).map(|(after, before)| (after - before) / f64::from(count));
            drop(many);
        }
        if program == Program::Beamline {
            own = (before.map(|kilobytes| kilobytes / 1024.0), each);
        }
        let threads = threads.map_or_else(|| "–".to_owned(), |threads| format!("{threads:.0}"));
        table.row(&[
            label.to_owned(),
            maybe(before.map(|kb| kb / 1024.0)),
            threads,
            each.map_or("–".to_owned(), figure),
        ]);
    }
    page.say(&format!("{count} idle connections.\n\n{}", table.finish()));
    let mut aims = Aims::new(false);
    aims.check("an idle node, MB", own.0, Bound::AtMost(8.0), Bound::AtMost(6.0));
    aims.check("an idle connection, KB", own.1, Bound::AtMost(16.0), Bound::AtMost(10.0));
    page.say(&aims.finish());
    Ok(())
}
