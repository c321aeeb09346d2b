//! The line editor: reedline with the colours, completion and rules of Elixir.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use beamline_elixir::{Highlight, highlight};
use beamline_remsh::{Entered, Prompt as Expressions};
use nu_ansi_term::{Color, Style};
use reedline::{
    ColumnarMenu, Completer, CompletionResult, ExternalPrinter, FileBackedHistory, Highlighter, MenuBuilder, Prompt,
    PromptEditMode, PromptHistorySearch, Reedline, ReedlineMenu, Signal, Span, StyledText, Suggestion,
    ValidationResult, Validator,
};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::engine::Engine;
use super::keys::{Keys, Pressed};
use super::screen::Screen;
use crate::evaluator::Completion;

/// So many entries a history has.
const ENTRIES: usize = 5000;

/// What somebody at the prompt wants.
pub(crate) enum Entry {
    /// This evaluated.
    Text(String),
    /// Nothing: Ctrl-C gave up a line.
    GivenUp,
    /// Nothing: Ctrl-C, and there was no line.
    Interrupt,
    /// To leave: Ctrl-D.
    End,
}

/// The editor of a shell, with its history.
pub(crate) struct Lines {
    editor: Reedline,
    pressed: Arc<Pressed>,
    /// The line while `$VISUAL` has it.
    draft: Option<PathBuf>,
}

impl Lines {
    /// `folder` is where the line is put for `$VISUAL`, and `history` where entries are kept.
    pub(crate) fn new(
        engine: &Arc<Mutex<Engine>>,
        screen: &Screen,
        runtime: &Handle,
        folder: Option<PathBuf>,
        history: Option<PathBuf>,
    ) -> Lines {
        let pressed = Arc::new(Pressed::default());
        let printer = ExternalPrinter::default();
        screen.print_by(printer.sender());
        let completer = Completions { engine: Arc::clone(engine), runtime: runtime.clone() };
        let mut editor = Reedline::create()
            .with_edit_mode(Box::new(Keys::new(MENU, Arc::clone(&pressed))))
            .with_break_signal(Arc::clone(&pressed.found))
            .with_validator(Box::new(Whole))
            .with_completer(Box::new(completer))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU).with_marker(""))))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_ansi_colors(screen.colours())
            .with_history_exclusion_prefix(Some(" ".into()))
            .with_external_printer(printer)
            .use_bracketed_paste(true);
        if screen.colours() {
            editor = editor.with_highlighter(Box::new(Colours));
        }
        if let Some(history) = history.and_then(kept_in) {
            editor = editor.with_history(Box::new(history));
        }
        let mut draft = None;
        if let (Some(program), Some(folder)) = (external(), folder)
            && private_folder(&folder).is_ok()
        {
            let file = folder.join(format!("line-{}.exs", std::process::id()));
            editor = editor.with_buffer_editor(program, file.clone());
            draft = Some(file);
        }
        Lines { editor, pressed, draft }
    }

    /// Reads an entry.
    pub(crate) fn read(&mut self, prompt: &Numbered) -> std::io::Result<Entry> {
        self.pressed.begin();
        let signal = self.read_line(prompt);
        self.forget_draft();
        // Others that use the same history see the entry, and it is there even if this one is killed.
        if let Err(error) = self.editor.sync_history() {
            tracing::debug!(%error, "the history is not kept");
        }
        Ok(match signal? {
            Signal::Success(text) => Entry::Text(text),
            Signal::CtrlD => Entry::End,
            Signal::CtrlC if !self.pressed.anything() => Entry::Interrupt,
            _ => Entry::GivenUp,
        })
    }

    fn read_line(&mut self, prompt: &Numbered) -> std::io::Result<Signal> {
        let mut signal = self.editor.read_line(prompt);
        // What Ctrl-R has found stands in the line now.
        while let Ok(Signal::ExternalBreak(found)) = &signal {
            let runs = matches!(Whole.validate(found), ValidationResult::Complete);
            self.accept_at_once(runs);
            signal = self.editor.read_line(prompt);
            self.accept_at_once(false);
        }
        signal.map_err(std::io::Error::other)
    }

    /// Whether the next reading is over before a key is pressed.
    fn accept_at_once(&mut self, does: bool) {
        // The editor is changed only by what takes it as a whole.
        let editor = std::mem::replace(&mut self.editor, Reedline::create());
        self.editor = editor.with_immediately_accept(does);
    }

    pub(crate) fn clear_screen(&mut self) {
        if let Err(error) = self.editor.clear_screen() {
            tracing::debug!(%error, "the screen is not cleared");
        }
    }

    fn forget_draft(&mut self) {
        if let Some(draft) = &self.draft {
            // It is there only if the line was edited.
            let _ = std::fs::remove_file(draft);
        }
    }
}

