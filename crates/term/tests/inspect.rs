//! Terms are printed as Elixir 1.14, 1.18 and 1.20 print them: `inspect/terms.exs` writes some 400 terms and their texts,
//! on one line, in lines of several widths, with limits and with other options; and as Erlang of OTP 25, 27 and 29 prints
//! them (`inspect/terms.eval`).

use std::io::Write;
use std::process::{Command, Stdio};

use base64::decode;
use beamline_term::inspect::{Binaries, Charlists, Elixir};
use beamline_term::print::Erlang;
use beamline_term::{Inspect, Term};
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

/// The options with which `terms.exs` calls `inspect`, in its order.
const OPTIONS: [fn(Inspect<'_>) -> Inspect<'_>; 15] = [
    |inspect| inspect,
    |inspect| inspect.width(80),
    |inspect| inspect.width(40),
    |inspect| inspect.width(10),
    |inspect| inspect.width(0),
    |inspect| inspect.limit(5),
    |inspect| inspect.limit(20),
    |inspect| inspect.limit(0),
    |inspect| inspect.limit(5).width(10),
    |inspect| inspect.limit(usize::MAX).width(40),
    |inspect| inspect.printable_limit(10),
    |inspect| inspect.binaries(Binaries::Strings).width(20),
    |inspect| inspect.binaries(Binaries::Binaries).width(20),
    |inspect| inspect.charlists(Charlists::Lists).width(40),
    |inspect| inspect.structs(false).width(60),
];

/// What Erlang's formats are here, in the order of `terms.eval`.
const FORMATS: [fn(&Term) -> String; 7] = [
    |term| Erlang::new(term).to_string(),
    |term| Erlang::raw(term).to_string(),
    |term| format!("{:#}", Erlang::new(term)),
    |term| Erlang::new(term).width(40).to_string(),
    |term| Erlang::new(term).width(20).to_string(),
    |term| Erlang::new(term).width(10).to_string(),
    |term| Erlang::new(term).width(120).to_string(),
];

/// Compares every text that the program which this command starts writes with what `print` makes of the term before it.
/// The second argument of `print` is the text's place in the line.
fn compare(mut command: Command, least: usize, test: &str, needs: &str, print: impl Fn(&Term, usize) -> String) {
    let output = command.env("HOME", "/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
    // Chroot ends with 125 to 127 where there is no such tree or no such program in it.
    let Some(output) = output.ok().filter(|output| !matches!(output.status.code(), Some(125..=127))) else {
        return skip(test, needs);
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("Base64");
    let (mut terms, mut texts, mut wrong) = (0, 0, Vec::new());
    for line in text.lines() {
        let mut columns = line.split('\t').map(decode);
        let term = Term::decode(&Bytes::from(columns.next().expect("a term"))).expect("a term");
        terms += 1;
        for (place, expected) in columns.enumerate() {
            let expected = String::from_utf8_lossy(&expected).into_owned();
            let printed = print(&term, place);
            texts += 1;
            if printed != expected {
                wrong.push(format!("there ({place}): {expected:.700}\nhere:      {printed:.700}"));
            }
        }
    }
    assert!(terms >= least, "only {terms} terms came; {}", String::from_utf8_lossy(&output.stderr));
    assert!(wrong.is_empty(), "{} of {texts} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare_elixir(mut command: Command, elixir: Elixir, test: &str, needs: &str) {
    command.args(["-e", include_str!("inspect/terms.exs")]);
    compare(command, 400, test, needs, |term, place| OPTIONS[place](Inspect::new(term).like(elixir)).to_string());
}

fn compare_erlang(mut command: Command, test: &str, needs: &str) {
    command.args(["+pc", "unicode", "-noshell", "-eval", include_str!("inspect/terms.eval")]);
    compare(command, 80, test, needs, |term, place| FORMATS[place](term));
}

/// A program in one of the trees that `cargo xtask tools` makes.
fn in_tree(tree: &str, program: &str) -> Command {
    let mut command = Command::new("/usr/sbin/chroot");
    command.args([tree, program]);
    command
}

const TRIXIE: &str = "/var/cache/beamline/trixie";
const SID: &str = "/var/cache/beamline/sid";

#[test]
fn otp25_inspect_equals_elixir_1_14() {
    compare_elixir(Command::new("elixir"), Elixir::V1_14, "otp25_inspect_equals_elixir_1_14", "elixir");
}

#[test]
fn otp27_inspect_equals_elixir_1_18() {
    compare_elixir(in_tree(TRIXIE, "elixir"), Elixir::V1_18, "otp27_inspect_equals_elixir_1_18", "otp27");
}

#[test]
fn otp29_inspect_equals_elixir_1_20() {
    compare_elixir(in_tree(SID, "elixir"), Elixir::V1_20, "otp29_inspect_equals_elixir_1_20", "otp29");
}

#[test]
fn otp25_erlangs_formats() {
    compare_erlang(Command::new("erl"), "otp25_erlangs_formats", "erl");
}

#[test]
fn otp27_erlangs_formats() {
    compare_erlang(in_tree(TRIXIE, "erl"), "otp27_erlangs_formats", "otp27");
}

#[test]
fn otp29_erlangs_formats() {
    compare_erlang(in_tree(SID, "erl"), "otp29_erlangs_formats", "otp29");
}
