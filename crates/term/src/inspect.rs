//! Printing terms as Elixir's `inspect` does: on one line, or wrapped as with `pretty: true`.
//!
//! `inspect/walk.rs` goes through the term as the `Inspect` protocol does and writes a document, whose layout is that of
//! `Inspect.Algebra` (`inspect/document.rs`). Where releases of Elixir differ, [`Elixir`] says whose way it is.
//!
//! What only a running BEAM knows is printed without it: a pid has its node's name where the BEAM has a number, maps stand
//! in the order of their keys (`custom_options: [sort_maps: true]`), the fields of a struct that is not Elixir's own in the
//! order of their names, and every struct is printed as one, whether or not its module is loaded and derives something
//! else.

mod document;
mod structs;
mod text;
mod walk;

use std::fmt::{self, Formatter};

use crate::Term;
use document::Document;

/// A term with options for how to print it, those of Elixir's `Inspect.Opts`.
///
/// `{}` prints one line, as `inspect(term)` does; `{:#}` wraps at 80 columns, as `inspect(term, pretty: true)`. What nests deeper
/// than 128 levels is `...`, whatever the limit.
///
/// ```
/// use beamline_term::{Inspect, term};
///
/// let hosts = term!(%{hosts: ["10.0.0.1", "10.0.0.2"], ports: [4369, 9000, 9001, 9002]});
/// assert_eq!(hosts.to_string(), r#"%{hosts: ["10.0.0.1", "10.0.0.2"], ports: [4369, 9000, 9001, 9002]}"#);
/// assert_eq!(
///     Inspect::new(&hosts).width(40).to_string(),
///     r#"%{
///   hosts: ["10.0.0.1", "10.0.0.2"],
///   ports: [4369, 9000, 9001, 9002]
/// }"#
/// );
/// assert_eq!(Inspect::new(&hosts).limit(3).to_string(), r#"%{hosts: ["10.0.0.1", "10.0.0.2"], ...}"#);
/// ```
#[derive(Debug, Clone)]
pub struct Inspect<'a> {
    term: &'a Term,
    elixir: Elixir,
    width: Option<usize>,
    limit: Option<usize>,
    printable_limit: usize,
    binaries: Binaries,
    charlists: Charlists,
    structs: bool,
}

/// A release of Elixir, where they print differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Elixir {
    /// Up to 1.14: charlists look like `'abc'`.
    V1_14,
    /// 1.15 to 1.18: charlists look like `~c"abc"`. Each collection shows 50 elements, less one for each level around it.
    V1_18,
    /// 1.20: the limit counts all elements at all levels together, and is 200 unless said otherwise.
    #[default]
    V1_20,
}

/// How binaries look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binaries {
    /// As a string if all of it is printable, otherwise as bytes.
    #[default]
    Infer,
    /// `<<97, 98, 99>>`.
    Binaries,
    /// `"abc"`, with escapes for what is not printable.
    Strings,
}

/// How lists of small numbers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charlists {
    /// As text if all of it is printable ASCII, otherwise as a list.
    #[default]
    Infer,
    /// `[97, 98, 99]`.
    Lists,
}

impl<'a> Inspect<'a> {
    /// Prints as `inspect(term)` does.
    pub fn new(term: &'a Term) -> Inspect<'a> {
        Inspect {
            term,
            elixir: Elixir::default(),
            width: None,
            limit: None,
            printable_limit: 4096,
            binaries: Binaries::default(),
            charlists: Charlists::default(),
            structs: true,
        }
    }

    /// Prints as this release of Elixir.
    ///
    /// ```
    /// use beamline_term::{Inspect, Term, inspect::Elixir};
    /// let path = Term::charlist("/etc");
    /// assert_eq!(Inspect::new(&path).to_string(), r#"~c"/etc""#);
    /// assert_eq!(Inspect::new(&path).like(Elixir::V1_14).to_string(), "'/etc'");
    /// ```
    pub fn like(mut self, elixir: Elixir) -> Inspect<'a> {
        self.elixir = elixir;
        self
    }

    /// Wraps lines at so many bytes, as `pretty: true, width: width`. Unless called, all is one line.
    pub fn width(mut self, width: usize) -> Inspect<'a> {
        self.width = Some(width);
        self
    }

    /// Shows so many elements and then `...`; `usize::MAX` shows all. What is counted: see [`Elixir`].
    pub fn limit(mut self, limit: usize) -> Inspect<'a> {
        self.limit = Some(limit);
        self
    }

    /// Shows so many characters of each string and charlist. Default 4096.
    pub fn printable_limit(mut self, limit: usize) -> Inspect<'a> {
        self.printable_limit = limit;
        self
    }

    /// How binaries look.
    ///
    /// ```
    /// use beamline_term::{Inspect, Term, inspect::Binaries};
    /// let latin = Term::binary(b"caf\xe9".to_vec());
    /// assert_eq!(Inspect::new(&latin).to_string(), "<<99, 97, 102, 233>>");
    /// assert_eq!(Inspect::new(&latin).binaries(Binaries::Strings).to_string(), r#""caf\xE9""#);
    /// ```
    pub fn binaries(mut self, binaries: Binaries) -> Inspect<'a> {
        self.binaries = binaries;
        self
    }

    /// How lists of small numbers look.
    pub fn charlists(mut self, charlists: Charlists) -> Inspect<'a> {
        self.charlists = charlists;
        self
    }

    /// With `false`, structs look like the maps that they are. Default `true`.
    ///
    /// ```
    /// use beamline_term::{Inspect, term};
    /// let range = term!(%Range{first: 1, last: 9, step: 1});
    /// assert_eq!(range.to_string(), "1..9");
    /// assert_eq!(Inspect::new(&range).structs(false).to_string(), "%{__struct__: Range, first: 1, last: 9, step: 1}");
    /// ```
    pub fn structs(mut self, structs: bool) -> Inspect<'a> {
        self.structs = structs;
        self
    }
}

impl fmt::Display for Inspect<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.width.or(f.alternate().then_some(80));
        let mut document = Document::new(width.is_some());
        walk::write(self, &mut document)?;
        document.write_to(f, width.unwrap_or(usize::MAX), self.elixir >= Elixir::V1_20)
    }
}

impl fmt::Display for Term {
    /// As Elixir's `inspect`; `{:#}` wraps lines at 80 columns.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Inspect::new(self).fmt(f)
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An atom as it is printed on its own.
pub(crate) fn write_atom(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    text::write_atom(f, text, Elixir::default())
}

/// A binary as it is printed on its own.
pub(crate) fn write_binary(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let options = Inspect::new(const { &Term::Integer(0) });
    let mut document = Document::new(false);
    walk::write_bytes(&options, &mut document, bytes)?;
    document.write_to(f, usize::MAX, false)
}
