//! The command line of the `beamline` program.

use std::path::PathBuf;
use std::time::Duration;

use beamline::flags::{ErlFlags, NodeFlags, TopologyFlags};
use beamline::proto::NodeName;
use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "web")]
pub(crate) use super::site::arguments::{DashboardArguments, SiteArguments, VisitArguments};

const AFTER: &str = "\
Examples:
  beamline rpc app_b@127.0.0.1 'AppB.hello()'    evaluate an expression, print its value
  beamline rpc @all 'Node.self()' --via app_a    the same at each node of a cluster
  beamline shell --remsh app_b@127.0.0.1         a prompt at a node
  beamline nodes app_a                           whom does app_a on this host see?
  beamline dashboard app_a --open                the cluster of app_a, in the browser
  beamline notebook incident.livemd --node app_a run code at app_a, and keep it in a file
  beamline node --name me@127.0.0.1              be a node, until Ctrl-C
  beamline doctor app_b@127.0.0.1                why can I not reach it?

Exit codes: 0 done, 1 the expression failed, 2 wrong usage, 69 node unreachable, 75 timeout,
77 cookie rejected, 78 something on this machine is not set up";

const DOCTOR: &str = "\
The ladder: config, name, dns, epmd, tcp, handshake, cookie, mesh, strategy. A rung that fails skips those that need it.
Exit codes: 0 no errors, 1 errors, 2 wrong usage, 3 could not finish";

#[cfg(feature = "web")]
const NOTEBOOK_RUN: &str = "\
Exit codes: 0 all cells gave values, 1 one failed, 2 wrong usage, 69 node unreachable or lost, 75 the time was over,
77 cookie rejected, 78 something on this machine is not set up";

#[cfg(feature = "web")]
const NOTEBOOK: &str = "\
Examples:
  beamline notebook incident.livemd --node app_a --open    a file, whose cells run at app_a
  beamline notebook notebooks/                             all notebooks of a folder
  beamline notebook @new                                   a new one, in this folder
  beamline notebook run check.livemd --node app_a          all its cells once, without a browser

Nothing runs until it is asked for. Whoever has the printed address can run code at the nodes that the cookie opens.
Exit codes: 2 wrong usage, 69 node unreachable, 75 timeout, 77 cookie rejected, 78 something on this machine is not set up";

/// Talk to a cluster of Rust, Elixir and Erlang nodes, or be one of its nodes
#[derive(Debug, Parser)]
#[command(name = "beamline", version, after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evaluate an expression at a node and print its value
    Rpc(Rpc),
    /// Open a prompt at a node, or at one of its own
    #[command(visible_alias = "remsh")]
    Shell(Box<ShellArguments>),
    /// List the nodes that a node is connected to
    Nodes(Target),
    /// Ask whether a node answers: pong or pang
    Ping(Target),
    /// Show how a node finds its cluster
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Find out why a node cannot be reached, or does not join
    Doctor(Box<Doctor>),
    /// Show the cluster in the browser
    #[cfg(feature = "web")]
    Dashboard(Box<DashboardArguments>),
    /// Open notebooks in the browser
    #[cfg(feature = "web")]
    Notebook(Box<NotebookArguments>),
    /// Look through manifests for Kubernetes
    #[command(subcommand, name = "k8s")]
    K8s(K8sCommand),
    /// Be a plain node until Ctrl-C
    Node(Plain),
    /// Serve as epmd, or ask the one that runs (options as the original takes them)
    #[command(disable_help_flag = true)]
    Epmd {
        /// See `beamline epmd -help`
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Topologies, what each last heard and when, and how it is with each peer
    Status(Target),
}

#[cfg(feature = "web")]
#[derive(Debug, Subcommand)]
pub(crate) enum NotebookCommand {
    /// Run all cells of a file once; exits with 1 if one fails
    #[command(after_help = NOTEBOOK_RUN)]
    Run(Box<NotebookRun>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum K8sCommand {
    /// Find what will keep the nodes of a folder of manifests apart; exits with 1 if something does
    Check(K8sCheck),
}

/// A doctor's visit.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR)]
pub(crate) struct Doctor {
    /// The nodes: NAME@HOST, or NAME alone for one of this host [default: all that the epmd of this host knows]
    #[arg(value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) cookie: CookieArguments,
    /// Look as this node, hidden, and not as a guest: would a node of this name get in?
    #[arg(long, value_name = "NAME@HOST")]
    pub(crate) name: Option<String>,
    /// The same with a short host name; this machine's is added if there is none
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub(crate) sname: Option<String>,
    #[command(flatten)]
    pub(crate) ports: PortArguments,
    #[command(flatten)]
    pub(crate) topologies: TopologyFlags,
    /// How long everything may take, for each node; a step has a quarter of it
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = time)]
    pub(crate) timeout: Duration,
    /// Try again until there are no errors, for so long
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,
    /// The form of the report
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) output: ReportForm,
    /// Show what was seen of what is well, too
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Only these checks: rungs (dns, cookie), codes (BL501), or beginnings of codes (BL5)
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// All but these
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Plain characters
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Explain a code, and look at nothing
    #[arg(long, value_name = "CODE", conflicts_with = "list")]
    pub(crate) explain: Option<String>,
    /// List all codes, and look at nothing
    #[arg(long)]
    pub(crate) list: bool,
}

