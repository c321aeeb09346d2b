//! One line a finding, to paste somewhere.

use std::fmt::Write;

use super::counts;
use crate::{Examination, Summary};

/// `BL501 app@db1: the cookies differ ..`, and how many there are. One line if there are none.
pub fn short(all: &[Examination]) -> String {
    let mut out = String::new();
    for examination in all {
        for finding in examination.findings() {
            // Writing into a String does not fail.
            let _ = writeln!(out, "{} {}: {}", finding.code.id, examination.node, finding.what);
        }
    }
    let _ = writeln!(out, "{}", counts(Summary::of(all)));
    out
}
