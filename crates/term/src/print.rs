//! Printing terms as Erlang does: `~p` (lists and binaries of text as strings) and `~w` (everything as it is), on one line
//! or in lines of a width.
//!
//! Follows `io_lib` and `io_lib_pretty` of the standard library on a node started with `+pc unicode`: the quoting of atoms,
//! the shortest form of floats, where lines break. Maps stand in the order of their keys.

mod layout;
mod text;
mod tree;

use std::fmt::{self, Display, Formatter};

use crate::Term;
use tree::Tree;

/// A term as Erlang prints it.
///
/// `{}` prints one line, `{:#}` lines of 80 characters as `io:format("~tp", [Term])` does. What nests deeper than 128 levels is
/// `...`.
///
/// ```
/// use beamline_term::{Term, atom, print::Erlang};
/// let term = Term::tuple([atom("Hello").into(), "x".into(), Term::charlist("abc")]);
/// assert_eq!(Erlang::new(&term).to_string(), r#"{'Hello',<<"x">>,"abc"}"#);
/// assert_eq!(Erlang::raw(&term).to_string(), "{'Hello',<<120>>,[97,98,99]}");
/// assert_eq!(Erlang::new(&term).width(22).to_string(), "{'Hello',<<\"x\">>,\n         \"abc\"}");
/// ```
#[derive(Debug, Clone)]
pub struct Erlang<'a> {
    term: &'a Term,
    raw: bool,
    width: Option<usize>,
}

impl<'a> Erlang<'a> {
    /// As `~0tp` prints it.
    pub fn new(term: &'a Term) -> Erlang<'a> {
        Erlang { term, raw: false, width: None }
    }

    /// As `~tw` prints it.
    pub fn raw(term: &'a Term) -> Erlang<'a> {
        Erlang { term, raw: true, width: None }
    }

    /// In lines of so many characters, as `~40tp` does with 40.
    pub fn width(mut self, width: usize) -> Erlang<'a> {
        self.width = Some(width);
        self
    }
}

impl Display for Erlang<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tree = Tree::new(self.term, self.raw)?;
        match self.width.or(f.alternate().then_some(80)) {
            Some(width) => layout::write(&tree, f, width),
            None => tree.write(f),
        }
    }
}
