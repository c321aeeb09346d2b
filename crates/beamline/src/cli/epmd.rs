//! `beamline epmd`: the port mapper, with the command line of Erlang's own.
//!
//! Its options are long and have one dash, so they are read here and not by clap. Without a command it serves, in the
//! foreground unless `-daemon` is given.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use beamline::node::epmd::{Client, DEFAULT_PORT, EpmdError, Name, Server, ServerOptions, parse_addresses};

use super::exit::Exit;

const USAGE: &str = "\
The Erlang port mapper: tells which node of this host listens on which port.

Usage: beamline epmd [OPTIONS]           serve until it is ended
       beamline epmd [OPTIONS] COMMAND   ask the one that runs

Commands:
  -names                   List the registered nodes
  -kill                    End it; refused while nodes are registered
  -stop NAME               Unregister a node; it must have been started with relaxed checks

Options:
  -port NUMBER             Its port [default: 4369, or ERL_EPMD_PORT]
  -address LIST            Serve on these addresses and loopback [default: all, or ERL_EPMD_ADDRESS]
  -daemon                  Serve in the background
  -relaxed_command_check   Allow -kill while nodes are registered, and -stop
  -packet_timeout SECONDS  Drop a connection that asks nothing for so long [default: 60]
  -d, -debug               Accepted for the original's sake";

/// How long a daemon in the background may take until it answers.
const START: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Serve,
    Names,
    Kill,
    Stop(String),
    Help,
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    action: Action,
    port: u16,
    addresses: Option<Vec<IpAddr>>,
    daemon: bool,
    relaxed: bool,
    idle: Duration,
}

fn parse(arguments: &[String], variable: impl Fn(&str) -> Option<String>) -> Result<Options, String> {
    let mut options = Options {
        action: Action::Serve,
        port: number("ERL_EPMD_PORT", variable("ERL_EPMD_PORT"))?.unwrap_or(DEFAULT_PORT),
        addresses: addresses("ERL_EPMD_ADDRESS", variable("ERL_EPMD_ADDRESS"))?,
        daemon: false,
        relaxed: variable("ERL_EPMD_RELAXED_COMMAND_CHECK").is_some(),
        idle: Duration::from_secs(60),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().cloned().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "-names" => options.action = Action::Names,
            "-kill" => options.action = Action::Kill,
            "-stop" => options.action = Action::Stop(value()?),
            "-help" | "--help" | "-h" => options.action = Action::Help,
            "-port" => options.port = number("-port", Some(value()?))?.unwrap_or(DEFAULT_PORT),
            "-address" => options.addresses = addresses("-address", Some(value()?))?,
            "-packet_timeout" => {
                options.idle = Duration::from_secs(number("-packet_timeout", Some(value()?))?.unwrap_or(60));
            }
            "-daemon" => options.daemon = true,
            "-relaxed_command_check" => options.relaxed = true,
            "-d" | "-debug" => {}
            other => return Err(format!("epmd does not know {other}")),
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(what: &str, text: Option<String>) -> Result<Option<T>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| format!("{what} must be a number, not {text:?}"))
}

fn addresses(what: &str, text: Option<String>) -> Result<Option<Vec<IpAddr>>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    parse_addresses(&text).map(Some).map_err(|error| format!("{what} {text:?}: {error}"))
}

/// Does what the arguments behind `beamline epmd` say.
pub(crate) async fn run(arguments: &[String]) -> Exit {
    let options = match parse(arguments, |name| std::env::var(name).ok()) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return Exit::Usage;
        }
    };
    let client = Client::new(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)));
    let done = match &options.action {
        Action::Help => {
            println!("{USAGE}");
            Ok(())
        }
        Action::Names => names(&client, options.port).await,
        Action::Kill => kill(&client).await,
        Action::Stop(name) => return stop(&client, name).await,
        Action::Serve if options.daemon => return daemon(&client, arguments).await,
        Action::Serve => serve(options).await,
    };
    match done {
        Ok(()) => Exit::Ok,
        Err(EpmdError::KillRefused { .. }) => {
            println!("Killing not allowed - living nodes in database.");
            Exit::Remote
        }
        Err(error) => {
            eprintln!("epmd: {error}");
            Exit::Remote
        }
    }
}

async fn serve(options: Options) -> Result<(), EpmdError> {
    let mut how = ServerOptions::default();
    how.port = options.port;
    how.addresses = options.addresses;
    how.relaxed = options.relaxed;
    how.idle = options.idle;
    let mut server = Server::bind(how).await?;
    tokio::select! {
        () = server.killed() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

async fn names(client: &Client, port: u16) -> Result<(), EpmdError> {
    let names = client.names().await?;
    println!("epmd: up and running on port {port} with data:");
    for node in names {
        println!("name {} at port {}", node.name.as_str(), node.port);
    }
    Ok(())
}

async fn kill(client: &Client) -> Result<(), EpmdError> {
    client.kill().await?;
    println!("Killed");
    Ok(())
}

async fn stop(client: &Client, name: &str) -> Exit {
    let name = match Name::new(name) {
        Ok(name) => name,
        Err(error) => {
            eprintln!("epmd: {error}");
            return Exit::Usage;
        }
    };
    match client.stop(&name).await {
        Ok(true) => println!("STOPPED"),
        Ok(false) => println!("NOEXIST"),
        Err(EpmdError::Closed { address }) => {
            eprintln!("epmd: the one at {address} refuses; it was started without -relaxed_command_check");
            return Exit::Remote;
        }
        Err(error) => {
            eprintln!("epmd: {error}");
            return Exit::Remote;
        }
    }
    Exit::Ok
}

/// Starts this program again without a terminal, and waits until it answers.
async fn daemon(client: &Client, arguments: &[String]) -> Exit {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("epmd: cannot find this program: {error}");
            return Exit::Config;
        }
    };
    let mut command = Command::new(program);
    command.arg("epmd").args(arguments.iter().filter(|argument| *argument != "-daemon"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    if let Err(error) = command.spawn() {
        eprintln!("epmd: cannot start in the background: {error}");
        return Exit::Config;
    }
    let answers = async {
        while client.names().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(START, answers).await {
        Ok(()) => Exit::Ok,
        Err(_) => {
            eprintln!("epmd: the one in the background does not answer at {}", client.address());
            Exit::Timeout
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&arguments, |name| (name == "ERL_EPMD_PORT").then(|| "5000".to_owned()))
    }

    #[test]
    fn reads_the_originals_options() {
        assert_eq!(options("").unwrap().port, 5000);
        let served = options("-port 4370 -address 127.0.0.2,::1 -relaxed_command_check -daemon").unwrap();
        assert_eq!((served.port, served.relaxed, served.daemon), (4370, true, true));
        assert_eq!(served.addresses.unwrap().len(), 2);
        assert_eq!(options("-port 1 -names").unwrap().action, Action::Names);
        assert_eq!(options("-stop x").unwrap().action, Action::Stop("x".to_owned()));
    }

    #[test]
    fn says_what_is_wrong() {
        for (line, words) in
            [("-port", "needs a value"), ("-port x", "a number"), ("--names", "--names"), ("-address home", "home")]
        {
            let problem = options(line).unwrap_err();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
