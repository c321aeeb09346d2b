//! Names for nodes that come without one ("dynamic node names", as of remote shells).
//!
//! As OTP: a name is a random number in base 36 at the guest's host. When its connection ends the name is free, and the
//! next guest of that host gets it with the following creation, so that atoms of names do not pile up in the cluster.
//! Only so many free names are remembered; the oldest is forgotten first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use beamline_proto::{NameError, NodeName};
use beamline_term::Creation;

/// How many free names are remembered.
const REMEMBERED: usize = 1000;

/// The free names, the latest freed last.
#[derive(Clone, Default)]
pub(crate) struct Guests(Arc<Mutex<VecDeque<(NodeName, Creation)>>>);

/// A name that was given to a guest; free again when this is dropped.
pub(crate) struct GivenName {
    guests: Guests,
    pub(crate) name: NodeName,
    pub(crate) creation: Creation,
}

impl Guests {
    /// A name on this host that no other guest has.
    ///
    /// # Errors
    /// The host cannot be part of a name.
    pub(crate) fn give(&self, host: &str) -> Result<GivenName, NameError> {
        let freed = {
            let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let place = free.iter().rposition(|(name, _)| name.host() == host);
            place.and_then(|place| free.remove(place))
        };
        let (name, creation) = match freed {
            Some((name, creation)) => (name, following(creation)),
            None => (format!("{}@{host}", base36(rand::random())).parse()?, rand::random_range(4..=u32::MAX)),
        };
        Ok(GivenName { guests: self.clone(), name, creation: Creation::new(creation) })
    }
}

impl Drop for GivenName {
    fn drop(&mut self) {
        let mut free = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() >= REMEMBERED {
            free.pop_front();
        }
        free.push_back((self.name.clone(), self.creation));
    }
}

/// The lowest four are no creations of nodes.
fn following(creation: Creation) -> u32 {
    creation.get().checked_add(1).unwrap_or(4)
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(number % 36) as usize]);
        number /= 36;
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_name_comes_back_on_its_host_with_the_following_creation() {
        let guests = Guests::default();
        let one = guests.give("h").unwrap();
        let two = guests.give("h").unwrap();
        assert_ne!(one.name, two.name);
        assert!(one.name.host() == "h" && one.creation.get() >= 4);
        let (name, creation) = (one.name.clone(), one.creation);
        drop(one);
        assert_ne!(guests.give("other").unwrap().name, name);
        let again = guests.give("h").unwrap();
        assert_eq!((&again.name, again.creation.get()), (&name, following(creation)));
        assert_eq!(following(Creation::new(u32::MAX)), 4);
    }

    #[test]
    fn a_host_that_is_none_gives_no_name() {
        let guests = Guests::default();
        assert!(guests.give("").is_err() && guests.give("a@b").is_err() && guests.give(&"x".repeat(300)).is_err());
    }

    #[test]
    fn only_so_many_are_remembered() {
        let guests = Guests::default();
        let given: Vec<GivenName> = (0..REMEMBERED + 10).map(|_| guests.give("h").unwrap()).collect();
        drop(given);
        assert_eq!(guests.0.lock().unwrap().len(), REMEMBERED);
    }

    #[test]
    fn base_36_is_written_from_the_front() {
        assert_eq!((base36(35), base36(36), base36(36 * 36 + 1)), ("Z".into(), "10".into(), "101".into()));
    }
}
