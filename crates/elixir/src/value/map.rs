//! Maps: pairs in the order of their keys, which is that of small maps on the BEAM.

use std::cmp::Ordering;
use std::sync::Arc;

use super::order::compare_keys;
use super::{Charge, SLOT, Size, Value};

/// A map; a change copies the pairs, not what is in them.
#[derive(Clone)]
pub(crate) struct Map(Arc<Inner>);

struct Inner {
    pairs: Vec<(Value, Value)>,
    size: Size,
    _charge: Charge,
}

impl Map {
    pub(super) fn new(mut pairs: Vec<(Value, Value)>, charge: impl FnOnce(usize) -> Charge) -> Map {
        let ordered = pairs.windows(2).all(|pair| compare_keys(&pair[0].0, &pair[1].0) == Ordering::Less);
        if !ordered {
            // Stable, so that of equal keys the last stays last.
            pairs.sort_by(|one, two| compare_keys(&one.0, &two.0));
            pairs.dedup_by(|later, kept| {
                let same = compare_keys(&later.0, &kept.0) == Ordering::Equal;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Map::sorted(pairs, charge)
    }

    pub(super) fn sorted(pairs: Vec<(Value, Value)>, charge: impl FnOnce(usize) -> Charge) -> Map {
        let size = Size::of(pairs.iter().flat_map(|(key, value)| [key, value])).around(SLOT);
        Map(Arc::new(Inner { _charge: charge(pairs.capacity()), pairs, size }))
    }

    pub(crate) fn size(&self) -> Size {
        self.0.size
    }

    pub(crate) fn len(&self) -> usize {
        self.0.pairs.len()
    }

    pub(crate) fn pairs(&self) -> &[(Value, Value)] {
        &self.0.pairs
    }

    /// Where a key is, or where it would be.
    pub(crate) fn find(&self, key: &Value) -> Result<usize, usize> {
        self.0.pairs.binary_search_by(|(own, _)| compare_keys(own, key))
    }

    pub(crate) fn get(&self, key: &Value) -> Option<&Value> {
        self.find(key).ok().and_then(|at| self.0.pairs.get(at)).map(|(_, value)| value)
    }

    pub(crate) fn get_word(&self, key: &'static str) -> Option<&Value> {
        self.get(&Value::word(key))
    }

    pub(crate) fn is_same(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
