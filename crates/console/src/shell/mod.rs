//! The shell: a prompt at this node or at another.

mod editor;
mod engine;
mod keys;
mod mode;
mod screen;

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_remsh::{Entered, Prompt};
use nu_ansi_term::{Color, Style};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::evaluator::Evaluated;
use crate::kind::Kind;
use editor::{Entry, Lines, Numbered, coloured};
use engine::Engine;
use mode::Waiting;
use screen::Screen;

/// A shell that has not begun.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node) -> Result<(), beamline_console::ShellError> {
/// beamline_console::Shell::new().run(&node).await?; // until Ctrl-D
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a shell does nothing until it is run"]
pub struct Shell {
    target: Option<NodeName>,
    history: Option<PathBuf>,
    timeout: Duration,
}

/// Why a shell ended other than by Ctrl-D.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShellError {
    /// The node that was to be looked at cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It has gone, or the connection to it.
    #[error("the connection to {0} was lost")]
    Lost(NodeName),
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(std::io::Error),
}

impl Default for Shell {
    fn default() -> Shell {
        Shell { target: None, history: history_file(), timeout: Duration::from_secs(10) }
    }
}

/// `$XDG_STATE_HOME/beamline/history`, or the same under `~/.local/state`.
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    Some(state?.join("beamline/history"))
}

impl Shell {
    /// A prompt at the node that runs it, with the history in `$XDG_STATE_HOME/beamline/history`.
    pub fn new() -> Shell {
        Shell::default()
    }

    /// A prompt at another node.
    pub fn at(mut self, target: NodeName) -> Shell {
        self.target = Some(target);
        self
    }

    /// Keeps the history in that file, or not at all.
    pub fn history(mut self, file: Option<PathBuf>) -> Shell {
        self.history = file;
        self
    }

    /// How long to wait for the other node at the start. Default 10 s.
    pub fn timeout(mut self, time: Duration) -> Shell {
        self.timeout = time;
        self
    }

    /// Runs it until Ctrl-D, or until the input ends. Reads expressions from stdin if that is no terminal.
    ///
    /// # Errors
    /// The other node cannot be reached, or has gone.
    pub async fn run(self, node: &Node) -> Result<(), ShellError> {
        let screen = Arc::new(Screen::new());
        let engine = Engine::start(node, self.target.as_ref(), &screen, self.timeout).await?;
        if screen.is_terminal() {
            screen.put(&banner(&engine));
        }
        let engine = Arc::new(Mutex::new(engine));
        let runtime = Handle::current();
        let (tell, told) = tokio::sync::oneshot::channel();
        // The editor blocks: it has a thread of its own.
        std::thread::spawn(move || {
            let session = Session { engine, screen, runtime };
            let _ = tell.send(if session.screen.edits() { session.edit(self.history) } else { session.read() });
        });
        told.await.unwrap_or(Ok(()))
    }
}

fn banner(engine: &Engine) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let what = match engine.kind() {
        Kind::Elixir(_) => "an Elixir node, which evaluates",
        Kind::Erlang => "an Erlang node; expressions are evaluated here, calls go there",
        Kind::Rust => "a Rust node",
    };
    format!(
        "Interactive Elixir at {}, {what} (Beamline {version}) - press Ctrl+D to exit (type h() ENTER for help)\n",
        engine.target()
    )
}

struct Session {
    engine: Arc<Mutex<Engine>>,
    screen: Arc<Screen>,
    runtime: Handle,
}

impl Session {
    fn prompt(&self) -> Numbered {
        let engine = self.engine.blocking_lock();
        Numbered { target: engine.target().to_string(), counter: engine.counter() }
    }

    fn edit(&self, history: Option<PathBuf>) -> Result<(), ShellError> {
        let folder = history_file().and_then(|file| Some(file.parent()?.to_owned()));
        let mut lines = Lines::new(&self.engine, &self.screen, &self.runtime, folder, history);
        let _waiting = Waiting::enter();
        let mut is_leaving = false;
        loop {
            let prompt = self.prompt();
            let entry = self.screen.edit(|| lines.read(&prompt)).map_err(ShellError::Terminal)?;
            match entry {
                Entry::End => return Ok(()),
                Entry::Interrupt if is_leaving => return Ok(()),
                Entry::Interrupt => self.screen.put("(Ctrl+C again leaves)\n"),
                Entry::Text(ref text) => self.evaluate(text, Some(&mut lines))?,
                Entry::GivenUp => {}
            }
            is_leaving = matches!(entry, Entry::Interrupt);
        }
    }

    /// Without an editor: a script, or a terminal that can do nothing.
    fn read(&self) -> Result<(), ShellError> {
        let mut text = String::new();
        loop {
            if self.screen.is_terminal() {
                let prompt = self.prompt();
                self.screen.put(&if text.is_empty() { prompt.first() } else { prompt.more() });
            }
            let mut line = String::new();
            let length = std::io::stdin().lock().read_line(&mut line).map_err(ShellError::Terminal)?;
            text.push_str(&line);
            match Prompt::entered(&text) {
                Entered::More if length > 0 => continue,
                Entered::Nothing if length == 0 => return Ok(()),
                Entered::Nothing => text.clear(),
                _ => self.evaluate(&std::mem::take(&mut text), None)?,
            }
        }
    }

    fn evaluate(&self, text: &str, lines: Option<&mut Lines>) -> Result<(), ShellError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let evaluated = self.runtime.block_on(async {
            let mut engine = self.engine.lock().await;
            engine.evaluate(text.trim_end(), &self.screen, self.screen.interrupted()).await
        });
        match evaluated {
            Evaluated::Value { text, .. } if text.contains('\u{1b}') => self.screen.put(&format!("{text}\n")),
            Evaluated::Value { text, .. } if self.screen.colours() => {
                self.screen.put(&format!("{}\n", coloured(&text)));
            }
            Evaluated::Value { text, .. } => self.screen.put_styled(&text, Style::new().fg(Color::Yellow)),
            Evaluated::Failed { told, .. } => self.screen.put_error(&told),
            Evaluated::Ended(reason) => {
                let told = format!("** (EXIT) the evaluation was ended: {reason}");
                self.screen.put_error(&format!("{told}; the variables are as they were before"));
            }
            Evaluated::Clear => {
                if let Some(lines) = lines {
                    lines.clear_screen();
                }
            }
            Evaluated::Silent => {}
            Evaluated::Lost => {
                let target = self.engine.blocking_lock().target().clone();
                return Err(ShellError::Lost(target));
            }
        }
        Ok(())
    }
}
