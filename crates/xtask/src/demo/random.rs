//! Chance that repeats: a small generator with a seed, so that one seed is one brand.

/// SplitMix64 (Steele, Lea, Flood 2014): eight lines, passes the usual tests, and its sequence is
/// ours to keep, which no library promises between versions.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The sequence of one purpose under a seed; purposes do not disturb each other, so that one
    /// more draw for an item leaves every customer order as it was.
    #[must_use]
    pub fn of(seed: u64, purpose: &str) -> Self {
        // FNV-1a: only to keep purposes apart.
        let mixed = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state: seed ^ mixed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.saturating_sub(least).unsigned_abs().saturating_add(1);
        // The bias of a remainder is below 2^-40 for spans of this size.
        least.saturating_add_unsigned(self.next() % span)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of several; `None` only when there is none.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(among.len()).ok()?.checked_sub(1)?;
        let place = if last < 0 { return None } else { self.between(0, last) };
        among.get(usize::try_from(place).ok()?)
    }

    /// Puts the elements in an order of chance.
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for place in (1..elements.len()).rev() {
            let other = self.between(0, i64::try_from(place).unwrap_or(0));
            elements.swap(place, usize::try_from(other).unwrap_or(place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_are_one_sequence() {
        let draw = |seed, purpose| {
            let mut random = Random::of(seed, purpose);
            (0..20).map(|_| random.between(-3, 900)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "orders"), draw(7, "orders"));
        assert_ne!(draw(7, "orders"), draw(8, "orders"));
        assert_ne!(draw(7, "orders"), draw(7, "items"));
        assert!(draw(7, "orders").iter().all(|number| (-3..=900).contains(number)));
    }

    #[test]
    fn a_shuffle_keeps_every_element() {
        let mut numbers: Vec<i64> = (0..50).collect();
        Random::of(1, "shuffle").shuffle(&mut numbers);
        assert_ne!(numbers, (0..50).collect::<Vec<_>>());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..50).collect::<Vec<_>>());
        assert_eq!(Random::of(1, "none").choose::<i64>(&[]), None);
    }
}
