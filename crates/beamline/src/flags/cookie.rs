//! Where the programs take the cookie from, in this order: `--cookie`,
//! `--cookie-file`, `BEAMLINE_COOKIE`, `RELEASE_COOKIE`, `~/.erlang.cookie`,
//! and Erlang's place under `XDG_CONFIG_HOME`.
//!
//! A cookie file is read by Erlang's rules (the `auth` module of kernel). The
//! cookie itself is never printed.

use std::path::{Path, PathBuf};

use beamline_proto::Cookie;

/// Why there is no cookie.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// None of the places has one.
    #[error("no cookie: give --cookie, set BEAMLINE_COOKIE, or put one into {}", .0.display())]
    Nowhere(PathBuf),
    /// A file that cannot be read.
    #[error("cookie file {}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file that others than its owner can read.
    #[error("cookie file {} can be read by others (mode {mode:03o}); run: chmod 400 {}", .path.display(), .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A file with more than a cookie in it.
    #[error("cookie file {} holds characters that a cookie cannot have", .0.display())]
    Characters(PathBuf),
    /// An empty file.
    #[error("cookie file {} is empty", .0.display())]
    Empty(PathBuf),
}

/// Finds the cookie: the one given, that of the file given, or one in the usual places. `variable` reads the environment.
pub fn find(
    given: Option<&str>,
    file: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Cookie, CookieError> {
    if let Some(cookie) = given {
        return Ok(Cookie::from(cookie));
    }
    if let Some(file) = file {
        return read(file);
    }
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(cookie) = set("BEAMLINE_COOKIE").or_else(|| set("RELEASE_COOKIE")) {
        return Ok(Cookie::from(cookie));
    }
    let places = usual_places(set);
    match places.iter().find(|place| place.exists()) {
        Some(place) => read(place),
        None => Err(CookieError::Nowhere(places[0].clone())),
    }
}

/// All that [`find`] may find, in its order, each with its place in words: the first counts. For tools that tell what is set up.
pub fn survey(
    given: Option<&str>,
    file: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<(String, Result<Cookie, CookieError>)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut found = Vec::new();
    if let Some(cookie) = given {
        found.push(("--cookie".to_owned(), Ok(Cookie::from(cookie))));
    }
    if let Some(file) = file {
        found.push((file.display().to_string(), read(file)));
    }
    for name in ["BEAMLINE_COOKIE", "RELEASE_COOKIE"] {
        found.extend(set(name).map(|cookie| (format!("the variable {name}"), Ok(Cookie::from(cookie)))));
    }
    for place in usual_places(set).into_iter().filter(|place| place.exists()) {
        found.push((place.display().to_string(), read(&place)));
    }
    found
}

/// Where Erlang looks.
fn usual_places(set: impl Fn(&str) -> Option<String>) -> [PathBuf; 2] {
    let home = PathBuf::from(set("HOME").unwrap_or_else(|| "/".to_owned()));
    let config = set("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    [home.join(".erlang.cookie"), config.join("erlang/.erlang.cookie")]
}

fn read(path: &Path) -> Result<Cookie, CookieError> {
    let unreadable = |error| CookieError::Unreadable { path: path.to_owned(), error };
    check_mode(path)?;
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // Erlang takes the printable start, and lets only blanks and ends of lines follow it.
    let length = bytes.iter().take_while(|byte| (b' '..=b'~').contains(*byte)).count();
    let (cookie, rest) = bytes.split_at(length);
    if rest.iter().any(|byte| !matches!(byte, b'\n' | b'\r' | b' ')) {
        return Err(CookieError::Characters(path.to_owned()));
    }
    match std::str::from_utf8(cookie) {
        Ok("") | Err(_) => Err(CookieError::Empty(path.to_owned())),
        Ok(text) => Ok(Cookie::from(text)),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), CookieError> {
    use std::os::unix::fs::PermissionsExt;
    let unreadable = |error| CookieError::Unreadable { path: path.to_owned(), error };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(CookieError::Open { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), CookieError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(folder: &Path, text: &str, mode: u32) -> PathBuf {
        let path = folder.join(".erlang.cookie");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_is_read_by_erlangs_rules() {
        let folder = tempfile::tempdir().unwrap();
        for (text, length) in [("SECRET", 6), ("SECRET\n", 6), ("SECRET\r\n", 6), (" SECRET \n\n", 8)] {
            let path = file(folder.path(), text, 0o400);
            assert_eq!(read(&path).unwrap().len(), length, "{text:?}");
            std::fs::remove_file(path).unwrap();
        }
        let path = file(folder.path(), "two\nlines", 0o600);
        assert!(matches!(read(&path), Err(CookieError::Characters(_))));
        let path = file(folder.path(), "\n", 0o600);
        assert!(matches!(read(&path), Err(CookieError::Empty(_))));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_without_telling_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "SECRET", 0o644);
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 400") && !error.contains("SECRET"), "{error}");
    }

    #[test]
    fn the_order_of_places() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let variables = |name: &str| match name {
            "HOME" => Some(home.clone()),
            _ => None,
        };
        assert!(matches!(find(None, None, variables), Err(CookieError::Nowhere(_))));
        let xdg = folder.path().join(".config/erlang");
        std::fs::create_dir_all(&xdg).unwrap();
        file(&xdg, "xdg", 0o400);
        assert_eq!(find(None, None, variables).unwrap().len(), 3);
        file(folder.path(), "home", 0o400);
        assert_eq!(find(None, None, variables).unwrap().len(), 4);
        let with = |name: &str| if name == "BEAMLINE_COOKIE" { Some("fives".to_owned()) } else { variables(name) };
        assert_eq!(find(None, None, with).unwrap().len(), 5);
        assert_eq!(find(Some("flagged"), None, with).unwrap().len(), 7);
        let all = survey(Some("flagged"), None, with);
        let lengths: Vec<_> = all.iter().map(|(_, cookie)| cookie.as_ref().unwrap().len()).collect();
        assert_eq!((lengths, &*all[0].0, &*all[1].0), (vec![7, 5, 4, 3], "--cookie", "the variable BEAMLINE_COOKIE"));
    }
}
