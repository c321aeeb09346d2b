//! `global`: what nodes that share names ask each other, and the names themselves, as this node knows them.

use std::sync::Weak;

use beamline_proto::global::{Method, resolve};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Pid, Term};

use super::{alive, badarg, with};
use crate::functions::{FunctionName, Module, Raise};
use crate::node::Inner;
use crate::process::Message;
use crate::service::global::Global;

/// Another node asks which of two processes keeps a name, because one of them is ours. It is believed only if the name
/// is in our table as one of the two's.
pub(super) fn module(node: &Weak<Inner>) -> Module {
    Module::new("global")
        .function(
            "registered_names",
            with!(node, |inner| Ok(Term::list(Global::new(&inner).names().into_iter().map(|(name, _)| name)))),
        )
        .function(
            "whereis_name",
            with!(node, |inner, name: Term| {
                Ok(inner.global.whereis(&name).map_or_else(|| Term::atom("undefined"), Term::from))
            }),
        )
        .function(
            "resolve_it",
            with!(node, |inner, method: Term, name: Term, first: Pid, second: Pid| {
                let holder = inner.global.whereis(&name);
                if holder.as_ref() != Some(&first) && holder.as_ref() != Some(&second) {
                    return Err(badarg());
                }
                let method = Method::from_term(&method);
                if let Method::Custom(Term::Export(fun)) = &method {
                    let function = FunctionName { module: fun.module.clone(), function: fun.function.clone() };
                    return inner.evaluate(&function, &[name, first.into(), second.into()]).await;
                }
                let resolution = resolve(&method, &name, &first, &second).ok_or_else(badarg)?;
                if let Some(pid) = &resolution.kill {
                    inner.kill(pid);
                }
                for (pid, message) in &resolution.notify {
                    let _ = inner.send(pid.into(), Message::of(message)).await;
                }
                Ok(resolution.to_term())
            }),
        )
}

impl Inner {
    /// Calls a function of our own table for ourselves.
    async fn evaluate(&self, function: &FunctionName, arguments: &[Term]) -> Result<Term, Raise> {
        let mut list = Vec::new();
        encode::term(&mut list, &Term::list(arguments.iter().cloned()));
        let own = self.name.as_atom();
        let value = self.functions.call(function, list.into(), own, own).await?;
        Decoder::new(&value.into()).term().map_err(|error| Raise::runtime_error(error.to_string()))
    }
}
