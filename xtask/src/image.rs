//! `cargo xtask image`: the images of `deploy/Dockerfile`, from static programs that are built here. Neither a registry
//! nor a builder image is needed, only cargo and the Docker engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::run::{cargo, output, root, succeeds};

const USAGE: &str = "\
Build the images app-a, app-b, beamline and notebook of deploy/Dockerfile, with static programs.

Usage: cargo xtask image [--debug]

  --debug   Programs without optimization: built sooner, but several times as large";

/// The targets of the Dockerfile, which are the names of the images as well.
const IMAGES: [&str; 4] = ["beamline", "app-a", "app-b", "notebook"];
/// The programs in them, and what they are called here: `beamline` is built twice.
const PROGRAMS: [(&str, &str); 4] =
    [("beamline", "beamline"), ("app_a", "app_a"), ("app_b", "app_b"), ("beamline", "beamline-with-web")];

/// What each message of a service passes through: built for speed, in a profile that is for size. The tool beside an
/// application asks now and then, so it is small throughout.
const FAST: [&str; 6] = ["beamline-term", "beamline-proto", "beamline-node", "bytes", "papaya", "tokio"];

/// The only user there is; nobody can become root.
const PASSWD: &str = "beamline:x:65532:65532:Beamline:/:/sbin/nologin\n";
const GROUP: &str = "beamline:x:65532:\n";

pub(crate) fn main(arguments: &[&str]) -> ExitCode {
    let profile = match arguments {
        [] => "image",
        ["--debug"] => "dev",
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match build(profile) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("image: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Whether a Docker engine answers.
pub(crate) fn engine() -> bool {
    output(Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"])).is_some()
}

/// Builds the programs, then the images.
pub(crate) fn build(profile: &str) -> Result<(), String> {
    let target = host()?;
    // Not `target/image`, where cargo has its own for the profile of that name: the engine is sent all that is in it.
    let context = root().join("target/deploy");
    programs(&target, profile, &context)?;
    add_files(&context)?;
    if !engine() {
        return Err(format!(
            "no Docker engine answers (`docker info` says why); what goes into the images is in {}",
            context.display()
        ));
    }
    for image in IMAGES {
        let mut docker = Command::new("docker");
        // The classic builder is part of every engine; the other one is a plugin.
        docker.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--target", image, "--tag", image]).arg(&context);
        if !succeeds(&mut docker) {
            return Err(format!("docker could not build {image}"));
        }
    }
    println!("Images:");
    for image in IMAGES {
        let size = output(Command::new("docker").args(["image", "inspect", "--format", "{{.Size}}", image]));
        let bytes: u64 = size.and_then(|size| size.trim().parse().ok()).unwrap_or_default();
        println!("  {image:<10} {:>5.1} MB", bytes as f64 / 1e6);
    }
    println!("Start them all: docker compose -f deploy/compose.yaml up");
    Ok(())
}

/// The target of this machine: naming it keeps the flags for static programs from build scripts and macros.
fn host() -> Result<String, String> {
    let version = output(Command::new("rustc").arg("-vV")).ok_or("rustc does not run")?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| "rustc does not say its host".to_owned())
}

/// Builds the programs, and lays them into the context: a folder with all that goes into the images, and nothing else.
fn programs(target: &str, profile: &str, context: &Path) -> Result<(), String> {
    println!("Building static programs ...");
    fs::create_dir_all(context).map_err(|error| told(context, &error))?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built = folder.join(target).join(if profile == "dev" { "debug" } else { profile });
    // By itself, since its features are fewer: beside the applications it is there to ask, not to be a node or a page.
    let tool = ["-p", "beamline", "--no-default-features", "--features", "beamline/tool"].map(str::to_owned);
    // All else together, so that what they share is compiled once.
    let rest = ["-p", "app_a", "-p", "app_b", "-p", "beamline", "--features", "beamline/cli"].map(str::to_owned);
    let mut rest = rest.to_vec();
    if profile == "image" {
        let fast = |package| ["--config".to_owned(), format!("profile.image.package.{package}.opt-level=3")];
        rest.extend(FAST.into_iter().flat_map(fast));
    }
    let (tool_programs, rest_programs) = PROGRAMS.split_at(1);
    for (packages, programs) in [(&tool[..], tool_programs), (&rest[..], rest_programs)] {
        let mut build = cargo();
        build.args(["build", "--profile", profile, "--target", target]).args(packages);
        build.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
        if !succeeds(&mut build) {
            return Err("the build failed".to_owned());
        }
        for (program, name) in programs {
            let from = built.join(program);
            fs::copy(&from, context.join(name)).map_err(|error| told(&from, &error))?;
        }
    }
    Ok(())
}

/// What is in the images beside programs.
fn add_files(context: &Path) -> Result<(), String> {
    for (name, text) in [("passwd", PASSWD), ("group", GROUP)] {
        fs::write(context.join(name), text).map_err(|error| told(&context.join(name), &error))?;
    }
    let notebooks = context.join("notebooks");
    fs::create_dir_all(&notebooks).map_err(|error| told(&notebooks, &error))?;
    for file in ["Dockerfile", "notebooks/cluster.livemd"] {
        let from = root().join("deploy").join(file);
        fs::copy(&from, context.join(file)).map_err(|error| told(&from, &error))?;
    }
    Ok(())
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
