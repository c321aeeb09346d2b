//! Maps.

use crate::dismantle::{free, nests};
use crate::distinct::are_distinct;
use crate::order::of_keys;
use crate::{Atom, Term, copy, equal};

/// A map. The order of its pairs has no meaning; it is kept as it came, unless a key holds other terms.
///
/// The pairs of a map with such a key stand in Erlang's order of keys. So two of them are compared key by key, whatever these
/// hold, and a map within a key of a map within a key costs neither stack nor to be sorted again.
#[derive(Debug)]
pub struct Map {
    /// Keys and values in turn.
    pub(crate) flat: Box<[Term]>,
}

impl Map {
    /// The map of these pairs; of pairs with equal keys the last counts.
    pub fn new(pairs: impl IntoIterator<Item = (Term, Term)>) -> Map {
        let flat: Vec<Term> = pairs.into_iter().flat_map(<[Term; 2]>::from).collect();
        Map::of_distinct(flat.into()).unwrap_or_else(Map::of_last)
    }

    /// The map of these keys and values in turn; they come back if a key stands twice.
    #[inline]
    pub(crate) fn of_distinct(mut flat: Box<[Term]>) -> Result<Map, Box<[Term]>> {
        let verdict = are_distinct(flat.as_chunks().0).unwrap_or_else(|| by_order(&mut flat));
        if verdict { Ok(Map { flat }) } else { Err(flat) }
    }

    /// Of keys that stand more than once the first is kept, with the last value.
    fn of_last(mut flat: Box<[Term]>) -> Map {
        let mut order: Vec<usize> = (0..flat.len()).step_by(2).collect();
        order.sort_by(|one, two| of_keys(&flat[*one], &flat[*two]));
        let mut is_kept = vec![true; flat.len()];
        let groups: Vec<Vec<usize>> =
            order.chunk_by(|one, two| flat[*one] == flat[*two]).map(<[usize]>::to_vec).collect();
        for group in groups {
            if let [first, .., last] = group[..] {
                flat.swap(first + 1, last + 1);
                group[1..].iter().for_each(|key| is_kept[*key..*key + 2].fill(false));
            }
        }
        let pairs = flat.into_iter().zip(is_kept).filter_map(|(term, is_kept)| is_kept.then_some(term));
        Map { flat: pairs.collect() }
    }

    /// Whether a key holds other terms.
    pub(crate) fn keys_nest(&self) -> bool {
        keys_nest(&self.flat)
    }

    pub(crate) fn pairs(&self) -> &[[Term; 2]] {
        self.flat.as_chunks().0
    }

    /// How many pairs it has.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &Term) -> Option<&Term> {
        self.iter().find(|(own, _)| *own == key).map(|(_, value)| value)
    }

    /// The value of an atom key.
    pub fn get_atom(&self, key: &str) -> Option<&Term> {
        self.iter().find(|(own, _)| own.is_atom(key)).map(|(_, value)| value)
    }

    /// All pairs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Term, &Term)> + ExactSizeIterator {
        self.pairs().iter().map(|[key, value]| (key, value))
    }

    /// The module of an Elixir struct.
    pub fn struct_name(&self) -> Option<&Atom> {
        self.get_atom("__struct__").and_then(Term::as_atom)
    }
}

/// Whether no key stands twice, when equal keys stand side by side. Keys that hold other terms are left in order.
#[cold]
fn by_order(flat: &mut [Term]) -> bool {
    let pairs = flat.as_chunks_mut().0;
    if keys_nest(pairs.as_flattened()) {
        pairs.sort_by(|[one, _], [two, _]: &[Term; 2]| of_keys(one, two));
        return pairs.is_sorted_by(|[one, _], [two, _]| one != two);
    }
    let mut keys: Vec<&Term> = pairs.iter().map(|[key, _]| key).collect();
    keys.sort_by(|one, two| of_keys(one, two));
    keys.is_sorted_by(|one, two| one != two)
}

fn keys_nest(flat: &[Term]) -> bool {
    flat.iter().step_by(2).any(|key| match key {
        // However it is kept.
        Term::List(list) => !list.is_empty(),
        key => nests(key),
    })
}

impl Clone for Map {
    fn clone(&self) -> Map {
        Map { flat: copy::slice(&self.flat) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        free(std::mem::take(&mut self.flat));
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        equal::maps_alone(self, other)
    }
}

impl Eq for Map {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BigInt, term};

    #[test]
    fn of_equal_keys_the_last_counts() {
        let keys =
            [term!(1), term!(1.0), term!({:a, 1}), term!(%{1 => {}}), term!([1]), Term::charlist("a"), term!({})];
        let big = Term::from(BigInt::from(1_u128 << 80));
        for key in keys.into_iter().chain([big]) {
            let pairs = [(key.clone(), 1.into()), ("other".into(), 2.into()), (key.clone(), 3.into())];
            let map = Map::new(pairs.clone());
            assert_eq!((map.len(), map.get(&key), map.get(&"other".into())), (2, Some(&3.into()), Some(&2.into())));
            assert_eq!(map, Map::new(pairs.into_iter().rev().take(2)), "{key}");
        }
    }

    #[test]
    fn equal_keys_that_are_kept_differently_are_the_same() {
        let (bytes, terms) = (Term::charlist("ab"), Term::list([97.into(), 98.into()]));
        let with = |key: &Term| Term::map([("x".into(), 1.into()), (key.clone(), 2.into()), (term!({ 1 }), 3.into())]);
        assert_eq!(with(&bytes), with(&terms));
        let alone = |key: &Term| Term::map([(3.into(), 1.into()), (key.clone(), 2.into())]);
        assert_eq!(alone(&bytes), alone(&terms));
        assert_eq!(Map::new([(bytes, 1.into()), (terms, 2.into())]).len(), 1);
    }
}
