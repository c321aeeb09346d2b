//! A notebook's file: read whole, and replaced whole, so that whoever reads it sees the old text or the new one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The longest file that is opened, in bytes.
pub(super) const LONGEST: u64 = 16 << 20;

/// Why a file cannot be opened, or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FileError {
    /// The name could lead elsewhere, or is none for a notebook.
    #[error("{name:?} is no name of a notebook: letters, digits, spaces and any of - _ . are, and it ends in .livemd")]
    Name { name: String },
    /// There is no such file or folder, or it is outside.
    #[error("there is no {path} in this folder")]
    Missing { path: String },
    /// There is one already.
    #[error("there is a {path} already")]
    Taken { path: String },
    /// It is longer than a notebook can be.
    #[error("{path} has {bytes} bytes, and a notebook at most {LONGEST}")]
    Long { path: String, bytes: u64 },
    /// It is not text.
    #[error("{path} is not UTF-8: it is no notebook")]
    NotText { path: String },
    /// Too many are open.
    #[error("{count} notebooks are open, and no more can be: close one")]
    Many { count: usize },
    /// The system says no.
    #[error("{tried} {path}: {source}")]
    System { tried: &'static str, path: String, source: io::Error },
}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) text: String,
}

/// By what it is seen that a file has been written since.
pub(super) type Stamp = (SystemTime, u64);

/// The file's stamp, if the system has one.
pub(super) fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Reads a notebook; `path` is its name for those who read the error.
pub(super) fn read(file: &Path, path: &str) -> Result<Read, FileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
        _ => FileError::System { tried: "reading", path: path.to_owned(), source },
    };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > LONGEST {
        return Err(FileError::Long { path: path.to_owned(), bytes });
    }
    let text = String::from_utf8(std::fs::read(file).map_err(failed)?);
    Ok(Read { text: text.map_err(|_| FileError::NotText { path: path.to_owned() })? })
}

/// Puts a text in the place of a file's, in one step, with the file's permissions.
pub(super) fn replace(file: &Path, path: &str, text: &str) -> Result<(), FileError> {
    let failed = |source| FileError::System { tried: "writing", path: path.to_owned(), source };
    let folder = file.parent().unwrap_or(Path::new("."));
    let (temporary, mut new) = beside(folder, file).map_err(failed)?;
    let result = (|| {
        new.write_all(text.as_bytes())?;
        if let Ok(old) = std::fs::metadata(file) {
            new.set_permissions(old.permissions())?;
        }
        new.sync_all()?;
        std::fs::rename(&temporary, file)
    })();
    if result.is_err() {
        // What is left is of no use to anybody.
        let _ = std::fs::remove_file(&temporary);
    }
    result.map_err(failed)
}

/// A new file in the same folder, so that it can take the place of the old one in one step.
fn beside(folder: &Path, file: &Path) -> io::Result<(PathBuf, std::fs::File)> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{:016x}.tmp", rand::random::<u64>()));
    let new = std::fs::File::create_new(&temporary)?;
    Ok((temporary, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_file_is_replaced_with_its_permissions_and_nothing_is_left() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.livemd");
        std::fs::write(&file, "old").expect("it is written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("it is ours");
        replace(&file, "a.livemd", "new").expect("it is replaced");
        assert_eq!(read(&file, "a.livemd").expect("it is read").text, "new");
        assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is a folder").count(), 1);
    }

    #[test]
    fn what_is_no_text_and_what_is_too_long_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.livemd");
        std::fs::write(&file, [0xff, 0xfe]).expect("it is written");
        assert!(matches!(read(&file, "a"), Err(FileError::NotText { .. })));
        let long = std::fs::File::create(&file).expect("it is made");
        long.set_len(LONGEST + 1).expect("it has no blocks");
        assert!(matches!(read(&file, "a"), Err(FileError::Long { .. })));
        assert!(matches!(read(&folder.path().join("b"), "b"), Err(FileError::Missing { .. })));
    }
}
