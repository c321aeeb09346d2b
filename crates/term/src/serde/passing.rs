//! Terms as parts of your own types. Inside our own format they are handed over whole, past serde's data model: a place of
//! this thread holds them while the call goes through serde. To other formats they show themselves as that model allows.
//!
//! Where serde keeps a part of the input for later (inside `#[serde(flatten)]`, untagged and internally tagged enums), a
//! term is rebuilt from what was kept; that the errors are ours shows that it came from our own format.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::any::AnyVisitor;
use super::error::Error;
use super::readable::{Readable, ReadableKey};
use super::special;
use crate::codec::{Rope, encode};
use crate::{
    Atom, BigInt, Binary, BitString, ExportFun, Fun, ImproperList, List, Map, Pid, Port, Record, Reference, Term, Tuple,
};

thread_local! {
    // All are empty but for the moment of a call. That they are not dropped with the thread makes them cheap to reach.
    /// What the next term is to be written to.
    static OUT: Cell<Option<ManuallyDrop<Rope>>> = const { Cell::new(None) };
    /// To which buffer a value is being written that shares its binaries from a size on, and that size.
    static SHARING: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    /// What that value has shared, if anything, without its buffer.
    static SHARED: Cell<Option<ManuallyDrop<Rope>>> = const { Cell::new(None) };
    /// The term that has just been read.
    static READ: Cell<Option<ManuallyDrop<Term>>> = const { Cell::new(None) };
}

/// Whether an error type is our own: then the values come from our own format, or go to it.
pub(super) fn is_ours<E>() -> bool {
    std::any::type_name::<E>() == std::any::type_name::<Error>()
}

/// Lets a term write itself to `out`. `serialize` gets a buffer for the case that it was turned into bytes before.
pub(super) fn write(out: &mut Vec<u8>, serialize: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
    let mut kept = Vec::new();
    let (buffer, least) = SHARING.get();
    let is_shared = buffer == place(out);
    let mut rope = match is_shared {
        true => SHARED.take().map_or_else(|| Rope::sharing(least), ManuallyDrop::into_inner),
        false => Rope::sharing(usize::MAX),
    };
    std::mem::swap(rope.buffer(), out);
    OUT.set(Some(ManuallyDrop::new(rope)));
    let result = serialize(&mut kept);
    if let Some(mut written) = OUT.take().map(ManuallyDrop::into_inner) {
        std::mem::swap(written.buffer(), out);
        if is_shared && !written.is_empty() {
            SHARED.set(Some(ManuallyDrop::new(written)));
        }
    }
    out.extend_from_slice(&kept);
    result
}

/// Lets a value write itself, and shares its binaries of at least `least` bytes.
pub(super) fn share(least: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> Result<Rope, Error> {
    let mut out = Vec::with_capacity(64);
    // A value may write others meanwhile: what is shared belongs to this buffer alone.
    let _outer = Outer(SHARING.replace((place(&out), least)), SHARED.take());
    write(&mut out)?;
    let mut rope = SHARED.take().map_or_else(Rope::new, ManuallyDrop::into_inner);
    std::mem::swap(rope.buffer(), &mut out);
    Ok(rope)
}

/// What was being shared before, put back when this is dropped.
struct Outer((usize, usize), Option<ManuallyDrop<Rope>>);

impl Drop for Outer {
    fn drop(&mut self) {
        SHARING.set(self.0);
        drop(SHARED.replace(self.1.take()).map(ManuallyDrop::into_inner));
    }
}

/// Which of several buffers this is.
fn place(out: &Vec<u8>) -> usize {
    std::ptr::from_ref(out).addr()
}

/// Hands a term to the visitor that asked for it.
pub(super) fn read<'de, V: Visitor<'de>>(term: Term, visitor: V) -> Result<V::Value, Error> {
    READ.set(Some(ManuallyDrop::new(term)));
    let value = visitor.visit_unit();
    drop(taken());
    value
}

fn taken() -> Option<Term> {
    READ.take().map(ManuallyDrop::into_inner)
}

/// The binary that has just been read, for a visitor that wants its bytes.
pub(super) fn taken_binary() -> Option<Binary> {
    match taken() {
        Some(Term::Binary(binary)) => Some(binary),
        _ => None,
    }
}

/// A term on its way out, by reference.
struct Passing<'a, T>(&'a T);

