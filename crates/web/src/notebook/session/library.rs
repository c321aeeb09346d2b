//! The folder whose notebooks may be opened: nothing outside it, whatever a path says or a link points at.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_node::Node;
use beamline_proto::NodeName;

use super::file::{self, FileError};
use super::{Notebook, Session};

/// Notebooks that are open at the same time, at most.
const OPEN: usize = 64;
/// Files and folders that a list shows, at most.
const LISTED: usize = 1000;

/// A folder of notebooks, and those of them that are open. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Library(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    /// To which node a notebook is attached when it is opened.
    runtime: Option<NodeName>,
    open: Mutex<BTreeMap<String, Arc<Session>>>,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Listing {
    /// The folder's path within the library; empty for the library itself.
    pub(crate) folder: String,
    /// Its folders and notebooks, folders first.
    pub(crate) entries: Vec<Entry>,
    /// How many there are beyond those.
    pub(crate) left_out: usize,
}

/// A folder or a notebook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Entry {
    /// A folder sorts before a notebook.
    pub(crate) is_notebook: bool,
    pub(crate) name: String,
    pub(crate) path: String,
    /// Somebody has it open.
    pub(crate) is_open: bool,
}

impl Library {
    /// The notebooks of a folder.
    pub(crate) fn new(folder: &Path) -> io::Result<Library> {
        let folder = folder.canonicalize()?;
        std::fs::read_dir(&folder)?;
        Ok(Library(Arc::new(Inner { folder, runtime: None, open: Mutex::default() })))
    }

    /// The same, whose notebooks are attached to a node when they are opened.
    pub(crate) fn attached_to(self, runtime: Option<NodeName>) -> Library {
        Library(Arc::new(Inner { folder: self.0.folder.clone(), runtime, open: Mutex::default() }))
    }

