//! `beamline doctor`: the checks of `beamline-doctor` with what the flags, the environment and the files say.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use beamline::cluster::Topologies;
use beamline::flags::{cookie, short_host};
use beamline::node::NodeName;
use beamline::node::epmd::DEFAULT_PORT;
use beamline_doctor::render::{self, Look};
use beamline_doctor::{Code, Cookies, Examination, Options, Selection, Source, Summary};

use super::arguments::{CookieArguments, Doctor, ReportForm, complete};
use super::exit::Exit;
use super::nodes::{Unknown, named_or_here};
use super::remote::print;

/// Between two tries of `--wait`.
const PAUSE: Duration = Duration::from_secs(1);

/// Examines, and prints the report.
pub(crate) async fn run(arguments: Box<Doctor>) -> Exit {
    if let Some(id) = &arguments.explain {
        return explain(id);
    }
    if arguments.list {
        Code::all().for_each(|code| {
            print(&format!("{}  {:<9}  {:<7}  {}", code.id, code.rung.name(), code.weight.name(), code.title));
        });
        return Exit::Ok;
    }
    let epmd_port = arguments.ports.epmd_port.unwrap_or(DEFAULT_PORT);
    let options = match options(&arguments, epmd_port) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return Exit::Usage;
        }
    };
    let nodes = match named_or_here(&arguments.nodes, epmd_port, "doctor").await {
        Ok(nodes) => nodes,
        Err(unknown) => {
            eprintln!("{unknown}");
            return if matches!(unknown, Unknown::Name(_)) { Exit::Usage } else { Exit::Unfinished };
        }
    };
    let all = waiting(&beamline_doctor::Doctor::new(options), &nodes, arguments.wait).await;
    let report = match arguments.output {
        ReportForm::Text => render::text(&all, look(&arguments)),
        ReportForm::Short => render::short(&all),
        ReportForm::Json => render::json(&all),
    };
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().lock().write_all(report.as_bytes());
    match Summary::of(&all).exit_code() {
        0 => Exit::Ok,
        1 => Exit::Remote,
        _ => Exit::Unfinished,
    }
}

/// One try, or many until there is no error or the time is over.
async fn waiting(doctor: &beamline_doctor::Doctor, nodes: &[NodeName], wait: Option<Duration>) -> Vec<Examination> {
    let begin = Instant::now();
    let told = std::io::stderr().is_terminal();
    for number in 1_usize.. {
        let mut all = Vec::new();
        for node in nodes {
            all.push(doctor.examine(node).await);
        }
        let summary = Summary::of(&all);
        let left = wait.unwrap_or_default().saturating_sub(begin.elapsed());
        if summary.exit_code() == 0 || left.is_zero() {
            if told && number > 1 {
                // Over the line below.
                eprint!("\r\x1b[K");
            }
            return all;
        }
        if told {
            let sign = ['|', '/', '-', '\\'][number % 4];
            eprint!("\r\x1b[K{sign} {} errors; trying again, for {} s more", summary.errors, left.as_secs());
        }
        tokio::time::sleep(PAUSE.min(left)).await;
    }
    Vec::new()
}

fn options(arguments: &Doctor, epmd_port: u16) -> Result<Options, String> {
    let mut options = Options::new(cookies(&arguments.cookie));
    options.own = own(arguments)?;
    options.epmd_port = epmd_port;
    options.peer_port = arguments.ports.peer_port;
    options.timeout = arguments.timeout;
    options.selection = Selection::new(&arguments.only, &arguments.skip).map_err(|error| error.to_string())?;
    let read = match &arguments.topologies.config {
        Some(file) => Topologies::from_file(file),
        None => Ok(Topologies::from_env()),
    };
    match read {
        Ok(topologies) => options.topologies = topologies.with_epmd_port(epmd_port),
        Err(error) => options.wrong_topologies = Some(error.to_string()),
    }
    Ok(options)
}

/// As whom to look.
fn own(arguments: &Doctor) -> Result<Option<NodeName>, String> {
    match (&arguments.name, &arguments.sname) {
        (Some(name), _) if !name.contains('@') => Err(format!("--name {name} has no host; write it as {name}@HOST")),
        (Some(name), _) => complete(name, "").map(Some),
        (None, Some(name)) => {
            let name = complete(name, &short_host())?;
            if name.is_long() {
                Err(format!("--sname {name}: a short host has no dots; use --name"))
            } else {
                Ok(Some(name))
            }
        }
        (None, None) => Ok(None),
    }
}

/// The cookies of this machine: the one that counts, and the others.
pub(super) fn cookies(arguments: &CookieArguments) -> Cookies {
    let (given, file) = (arguments.cookie.as_deref(), arguments.cookie_file.as_deref());
    let mut found = cookie::survey(given, file, |name| std::env::var(name).ok()).into_iter();
    let mut cookies = Cookies::default();
    cookies.chosen = given.is_some() || file.is_some();
    match found.next() {
        Some((place, Ok(cookie))) => {
            let source = Source::new(place, cookie);
            cookies.used = Some(if given.is_some() { source.in_the_open() } else { source });
        }
        Some((_, Err(error))) => cookies.refused = Some(error.to_string()),
        None => {}
    }
    let others = found.filter_map(|(place, cookie)| Some(Source::new(place, cookie.ok()?)));
    cookies.ignored = others.collect();
    cookies
}

/// Colours where somebody looks who can see them.
fn look(arguments: &Doctor) -> Look {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let color = set("CLICOLOR_FORCE") || (std::io::stdout().is_terminal() && !dumb && !set("NO_COLOR"));
    Look::PLAIN.color(color).ascii(arguments.ascii || dumb).verbose(arguments.verbose)
}

fn explain(id: &str) -> Exit {
    match Code::get(id) {
        Some(code) => {
            print(code.explain().trim_end());
            Exit::Ok
        }
        None => {
            eprintln!("there is no code {id:?}; `beamline doctor --list` has all");
            Exit::Usage
        }
    }
}
