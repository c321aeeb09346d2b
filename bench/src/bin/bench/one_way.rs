//! Messages that nobody answers, until the receiver says that it counted them all; and connecting anew.

use crate::calls::heading;
use crate::peer::{Lab, Program};
use crate::results::Page;
use crate::rounds::{Pairs, Row, Sample, Set};
use crate::table::{Aims, Bound, Table, maybe, rate};
use crate::{Error, Options};

const BEAMLINE: &str = "Beamline";
const OTP: &str = "OTP";
const RAW: &str = "raw, one write each";
const RACTOR: &str = "ractor_cluster";
const ERL_DIST: &str = "erl_dist to OTP";

const ROWS: [Row; 6] = [
    Row::new(RAW, Program::Std, ""),
    Row::new(BEAMLINE, Program::Beamline, ""),
    Row::new(OTP, Program::Otp, ""),
    Row::to("Beamline to OTP", Program::Beamline, Program::Otp, ""),
    Row::new(RACTOR, Program::Ractor, ""),
    Row::to(ERL_DIST, Program::ErlDist, Program::Otp, ""),
];

const CONNECTS: [Row; 7] = [
    Row::new("raw connect and one round trip", Program::Std, ""),
    Row::new(BEAMLINE, Program::Beamline, ""),
    Row::to("Beamline to OTP", Program::Beamline, Program::Otp, ""),
    Row::to("OTP to Beamline", Program::Otp, Program::Beamline, ""),
    Row::new(OTP, Program::Otp, ""),
    Row::to(ERL_DIST, Program::ErlDist, Program::Otp, ""),
    Row::to(ERL_DIST, Program::ErlDist, Program::Otp, "").quick_ack("erl_dist to OTP, `quickack 1`"),
];

pub fn one_way(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    let sizes: &[usize] = if options.quick { &[16, 65_536] } else { &[16, 256, 4096, 65_536, 1 << 20] };
    let mut pairs = Pairs::new(lab, two_cores());
    for size in sizes {
        eprintln!("messages of {size} bytes");
        let set = pairs.measure(&ROWS, options, |_, limit| format!("oneway {size} {limit}"));
        let mut table = Table::new(&["", "messages/s", "GB/s", "to raw", "to OTP", "CPU µs a message, both ends"]);
        for measured in &set.rows {
            let label = measured.row.label;
            let cpu = |sample: &Sample| sample.cpu / sample.count * 1e6;
            table.row(&[
                label.to_owned(),
                measured.failed.clone().unwrap_or_else(|| rate(set.median(label, Sample::rate))),
                maybe(set.median(label, |sample| sample.rate() * *size as f64 / 1e9)),
                maybe(set.ratio(label, RAW, Sample::rate)),
                maybe(set.ratio(label, OTP, Sample::rate)),
                maybe(set.median(label, cpu)),
            ]);
        }
        page.say(&format!("### {size} bytes, two cores\n\n{}\n\n{}", heading(&set), table.finish()));
        page.say(&aims(&set, *size));
    }
    Ok(())
}

fn aims(set: &Set, size: usize) -> String {
    use Bound::AtLeast;
    let mut aims = Aims::new(set.noisy);
    let rate = set.median(BEAMLINE, Sample::rate);
    let over_otp = set.ratio(BEAMLINE, OTP, Sample::rate);
    match size {
        16 => aims.check("million messages/s", rate.map(|rate| rate / 1e6), AtLeast(1.2), AtLeast(3.0)),
        256 => aims.check("million messages/s", rate.map(|rate| rate / 1e6), AtLeast(1.0), AtLeast(2.0)),
        4096 => aims.check("GB/s", rate.map(|rate| rate * 4096.0 / 1e9), AtLeast(1.2), AtLeast(2.0)),
        65_536 => aims.check("to OTP", over_otp, AtLeast(0.9), AtLeast(1.1)),
        _ => {
            let over_raw = set.ratio(BEAMLINE, RAW, Sample::rate);
            aims.check("to OTP", over_otp, AtLeast(0.75), AtLeast(1.0));
            let next = [RACTOR, ERL_DIST].iter().filter_map(|label| set.median(label, Sample::rate));
            let over_next = rate.zip(next.reduce(f64::max)).map(|(own, next)| own / next);
            aims.check("to the next Rust crate", over_next, AtLeast(2.0), AtLeast(2.0));
            aims.check("to raw", over_raw, AtLeast(0.5), AtLeast(1.0));
        }
    }
    aims.finish()
}

/// What a processor and its caches have forgotten after 50 ms of idleness makes connecting twice as slow, for all. The figures
/// to beat were measured where a raw connection took 0.11 ms, which is what it takes after 5.
const PAUSES: [u64; 2] = [50, WARM];
const WARM: u64 = 5;

pub fn connect(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    for pause in PAUSES {
        eprintln!("after {pause} ms");
        connect_after(pause, lab, options, page)?;
    }
    Ok(())
}

fn connect_after(pause: u64, lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    let mut pairs = Pairs::new(lab, two_cores());
    let count = if options.quick { 5 } else { 750 / pause };
    let set = pairs.measure(&CONNECTS, options, |_, limit| {
        // Warming up needs only one.
        format!("connect {} {pause}ms", if limit == "50ms" { 1 } else { count })
    });
    let mut table = Table::new(&["", "p50 ms", "p99 ms", "p50 to raw"]);
    for measured in &set.rows {
        let label = measured.row.label;
        let p50 = maybe(set.median(label, |sample| sample.p50 / 1e6));
        let p99 = maybe(set.median(label, |sample| sample.p99 / 1e6));
        let to_raw = maybe(set.ratio(label, CONNECTS[0].label, |sample| sample.p50));
        table.row(&[label.to_owned(), measured.failed.clone().unwrap_or(p50), p99, to_raw]);
    }
    page.say(&format!(
        "### After a pause of {pause} ms\n\nEach round connects {count} times. {}\n\n{}",
        heading(&set),
        table.finish()
    ));
    let mut aims = Aims::new(set.noisy);
    if pause == WARM {
        let millis = set.median(BEAMLINE, |sample| sample.p50 / 1e6);
        aims.check("p50 in ms", millis, Bound::AtMost(0.45), Bound::AtMost(0.35));
    }
    let over_raw = set.ratio(BEAMLINE, CONNECTS[0].label, |sample| sample.p50);
    aims.check("p50 to raw", over_raw, Bound::AtMost(4.1), Bound::AtMost(3.2));
    page.say(&aims.finish());
    Ok(())
}

fn two_cores() -> &'static str {
    if crate::machine::cores() == 1 { "0" } else { "0,1" }
}