/// A history in that file, which only its owner reads; `None` if it cannot be made.
fn kept_in(file: PathBuf) -> Option<FileBackedHistory> {
    private_folder(file.parent()?).ok()?;
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(&file).ok()?;
    FileBackedHistory::with_file(ENTRIES, file).ok()
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// `$VISUAL` or `$EDITOR`, which may have arguments. Such programs want a terminal as they know it.
fn external() -> Option<Command> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let program = set("VISUAL").or_else(|| set("EDITOR"))?;
    if !cfg!(unix) {
        return Some(Command::new(program));
    }
    // What a program says that fails would be gone at once.
    let run =
        "was=$(stty -g) && stty sane; eval \"$0\" '\"$1\"' || { printf 'press Enter '; read -r _; }; stty \"$was\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", run, &program]);
    Some(shell)
}

const MENU: &str = "completion";

/// `iex(app@host)1> `
pub(crate) struct Numbered {
    pub(crate) target: String,
    pub(crate) counter: usize,
}

impl Numbered {
    pub(crate) fn first(&self) -> String {
        format!("iex({}){}> ", self.target, self.counter)
    }

    pub(crate) fn more(&self) -> String {
        format!("...({}){}> ", self.target, self.counter)
    }
}

impl Prompt for Numbered {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        self.first().into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        self.more().into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(search: {}) ", search.term).into()
    }
}

struct Whole;

impl Validator for Whole {
    fn validate(&self, line: &str) -> ValidationResult {
        match Expressions::entered(line) {
            Entered::More => ValidationResult::Incomplete,
            _ => ValidationResult::Complete,
        }
    }
}

struct Completions {
    engine: Arc<Mutex<Engine>>,
    runtime: Handle,
}

impl Completer for Completions {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let before = line.get(..position).unwrap_or(line);
        let found = self.runtime.block_on(async { self.engine.lock().await.complete(before).await });
        let suggestion = |found: Completion| Suggestion {
            value: found.text,
            display_override: Some(found.shown),
            span: Span::new(found.start, position),
            ..Suggestion::default()
        };
        let mut suggestions: Vec<Suggestion> = found.into_iter().map(suggestion).collect();
        // A function with several arities is one choice when it is the only one.
        if suggestions.windows(2).all(|pair| pair[0].value == pair[1].value) {
            suggestions.truncate(1);
        }
        CompletionResult::fresh(suggestions)
    }
}

struct Colours;

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        parts(line, |part, style| styled.push((style, part.to_owned())));
        styled
    }
}

/// Goes through a text by its colours.
fn parts(text: &str, mut each: impl FnMut(&str, Style)) {
    let mut at = 0;
    for (span, kind) in highlight(text) {
        if let Some(between) = text.get(at..span.start).filter(|between| !between.is_empty()) {
            each(between, Style::new());
        }
        if let Some(part) = text.get(span.start..span.end) {
            each(part, style(kind));
            at = span.end;
        }
    }
    if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        each(rest, Style::new());
    }
}

/// A printed value in IEx's colours.
pub(crate) fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    parts(text, |part, style| out.push_str(&style.paint(part).to_string()));
    out
}

fn style(kind: Highlight) -> Style {
    match kind {
        Highlight::Atom => Style::new().fg(Color::Cyan),
        Highlight::String => Style::new().fg(Color::Green),
        Highlight::Number => Style::new().fg(Color::Yellow),
        Highlight::Constant | Highlight::Keyword => Style::new().fg(Color::Magenta),
        Highlight::Error => Style::new().fg(Color::Red),
        Highlight::Comment => Style::new().dimmed(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_no_character() {
        for text in ["%{a: [1, \"x\"], b: nil}", "#PID<a@h.1.0>", "fn x ->", "\"open", "žluťoučký + 1"] {
            let mut plain = String::new();
            parts(text, |part, _| plain.push_str(part));
            assert_eq!(plain, text);
        }
        assert!(coloured(":ok").contains("\u{1b}[36m"), "{}", coloured(":ok"));
    }

    #[test]
    fn prompts_are_those_of_iex() {
        let prompt = Numbered { target: "app_a@127.0.0.1".into(), counter: 3 };
        assert_eq!(
            (prompt.first().as_str(), prompt.more().as_str()),
            ("iex(app_a@127.0.0.1)3> ", "...(app_a@127.0.0.1)3> ")
        );
    }
}