/// The form of a report. The exit code does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportForm {
    /// For people
    Text,
    /// One line a finding
    Short,
    /// One JSON document
    Json,
}

/// A folder of manifests.
#[derive(Debug, Args)]
pub(crate) struct K8sCheck {
    /// The folder; its .yaml and .yml files are read
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The topologies that the nodes use [default: what LIBCLUSTER_STRATEGY says in the manifests]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// A shell; the flags are iex's.
#[derive(Debug, Args)]
pub(crate) struct ShellArguments {
    /// The node to look at: NAME@HOST, or NAME alone for a node of this host
    #[arg(long, value_name = "NODE")]
    pub(crate) remsh: Option<String>,
    /// The shell's own name with its full host name or address [default with --remsh: one that NODE gives it]
    #[arg(long, value_name = "NAME@HOST")]
    pub(crate) name: Option<String>,
    /// The shell's own name with a short host name
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub(crate) sname: Option<String>,
    #[command(flatten)]
    pub(crate) cookie: CookieArguments,
    /// Do not show up in the others' lists of nodes; always so with --remsh
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Flags as for erl: '-dist_listen false -erl_epmd_port 9000'
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, value_parser = str::parse::<ErlFlags>)]
    pub(crate) erl: Option<ErlFlags>,
    #[command(flatten)]
    pub(crate) ports: PortArguments,
    /// Keep no history of what is entered
    #[arg(long)]
    pub(crate) no_history: bool,
}

/// A notebook that is run once.
#[cfg(feature = "web")]
#[derive(Debug, Args)]
pub(crate) struct NotebookRun {
    /// The notebook, a .livemd file; it is not changed
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where its cells run: NAME@HOST, or NAME alone for a node of this host [default: a node of the program's own]
    #[arg(long, value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) node: Option<String>,
    /// Bind a variable, which all cells see, to a text
    #[arg(long = "set", value_name = "NAME=TEXT", value_parser = binding)]
    pub(crate) set: Vec<(String, String)>,
    /// What is written to stdout [default: nothing]
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<NotebookForm>,
    /// How long all cells together may take: 30s, 10m [default: as long as they take]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) cookie: CookieArguments,
    #[command(flatten)]
    pub(crate) ports: PortArguments,
}

/// What is written of a notebook that was run. The exit code does not depend on it.
#[cfg(feature = "web")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NotebookForm {
    /// The notebook with what its cells gave
    Livemd,
    /// One JSON document
    Json,
    /// JUnit's XML, for CI
    Junit,
}

/// `NAME=TEXT`
#[cfg(feature = "web")]
fn binding(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Notebooks.
#[cfg(feature = "web")]
#[derive(Debug, Args)]
#[command(after_help = NOTEBOOK, args_conflicts_with_subcommands = true)]
pub(crate) struct NotebookArguments {
    #[command(subcommand)]
    pub(crate) command: Option<NotebookCommand>,
    #[command(flatten)]
    pub(crate) opened: Opened,
}

/// What is opened in the browser.
#[cfg(feature = "web")]
#[derive(Debug, Args)]
pub(crate) struct Opened {
    /// A notebook (.livemd), a folder of them, or @new
    #[arg(value_name = "FILE|FOLDER|@new", default_value = ".")]
    pub(crate) path: String,
    /// Attach notebooks to this node when they are opened: NAME@HOST, or NAME alone for one of this host [default: each is
    /// attached in the browser]
    #[arg(long, value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) visit: VisitArguments,
    #[command(flatten)]
    pub(crate) site: SiteArguments,
}

/// A plain node.
#[derive(Debug, Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    pub(crate) flags: NodeFlags,
    #[command(flatten)]
    pub(crate) topologies: TopologyFlags,
}

/// Which node to talk to, and how.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The node: NAME@HOST, or NAME alone for a node of this host
    #[arg(value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) node: String,
    #[command(flatten)]
    pub(crate) way: Way,
}

