//! `beamline notebook run`: a notebook's cells once, from the first to the last, for CI and scripts.

use beamline::flags::{NodeFlags, short_host};
use beamline::node::{Cookie, Epmd, Listen, Node, NodeBuilder};
use beamline::proto::NodeName;
use beamline_web::headless::{Report, Run, RunError};
use beamline_web::livemd::Notebook;

use crate::cli::arguments::{NotebookForm, NotebookRun, complete};
use crate::cli::exit::Exit;
use crate::cli::remote::print;
use crate::cli::shell::guest;
use crate::cli::start::{interrupted, start};

/// Runs the cells; what comes of them goes to stderr as it comes, and to stdout in the form that is asked for.
pub(crate) async fn run(arguments: NotebookRun) -> Exit {
    let notebook = match std::fs::read(&arguments.file).map(String::from_utf8) {
        Ok(Ok(text)) => Notebook::read(&text),
        Ok(Err(_)) => return wrong(&arguments, "it is not UTF-8, as notebooks are"),
        Err(error) => return wrong(&arguments, &error.to_string()),
    };
    for warning in notebook.warnings() {
        eprintln!("warning: {}:{warning}", arguments.file.display());
    }
    let target = arguments.node.as_deref().filter(|node| !node.is_empty());
    let target = match target.map(|target| complete(target, &short_host())).transpose() {
        Ok(target) => target,
        Err(problem) => {
            eprintln!("{problem}");
            return Exit::Usage;
        }
    };
    let node = match node(&arguments, target.as_ref()).await {
        Ok(node) => node,
        Err(exit) => return exit,
    };
    let exit = tokio::select! {
        exit = run_at(&node, target, notebook, &arguments) => exit,
        () = interrupted() => {
            eprintln!("interrupted; what ran is ended");
            Exit::Remote
        }
    };
    node.stop().await;
    exit
}

fn wrong(arguments: &NotebookRun, problem: &str) -> Exit {
    eprintln!("cannot read {}: {problem}", arguments.file.display());
    Exit::Usage
}

/// A guest of the node at which the cells run, or, without one, a node of the program's own.
async fn node(arguments: &NotebookRun, target: Option<&NodeName>) -> Result<Node, Exit> {
    let flags = NodeFlags {
        name: None,
        sname: None,
        cookie: arguments.cookie.cookie.as_deref().map(Cookie::from),
        cookie_file: arguments.cookie.cookie_file.clone(),
        hidden: true,
        erl: None,
        epmd_port: arguments.ports.epmd_port,
        peer_port: arguments.ports.peer_port,
    };
    start(match target {
        Some(target) => guest(&flags, target),
        None => Ok(own(&flags)),
    })
    .await
}

/// A node that others cannot dial, but whose cells can connect with them.
fn own(flags: &NodeFlags) -> NodeBuilder {
    let name = format!("notebook-{:08x}@127.0.0.1", rand::random::<u32>());
    // Without a cookie of the user's there is nobody whom it could connect with.
    let cookie =
        flags.find_cookie().unwrap_or_else(|_| Cookie::from(format!("{:032x}", rand::random::<u128>()).as_str()));
    let builder = Node::builder(name).cookie(cookie).listen(Listen::Off).epmd(Epmd::on_port(flags.epmd_port()));
    match flags.peer_port {
        Some(port) => builder.peer_port(port),
        None => builder,
    }
}

async fn run_at(node: &Node, target: Option<NodeName>, notebook: Notebook, arguments: &NotebookRun) -> Exit {
    let mut run = Run::new(node, notebook);
    if let Some(target) = target {
        run = run.at(target);
    }
    if let Some(time) = arguments.timeout {
        run = run.timeout(time);
    }
    for (name, text) in &arguments.set {
        run = match run.set(name, text) {
            Ok(run) => run,
            Err(error) => {
                eprintln!("{error}");
                return Exit::Usage;
            }
        };
    }
    match run.run(|cell| eprintln!("{cell}")).await {
        Ok(report) => told(report, arguments.output),
        Err(error @ RunError::Node { .. }) => {
            eprintln!("{error}");
            Exit::Unreachable
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Usage
        }
    }
}

fn told(report: Report, form: Option<NotebookForm>) -> Exit {
    eprintln!("{}", report.summary());
    if let Some(told) = report.lost() {
        eprintln!("{told}");
    }
    let exit = match () {
        () if report.is_late() => {
            eprintln!("the time was over before all cells had run");
            Exit::Timeout
        }
        () if report.lost().is_some() => Exit::Unreachable,
        () if report.is_success() => Exit::Ok,
        () => Exit::Remote,
    };
    match form {
        Some(NotebookForm::Livemd) => print(report.livemd().trim_end_matches('\n')),
        Some(NotebookForm::Json) => print(&report.json()),
        Some(NotebookForm::Junit) => print(report.junit().trim_end_matches('\n')),
        None => {}
    }
    exit
}
