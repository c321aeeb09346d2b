//! `MapSet`: sets. A field of any set type takes this form with `#[serde(with = "beamline_term::elixir::map_set")]`.
//!
//! A `MapSet` is a map in a struct, with the elements as keys. Elixir up to 1.14 puts a version beside it, later ones do not;
//! both are read. It is written as by the later ones, which every version's functions take; `==` with a set that
//! Elixir 1.14 made is false there, `MapSet.equal?/2` is true.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::List;

/// A set that is an Elixir `MapSet`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapSet<T>(pub BTreeSet<T>);

impl<T> Default for MapSet<T> {
    fn default() -> MapSet<T> {
        MapSet(BTreeSet::new())
    }
}

impl<T> Deref for MapSet<T> {
    type Target = BTreeSet<T>;
    fn deref(&self) -> &BTreeSet<T> {
        &self.0
    }
}

impl<T> DerefMut for MapSet<T> {
    fn deref_mut(&mut self) -> &mut BTreeSet<T> {
        &mut self.0
    }
}

impl<T: Ord> FromIterator<T> for MapSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> MapSet<T> {
        MapSet(elements.into_iter().collect())
    }
}

impl<T> IntoIterator for MapSet<T> {
    type Item = T;
    type IntoIter = std::collections::btree_set::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a MapSet<T> {
    type Item = &'a T;
    type IntoIter = std::collections::btree_set::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> From<BTreeSet<T>> for MapSet<T> {
    fn from(set: BTreeSet<T>) -> MapSet<T> {
        MapSet(set)
    }
}

impl<T: Ord> From<HashSet<T>> for MapSet<T> {
    fn from(set: HashSet<T>) -> MapSet<T> {
        set.into_iter().collect()
    }
}

impl<T> From<MapSet<T>> for BTreeSet<T> {
    fn from(set: MapSet<T>) -> BTreeSet<T> {
        set.0
    }
}

impl<T: Eq + Hash> From<MapSet<T>> for HashSet<T> {
    fn from(set: MapSet<T>) -> HashSet<T> {
        set.into_iter().collect()
    }
}

impl<T: Serialize> Serialize for MapSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for MapSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MapSet<T>, D::Error> {
        deserialize(deserializer).map(MapSet)
    }
}

/// Writes a set.
///
/// # Errors
/// An element's own `Serialize` fails.
pub fn serialize<'a, C, T, S>(set: &'a C, serializer: S) -> Result<S::Ok, S::Error>
where
    &'a C: IntoIterator<Item = &'a T>,
    T: Serialize + 'a,
    S: Serializer,
{
    let mut fields = serializer.serialize_struct("%MapSet", 1)?;
    fields.serialize_field("map", &Keys(set))?;
    fields.end()
}

/// Reads a set.
///
/// # Errors
/// Something else stands there.
pub fn deserialize<'de, C, T, D>(deserializer: D) -> Result<C, D::Error>
where
    C: IntoIterator<Item = T> + FromIterator<T>,
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct SetVisitor<C, T>(PhantomData<(C, T)>);

    impl<'de, C: FromIterator<T>, T: Deserialize<'de>> Visitor<'de> for SetVisitor<C, T> {
        type Value = C;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a MapSet")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<C, A::Error> {
            let mut elements = None;
            while let Some(field) = fields.next_key::<Field>()? {
                match field {
                    Field::Map => elements = Some(fields.next_value::<KeysOf<T>>()?.0),
                    Field::Other => drop(fields.next_value::<IgnoredAny>()?),
                }
            }
            let elements = elements.ok_or_else(|| serde::de::Error::missing_field("map"))?;
            Ok(elements.into_iter().collect())
        }
    }

    deserializer.deserialize_struct("%MapSet", &["map"], SetVisitor(PhantomData))
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Map,
    #[serde(other)]
    Other,
}

/// The elements as the keys of a map.
struct Keys<'a, C>(&'a C);

impl<'a, C, T> Serialize for Keys<'a, C>
where
    &'a C: IntoIterator<Item = &'a T>,
    T: Serialize + 'a,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for element in self.0 {
            map.serialize_entry(element, &List::new([]))?;
        }
        map.end()
    }
}

struct KeysOf<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for KeysOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeysOf<T>, D::Error> {
        struct KeysVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for KeysVisitor<T> {
            type Value = KeysOf<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map whose keys are the elements of a set")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<KeysOf<T>, A::Error> {
                let mut all = Vec::new();
                while let Some((element, IgnoredAny)) = pairs.next_entry()? {
                    all.push(element);
                }
                Ok(KeysOf(all))
            }
        }

        deserializer.deserialize_map(KeysVisitor(PhantomData))
    }
}
