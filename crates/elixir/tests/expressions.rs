//! Expressions held against the installed Elixir: each is accepted, refused or incomplete as `Code.string_to_quoted/1` says;
//! what our formatter writes is the same expression to it; and what can be evaluated gives the same value or error.
//!
//! `expressions/syntax.txt` is only read, `expressions/values.txt` also run. A line is an expression; `↵` stands for a line end
//! in it and `␍` for a carriage return.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use beamline_elixir::{EvalError, Event, Exception, Session, format, parse};
use beamline_term::inspect::Elixir;
use beamline_term::{Inspect, atom};

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

    pub(super) fn encode(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
            let digits = (0..4).map(|at| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]));
            text.extend(digits.take(chunk.len() + 1));
            text.push_str(&"=".repeat(3 - chunk.len()));
        }
        text
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

fn lines(table: &str) -> impl Iterator<Item = String> {
    table.lines().filter(|line| !line.is_empty()).map(|line| line.replace('↵', "\n").replace('␍', "\r"))
}

/// What `Code.string_to_quoted/1` would say.
fn outcome(source: &str) -> &'static str {
    match parse(source) {
        Ok(_) => "ok",
        Err(error) if error.is_incomplete() => "incomplete",
        Err(_) => "wrong",
    }
}

/// The value or the error of an expression, as the shell of Elixir 1.14 prints it.
fn evaluate(source: &str) -> String {
    let mut session = Session::new().like(Elixir::V1_14);
    let mut evaluation = match session.start(source) {
        Ok(evaluation) => evaluation,
        Err(EvalError::Exception(exception)) => return exception.banner(Elixir::V1_14),
        Err(error) => return error.to_string(),
    };
    loop {
        match evaluation.resume() {
            Event::Call(call) => {
                let function = (call.module.as_ref().map(|module| module.as_str()), call.function.as_str());
                evaluation.answer(match function {
                    (Some("erlang"), "node") => Ok(atom("nonode@nohost").into()),
                    _ => Err(call.undefined()),
                });
            }
            Event::Done(Ok(value)) => {
                return format!("= {}", Inspect::new(&value.to_shown()).like(Elixir::V1_14));
            }
            Event::Done(Err(exception)) => return exception.banner(Elixir::V1_14),
            _ => {}
        }
    }
}

/// What the two say alike: the numbers of functions, the clauses that were tried, and the words of the compiler differ.
fn comparable(text: &str) -> String {
    let text = text.split("\n\nAttempted function clauses").next().unwrap_or_default().trim_end();
    let text = text.split(". This protocol is implemented for").next().unwrap_or_default();
    let text = text.split(". Did you mean").next().unwrap_or_default();
    if text.starts_with("** (CompileError)") {
        return "** (CompileError)".to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("#Function<") {
        let (_, name) = after.split_once('/').unwrap_or(("", after));
        let _ = write!(out, "{before}#Function</");
        rest = name;
    }
    (out + rest).replace(":erl_eval.expr/6>", ":erl_eval>")
}

#[test]
fn otp25_expressions_equal_elixir_1_14() {
    let syntax = lines(include_str!("expressions/syntax.txt")).map(|line| (line, false));
    let values = lines(include_str!("expressions/values.txt")).map(|line| (line, true));
    let all: Vec<(String, bool)> = syntax.chain(values).collect();
    let mut input = tempfile::NamedTempFile::new().expect("a file");
    for (source, run) in &all {
        let formatted = parse(source).map(|expression| format(&expression)).unwrap_or_default();
        let columns =
            [source.as_str(), &formatted, if *run { "yes" } else { "no" }].map(|text| base64::encode(text.as_bytes()));
        writeln!(input, "{}", columns.join("\t")).expect("the file can be written");
    }
    let mut elixir = Command::new("elixir");
    elixir.args(["-e", include_str!("expressions/run.exs"), "--"]).arg(input.path());
    let output = elixir.env("HOME", "/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
    let Ok(output) = output else {
        return skip("otp25_expressions_equal_elixir_1_14", "elixir");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("Base64");
    let answers: Vec<&str> = text.lines().collect();
    assert_eq!(answers.len(), all.len());
    assert!(all.len() >= 250);
    let mut wrong = Vec::new();
    for ((source, run), answer) in all.iter().zip(answers) {
        let columns: Vec<String> =
            answer.split('\t').map(|text| String::from_utf8_lossy(&base64::decode(text)).into_owned()).collect();
        if outcome(source) != columns[0] {
            wrong.push(format!("{source}\n  there: {}\n  here:  {}", columns[0], outcome(source)));
            continue;
        }
        if columns[1] == "false" {
            let formatted = parse(source).map(|expression| format(&expression)).unwrap_or_default();
            wrong.push(format!("{source}\n  is another expression as {formatted}"));
        }
        if *run {
            let (there, here) = (comparable(&columns[2]), comparable(&evaluate(source)));
            // What does not parse has no error of ours that is like theirs.
            if columns[0] == "ok" && there != here {
                wrong.push(format!("{source}\n  there: {there}\n  here:  {here}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn a_limit_is_an_error_of_its_own() {
    let text = evaluate("Enum.reduce(1..1_000_000_000, 0, fn x, sum -> x + sum end)");
    assert_eq!(text, "** (SystemLimitError) the number of steps went over the limit of 20000000");
    assert!(matches!(Session::new().start("x"), Err(EvalError::Exception(Exception::Compile { .. }))));
}
