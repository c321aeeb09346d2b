//! The Kubernetes folders against the schemas of Kubernetes, and `beamline k8s check` on them as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use whole_clusters::{path, skip};

const FOLDERS: [&str; 4] = ["k8s_dns_deployment", "k8s_gossip_deployment", "k8s_gossip_statefulset", "k8s_statefulset"];
const VALIDATOR: &str = "/var/cache/beamline/kubernetes-validate/bin/kubernetes-validate";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn files(name: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder(name)).expect("the folder").flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")).collect()
}

#[test]
fn the_folders_are_valid_by_strict_schemas() {
    if !Path::new(VALIDATOR).is_file() {
        return skip(
            "the_folders_are_valid_by_strict_schemas",
            "kubernetes-validate (from PyPI, by `cargo xtask tools`)",
        );
    }
    for version in ["1.32", "1.25"] {
        for name in FOLDERS {
            let mut validate = Command::new(VALIDATOR);
            validate.args(["--strict", "--kubernetes-version", version]).args(files(name));
            let output = validate.output().expect("it runs");
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "{name} by {version}: {said}");
            // An unknown kind is only warned of.
            assert!(said.lines().all(|line| line.starts_with("INFO ")), "{name} by {version}: {said}");
        }
    }
}

fn check(arguments: &[&Path]) -> (i32, String) {
    let mut check = Command::new(path("beamline"));
    let output = check.args(["k8s", "check"]).args(arguments).output().expect("it runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_check_is_silent_on_them_and_tells_of_a_mistake() {
    for name in FOLDERS {
        assert_eq!(check(&[&folder(name)]), (0, String::new()), "{name}");
    }
    let broken = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manifests");
    fs::create_dir_all(&broken).expect("a folder");
    for file in files("k8s_statefulset") {
        let text = fs::read_to_string(&file).expect("a manifest").replace("[get, list, watch]", "[get]");
        fs::write(broken.join(file.file_name().expect("a name")), text).expect("a file");
    }
    let (code, said) = check(&[&broken]);
    assert_eq!(code, 1, "{said}");
    let (place, what) = said.split_once(": error K10: ").expect("one error");
    assert!(place.contains("/roles.yaml:"), "{said}");
    assert!(
        what.starts_with("Role read-pods-role does not let the strategy list pods\n    fix: grant get, list"),
        "{said}"
    );
    assert_eq!(check(&[Path::new("/nowhere")]).0, 78);
}
