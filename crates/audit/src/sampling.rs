//! How many events of callers that did not authenticate are written: an attacker must fill neither the trail, where they would push out the
//! events that matter, nor the memory.
//!
//! Addresses are not kept. Each counts in two of a fixed number of cells, chosen by a hash that nobody outside can compute; what counts is
//! the lower of the two, so that two addresses rarely share a budget. A client that holds an IPv6 network is one source.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Cells in each of the two rows; 64 KiB in all.
const CELLS: usize = 4_096;

/// Decides which events of unauthenticated callers are written.
#[derive(Debug)]
pub(crate) struct Sampler {
    rows: [Box<[Cell]>; 2],
    keys: [RandomState; 2],
    all: Cell,
    per_source: u32,
    in_all: u32,
}

/// A second in the upper half, and how many came in it in the lower.
#[derive(Debug, Default)]
struct Cell(AtomicU64);

impl Cell {
    /// Counts one more in that second, and says how many it makes.
    fn count(&self, second: u32) -> u32 {
        let fresh = u64::from(second) << 32;
        let next =
            |cell: u64| if cell >> 32 == u64::from(second) { cell.saturating_add(1).min(fresh | u64::from(u32::MAX)) } else { fresh | 1 };
        // The closure always gives a value, so neither arm is an error.
        let before = match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |cell| Some(next(cell))) {
            Ok(before) | Err(before) => before,
        };
        u32::try_from(next(before) & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}

impl Sampler {
    pub(crate) fn new(per_source: u32, in_all: u32) -> Sampler {
        let row = || (0..CELLS).map(|_| Cell::default()).collect();
        Sampler { rows: [row(), row()], keys: [RandomState::new(), RandomState::new()], all: Cell::default(), per_source, in_all }
    }

    /// Whether the event of a call that came from `source` in that second is to be written.
    pub(crate) fn admit(&self, source: IpAddr, second: u32) -> bool {
        let network = network(source);
        let mut fewest = u32::MAX;
        for (row, key) in self.rows.iter().zip(&self.keys) {
            let cell = usize::try_from(key.hash_one(network) % CELLS as u64).unwrap_or(0);
            if let Some(cell) = row.get(cell) {
                fewest = fewest.min(cell.count(second));
            }
        }
        // A source that is beyond its own share takes nothing from that of all.
        fewest <= self.per_source && self.all.count(second) <= self.in_all
    }
}

/// What counts as one source: an IPv4 address, also one that is mapped into IPv6, or the 64 bits of an IPv6 network.
fn network(source: IpAddr) -> u64 {
    match source.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn admitted(sampler: &Sampler, source: &str, second: u32, calls: usize) -> usize {
        (0..calls).filter(|_| sampler.admit(address(source), second)).count()
    }

    #[test]
    fn a_source_has_its_share_of_every_second() {
        let sampler = Sampler::new(100, 1_000);
        assert_eq!(admitted(&sampler, "192.0.2.1", 0, 5_000), 100);
        assert_eq!(admitted(&sampler, "192.0.2.2", 0, 99), 99, "another source has its own");
        assert_eq!(admitted(&sampler, "192.0.2.1", 1, 5_000), 100, "and so has the next second");
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_address_are_one_source_each() {
        let sampler = Sampler::new(100, 1_000);
        let of_many = (0..5_000).filter(|host| sampler.admit(address(&format!("2001:db8:1:2::{host:x}")), 7)).count();
        assert_eq!(of_many, 100);
        assert_eq!(admitted(&sampler, "::ffff:192.0.2.1", 7, 60) + admitted(&sampler, "192.0.2.1", 7, 60), 100);
    }

    #[test]
    fn many_sources_together_stay_below_the_share_of_all() {
        let sampler = Sampler::new(100, 1_000);
        let admitted = (0..200_000_u32).filter(|host| sampler.admit(IpAddr::V4((0x0a00_0000 + host).into()), 3)).count();
        assert_eq!(admitted, 1_000);
    }

    #[test]
    fn an_endless_count_does_not_reach_the_second() {
        let cell = Cell(AtomicU64::new(5 << 32 | u64::from(u32::MAX)));
        assert_eq!(cell.count(5), u32::MAX);
        assert_eq!(cell.count(5), u32::MAX);
        assert_eq!(cell.count(6), 1);
    }
}
