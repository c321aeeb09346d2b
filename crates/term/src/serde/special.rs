//! Names of newtypes by which our own types and helpers tell our own format what they mean. Other formats see through a
//! newtype to what is in it.

/// What all of them begin with.
pub(super) const PREFIX: &str = "$beamline::";
/// A term, of any kind.
pub(super) const TERM: &str = "$beamline::Term";
/// A text that becomes an atom.
pub(super) const ATOM: &str = "$beamline::Atom";
/// A text that becomes a list of its characters.
pub(super) const CHARLIST: &str = "$beamline::charlist";
/// `None` in it is `undefined`.
pub(super) const UNDEFINED: &str = "$beamline::undefined";
/// A struct, map or list of pairs that becomes a keyword list.
pub(super) const KEYWORD: &str = "$beamline::keyword";
/// The same, with bare atoms for what is `true`.
pub(super) const PROPLIST: &str = "$beamline::proplist";
/// A byte string that is to be handed over without a copy.
pub(super) const BYTES: &str = "$beamline::bytes";

/// The name of the field that takes what no other field of its struct takes.
pub(super) const REST: &str = "$rest";
