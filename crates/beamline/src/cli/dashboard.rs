//! `beamline dashboard`: the cluster of some nodes in the browser, seen from a hidden node of the program's own.

use beamline::flags::{NodeFlags, short_host};
use beamline::node::epmd::DEFAULT_PORT;
use beamline::node::{CallError, Cookie, Epmd, Limits, Listen, Node};
use beamline::proto::NodeName;
use beamline_doctor::Options;
use beamline_web::{Recording, Web};

use super::arguments::{DashboardArguments, VisitArguments};
use super::doctor::cookies;
use super::exit::Exit;
use super::nodes::{Unknown, named_or_here};
use super::remote::told;
use super::site::Prepared;
use super::start::{failed, start};

/// The longest message that the node of a site takes, in bytes. Of 100 000 processes the longest answer is that of
/// `erlang:processes/0`, 3 to 6 MB by the length of the node's name; as many ETS tables are listed in 27 MB.
const LONGEST: usize = 64 << 20;

/// Serves until Ctrl-C.
pub(crate) async fn run(arguments: DashboardArguments) -> Exit {
    match prepare_and_serve(arguments).await {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn prepare_and_serve(arguments: DashboardArguments) -> Result<(), Exit> {
    let prepared = Prepared::new(&arguments.site).await?;
    let epmd_port = arguments.visit.ports.epmd_port.unwrap_or(DEFAULT_PORT);
    let targets = named_or_here(&arguments.nodes, epmd_port, "dashboard").await.map_err(|unknown| {
        eprintln!("{unknown}");
        if matches!(unknown, Unknown::Name(_)) { Exit::Usage } else { Exit::Unreachable }
    })?;
    // Before the node, which asks for its counters when it starts.
    let recording = Recording::begin().map_err(|error| {
        eprintln!("{error}");
        Exit::Config
    })?;
    let mut doctor = Options::new(cookies(&arguments.visit.cookie));
    (doctor.epmd_port, doctor.peer_port) = (epmd_port, arguments.visit.ports.peer_port);
    let node = visit(arguments.visit, &targets, "dashboard").await?;
    let mut web = targets.into_iter().fold(Web::new(&node), Web::target);
    web = web.doctor(doctor).metrics(move || recording.render());
    if arguments.reveal {
        web = web.reveal();
    }
    if arguments.allow_destructive {
        web = web.allow_destructive();
    }
    let served = prepared.serve(web, "dashboard").await;
    node.stop().await;
    served
}

/// A node of the tool's own that reaches at least one of the targets, if there are any.
pub(super) async fn visit(visit: VisitArguments, targets: &[NodeName], tool: &str) -> Result<Node, Exit> {
    let is_long = targets.first().is_none_or(NodeName::is_long);
    let is_nameless = visit.name.is_none() && visit.sname.is_none();
    let flags = NodeFlags {
        name: visit.name.or_else(|| (is_nameless && is_long).then(|| new_name(tool, true))),
        sname: visit.sname.or_else(|| (is_nameless && !is_long).then(|| new_name(tool, false))),
        cookie: visit.cookie.cookie.map(|cookie| Cookie::from(cookie.as_str())),
        cookie_file: visit.cookie.cookie_file,
        hidden: !visit.visible,
        erl: None,
        epmd_port: visit.ports.epmd_port,
        peer_port: visit.ports.peer_port,
    };
    let mut limits = Limits::default();
    limits.max_message = LONGEST;
    let mut builder = flags.builder().map(|builder| builder.limits(limits));
    if !visit.visible {
        // It needs no epmd of its own: nobody calls a node that does not listen.
        builder = builder.map(|builder| builder.listen(Listen::Off).epmd(Epmd::on_port(flags.epmd_port())));
    }
    let node = start(builder).await?;
    if let Err(error) = reach(&node, targets, visit.timeout).await {
        return Err(failed(&error));
    }
    Ok(node)
}

/// Connects with all targets at once; one that answers is enough, and the others are told about.
async fn reach(node: &Node, targets: &[NodeName], within: std::time::Duration) -> Result<(), CallError> {
    let mut attempts = tokio::task::JoinSet::new();
    for target in targets {
        let (node, target) = (node.clone(), target.clone());
        attempts.spawn(async move {
            match tokio::time::timeout(within, node.connect(&target)).await {
                Ok(connected) => connected.map_err(CallError::Connect),
                Err(_) => Err(CallError::Timeout { node: target, after: within }),
            }
        });
    }
    let mut errors: Vec<CallError> = attempts.join_all().await.into_iter().filter_map(Result::err).collect();
    if errors.len() < targets.len() {
        errors.iter().for_each(|error| eprintln!("{}", told(error)));
        return Ok(());
    }
    let last = errors.pop();
    errors.iter().for_each(|error| eprintln!("{}", told(error)));
    last.map_or(Ok(()), Err)
}

/// A name that no other tool has, so that several may look at the same cluster.
fn new_name(tool: &str, is_long: bool) -> String {
    let name = format!("{tool}-{:08x}", rand::random::<u32>());
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    match (is_long, host.contains('.')) {
        (false, _) => format!("{name}@{}", short_host()),
        (true, true) => format!("{name}@{host}"),
        // Nobody calls it, so that any long host will do.
        (true, false) => format!("{name}@127.0.0.1"),
    }
}
