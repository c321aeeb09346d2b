//! Terms are printed as the installed Elixir prints them: `inspect/terms.exs` writes some 300 terms and their texts.

use std::io::Write;
use std::process::Command;

use base64::decode;
use beamline_term::{Inspect, Term, inspect::Charlists};
use bytes::Bytes;

/// Base64, as Elixir writes it.
mod base64 {
    pub(super) fn decode(text: &str) -> Vec<u8> {
        let value = |byte: u8| match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
        let group = |digits: &[u8]| {
            let bits =
                digits.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - digits.len()));
            bits.to_be_bytes()[1..digits.len()].to_vec()
        };
        digits.chunks(4).flat_map(group).collect()
    }
}

/// Says that the test did not run, and where the list of such tests is made.
fn skip(test: &str, needs: &str) {
    let line = format!("skipped: {test}: needs {needs}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os("BEAMLINE_SKIP_LOG") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the skip log can be written");
    }
}

/// The installed Elixir's version, if there is one.
fn version() -> Option<(u32, u32)> {
    let output = Command::new("elixir").args(["-e", "IO.puts System.version()"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.trim().split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[test]
fn inspect_equals_the_installed_elixirs() {
    let Some(version) = version() else {
        assert!(std::env::var_os("CI").is_none(), "elixir is missing");
        return skip("inspect_equals_the_installed_elixirs", "elixir");
    };
    if version >= (1, 15) {
        // OTP 26 and later give no order to the atoms in a map, so there is nothing to be equal to.
        return skip("inspect_equals_the_installed_elixirs", "Elixir 1.14");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inspect/terms.exs");
    let output = Command::new("elixir").arg(script).env("LC_ALL", "C.UTF-8").output().expect("elixir runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (mut count, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let (bytes, expected) = line.split_once('\t').expect("two columns");
        let term = Term::decode(&Bytes::from(decode(bytes))).expect("a term");
        let printed = Inspect::new(&term).charlists(Charlists::Quotes).to_string();
        count += 1;
        if printed != expected {
            wrong.push(format!("elixir: {expected:.300}\nhere:   {printed:.300}"));
        }
    }
    assert!(count >= 300, "only {count} terms came; {}", String::from_utf8_lossy(&output.stderr));
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
