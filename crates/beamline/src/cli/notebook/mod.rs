//! `beamline notebook`: notebooks in the browser, whose cells run at nodes that are named there; `run` runs one without.

mod run;

use std::io;
use std::path::{Path, PathBuf};

use beamline::node::epmd::DEFAULT_PORT;
use beamline_web::Web;
use beamline_web::livemd::Notebook;

use super::arguments::{NotebookArguments, NotebookCommand, Opened};
use super::dashboard::visit;
use super::exit::Exit;
use super::nodes::{Unknown, named_or_here};
use super::site::Prepared;

/// Why there is no notebook to open.
#[derive(Debug, thiserror::Error)]
enum PathError {
    #[error("there is no {}; a new notebook is made by: beamline notebook @new", .0.display())]
    Missing(PathBuf),
    #[error("{} is no notebook: its name does not end in .livemd", .0.display())]
    NoNotebook(PathBuf),
    #[error("cannot {tried} {}: {source}", path.display())]
    System { tried: &'static str, path: PathBuf, source: io::Error },
}

/// Serves until Ctrl-C, or runs one notebook once.
pub(crate) async fn notebook(arguments: NotebookArguments) -> Exit {
    if let Some(NotebookCommand::Run(arguments)) = arguments.command {
        return run::run(*arguments).await;
    }
    match prepare_and_serve(arguments.opened).await {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn prepare_and_serve(arguments: Opened) -> Result<(), Exit> {
    let say = |error: &dyn std::fmt::Display, exit| {
        eprintln!("{error}");
        exit
    };
    let prepared = Prepared::new(&arguments.site).await?;
    let (folder, path) = find(&arguments.path).map_err(|error| say(&error, Exit::Usage))?;
    let epmd_port = arguments.visit.ports.epmd_port.unwrap_or(DEFAULT_PORT);
    let named: Vec<String> = arguments.node.into_iter().filter(|node| !node.is_empty()).collect();
    let found = named_or_here(&named, epmd_port, "notebook").await;
    let (targets, shown) = match (named.is_empty(), found) {
        (false, Ok(targets)) => (targets.clone(), targets),
        (false, Err(unknown)) => {
            return Err(say(
                &unknown,
                if matches!(unknown, Unknown::Name(_)) { Exit::Usage } else { Exit::Unreachable },
            ));
        }
        // Nobody has asked for a node: those of this host are offered, and none need answer.
        (true, found) => (Vec::new(), found.unwrap_or_default()),
    };
    let node = visit(arguments.visit, &targets, "notebook").await?;
    let web = shown.into_iter().fold(Web::new(&node), Web::target);
    let web = web.notebooks(&folder, &path);
    let mut web =
        web.map_err(|source| say(&PathError::System { tried: "read", path: folder, source }, Exit::Config))?;
    if let Some(target) = targets.into_iter().next() {
        web = web.runtime(target);
    }
    let served = prepared.serve(web, "notebook").await;
    node.stop().await;
    served
}

/// The folder that is opened, and what in it is shown first.
fn find(path: &str) -> Result<(PathBuf, String), PathError> {
    let given = PathBuf::from(path);
    let given = if path == "@new" { create(Path::new("."))? } else { given };
    if given.is_dir() {
        return Ok((given, String::new()));
    }
    if !given.is_file() {
        return Err(PathError::Missing(given));
    }
    let name = given.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".livemd"));
    let Some(name) = name.map(str::to_owned) else { return Err(PathError::NoNotebook(given)) };
    let folder = given.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((folder.to_owned(), name))
}

/// A new notebook in a folder, by a name that is free.
fn create(folder: &Path) -> Result<PathBuf, PathError> {
    let names = (1..).map(|number| match number {
        1 => folder.join("notebook.livemd"),
        _ => folder.join(format!("notebook-{number}.livemd")),
    });
    for path in names {
        let failed = |source| PathError::System { tried: "create", path: path.clone(), source };
        match std::fs::File::create_new(&path) {
            Ok(mut file) => {
                io::Write::write_all(&mut file, Notebook::new("New notebook").write().as_bytes()).map_err(failed)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed(source)),
        }
    }
    Err(PathError::Missing(folder.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = create(folder.path()).expect("it is made");
        let second = create(folder.path()).expect("it is made beside the first");
        assert_ne!(file, second);
        let (opened, path) = find(file.to_str().expect("it is text")).expect("it is there");
        assert_eq!((opened.as_path(), path.as_str()), (folder.path(), "notebook.livemd"));
        let (opened, path) = find(folder.path().to_str().expect("it is text")).expect("it is there");
        assert_eq!((opened.as_path(), path.as_str()), (folder.path(), ""));
        assert!(matches!(find("missing.livemd"), Err(PathError::Missing(_))));
        let other = folder.path().join("a.txt");
        std::fs::write(&other, "").expect("it is written");
        assert!(matches!(find(other.to_str().expect("it is text")), Err(PathError::NoNotebook(_))));
    }
}
