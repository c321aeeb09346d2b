//! Expressions held against the installed Elixir: each is accepted, refused or incomplete as `Code.string_to_quoted/1` says;
//! what our formatter writes is the same expression to it; and what can be evaluated gives the same value or error.
//!
//! `expressions/syntax.txt` is only read, `expressions/values.txt` and the examples of `h` are also run. A line is an expression; `↵` stands for a line end
//! in it and `␍` for a carriage return. `expressions/newer.txt` has those of which newer releases think otherwise than Elixir
//! 1.14, which is followed: up to the blank line since 1.18 or 1.20, below it by the order of atoms in maps, which is none since
//! OTP 26.

use std::fmt::Write as _;
use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};

use beamline_elixir::{EvalError, Event, Exception, Limits, Session, documentation, format, parse};
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

/// The value or the error of an expression, as the shell of that Elixir prints it.
fn evaluate(source: &str, elixir: Elixir) -> String {
    let mut session = Session::new().like(elixir);
    let mut evaluation = match session.start(source) {
        Ok(evaluation) => evaluation,
        Err(EvalError::Exception(exception)) => return exception.banner(elixir),
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
                return format!("= {}", Inspect::new(&value.to_shown()).like(elixir));
            }
            Event::Done(Err(exception)) => return exception.banner(elixir),
            _ => {}
        }
    }
}

/// What the two say alike: the numbers of functions, the clauses that were tried, and the words of the compiler differ.
fn comparable(text: &str) -> String {
    let text = text.split("\n\nAttempted function clauses").next().unwrap_or_default().trim_end();
    let text = [
        ". This protocol is implemented for",
        ". Did you mean",
        ". Make sure the module name",
        ". If you are using the",
    ]
    .iter()
    .fold(text, |text, hint| text.split(hint).next().unwrap_or_default());
    // Releases differ in where they break lines, and in what they say of a value beside itself.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.split(" If you are using the dot syntax").next().unwrap_or_default();
    let text = match text.split_once(" not implemented for ") {
        Some((before, _)) => before,
        None => text,
    };
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
    expressions_equal("otp25_expressions_equal_elixir_1_14", None, Elixir::V1_14);
}

#[test]
fn otp27_expressions_equal_elixir_1_18() {
    expressions_equal("otp27_expressions_equal_elixir_1_18", Some("trixie"), Elixir::V1_18);
}

#[test]
fn otp29_expressions_equal_elixir_1_20() {
    expressions_equal("otp29_expressions_equal_elixir_1_20", Some("sid"), Elixir::V1_20);
}

/// The `elixir` of this machine, or of a tree that `cargo xtask tools` makes, which is entered as root; else what is missing.
fn elixir_of(tree: Option<&str>) -> Result<Command, String> {
    let (mut command, missing) = match tree {
        None => (Command::new("elixir"), "elixir".to_owned()),
        Some(tree) => {
            let mut command = Command::new("/usr/sbin/chroot");
            command.args([&format!("/var/cache/beamline/{tree}"), "elixir"]);
            let name = if tree == "sid" { "otp29" } else { "otp27" };
            (command, format!("{name} (the tree of `cargo xtask tools`, entered by chroot as root)"))
        }
    };
    command.env("HOME", "/").env("LC_ALL", "C.UTF-8");
    let mut probe = Command::new(command.get_program());
    probe.args(command.get_args()).arg("--version").envs([("HOME", "/"), ("LC_ALL", "C.UTF-8")]);
    let is_there = probe.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success());
    if is_there { Ok(command) } else { Err(missing) }
}

