//! What a Rust node carries and gives back, but cannot look into: funs and native records; and external funs.

use crate::codec::Decoder;
use crate::dismantle::{free, nests};
use crate::{Atom, Binary, Term, copy};

/// A closure of the BEAM (tag 112), kept as the bytes that came: it can be called only where its module is loaded.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fun {
    pub(crate) body: Binary,
}

impl Fun {
    /// Its module, index and unique number, by which Erlang names it when it prints it.
    pub fn name(&self) -> Option<(Atom, i64, i64)> {
        let body = self.body.to_bytes();
        // Arity, a digest of 16 bytes, index and the number of free variables stand before the module.
        let mut decoder = Decoder::new(&body);
        decoder.take(25).ok()?;
        Some((decoder.atom().ok()?, decoder.integer().ok()?, decoder.integer().ok()?))
    }

    /// How many arguments it takes.
    pub fn arity(&self) -> u8 {
        self.body.first().copied().unwrap_or_default()
    }

    /// Everything after the size, as on the wire.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// `fun Module:Function/Arity` (tag 113): a callback that any node with that module can call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExportFun {
    /// The module.
    pub module: Atom,
    /// The function.
    pub function: Atom,
    /// How many arguments it takes.
    pub arity: u8,
}

/// A native record of OTP 29 (tag 67).
#[derive(PartialEq, Eq, Debug)]
pub struct Record {
    /// Whether the definition is exported.
    pub exported: bool,
    /// The module that defines it.
    pub module: Atom,
    /// Its name.
    pub name: Atom,
    /// Field names and values, in the order of the definition.
    pub fields: Vec<(Atom, Term)>,
}

impl Clone for Record {
    fn clone(&self) -> Record {
        copy::record(self)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.fields.iter().any(|(_, value)| nests(value)) {
            free(std::mem::take(&mut self.fields).into_iter().map(|(_, value)| value).collect());
        }
    }
}
