//! The terminal of a shell: what is printed, while a line is edited and while it is not.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use nu_ansi_term::{Color, Style};
use reedline::{Prompt, PromptEditMode, PromptHistorySearch, Reedline, Signal};
use tokio::sync::{Notify, oneshot};

use crate::io_server::{Device, Reading};

/// The terminal.
pub(crate) struct Screen {
    editing: AtomicBool,
    /// Whoever reads lines holds it: one at a time.
    reading: Mutex<()>,
    interrupted: Notify,
    printer: Mutex<Option<SyncSender<String>>>,
    colours: bool,
    is_terminal: bool,
}

impl Screen {
    pub(crate) fn new() -> Screen {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colours = is_terminal && !set("NO_COLOR") && !is_dumb();
        Screen {
            editing: AtomicBool::new(false),
            reading: Mutex::new(()),
            interrupted: Notify::new(),
            printer: Mutex::new(None),
            colours,
            is_terminal,
        }
    }

    /// Whether somebody sits there with a terminal that can edit.
    pub(crate) fn edits(&self) -> bool {
        self.is_terminal && !is_dumb()
    }

    /// Whether prompts are of use.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// What is printed while a line is edited goes through its editor.
    pub(crate) fn print_by(&self, printer: SyncSender<String>) {
        *self.printer.lock().unwrap_or_else(PoisonError::into_inner) = Some(printer);
    }

    /// Edits a line: what is printed meanwhile goes around it, and nobody else reads.
    pub(crate) fn edit<T>(&self, read: impl FnOnce() -> T) -> T {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.editing.store(true, Ordering::SeqCst);
        let line = read();
        self.editing.store(false, Ordering::SeqCst);
        line
    }

    /// Ends when somebody presses Ctrl-C, also where an expression asks for a line.
    pub(crate) async fn interrupted(&self) {
        let signal = async {
            if tokio::signal::ctrl_c().await.is_err() {
                // There are no signals here.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.interrupted.notified() => {}
            () = signal => {}
        }
    }

    pub(crate) fn put(&self, text: &str) {
        if self.editing.load(Ordering::SeqCst) {
            let printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(printer) = printer {
                // A full queue: the text is for nobody who could read that fast.
                let _ = printer.try_send(text.trim_end_matches('\n').to_owned());
                return;
            }
        }
        // A reader that has seen enough is no error.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    pub(crate) fn put_styled(&self, text: &str, style: Style) {
        if self.colours {
            self.put(&format!("{}\n", style.paint(text)));
        } else {
            self.put(&format!("{text}\n"));
        }
    }

    pub(crate) fn put_error(&self, text: &str) {
        self.put_styled(text, Style::new().fg(Color::Red));
    }

    /// Reads the line that an expression asks for; blocks.
    fn ask(&self, prompt: &str) -> Option<String> {
        if !self.edits() {
            self.put(prompt);
            let mut line = String::new();
            return (std::io::stdin().lock().read_line(&mut line).ok()? > 0).then_some(line);
        }
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        match Reedline::create().with_ansi_colors(false).read_line(&Asked(prompt)) {
            Ok(Signal::Success(line)) => Some(format!("{line}\n")),
            Ok(Signal::CtrlC) => {
                self.interrupted.notify_waiters();
                None
            }
            _ => None,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.size().map_or(80, |(columns, _)| usize::from(columns.clamp(20, 80)))
    }
}

fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

impl Device for Screen {
    fn print(&self, text: &str) {
        self.put(text);
    }

    /// Blocks a thread of its own: whoever sits there may take an hour, also when nobody waits for the answer any more.
    fn read_line(self: Arc<Self>, prompt: String) -> Reading {
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            // Nobody may wait any more.
            let _ = tell.send(self.ask(&prompt));
        });
        Box::pin(async { told.await.ok().flatten() })
    }

    fn size(&self) -> Option<(u16, u16)> {
        if self.is_terminal { crossterm::terminal::size().ok().filter(|(columns, _)| *columns > 0) } else { None }
    }
}

/// The prompt of an expression that asks, as it is.
struct Asked<'a>(&'a str);

impl Prompt for Asked<'_> {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_history_search_indicator(&self, _: PromptHistorySearch) -> Cow<'_, str> {
        "".into()
    }
}