fn expressions_equal(test: &str, tree: Option<&str>, release: Elixir) {
    let mut elixir = match elixir_of(tree) {
        Ok(command) => command,
        Err(missing) => return skip(test, &missing),
    };
    let syntax = lines(include_str!("expressions/syntax.txt")).map(|line| (line, false));
    let values = lines(include_str!("expressions/values.txt")).map(|line| (line, true));
    let examples = documentation().map(|doc| (doc.example.to_owned(), true));
    let all: Vec<(String, bool)> = syntax.chain(values).chain(examples).collect();
    let mut input = tempfile::tempfile().expect("a file");
    for (source, run) in &all {
        let formatted = parse(source).map(|expression| format(&expression)).unwrap_or_default();
        let columns =
            [source.as_str(), &formatted, if *run { "yes" } else { "no" }].map(|text| base64::encode(text.as_bytes()));
        writeln!(input, "{}", columns.join("\t")).expect("the file can be written");
    }
    input.rewind().expect("a file");
    elixir.args(["-e", include_str!("expressions/run.exs")]).stdin(Stdio::from(input));
    let output = elixir.output().expect("elixir runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("Base64");
    let answers: Vec<&str> = text.lines().collect();
    assert_eq!(answers.len(), all.len());
    assert!(all.len() >= 250);
    let newer: Vec<&str> = include_str!("expressions/newer.txt").lines().collect();
    assert!(newer.iter().all(|line| line.is_empty() || all.iter().any(|(source, _)| source == line)));
    let otherwise = newer.split(|line| line.is_empty()).next().unwrap_or_default();
    let (mut differ, mut wrong) = (Vec::new(), Vec::new());
    for ((source, run), answer) in all.iter().zip(answers) {
        let columns: Vec<String> =
            answer.split('\t').map(|text| String::from_utf8_lossy(&base64::decode(text)).into_owned()).collect();
        match difference(source, *run, &columns, release) {
            Some(_) if release != Elixir::V1_14 && newer.contains(&source.as_str()) => differ.push(source.as_str()),
            Some(difference) => wrong.push(format!("{source}\n{difference}")),
            None => {}
        }
    }
    if release == Elixir::V1_20 {
        let alike: Vec<_> = otherwise.iter().filter(|line| !differ.contains(line)).collect();
        assert!(alike.is_empty(), "these no longer differ: {alike:?}");
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// In what we differ from what an Elixir answered.
fn difference(source: &str, run: bool, answer: &[String], release: Elixir) -> Option<String> {
    if outcome(source) != answer[0] {
        return Some(format!("  there: {}\n  here:  {}", answer[0], outcome(source)));
    }
    if answer[1] == "false" {
        let formatted = parse(source).map(|expression| format(&expression)).unwrap_or_default();
        return Some(format!("  is another expression as {formatted}"));
    }
    // What does not parse has no error of ours that is like theirs.
    if !run || answer[0] != "ok" {
        return None;
    }
    let (there, here) = (comparable(&answer[2]), comparable(&evaluate(source, release)));
    (there != here).then(|| format!("  there: {there}\n  here:  {here}"))
}

#[test]
fn a_limit_is_an_error_of_its_own() {
    let limits =
        Limits { steps: 1_000_000, memory_bytes: 4 << 20, call_depth: 50, value_depth: 30, ..Limits::default() };
    let end = |source: &str| {
        let mut session = Session::new().with_limits(limits.clone());
        let mut evaluation = session.start(source).expect("an expression");
        loop {
            if let Event::Done(result) = evaluation.resume() {
                return result.map(|value| value.to_string()).map_err(|exception| exception.to_string());
            }
        }
    };
    let over = |what: &str, limit: u64| Err(format!("** (SystemLimitError) {what} went over the limit of {limit}"));
    let steps = "the number of steps";
    assert_eq!(end("Enum.reduce(1..1_000_000_000, 0, fn x, sum -> x + sum end)"), over(steps, 1_000_000));
    assert_eq!(end("Enum.sum(1..1_000_000_000)"), over(steps, 1_000_000));
    let memory = "the memory of the values";
    assert_eq!(end("Enum.to_list(1..1_000_000)"), over(memory, 4 << 20));
    assert_eq!(end("String.duplicate(\"x\", 1_000_000_000)"), over(memory, 4 << 20));
    assert_eq!(end("<<0::size(1_000_000_000)>>"), over(memory, 4 << 20));
    assert_eq!(end("Enum.reduce(1..40, 1, fn _, x -> {x} end)"), over("the nesting of a value", 30));
    assert_eq!(end("Enum.reduce(1..25, [1], fn _, x -> x ++ x end) |> length()"), over(memory, 4 << 20));
    let flat = "list = Enum.to_list(1..5_000); Enum.flat_map(list, fn _ -> list end)";
    assert_eq!(end(flat), over(memory, 4 << 20));
    assert_eq!(end("Enum.reduce(1..20_000, [], fn x, list -> [x | list] end) |> length()"), Ok("20000".to_owned()));
    assert_eq!(end("again = fn f -> f.(f) end; again.(again)"), over("the depth of calls", 50));
    assert_eq!(end("2 ** 1_000_000"), over("the bits of an integer", 1 << 18));
    assert_eq!(end("Enum.sum(Enum.map(1..100, fn x -> x * x end))"), Ok("338350".to_owned()));
}

#[test]
fn a_failed_expression_changes_no_binding() {
    let mut session = Session::new();
    for (source, value) in
        [("x = 1", Some("1")), ("x = 2; y = 3; hd([])", None), ("x = 4; exit(:no)", None), ("z = x + 1", Some("2"))]
    {
        let mut evaluation = session.start(source).expect("an expression");
        let Event::Done(result) = evaluation.resume() else {
            panic!("{source} needs nobody");
        };
        assert_eq!(result.ok().map(|value| value.to_string()).as_deref(), value, "{source}");
    }
    let names: Vec<&str> = session.bindings().map(|(name, _)| name).collect();
    assert_eq!(names, ["x", "z"]);
    assert!(matches!(session.start("y"), Err(EvalError::Exception(Exception::Compile { .. }))));
}

#[test]
fn a_function_made_here_is_not_sent() {
    let mut session = Session::new();
    let mut evaluation = session.start("GenServer.call(:server, fn -> 1 end)").expect("an expression");
    let Event::Done(Err(exception)) = evaluation.resume() else {
        panic!("it cannot be sent");
    };
    assert!(exception.to_string().contains("a function made here cannot be sent to another node"), "{exception}");
    let mut evaluation = session.start("GenServer.call(:server, &String.upcase/1)").expect("an expression");
    assert!(matches!(evaluation.resume(), Event::Call(call) if call.arguments.len() == 2));
}
