//! `application`: the program as the one application of its node.

use std::sync::Weak;

use beamline_term::{Atom, Term};

use crate::functions::Module;
use crate::node::Inner;

pub(super) fn module(_: &Weak<Inner>) -> Module {
    Module::new("application")
        .function("which_applications", || async { Ok(Term::list([program()])) })
        .function("which_applications", |_timeout: Term| async { Ok(Term::list([program()])) })
}

/// The program's file name.
pub(super) fn name() -> Atom {
    let program = std::env::current_exe().ok();
    let stem = program.as_deref().and_then(|path| path.file_stem()).and_then(|stem| stem.to_str());
    stem.and_then(|stem| Atom::new(stem).ok()).unwrap_or(Atom::from_static("program"))
}

/// `{Name, Description, Version}`. The version is Beamline's: a program does not say its own.
pub(super) fn program() -> Term {
    let description = concat!("a Rust program with Beamline ", env!("CARGO_PKG_VERSION"));
    (name(), Term::charlist(description), Term::charlist(env!("CARGO_PKG_VERSION"))).into()
}