#[derive(Debug, Args)]
pub(crate) struct Rpc {
    /// The node: NAME@HOST, or NAME alone for a node of this host; @all for each node of a cluster
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// An Elixir expression: 'AppB.hello()', 'Enum.sort(Node.list())' [default: what stdin has]
    #[arg(value_name = "EXPR")]
    pub(crate) expression: Option<String>,
    /// How the value is written
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Written,
    /// With @all: the node that is asked who else there is
    #[arg(long, value_name = "NODE", env = "BEAMLINE_NODE")]
    pub(crate) via: Option<String>,
    #[command(flatten)]
    pub(crate) way: Way,
}

/// How `rpc` writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Written {
    /// As Elixir's inspect
    #[default]
    Elixir,
    /// As Erlang's ~p
    Erlang,
    /// Atoms and binaries as strings, tuples as arrays
    Json,
}

/// How to reach the target.
#[derive(Debug, Args)]
pub(crate) struct Way {
    #[command(flatten)]
    pub(crate) cookie: CookieArguments,
    #[command(flatten)]
    pub(crate) ports: PortArguments,
    /// How long all of it may take, connecting and the answer: 5s, 500ms, 1m
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(crate) timeout: Duration,
}

/// Where the cookie comes from. Without either: BEAMLINE_COOKIE, RELEASE_COOKIE, ~/.erlang.cookie.
#[derive(Debug, Args)]
pub(crate) struct CookieArguments {
    /// The cluster's cookie; others on this machine can see it in the list of processes
    #[arg(long, value_name = "COOKIE")]
    pub(crate) cookie: Option<String>,
    /// A file with the cookie, that only its owner can read [default: ~/.erlang.cookie]
    #[arg(long, value_name = "FILE", conflicts_with = "cookie")]
    pub(crate) cookie_file: Option<PathBuf>,
}

/// Where nodes are found.
#[derive(Debug, Args)]
pub(crate) struct PortArguments {
    /// The port of epmd
    #[arg(long, value_name = "PORT", env = "ERL_EPMD_PORT")]
    pub(crate) epmd_port: Option<u16>,
    /// Ask no epmd, nodes listen on this port
    #[arg(long, value_name = "PORT")]
    pub(crate) peer_port: Option<u16>,
}

/// `5s`, `500ms`, `1m`, or seconds without a unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "not a time; write 5s, 500ms or 1m".to_owned())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        unit => Err(format!("the unit {unit:?} is none of ms, s, m")),
    }
}

/// The target's full name: a name without host is one of this host, with a host as our machine has it.
pub(crate) fn complete(target: &str, host: &str) -> Result<NodeName, String> {
    let full = if target.contains('@') { target.to_owned() } else { format!("{target}@{host}") };
    full.parse::<NodeName>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser as _};

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_answers_the_first_question_first() {
        let help = Arguments::command().render_help().to_string();
        let first: Vec<&str> = help.lines().take(3).collect();
        assert_eq!(first[0], "Talk to a cluster of Rust, Elixir and Erlang nodes, or be one of its nodes");
        assert_eq!(first[2], "Usage: beamline <COMMAND>");
        let commands: Vec<&str> = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let web = if cfg!(feature = "web") { &["dashboard", "notebook"][..] } else { &[] };
        let before = ["rpc", "shell", "nodes", "ping", "cluster", "doctor"];
        assert_eq!(commands, [&before, web, &["k8s", "node", "epmd", "help"]].concat());
        assert!(help.contains("beamline rpc app_b@127.0.0.1 'AppB.hello()'"), "{help}");
    }

    #[test]
    fn reads_command_lines() {
        let read = |line: &str| Arguments::try_parse_from(line.split_whitespace());
        let Command::Rpc(rpc) = read("beamline rpc b AppB.hello --timeout 500ms --cookie c").unwrap().command else {
            panic!("not rpc");
        };
        assert_eq!((rpc.node.as_str(), rpc.expression.as_deref()), ("b", Some("AppB.hello")));
        assert_eq!(rpc.output, Written::Elixir);
        assert_eq!(rpc.way.timeout, Duration::from_millis(500));
        let Command::Epmd { arguments } = read("beamline epmd -port 1 -names").unwrap().command else {
            panic!("not epmd");
        };
        assert_eq!(arguments, ["-port", "1", "-names"]);
        assert!(read("beamline node").is_err());
        assert!(read("beamline ping b --timeout soon").is_err());
    }

    #[test]
    fn a_name_alone_is_of_this_host() {
        assert_eq!(complete("app", "box").unwrap().as_str(), "app@box");
        assert_eq!(complete("app@127.0.0.1", "box").unwrap().as_str(), "app@127.0.0.1");
        assert!(complete("a@b@c", "box").is_err());
    }
}
