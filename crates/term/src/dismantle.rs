//! Freeing nested terms without recursion: a program may nest terms deeper than a thread's stack could follow.

use std::cell::Cell;

use crate::{Term, pool};

/// Frees what a term held. Apart from the terms' own drop, which is passed for each element and is to stay short.
#[inline(never)]
pub(crate) fn free(mut terms: Box<[Term]>) {
    if terms.len() > pool::LARGEST {
        if terms.iter().any(nests) {
            one_level_deeper(terms, drop);
        }
        return;
    }
    for term in &mut terms {
        if nests(term) {
            return one_level_deeper(terms, |mut terms| {
                terms.iter_mut().for_each(empty);
                pool::give_back(terms);
            });
        }
        empty(term);
    }
    pool::give_back(terms);
}

/// Frees by recursion while that is not deep, and otherwise without.
fn one_level_deeper(terms: Box<[Term]>, free: impl FnOnce(Box<[Term]>)) {
    let depth = DEPTH.get();
    if depth < RECURSION {
        DEPTH.set(depth + 1);
        free(terms);
        DEPTH.set(depth);
    } else {
        dismantle(terms.into());
    }
}

/// Leaves nothing that has to be freed.
#[inline]
fn empty(term: &mut Term) {
    if !owns_nothing(term) {
        *term = Term::Integer(0);
    }
}

/// Whether a term has all that it is in its own place.
#[inline]
pub(crate) fn owns_nothing(term: &Term) -> bool {
    match term {
        Term::Integer(_) | Term::Float(_) => true,
        Term::Atom(atom) => atom.inline().is_some(),
        Term::Binary(binary) => binary.inline().is_some(),
        _ => false,
    }
}

/// Whether a term holds other terms.
#[inline]
pub(crate) fn nests(term: &Term) -> bool {
    match term {
        Term::Tuple(tuple) => !tuple.is_empty(),
        Term::List(list) => list.terms().is_some_and(|terms| !terms.is_empty()),
        Term::Map(map) => !map.is_empty(),
        Term::ImproperList(_) | Term::Record(_) => true,
        _ => false,
    }
}

/// How deep terms are freed by recursion, which needs no memory of its own.
const RECURSION: u32 = 16;

thread_local! {
    /// How deep this thread is in terms that it frees.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Frees terms from the outside in: each gives what it holds to the list of those that wait, and is then freed empty.
fn dismantle(mut waiting: Vec<Term>) {
    while let Some(mut term) = waiting.pop() {
        match &mut term {
            Term::Tuple(tuple) if tuple.iter().any(nests) => waiting.extend(std::mem::take(&mut tuple.0)),
            Term::List(list) if list.terms().is_some_and(|terms| terms.iter().any(nests)) => {
                waiting.extend(list.take_terms());
            }
            Term::Map(map) if map.flat.iter().any(nests) => waiting.extend(std::mem::take(&mut map.flat)),
            Term::ImproperList(list) => {
                waiting.extend(std::mem::take(&mut list.cells));
            }
            Term::Record(record) => {
                waiting.extend(std::mem::take(&mut record.fields).into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{List, Map, Record, Term, atom};

    const DEEP: usize = 300_000;

    #[test]
    fn nesting_deeper_than_the_stack_is_freed() {
        let wraps: [fn(Term) -> Term; 6] = [
            |inner| Term::tuple([inner]),
            |inner| Term::List(List::new([inner])),
            |inner| Term::Map(Map::new([(Term::Integer(1), inner)])),
            |inner| Term::improper([Term::tuple([inner])], Term::Integer(1)),
            |inner| Term::improper([Term::Integer(1)], Term::tuple([inner])),
            |inner| {
                let fields = vec![(atom("x"), inner)];
                Term::Record(Box::new(Record { exported: true, module: atom("m"), name: atom("r"), fields }))
            },
        ];
        for wrap in wraps {
            drop((0..DEEP).fold(Term::nil(), |inner, _| wrap(inner)));
        }
        drop((0..DEEP).fold(Term::nil(), |inner, round| wraps[round % wraps.len()](inner)));
    }
}
