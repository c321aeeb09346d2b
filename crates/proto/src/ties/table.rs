//! A map that needs no memory of its own for its first entry: most processes have one tie, to whoever called them.

use std::collections::HashMap;
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Table<K, V> {
    first: Option<(K, V)>,
    rest: HashMap<K, V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table { first: None, rest: HashMap::new() }
    }
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match &self.first {
            Some((first, value)) if first == key => Some(value),
            _ => self.rest.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.first {
            Some((first, value)) if first == key => Some(value),
            _ => self.rest.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(place) = self.get_mut(&key) {
            *place = value;
        } else if self.first.is_none() {
            self.first = Some((key, value));
        } else {
            self.rest.insert(key, value);
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        match &self.first {
            Some((first, _)) if first == key => self.first.take().map(|(_, value)| value),
            _ => self.rest.remove(key),
        }
    }

    /// Takes out all entries of which `wanted` is true.
    pub(super) fn extract(&mut self, mut wanted: impl FnMut(&V) -> bool) -> Vec<(K, V)> {
        let first = self.first.take_if(|(_, value)| wanted(value));
        first.into_iter().chain(self.rest.extract_if(|_, value| wanted(value))).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.first.iter().map(|(key, value)| (key, value)).chain(&self.rest)
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Chain<std::option::IntoIter<(K, V)>, std::collections::hash_map::IntoIter<K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(steps in prop::collection::vec((0..4u8, 0..5u8), 0..60)) {
            let (mut table, mut model) = (Table::default(), HashMap::new());
            for (step, key) in steps {
                match step {
                    0 | 1 => {
                        table.insert(key, step);
                        model.insert(key, step);
                    }
                    2 => prop_assert_eq!(table.remove(&key), model.remove(&key)),
                    _ => {
                        let mut taken = table.extract(|value| *value == 1);
                        let mut wanted: Vec<_> = model.extract_if(|_, value| *value == 1).collect();
                        taken.sort();
                        wanted.sort();
                        prop_assert_eq!(taken, wanted);
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert!((0..5).all(|key| table.get(&key) == model.get(&key)));
                prop_assert_eq!(table.iter().count(), model.len());
            }
        }
    }
}
