//! Calls: one at a time on one core, which is the length of the CPU's path; and by many callers on one connection.

use crate::peer::{Lab, Program};
use crate::results::Page;
use crate::rounds::{Pairs, Row, Sample, Set};
use crate::table::{Aims, Bound, Table, maybe, rate};
use crate::{Error, Options, machine};

const LIMIT: &str = "tokio, multiplexed";
const BEAMLINE: &str = "Beamline `call`";
const OTP: &str = "OTP `erpc`";
const RUST_TO_OTP: &str = "Beamline `call` to OTP";

const ROWS: [Row; 13] = [
    Row::new("raw std TCP", Program::Std, "echo"),
    Row::new(LIMIT, Program::Tokio, "echo"),
    Row::new(BEAMLINE, Program::Beamline, "erpc"),
    Row::new("Beamline `server_call`", Program::Beamline, "gen_server"),
    Row::new("Beamline `send` echo", Program::Beamline, "send"),
    Row::new("OTP `!` echo", Program::Otp, "send"),
    Row::new("OTP `rpc`", Program::Otp, "rpc"),
    Row::new(OTP, Program::Otp, "erpc"),
    Row::new("OTP `gen_server`", Program::Otp, "gen_server"),
    Row::new("ractor_cluster", Program::Ractor, "echo"),
    Row::new("tonic", Program::Tonic, "echo"),
    ERL_RPC,
    ERL_RPC.quick_ack("erl_rpc to OTP, stall removed by `quickack 1`"),
];

const ERL_RPC: Row = Row::to("erl_rpc to OTP, as published: stalls", Program::ErlRpc, Program::Otp, "erpc");

const MIXED: [Row; 9] = [
    Row::new(BEAMLINE, Program::Beamline, "erpc"),
    Row::to(RUST_TO_OTP, Program::Beamline, Program::Otp, "erpc"),
    Row::to("Beamline `server_call` to OTP", Program::Beamline, Program::Otp, "gen_server"),
    Row::to("OTP `rpc` to Beamline", Program::Otp, Program::Beamline, "rpc"),
    Row::to("OTP `erpc` to Beamline", Program::Otp, Program::Beamline, "erpc"),
    Row::to("OTP `gen_server` to Beamline", Program::Otp, Program::Beamline, "gen_server"),
    Row::to("OTP `!` echo of Beamline", Program::Otp, Program::Beamline, "send"),
    Row::new(OTP, Program::Otp, "erpc"),
    Row::new("OTP `gen_server`", Program::Otp, "gen_server"),
];

/// The last core, so that what the system does on the first is not in the way; and the first two.
fn places() -> Vec<(&'static str, &'static str)> {
    match machine::cores() {
        1 => vec![("one core", "0")],
        _ => vec![("one core", "1"), ("two cores", "0,1")],
    }
}

pub fn calls(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    for (place, cores) in places() {
        let mut pairs = Pairs::new(lab, cores);
        for callers in &options.callers {
            let set = measure(&mut pairs, &ROWS, *callers, options, page, place);
            page.say(&aims(&set, *callers, place));
        }
    }
    Ok(())
}

pub fn mixed(lab: &Lab, options: &Options, page: &mut Page) -> Result<(), Error> {
    for (place, cores) in places() {
        let mut pairs = Pairs::new(lab, cores);
        for callers in [1, 64] {
            let set = measure(&mut pairs, &MIXED, callers, options, page, place);
            if callers == 1 && place == "one core" {
                let mut aims = Aims::new(set.noisy);
                let micros = set.median(RUST_TO_OTP, |sample| sample.p50 / 1e3);
                aims.check("Rust to OTP, p50 in µs", micros, Bound::AtMost(35.0), Bound::AtMost(35.0));
                let ratio = set.ratio(RUST_TO_OTP, OTP, |sample| sample.p50);
                aims.check("the same to OTP's `erpc`", ratio, Bound::AtMost(0.875), Bound::AtMost(0.875));
                page.say(&aims.finish());
            }
        }
    }
    Ok(())
}

fn measure(
    pairs: &mut Pairs<'_>,
    rows: &[Row],
    callers: usize,
    options: &Options,
    page: &mut Page,
    place: &str,
) -> Set {
    eprintln!("{callers} at a time, {place}");
    let set = pairs.measure(rows, options, |row, limit| format!("calls {} {callers} {limit}", row.kind));
    page.say(&format!("### {callers} at a time, {place}\n\n{}\n\n{}", heading(&set), table(&set)));
    set
}

/// How many rounds the medians are of.
pub fn heading(set: &Set) -> String {
    if set.noisy {
        format!(
            "**No quiet round** in {}: others kept the machine busy. Times and rates are worth little here; CPU time is.",
            set.rounds
        )
    } else {
        format!("Medians of {} quiet rounds.", set.rounds)
    }
}

fn table(set: &Set) -> String {
    let mut table =
        Table::new(&["", "calls/s", "to limit", "p50 µs", "to limit", "p99 µs", "CPU µs a call, both ends"]);
    for measured in &set.rows {
        let label = measured.row.label;
        if let Some(failed) = &measured.failed {
            let dashes = vec!["–".to_owned(); 5];
            table.row(&[vec![label.to_owned()], dashes, vec![failed.clone()]].concat());
            continue;
        }
        table.row(&[
            label.to_owned(),
            rate(set.median(label, Sample::rate)),
            maybe(set.ratio(label, LIMIT, Sample::rate)),
            maybe(set.median(label, |sample| sample.p50 / 1e3)),
            maybe(set.ratio(label, LIMIT, |sample| sample.p50)),
            maybe(set.median(label, |sample| sample.p99 / 1e3)),
            maybe(set.median(label, |sample| sample.cpu / sample.count * 1e6)),
        ]);
    }
    table.finish()
}

fn aims(set: &Set, callers: usize, place: &str) -> String {
    use Bound::{AtLeast, AtMost};
    let mut aims = Aims::new(set.noisy);
    if callers == 1 {
        if place == "one core" {
            let ratio = set.ratio(BEAMLINE, LIMIT, |sample| sample.p50);
            aims.check("p50 to the limit", ratio, AtMost(1.3), AtMost(1.15));
        }
        return aims.finish();
    }
    let (must, goal) = if callers == 256 { (0.4, 0.6) } else { (0.5, 0.75) };
    let ratio = set.ratio(BEAMLINE, LIMIT, Sample::rate);
    aims.check("calls/s to the limit", ratio, AtLeast(must), AtLeast(goal));
    let over = set.ratio(BEAMLINE, "OTP `rpc`", Sample::rate);
    match callers {
        64 => aims.check("calls/s to OTP's `rpc`", over, AtLeast(2.5), AtLeast(3.5)),
        256 => aims.check("calls/s to OTP's `rpc`", over, AtLeast(4.0), AtLeast(7.0)),
        _ => {}
    }
    aims.finish()
}
