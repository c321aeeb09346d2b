//! An open notebook: one for each file, shared by all who have it open. It holds the file's text as a notebook, with edits that
//! are not in the file yet, and the engine that runs its cells. It ends when it is closed, not when its viewers go.
//!
//! `library` is the folder whose files may be opened, `file` reads and writes them, `keep` saves by itself and sees what others
//! do to the file. Nothing here knows of HTTP.

mod file;
mod keep;
mod library;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_livemd::{Id, Notebook, Output};
use beamline_node::Node;
use tokio::sync::watch;
use tokio::time::Instant;

use super::run::{CellState, Engine, Evaluation, Outcome, cell_id, kept, outline};
use file::{Read, Stamp};

pub(crate) use file::FileError;
pub(crate) use keep::Outside;
pub(crate) use library::{Library, Listing};

/// A notebook that is open.
pub(crate) struct Session {
    /// The file's path within the folder, with `/` between its parts.
    path: String,
    file: PathBuf,
    state: Mutex<State>,
    engine: Engine,
    /// The number of the last change of anything but what cells give.
    changes: watch::Sender<u64>,
}

struct State {
    notebook: Notebook,
    /// The text that the file had when it was last read or written by us.
    saved: String,
    /// What is in memory is not in the file.
    is_unsaved: bool,
    /// When the first change was made that is not in the file.
    since: Option<Instant>,
    outside: Option<Outside>,
    /// Why the file could not be written.
    trouble: Option<String>,
    changed: u64,
    /// The number of the engine's last change when outputs were last taken into the notebook.
    taken: u64,
    /// The file as it was when its text was last compared with ours.
    looked: Option<Stamp>,
}

/// What is shown of a notebook at one moment.
pub(crate) struct Snapshot {
    pub(crate) notebook: Notebook,
    pub(crate) number: u64,
    pub(crate) is_unsaved: bool,
    pub(crate) outside: Option<Outside>,
    pub(crate) trouble: Option<String>,
}

impl Session {
    fn new(node: &Node, path: String, file: PathBuf, read: Read) -> Arc<Session> {
        let notebook = Notebook::read(&read.text);
        let engine = Engine::new(node);
        let state = State {
            notebook,
            saved: read.text,
            is_unsaved: false,
            since: None,
            outside: None,
            trouble: None,
            changed: 1,
            taken: 0,
            looked: None,
        };
        let session = Session { path, file, state: Mutex::new(state), engine, changes: watch::Sender::new(1) };
        session.prepare();
        let session = Arc::new(session);
        tokio::spawn(keep::keep(Arc::downgrade(&session)));
        session
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file's path within the folder.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    fn file(&self) -> &Path {
        &self.file
    }

    /// What runs its cells.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What there is to be shown.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            notebook: state.notebook.clone(),
            number: state.changed,
            is_unsaved: state.is_unsaved,
            outside: state.outside.clone(),
            trouble: state.trouble.clone(),
        }
    }

    /// The number of the last change of anything but what cells give.
    pub(crate) fn number(&self) -> u64 {
        self.lock().changed
    }

    /// Ends when the notebook or what its cells gave has changed since these numbers.
    pub(crate) async fn changed(&self, number: u64, engine: u64) {
        let mut changes = self.changes.subscribe();
        tokio::select! {
            // It lives as long as we do.
            _ = changes.wait_for(|now| *now > number) => {}
            () = self.engine.changed(engine) => {}
        }
    }

    /// Changes the notebook. What is then to be run is known to the engine before anybody sees the change.
    pub(crate) fn edit<T>(&self, change: impl FnOnce(&mut Notebook) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state.notebook);
        state.is_unsaved = true;
        state.since.get_or_insert_with(Instant::now);
        self.engine.set_outline(&outline(&state.notebook));
        self.tell(state);
        result
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        state.changed += 1;
        let number = state.changed;
        drop(state);
        self.changes.send_replace(number);
    }

    /// Tells the engine what there is, and shows what the file says that came of it.
    fn prepare(&self) {
        let state = self.lock();
        self.engine.set_outline(&outline(&state.notebook));
        for cell in state.notebook.cells().filter(|cell| !cell.outputs().is_empty()) {
            let texts: Vec<&str> =
                cell.outputs().iter().filter(|it| it.info().is_empty()).map(Output::as_str).collect();
            self.engine.restore(cell_id(cell.id()), Outcome::Value { text: texts.join("\n"), table: None });
        }
    }

    /// Takes what the cells have given into the notebook, as its file keeps it.
    fn take_outputs(&self, notebook: &mut Notebook) {
        for CellState { id, output, .. } in self.engine.since(0).cells {
            let Some(output) = output.filter(|output| output.evaluation != Evaluation(0)) else { continue };
            let Some(outputs) = kept(&output) else { continue };
            if let Some(cell) = u32::try_from(id.0).ok().and_then(|id| notebook.cell_mut(Id::from(id))) {
                cell.set_outputs(outputs);
            }
        }
    }
}
