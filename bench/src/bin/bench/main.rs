//! The driver: starts pairs of programs, pins them, gives them commands in turn, and writes down what they say.
//! See `bench/README.md`; `cargo xtask bench` builds and runs it.

mod calls;
mod machine;
mod memory;
mod mesh;
mod names;
mod one_way;
mod peer;
mod results;
mod rounds;
mod table;

use std::process::ExitCode;

use peer::Lab;

type Error = Box<dyn std::error::Error>;

const USAGE: &str = "\
Usage: cargo xtask bench [SUITE] [--rounds N] [--callers N[,N]] [--quick]

  calls     Calls, one at a time and by many callers, beside every rival
  mixed     Rust calls OTP, OTP calls Rust
  oneway    Messages to a remote process
  connect   Connecting with a node, epmd asked first
  memory    An idle node, and an idle connection
  mesh      A full mesh of many nodes on this machine
  names     Registering and looking up names of the cluster
  terms     Encoding and decoding beside OTP, eetf and erltf
  serde     serde beside terms and erltf_serde
  all       All of them [default]

  --rounds N   Rounds that must be quiet before a median is taken [default: 5]
  --callers N  How many callers at a time, in `calls` [default: 1,16,64,256]
  --quick      2 short rounds, fewer sizes and callers: whether it works, not how fast it is";

/// What the command line asks for.
pub struct Options {
    /// Quiet rounds wanted.
    pub rounds: usize,
    /// How many callers at a time are measured.
    pub callers: Vec<usize>,
    /// Short and few.
    pub quick: bool,
}

impl Options {
    /// How long one measurement lasts.
    pub fn limit(&self) -> &'static str {
        if self.quick { "150ms" } else { "400ms" }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let (suites, options) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&suites, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<(Vec<&'static str>, Options), String> {
    const SUITES: [&str; 7] = ["calls", "mixed", "oneway", "connect", "memory", "mesh", "names"];
    let mut options = Options { rounds: 5, callers: vec![1, 16, 64, 256], quick: false };
    let mut suites = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => (options.quick, options.rounds, options.callers) = (true, 2, vec![1, 64]),
            "--callers" => {
                let numbers = rest.next().map_or("", String::as_str).split(',').map(|number| number.parse().ok());
                let numbers: Option<Vec<usize>> = numbers.map(|number| number.filter(|number| *number > 0)).collect();
                options.callers = numbers.ok_or("--callers needs numbers, as in 1,16")?;
            }
            "--rounds" => {
                let number = rest.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                options.rounds = number.ok_or("--rounds needs a number")?;
            }
            "all" => suites.extend(SUITES),
            other => match SUITES.iter().find(|suite| **suite == other) {
                Some(suite) => suites.push(*suite),
                None => return Err(format!("I do not know `{other}`")),
            },
        }
    }
    if suites.is_empty() {
        suites.extend(SUITES);
    }
    Ok((suites, options))
}

fn run(suites: &[&'static str], options: &Options) -> Result<(), Error> {
    let lab = Lab::open()?;
    for suite in suites {
        let mut page = results::Page::new(suite, options, &lab);
        match *suite {
            "calls" => calls::calls(&lab, options, &mut page)?,
            "mixed" => calls::mixed(&lab, options, &mut page)?,
            "oneway" => one_way::one_way(&lab, options, &mut page)?,
            "connect" => one_way::connect(&lab, options, &mut page)?,
            "memory" => memory::memory(&lab, options, &mut page)?,
            "names" => names::names(&lab, options, &mut page)?,
            _ => mesh::mesh(&lab, options, &mut page)?,
        }
        page.finish()?;
    }
    Ok(())
}
