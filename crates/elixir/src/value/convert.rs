//! Terms to values and back.

use std::sync::Arc;

use beamline_term::{Atom, Term};

use super::{Data, Heap, Value};

/// A value as a term. A function that was made here gives None, or something that looks like it if it is only shown.
pub(crate) fn to_term(value: &Value, shown: bool) -> Option<Term> {
    let all = |items: &[Value]| items.iter().map(|item| to_term(item, shown)).collect::<Option<Vec<_>>>();
    Some(match &value.0 {
        Data::Tuple(tuple) => Term::tuple(all(&tuple.items)?),
        Data::List(list) => {
            let mut iter = list.iter();
            let items = iter.by_ref().map(|item| to_term(item, shown)).collect::<Option<Vec<_>>>()?;
            match iter.tail() {
                None => Term::list(items),
                Some(tail) => Term::improper(items, to_term(tail, shown)?),
            }
        }
        Data::Map(map) => {
            let pairs = map.pairs().iter().map(|(key, value)| Some((to_term(key, shown)?, to_term(value, shown)?)));
            Term::map(pairs.collect::<Option<Vec<_>>>()?)
        }
        Data::Closure(closure) => {
            if !shown {
                return None;
            }
            stand_in(u8::try_from(closure.code.arity).unwrap_or(u8::MAX))
        }
        _ => scalar(value),
    })
}

/// What holds no other values, as a term.
pub(super) fn scalar(value: &Value) -> Term {
    match &value.0 {
        Data::Integer(number) => Term::Integer(*number),
        Data::Big(number) => Term::from(number.as_ref().clone()),
        Data::Float(number) => Term::Float(*number),
        Data::Atom(atom) => Term::Atom(atom.clone()),
        Data::Binary(bytes) => Term::Binary(bytes.binary.clone()),
        Data::Bits(bits) => Term::from(bits.as_ref().clone()),
        Data::Export(export) => Term::Export(Box::new(export.as_ref().clone())),
        Data::Other(term) => term.as_ref().clone(),
        Data::Tuple(_) | Data::List(_) | Data::Map(_) | Data::Closure(_) => Term::nil(),
    }
}

/// A function of `:erl_eval`, as one that is made at a BEAM's prompt is: `#Function<42.3316493/1 in :erl_eval.expr/6>` there.
fn stand_in(arity: u8) -> Term {
    let mut body = vec![arity];
    body.extend([0; 16]); // what tells apart two versions of a module
    body.extend([0; 4]); // its place in the module
    body.extend([0; 4]); // no free variables
    body.extend([119, 8]);
    body.extend(b"erl_eval");
    body.extend([97, 42 + arity.min(1), 97, 0]); // old index and old number
    body.extend([88, 119, 13]);
    body.extend(b"nonode@nohost");
    body.extend([0; 12]);
    let mut bytes = vec![131, 112];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    Term::decode(&bytes.into()).unwrap_or_else(|_| Term::atom("function"))
}

/// Why a term is no value: it nests deeper than values may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooDeep;

impl Heap {
    /// A term as a value, if it nests no deeper than so many levels.
    pub(crate) fn of_term(&self, term: &Term, depth: usize) -> Result<Value, TooDeep> {
        let below = depth.checked_sub(1).ok_or(TooDeep);
        Ok(match term {
            Term::Integer(number) => Value(Data::Integer(*number)),
            Term::BigInteger(number) => Value::big(number.as_ref().clone()),
            Term::Float(number) => Value(Data::Float(*number)),
            Term::Atom(atom) => Value(Data::Atom(atom.clone())),
            Term::Binary(binary) => self.binary(binary.clone()),
            Term::BitString(bits) => self.bits(bits.as_ref().clone()),
            Term::Tuple(items) => {
                let below = below?;
                self.tuple(items.iter().map(|item| self.of_term(item, below)).collect::<Result<_, _>>()?)
            }
            Term::List(list) if list.is_empty() => Value::empty_list(),
            Term::List(list) => {
                let below = below?;
                self.list(list.iter().map(|item| self.of_term(&item, below)).collect::<Result<_, _>>()?)
            }
            Term::ImproperList(list) => {
                let below = below?;
                let items = list.elements().iter().map(|item| self.of_term(item, below)).collect::<Result<_, _>>()?;
                self.list_onto(items, self.of_term(list.tail(), below)?)
            }
            Term::Map(map) => {
                let below = below?;
                let pairs = map.iter().map(|(key, value)| Ok((self.of_term(key, below)?, self.of_term(value, below)?)));
                self.map(pairs.collect::<Result<_, _>>()?)
            }
            Term::Export(export) => Value(Data::Export(Arc::new(export.as_ref().clone()))),
            other => Value(Data::Other(Arc::new(other.clone()))),
        })
    }
}

/// The atom of a module by its alias.
pub(crate) fn module_atom(alias: &str) -> Option<Atom> {
    let name = alias.strip_prefix("Elixir.").unwrap_or(alias);
    if alias == "Elixir" {
        return Atom::new("Elixir").ok();
    }
    Atom::new(&format!("Elixir.{name}")).ok()
}
