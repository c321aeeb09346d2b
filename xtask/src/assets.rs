//! Test assets that are not in the repository: a folder `kube` with the programs of a Kubernetes API server and the scripts
//! that start and stop it. It is looked for where `BEAMLINE_TEST_ASSETS` says, else beside the workspace in `../shared`, and
//! is optional: without it the tests that need it are skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{root, succeeds};
use crate::tools::CACHE;

/// The variable by which tests learn where the assets are unpacked.
pub(crate) const KUBE_VARIABLE: &str = "BEAMLINE_KUBE";

/// What the scripts need beside what is in the folder, and the Debian packages that bring it.
pub(crate) const PACKAGES: [(&str, &str); 6] = [
    ("etcd", "etcd-server"),
    ("kubectl", "kubernetes-client"),
    ("xz", "xz-utils"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("openssl", "openssl"),
];

/// The programs that come compressed.
const PROGRAMS: [&str; 2] = ["kube-apiserver", "kube-controller-manager"];
const FILES: [&str; 4] = ["start.sh", "stop.sh", "setip.sh", "bootstrap.yaml"];

/// The packages that are of use here: none without the folder.
pub(crate) fn packages() -> &'static [(&'static str, &'static str)] {
    if folder().is_some() { &PACKAGES } else { &[] }
}

/// Where the assets are, unpacked.
pub(crate) fn kube() -> Option<PathBuf> {
    let place = place();
    is_whole(&place).then_some(place)
}

/// Unpacks the folder if there is one and it is not the one that is unpacked already.
pub(crate) fn unpack() {
    let Some(folder) = folder() else { return };
    if is_whole(&place()) && FILES.iter().all(|file| same(&folder.join(file), &place().join(file))) {
        return;
    }
    if let Err(reason) = unpack_from(&folder) {
        println!("no Kubernetes API server for tests: {reason}");
    }
}

fn folder() -> Option<PathBuf> {
    let assets = std::env::var_os("BEAMLINE_TEST_ASSETS").map_or_else(|| root().join("../shared"), PathBuf::from);
    let folder = assets.join("kube");
    folder.join(FILES[0]).is_file().then_some(folder)
}

fn place() -> PathBuf {
    Path::new(CACHE).join("kube")
}

fn is_whole(place: &Path) -> bool {
    PROGRAMS.iter().all(|program| place.join("bin").join(program).is_file())
        && FILES.iter().all(|file| place.join(file).is_file())
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// Builds beside the place and renames at the end, so that it is whole or absent.
fn unpack_from(folder: &Path) -> Result<(), String> {
    let place = place();
    let building = place.with_extension(std::process::id().to_string());
    let made = fill(folder, &building).and_then(|()| {
        let error = |error| format!("{}: {error}", place.display());
        if place.exists() {
            fs::remove_dir_all(&place).map_err(error)?;
        }
        fs::rename(&building, &place).map_err(error)
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&building);
    }
    made
}

fn fill(folder: &Path, building: &Path) -> Result<(), String> {
    let error = |error| format!("{}: {error}", building.display());
    fs::create_dir_all(building.join("bin")).map_err(error)?;
    for file in FILES {
        fs::copy(folder.join(file), building.join(file)).map_err(error)?;
    }
    for program in PROGRAMS {
        let packed = format!("{program}.xz");
        fs::copy(folder.join("bin").join(&packed), building.join("bin").join(&packed)).map_err(error)?;
        // What comes out has the rights of the packed file, and takes its place.
        let packed = building.join("bin").join(packed);
        if !succeeds(Command::new("xz").args(["--decompress", "--force"]).arg(&packed)) {
            return Err(format!("xz cannot unpack {}", packed.display()));
        }
        let unpacked = building.join("bin").join(program);
        if !succeeds(Command::new("chmod").arg("755").arg(&unpacked)) {
            return Err(format!("{} cannot be made a program", unpacked.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_unpacked_folder_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        for program in PROGRAMS {
            fs::write(folder.path().join("bin").join(program), "").unwrap();
        }
        assert!(!is_whole(folder.path()));
        for file in FILES {
            fs::write(folder.path().join(file), "").unwrap();
        }
        assert!(is_whole(folder.path()));
    }
}
