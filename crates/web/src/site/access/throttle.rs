//! Whoever tries secrets waits: after five wrong ones, twice as long each time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many may be wrong without a wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// After so long without another try, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
/// So many addresses are told apart; all others count as one.
const ADDRESSES: usize = 1024;

/// Where a try comes from: an IPv4 address, an IPv6 network of 64 bits, or somewhere.
type Origin = Option<IpAddr>;

#[derive(Default)]
pub(crate) struct Throttle {
    table: Mutex<HashMap<Origin, Tries>>,
}

#[derive(Clone, Copy)]
struct Tries {
    wrong: u32,
    last: Instant,
}

impl Tries {
    fn wait(self) -> Duration {
        match self.wrong.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(over) => Duration::from_secs(1 << over.min(6)).min(LONGEST),
        }
    }
}

impl Throttle {
    /// How long to wait before the next try; `None` if it may be made now.
    pub(crate) fn wait(&self, from: Option<IpAddr>) -> Option<Duration> {
        let now = Instant::now();
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = table.get(&network(from)).or_else(|| table.get(&None))?;
        (tries.last + tries.wait()).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// A secret was wrong.
    pub(crate) fn wrong(&self, from: Option<IpAddr>) {
        let now = Instant::now();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|_, tries| now < tries.last + FORGOTTEN);
        let mut origin = network(from);
        if table.len() >= ADDRESSES && !table.contains_key(&origin) {
            origin = None;
        }
        let tries = table.entry(origin).or_insert(Tries { wrong: 0, last: now });
        *tries = Tries { wrong: tries.wrong.saturating_add(1), last: now };
    }

    /// A secret was right.
    pub(crate) fn right(&self, from: Option<IpAddr>) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).remove(&network(from));
    }
}

fn network(from: Option<IpAddr>) -> Origin {
    from.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        four => four,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_sixth_try_waits_and_each_later_one_longer() {
        let throttle = Throttle::default();
        let here: Option<IpAddr> = Some("10.0.0.1".parse().unwrap());
        for _ in 0..FREE {
            assert_eq!(throttle.wait(here), None);
            throttle.wrong(here);
        }
        let mut waits = Vec::new();
        for _ in 0..8 {
            let wait = throttle.wait(here).unwrap();
            waits.push(wait.as_secs());
            tokio::time::advance(wait).await;
            assert_eq!(throttle.wait(here), None);
            throttle.wrong(here);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(throttle.wait(Some("10.0.0.2".parse().unwrap())), None);
        throttle.right(here);
        assert_eq!(throttle.wait(here), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_and_the_table_is_bounded() {
        let throttle = Throttle::default();
        for last in 0..FREE {
            throttle.wrong(Some(format!("2001:db8::{last}").parse().unwrap()));
        }
        assert!(throttle.wait(Some("2001:db8::ffff".parse().unwrap())).is_some());
        for number in 0..2 * ADDRESSES as u32 {
            throttle.wrong(Some(IpAddr::V4(number.into())));
        }
        assert!(throttle.table.lock().unwrap().len() <= ADDRESSES + 1);
        assert!(throttle.wait(Some("200.0.0.1".parse().unwrap())).is_some());
    }
}