/// What can stand for itself as a term.
trait Pass: Sized {
    const WHAT: &'static str;

    fn as_term(&self) -> Cow<'_, Term>;

    fn encode(&self, out: &mut Rope);

    /// `ours` says that it comes from our own format, which has all kinds of terms.
    fn from_term(term: Term, ours: bool) -> Result<Self, Term>;
}

impl<T: Pass> Serialize for Passing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(mut out) = OUT.take() {
            self.0.encode(&mut out);
            OUT.set(Some(out));
            return serializer.serialize_bytes(&[]);
        }
        if is_ours::<S::Error>() || !serializer.is_human_readable() {
            let mut raw = Rope::sharing(usize::MAX);
            self.0.encode(&mut raw);
            return serializer.serialize_bytes(raw.buffer());
        }
        Readable::new(&self.0.as_term()).serialize(serializer)
    }
}

/// Takes over the term that was read, or makes one of what another format has.
struct PassVisitor<T>(PhantomData<T>);

impl<'de, T: Pass> Visitor<'de> for PassVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        fitting(taken().unwrap_or(const { Term::Atom(Atom::from_static("nil")) }))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let term = if is_ours::<D::Error>() || deserializer.is_human_readable() {
            deserializer.deserialize_any(AnyVisitor)
        } else {
            deserializer.deserialize_bytes(AnyVisitor)
        };
        term.and_then(fitting)
    }
}

fn fitting<T: Pass, E: de::Error>(term: Term) -> Result<T, E> {
    T::from_term(term, is_ours::<E>()).map_err(|other| E::invalid_type(Unexpected::Other(&describe(&other)), &T::WHAT))
}

/// `the atom :x`, cut to a length that fits a line.
pub(super) fn describe(term: &Term) -> String {
    let kind = match term {
        Term::Integer(_) | Term::BigInteger(_) => "the integer",
        Term::Float(_) => "the float",
        Term::Atom(_) => "the atom",
        Term::Binary(_) => "the binary",
        Term::BitString(_) => "the bit string",
        Term::Tuple(_) => "the tuple",
        Term::List(_) => "the list",
        Term::ImproperList(_) => "the improper list",
        Term::Map(map) if map.struct_name().is_some() => "the struct",
        Term::Map(_) => "the map",
        Term::Pid(_) => "the pid",
        Term::Port(_) => "the port",
        Term::Reference(_) => "the reference",
        Term::Fun(_) | Term::Export(_) => "the fun",
        Term::Record(_) => "the record",
    };
    let text = crate::Inspect::new(term).limit(10).to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{kind} {}...", text.get(..end).unwrap_or_default()),
        None => format!("{kind} {text}"),
    }
}

macro_rules! pass {
    ($($type:ty: $what:literal, |$own:ident| $term:expr, |$out:ident| $encode:expr, |$ours:pat_param| $($pattern:pat $(if $guard:expr)? => $value:expr),+;)*) => {
        $(impl Pass for $type {
            const WHAT: &'static str = $what;

            fn as_term(&self) -> Cow<'_, Term> {
                let $own = self;
                Cow::Owned($term)
            }

            #[inline]
            fn encode(&self, $out: &mut Rope) {
                let $own = self;
                $encode;
            }

            fn from_term(term: Term, $ours: bool) -> Result<$type, Term> {
                match term {
                    $($pattern $(if $guard)? => Ok($value),)+
                    other => Err(other),
                }
            }
        })*
    };
}

