//! A program in a terminal, with somebody who types and reads.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::{DEADLINE, Otp, path, unique, wait_until};

/// A terminal of 100 columns with a program in it; the program is killed when this is dropped.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts a program in it with these variables beside those of this process.
    pub fn start(program: &str, arguments: &[String], variables: &[(&str, String)]) -> Self {
        let size = PtySize { rows: 50, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        variables.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let parser = Arc::new(Mutex::new(vt100::Parser::new(
            NonZeroU16::new(50).expect("rows"),
            NonZeroU16::new(100).expect("columns"),
            0,
        )));
        let (screen, answers) = (Arc::clone(&parser), Arc::clone(&writer));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
                screen.process(&bytes[..length]);
                // A line editor asks where the cursor is, and waits for the terminal's answer.
                if bytes[..length].windows(4).any(|part| part == b"\x1b[6n") {
                    let (row, column) = screen.screen().cursor_position();
                    let answer = format!("\x1b[{};{}R", row + 1, column + 1);
                    let _ = answers.lock().unwrap_or_else(PoisonError::into_inner).write_all(answer.as_bytes());
                }
            }
        });
        let writer = Box::new(Shared(writer));
        Self { child, writer, parser, _master: pair.master }
    }

    /// `beamline` with these arguments around that epmd, its history in a folder of its own.
    pub fn beamline(epmd_port: u16, arguments: &[&str]) -> Self {
        Self::beamline_with(arguments, &Self::variables(epmd_port))
    }

    /// The same with other [variables](Self::variables).
    pub fn beamline_with(arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self::start(&path("beamline").to_string_lossy(), &arguments, variables)
    }

    /// What a shell around that epmd needs, its history in a new folder.
    pub fn variables(epmd_port: u16) -> Vec<(&'static str, String)> {
        let programs = path("beamline");
        let target = programs.ancestors().nth(2).expect("the target's folder");
        let state = target.join("tmp").join(unique("state"));
        vec![("ERL_EPMD_PORT", epmd_port.to_string()), ("XDG_STATE_HOME", state.to_string_lossy().into_owned())]
    }

    /// A shell of a real installation in a terminal.
    pub fn remote(otp: Otp, program: &str, epmd_port: u16, arguments: &[&str]) -> Self {
        let mut all: Vec<String> = Vec::new();
        let program = match otp.tree() {
            None => program.to_owned(),
            Some(tree) => {
                all.extend([tree.to_string_lossy().into_owned(), program.to_owned()]);
                "/usr/sbin/chroot".to_owned()
            }
        };
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let variables = [("ERL_EPMD_PORT", epmd_port.to_string()), ("HOME", "/".to_owned())];
        Self::start(&program, &all, &variables)
    }

    /// The text on the screen.
    pub fn shows(&self) -> String {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("it reads");
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        wait_until(&format!("the screen shows {text:?}"), DEADLINE, || {
            let shows = self.shows();
            if shows.contains(text) { Ok(()) } else { Err(shows) }
        });
    }

    /// Enters a line at that prompt and waits for a line that is this answer.
    #[track_caller]
    pub fn answers(&mut self, prompt: &str, line: &str, answer: &str) {
        self.sees(prompt);
        self.press(&format!("{line}\r"));
        wait_until(&format!("{line} gives {answer}"), DEADLINE, || {
            let shows = self.shows();
            let after = shows.rsplit_once(prompt).map_or("", |(_, after)| after);
            if after.lines().skip(1).any(|shown| shown.trim_end() == answer) { Ok(()) } else { Err(shows) }
        });
    }

    /// Leaves by Ctrl-D at that prompt.
    #[track_caller]
    pub fn leaves(&mut self, prompt: &str) {
        self.sees(prompt);
        self.press("\u{4}");
        self.ends();
    }

    /// Gives up what is typed or what runs, and waits for another prompt.
    #[track_caller]
    pub fn gives_up(&mut self, prompt: &str) {
        let before = self.shows().matches(prompt).count();
        self.press("\u{3}");
        wait_until("another prompt", DEADLINE, || {
            let shows = self.shows();
            if shows.matches(prompt).count() > before { Ok(()) } else { Err(shows) }
        });
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub fn ends(&mut self) {
        wait_until("the program ends", DEADLINE, || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            _ => Err(self.shows()),
        });
    }
}

struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- the terminal showed:\n{}", self.shows());
        }
    }
}
