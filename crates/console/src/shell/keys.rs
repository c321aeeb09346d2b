//! What is pressed at the prompt: Emacs' keys, and what the editor does not tell of them by itself. One Enter runs what Ctrl-R
//! has found, as in other shells, and Ctrl-C says whether there was a line that it gave up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reedline::{
    EditCommand, EditMode, Emacs, KeyCode, KeyModifiers, PromptEditMode, ReedlineEvent, ReedlineRawEvent,
    default_emacs_keybindings,
};

/// What was pressed since the prompt was shown.
#[derive(Debug, Default)]
pub(crate) struct Pressed {
    /// Enter took what was searched. It breaks off the reading of the line, since the editor wants another Enter to run it.
    pub(crate) found: Arc<AtomicBool>,
    /// Something that may have made a line.
    anything: AtomicBool,
}

impl Pressed {
    /// A prompt is shown.
    pub(crate) fn begin(&self) {
        self.found.store(false, Ordering::Relaxed);
        self.anything.store(false, Ordering::Relaxed);
    }

    /// Whether there may be a line.
    pub(crate) fn anything(&self) -> bool {
        self.anything.load(Ordering::Relaxed)
    }
}

/// The keys of a shell.
pub(crate) struct Keys {
    emacs: Emacs,
    pressed: Arc<Pressed>,
    searches: bool,
}

impl Keys {
    /// `menu` is the name of the one that Tab opens.
    pub(crate) fn new(menu: &str, pressed: Arc<Pressed>) -> Keys {
        let mut keys = default_emacs_keybindings();
        let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(menu.into()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
        let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Char('o'), ReedlineEvent::OpenEditor);
        Keys { emacs: Emacs::new(keys), pressed, searches: false }
    }

    fn saw(&mut self, event: &ReedlineEvent) {
        match event {
            ReedlineEvent::None | ReedlineEvent::Resize(..) | ReedlineEvent::Repaint => return,
            ReedlineEvent::CtrlC => {}
            _ => self.pressed.anything.store(true, Ordering::Relaxed),
        }
        if self.searches && *event == ReedlineEvent::Enter {
            self.pressed.found.store(true, Ordering::Relaxed);
        }
        self.searches = *event == ReedlineEvent::SearchHistory || self.searches && searches_on(event);
    }
}

impl EditMode for Keys {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = self.emacs.parse_event(event);
        self.saw(&event);
        event
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.emacs.edit_mode()
    }
}

/// Whether the editor goes on to search after that.
fn searches_on(event: &ReedlineEvent) -> bool {
    match event {
        ReedlineEvent::UntilFound(events) => events.iter().all(searches_on),
        ReedlineEvent::Edit(commands) => {
            commands.iter().all(|command| matches!(command, EditCommand::InsertChar(_) | EditCommand::Backspace))
        }
        ReedlineEvent::Enter
        | ReedlineEvent::Submit
        | ReedlineEvent::SubmitOrNewline
        | ReedlineEvent::HistoryHintComplete
        | ReedlineEvent::Esc
        | ReedlineEvent::CtrlC
        | ReedlineEvent::CtrlD => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{Event, KeyEvent};

    use super::*;

    fn press(keys: &mut Keys, modifiers: KeyModifiers, code: KeyCode) {
        let event = ReedlineRawEvent::try_from(Event::Key(KeyEvent::new(code, modifiers)));
        keys.parse_event(event.expect("a key that goes down"));
    }

    /// Whether Enter takes what was searched, after these keys behind Ctrl-R.
    fn runs_after(codes: &[(KeyModifiers, KeyCode)]) -> bool {
        let pressed = Arc::new(Pressed::default());
        let mut keys = Keys::new("menu", Arc::clone(&pressed));
        press(&mut keys, KeyModifiers::NONE, KeyCode::Enter);
        assert!(!pressed.found.load(Ordering::Relaxed));
        press(&mut keys, KeyModifiers::CONTROL, KeyCode::Char('r'));
        codes.iter().for_each(|(modifiers, code)| press(&mut keys, *modifiers, *code));
        press(&mut keys, KeyModifiers::NONE, KeyCode::Enter);
        pressed.found.load(Ordering::Relaxed)
    }

    #[test]
    fn one_enter_runs_what_was_searched_but_nothing_else() {
        let (plain, control) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        assert!(runs_after(&[(plain, KeyCode::Char('x')), (control, KeyCode::Char('r')), (plain, KeyCode::Backspace)]));
        assert!(runs_after(&[(plain, KeyCode::Char('x')), (plain, KeyCode::Up), (plain, KeyCode::Tab)]));
        for edits in [KeyCode::Right, KeyCode::End, KeyCode::Esc] {
            assert!(!runs_after(&[(plain, KeyCode::Char('x')), (plain, edits)]), "{edits:?}");
        }
        assert!(!runs_after(&[(control, KeyCode::Char('c'))]));
    }

    #[test]
    fn ctrl_c_alone_makes_no_line() {
        let pressed = Arc::new(Pressed::default());
        let mut keys = Keys::new("menu", Arc::clone(&pressed));
        press(&mut keys, KeyModifiers::CONTROL, KeyCode::Char('c'));
        assert!(!pressed.anything());
        press(&mut keys, KeyModifiers::NONE, KeyCode::Char('x'));
        assert!(pressed.anything());
        pressed.begin();
        assert!(!pressed.anything());
    }
}