pass! {
    Pid: "a pid", |own| own.clone().into(), |out| encode::pid(out.buffer(), own), |_| Term::Pid(pid) => pid;
    Port: "a port", |own| own.clone().into(), |out| out.term(&own.as_term()), |_| Term::Port(port) => port;
    Reference: "a reference", |own| own.clone().into(), |out| encode::reference(out.buffer(), own), |_|
        Term::Reference(reference) => reference;
    Binary: "a binary", |own| own.clone().into(), |out| out.binary(own), |ours|
        Term::Binary(binary) => binary,
        Term::List(list) if !ours && list.as_bytes().is_some() => list.as_bytes().unwrap_or_default().as_ref().into();
    BitString: "a bit string", |own| own.clone().into(), |out| out.term(&own.as_term()), |_|
        Term::BitString(bits) => *bits;
    Tuple: "a tuple", |own| own.clone().into(), |out| out.term(&own.as_term()), |_|
        Term::Tuple(tuple) => tuple;
    ImproperList: "an improper list", |own| own.clone().into(), |out| out.term(&own.as_term()), |_|
        Term::ImproperList(list) => list;
    Fun: "a fun", |own| Term::Fun(Box::new(own.clone())), |out| out.term(&own.as_term()), |_|
        Term::Fun(fun) => *fun;
    ExportFun: "an external fun", |own| own.clone().into(), |out| out.term(&own.as_term()), |_|
        Term::Export(fun) => *fun;
    Record: "a native record", |own| Term::Record(Box::new(own.clone())), |out| out.term(&own.as_term()), |_|
        Term::Record(record) => *record;
    BigInt: "an integer", |own| own.clone().into(), |out| encode::big_integer(out.buffer(), own), |_|
        Term::Integer(number) => number.into(), Term::BigInteger(number) => *number;
}

impl Pass for Term {
    const WHAT: &'static str = "a term";

    fn as_term(&self) -> Cow<'_, Term> {
        Cow::Borrowed(self)
    }

    #[inline]
    fn encode(&self, out: &mut Rope) {
        out.term(self);
    }

    fn from_term(term: Term, _: bool) -> Result<Term, Term> {
        Ok(term)
    }
}

macro_rules! through_serde {
    ($($type:ty)*) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(special::TERM, &Passing(self))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                deserializer.deserialize_newtype_struct(special::TERM, PassVisitor(PhantomData))
            }
        })*
    };
}

through_serde!(Term Pid Port Reference Binary BitString Tuple ImproperList Fun ExportFun Record);

/// An integer of any size as a field: `#[serde(with = "beamline_term::serde::bigint")]`.
pub mod bigint {
    use super::{BigInt, Deserializer, PassVisitor, Passing, PhantomData, Serializer, special};

    /// Writes an integer.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(number: &BigInt, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(special::TERM, &Passing(number))
    }

    /// Reads an integer.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BigInt, D::Error> {
        deserializer.deserialize_newtype_struct(special::TERM, PassVisitor(PhantomData))
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = serializer.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|element| elements.serialize_element(element.as_ref()))?;
        elements.end()
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List, D::Error> {
        Vec::<Term>::deserialize(deserializer).map(List::from)
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() && !is_ours::<S::Error>() {
            return serializer.collect_map(self.iter().map(|(key, value)| (ReadableKey(key), value)));
        }
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        struct MapVisitor;

        impl<'de> Visitor<'de> for MapVisitor {
            type Value = Map;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<Map, A::Error> {
                let mut all = Vec::new();
                while let Some(pair) = pairs.next_entry::<Term, Term>()? {
                    all.push(pair);
                }
                Ok(Map::new(all))
            }
        }

        deserializer.deserialize_map(MapVisitor)
    }
}

impl Serialize for Atom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(special::ATOM, self.as_str())
    }
}

impl<'de> Deserialize<'de> for Atom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Atom, D::Error> {
        deserializer.deserialize_newtype_struct(special::ATOM, AtomVisitor)
    }
}

struct AtomVisitor;

impl<'de> Visitor<'de> for AtomVisitor {
    type Value = Atom;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an atom")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Atom, E> {
        Atom::new(text).map_err(E::custom)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Atom, E> {
        // What our own format keeps for later is borrowed if it is a binary.
        if is_ours::<E>() { Err(E::invalid_type(Unexpected::Str(text), &self)) } else { self.visit_str(text) }
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Atom, E> {
        Ok(Atom::from_static(if truth { "true" } else { "false" }))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Atom, E> {
        Ok(Atom::from_static("nil"))
    }

    fn visit_none<E: de::Error>(self) -> Result<Atom, E> {
        Ok(Atom::from_static("undefined"))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Atom, D::Error> {
        if is_ours::<D::Error>() || deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_str(self)
        }
    }
}
