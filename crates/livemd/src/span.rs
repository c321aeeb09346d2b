//! Where a part of a notebook stands in the text that it was read from, and whether it is still what is written there.

use std::ops::Range;

/// A part's place in the text. Parts are counted in the order of the notebook, so that a part whose neighbours are gone or have
/// moved shows by its number.
///
/// All spans are equal: two notebooks that say the same are the same, wherever they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    /// None of a part that was never read.
    pub(super) place: Option<Place>,
    /// The part says something else by now.
    pub(super) edited: bool,
}

/// The place of a part that was read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The how manieth part of the notebook it was.
    pub(super) number: usize,
    /// Where what lies between the part before and this one begins: blank lines, marks, what could not be used.
    pub(super) gap: usize,
    /// The part itself.
    pub(super) text: Range<usize>,
    /// The gap holds the mark that parts two Markdown cells.
    pub(super) parted: bool,
    /// Something in it is not closed and would run into whatever follows.
    pub(super) open: bool,
}

impl Span {
    /// Its number, if it was read.
    pub(super) fn number(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.number)
    }

    /// Its place, if it still says what is written there.
    pub(super) fn intact(&self) -> Option<&Place> {
        self.place.as_ref().filter(|_| !self.edited)
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Eq for Span {}
