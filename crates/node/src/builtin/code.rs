//! `code`: which modules there are, and what they say of themselves.

use std::sync::Weak;

use beamline_term::{Atom, Term, atom};

use super::{alive, with};
use crate::functions::Module;
use crate::node::Inner;

pub(super) fn module(node: &Weak<Inner>) -> Module {
    Module::new("code")
        .function(
            "ensure_loaded",
            with!(node, |inner, module: Atom| Ok(if inner.functions.has_module(&module) {
                (atom("module"), module)
            } else {
                (atom("error"), atom("nofile"))
            })),
        )
        .function(
            "all_loaded",
            with!(node, |inner| {
                let modules = inner.functions.modules().into_iter();
                Ok(Term::list(modules.map(|module| (module, atom("preloaded")).into())))
            }),
        )
        .function(
            "get_doc",
            with!(node, |inner, module: Atom| Ok(match inner.functions.docs(&module) {
                Some(docs) => Term::from((atom("ok"), docs)),
                None => (atom("error"), atom("missing")).into(),
            })),
        )
}
