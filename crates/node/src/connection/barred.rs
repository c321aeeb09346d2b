//! Peers whose connection was lost, and which are not connected with again unless somebody says so
//! ([`AutoConnect::Once`](crate::AutoConnect)).

use std::collections::HashMap;

use beamline_proto::NodeName;

/// So many are remembered; then the longest lost is forgotten. Only who has the cookie gets in here, but a cluster whose
/// nodes never have the same name twice has no end of them.
const MOST: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Barred {
    /// Each with its place in the order of their losses.
    lost: HashMap<NodeName, u64>,
    losses: u64,
}

impl Barred {
    pub(super) fn add(&mut self, peer: &NodeName) {
        self.losses += 1;
        self.lost.insert(peer.clone(), self.losses);
        if self.lost.len() > MOST {
            // Half of them: looking through all for each would be slow.
            let oldest = self.losses - MOST as u64 / 2;
            self.lost.retain(|_, loss| *loss > oldest);
        }
    }

    pub(super) fn lift(&mut self, peer: &NodeName) {
        self.lost.remove(peer);
    }

    pub(super) fn contains(&self, peer: &NodeName) -> bool {
        self.lost.contains_key(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lost_are_forgotten() {
        let name = |number: usize| format!("n{number}@h").parse().unwrap();
        let mut barred = Barred::default();
        (0..=MOST).for_each(|number| barred.add(&name(number)));
        assert!(!barred.contains(&name(0)) && barred.contains(&name(MOST)));
        assert_eq!(barred.lost.len(), MOST / 2);
        barred.lift(&name(MOST));
        assert!(!barred.contains(&name(MOST)));
    }
}
