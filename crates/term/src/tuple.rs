//! Tuples.

use std::ops::Deref;

use crate::dismantle::free;
use crate::{Term, copy};

/// A tuple: its elements, as a slice.
#[derive(PartialEq, Eq, Default)]
pub struct Tuple(pub(crate) Box<[Term]>);

impl Tuple {
    /// The tuple of these elements.
    pub fn new(elements: impl IntoIterator<Item = Term>) -> Tuple {
        Tuple(elements.into_iter().collect())
    }

    /// Its elements, to be taken apart.
    pub fn into_vec(mut self) -> Vec<Term> {
        std::mem::take(&mut self.0).into_vec()
    }
}

impl Deref for Tuple {
    type Target = [Term];
    fn deref(&self) -> &[Term] {
        &self.0
    }
}

impl From<Vec<Term>> for Tuple {
    fn from(elements: Vec<Term>) -> Tuple {
        Tuple(elements.into())
    }
}

impl From<Box<[Term]>> for Tuple {
    fn from(elements: Box<[Term]>) -> Tuple {
        Tuple(elements)
    }
}

impl<'a> IntoIterator for &'a Tuple {
    type Item = &'a Term;
    type IntoIter = std::slice::Iter<'a, Term>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl IntoIterator for Tuple {
    type Item = Term;
    type IntoIter = std::vec::IntoIter<Term>;
    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl std::fmt::Debug for Tuple {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl Clone for Tuple {
    fn clone(&self) -> Tuple {
        Tuple(copy::slice(&self.0))
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        free(std::mem::take(&mut self.0));
    }
}
