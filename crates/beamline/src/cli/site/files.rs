//! The secrets of a site in files that only their owner can read: a password or token that is given, the tokens of a site that
//! runs. A file is never written where somebody else could have put one, or a link, before.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use beamline_web::{Password, SecretError, Token, Web};

/// Why a secret is not taken from, or put into, a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{place}: {source}")]
    Secret { place: String, source: SecretError },
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} can be read by others (mode {mode:03o}); run: chmod 600 {}", .path.display(), .path.display())]
    Open { path: PathBuf, mode: u32 },
}

/// The password of `BEAMLINE_PASSWORD`, or of the file that `BEAMLINE_PASSWORD_FILE` names.
pub(super) fn password(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Password>, FileError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (place, text) = if let Some(text) = set("BEAMLINE_PASSWORD") {
        ("BEAMLINE_PASSWORD".to_owned(), text)
    } else if let Some(path) = set("BEAMLINE_PASSWORD_FILE").map(PathBuf::from) {
        (path.display().to_string(), private(&path)?)
    } else {
        return Ok(None);
    };
    let text = text.trim_end_matches(['\r', '\n']);
    Password::new(text).map(Some).map_err(|source| FileError::Secret { place, source })
}

/// The token that a file holds; it is made if it is not there.
pub(super) fn kept_token(path: &Path) -> Result<Token, FileError> {
    let file = |source| FileError::File { path: path.to_owned(), source };
    if !path.try_exists().map_err(file)? {
        let token = Token::random();
        write_private(path, token.reveal()).map_err(file)?;
        return Ok(token);
    }
    let text = private(path)?;
    Token::kept(text.trim()).map_err(|source| FileError::Secret { place: path.display().to_string(), source })
}

/// What a file holds that only its owner can read.
fn private(path: &Path) -> Result<String, FileError> {
    let file = |source| FileError::File { path: path.to_owned(), source };
    let mode = mode_of(&fs::metadata(path).map_err(file)?);
    // A secret of Kubernetes is a file that its group may read.
    if mode & 0o007 != 0 {
        return Err(FileError::Open { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map_err(file)
}

/// A new file, never one that is there, nor what a link leads to.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode_of(_metadata: &fs::Metadata) -> u32 {
    0
}

/// The tokens in files that only this user can read, for scripts and for Prometheus; they go when the program ends.
pub(super) struct TokenFiles {
    main: PathBuf,
    view: PathBuf,
}

impl TokenFiles {
    /// Into `$XDG_RUNTIME_DIR/beamline`; nowhere if there is no such folder of this user's own.
    pub(super) fn write(web: &Web, what: &str, port: u16) -> Option<Self> {
        let runtime = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty())?);
        let folder = own_folder(&runtime)?;
        let files = Self {
            main: folder.join(format!("{what}-{port}.token")),
            view: folder.join(format!("{what}-{port}.view.token")),
        };
        for (path, token) in [(&files.main, web.main_token()), (&files.view, web.view_token())] {
            // That of a program that was killed, since the port was free.
            let _ = fs::remove_file(path);
            write_private(path, token.reveal()).ok()?;
        }
        Some(files)
    }

    pub(super) fn told(&self) -> String {
        format!("; its token is in {} too", self.main.display())
    }
}

impl Drop for TokenFiles {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.main);
        let _ = fs::remove_file(&self.view);
    }
}

/// The folder `beamline` in the runtime folder, if both are this user's, nobody else may write there, and neither is a link.
#[cfg(unix)]
fn own_folder(runtime: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let user = rustix::process::geteuid().as_raw();
    let is_own = |path: &Path, others: u32| {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user && mode_of(&metadata) & others == 0)
    };
    let folder = runtime.join("beamline");
    if !is_own(runtime, 0o022) {
        return None;
    }
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => None,
        _ => is_own(&folder, 0o077).then_some(folder),
    }
}

#[cfg(not(unix))]
fn own_folder(_runtime: &Path) -> Option<PathBuf> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode can be set");
    }

    #[test]
    fn a_password_comes_from_a_variable_or_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "correct horse\n").unwrap();
        mode(&path, 0o600);
        let from_file = |name: &str| (name == "BEAMLINE_PASSWORD_FILE").then(|| path.display().to_string());
        assert!(password(from_file).unwrap().is_some());
        assert!(password(|_| None).unwrap().is_none());
        let short =
            password(|name| (name == "BEAMLINE_PASSWORD").then(|| "secret".to_owned())).unwrap_err().to_string();
        assert!(short.contains("BEAMLINE_PASSWORD") && short.contains("12") && !short.contains("secret"), "{short}");
        mode(&path, 0o644);
        let open = password(from_file).unwrap_err().to_string();
        assert!(open.contains("chmod 600") && !open.contains("horse"), "{open}");
    }

    #[test]
    fn a_kept_token_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let made = kept_token(&path).unwrap();
        assert_eq!(mode_of(&fs::metadata(&path).unwrap()), 0o600);
        assert_eq!(kept_token(&path).unwrap().reveal(), made.reveal());
    }

    #[test]
    fn tokens_are_written_only_to_a_folder_of_ones_own() {
        let runtime = tempfile::tempdir().unwrap();
        mode(runtime.path(), 0o700);
        let folder = own_folder(runtime.path()).unwrap();
        assert_eq!(mode_of(&fs::metadata(&folder).unwrap()), 0o700);
        assert!(own_folder(runtime.path()).is_some(), "it may be there");
        mode(&folder, 0o755);
        assert!(own_folder(runtime.path()).is_none(), "others can look into it");
        fs::remove_dir(&folder).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), &folder).unwrap();
        assert!(own_folder(runtime.path()).is_none(), "a link");
        mode(runtime.path(), 0o777);
        assert!(own_folder(runtime.path()).is_none(), "anybody can put something there");
        let target = runtime.path().join("target");
        symlink(&target, runtime.path().join("token")).unwrap();
        assert!(write_private(&runtime.path().join("token"), "secret").is_err());
        assert!(!target.exists());
    }
}