    fn open_ones(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// What is in one of its folders.
    pub(crate) fn list(&self, folder: &str) -> Result<Listing, FileError> {
        let failed = |source| FileError::System { tried: "listing", path: folder.to_owned(), source };
        let place = self.resolve(folder)?;
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(place).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|it| it.is_dir());
            let is_notebook = !is_folder && name.ends_with(".livemd");
            // Links that lead outside are not shown, since they are not opened.
            if !name.starts_with('.') && (is_folder || is_notebook) && self.resolve(&path).is_ok() {
                let is_open = self.open_ones().contains_key(&path);
                entries.push(Entry { is_notebook, name, path, is_open });
            }
        }
        entries.sort();
        let left_out = entries.len().saturating_sub(LISTED);
        entries.truncate(LISTED);
        Ok(Listing { folder: folder.to_owned(), entries, left_out })
    }

    /// Where a path leads, if that is inside.
    fn resolve(&self, path: &str) -> Result<PathBuf, FileError> {
        let missing = || FileError::Missing { path: path.to_owned() };
        let mut place = self.0.folder.clone();
        for part in path.split('/').filter(|_| !path.is_empty()) {
            if part.is_empty() || part.starts_with('.') || part.contains(['\\', '\0']) {
                return Err(missing());
            }
            place.push(part);
        }
        let place = place.canonicalize().map_err(|_| missing())?;
        if place.starts_with(&self.0.folder) { Ok(place) } else { Err(missing()) }
    }

    /// The notebook that is open at a path.
    pub(crate) fn opened(&self, path: &str) -> Option<Arc<Session>> {
        self.open_ones().get(path).cloned()
    }

    /// Opens a notebook, or joins those who have it open.
    pub(crate) fn open(&self, node: &Node, path: &str) -> Result<Arc<Session>, FileError> {
        if let Some(session) = self.opened(path) {
            return Ok(session);
        }
        let file = self.resolve(path)?;
        if !path.ends_with(".livemd") || !file.is_file() {
            return Err(FileError::Missing { path: path.to_owned() });
        }
        let read = file::read(&file, path)?;
        let mut open = self.open_ones();
        if open.len() >= OPEN {
            return Err(FileError::Many { count: open.len() });
        }
        // Two names of one file are one notebook: else they would write over each other.
        if let Some(same) = open.values().find(|session| session.file() == file) {
            return Ok(Arc::clone(same));
        }
        let session = open.entry(path.to_owned()).or_insert_with(|| {
            let session = Session::new(node, path.to_owned(), file, read);
            if let Some(runtime) = &self.0.runtime {
                session.engine().attach(runtime, None);
            }
            session
        });
        Ok(Arc::clone(session))
    }

    /// Makes a new notebook, and says its path.
    pub(crate) fn create(&self, folder: &str, name: &str) -> Result<String, FileError> {
        let name = name.trim();
        let name = if name.ends_with(".livemd") { name.to_owned() } else { format!("{name}.livemd") };
        let title = name.strip_suffix(".livemd").unwrap_or(&name);
        let plain = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ' ');
        if title.is_empty() || title.len() > 200 || name.starts_with(['.', ' ', '-']) || !name.chars().all(plain) {
            return Err(FileError::Name { name });
        }
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let place = self.resolve(folder)?.join(&name);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => FileError::Taken { path: path.clone() },
            _ => FileError::System { tried: "creating", path: path.clone(), source },
        };
        let text = Notebook::new(&title.replace(['_', '-'], " ")).write();
        let mut file = std::fs::File::create_new(place).map_err(failed)?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
        Ok(path)
    }

    /// Closes a notebook: its cells are ended, and what they have bound is forgotten.
    pub(crate) fn close(&self, path: &str) {
        let closed = self.open_ones().remove(path);
        drop(closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("in/sub")).expect("it is made");
        for file in ["in/a.livemd", "in/sub/b.livemd", "in/c.txt", "in/.hidden.livemd", "out.livemd"] {
            std::fs::write(folder.path().join(file), "# A\n").expect("it is written");
        }
        let library = Library::new(&folder.path().join("in")).expect("it is a folder");
        (folder, library)
    }

    #[test]
    fn a_list_has_folders_and_notebooks() {
        let (_folder, library) = library();
        let names = |folder: &str| -> Vec<String> {
            library.list(folder).expect("it is there").entries.into_iter().map(|entry| entry.path).collect()
        };
        assert_eq!(names(""), ["sub", "a.livemd"]);
        assert_eq!(names("sub"), ["sub/b.livemd"]);
    }

    #[test]
    fn nothing_outside_is_reached() {
        let (folder, library) = library();
        #[cfg(unix)]
        for (link, target) in [("in/link.livemd", "../out.livemd"), ("in/up", "..")] {
            std::os::unix::fs::symlink(target, folder.path().join(link)).expect("a link is made");
        }
        assert_eq!(library.list("").expect("it is there").entries.len(), 2);
        for path in [
            "../out.livemd",
            "sub/../../out.livemd",
            "link.livemd",
            "up/out.livemd",
            "/etc/passwd",
            "sub//b.livemd",
            ".hidden.livemd",
            "./a.livemd",
            "..\\out.livemd",
            "a.livemd\0",
            "sub/..",
            "up",
        ] {
            assert!(matches!(library.resolve(path), Err(FileError::Missing { .. })), "{path:?}");
        }
        assert!(library.resolve("sub/b.livemd").is_ok());
        assert!(library.create("..", "x").is_err() && library.create("up", "x").is_err());
        drop(folder);
    }

    #[test]
    fn new_notebooks_have_plain_names() {
        let (_folder, library) = library();
        assert_eq!(library.create("sub", "My work-1").expect("it is made"), "sub/My work-1.livemd");
        assert!(matches!(library.create("sub", "My work-1.livemd"), Err(FileError::Taken { .. })));
        for name in ["", ".livemd", "../x", "a/b", ".x", "a\0", "-x", "a\nb", &"x".repeat(300)] {
            assert!(matches!(library.create("", name), Err(FileError::Name { .. })), "{name:?}");
        }
    }
}
