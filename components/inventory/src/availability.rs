//! Channel availability: how much of an item a channel may take now.
//!
//! The most that channel `c` can take from the free stock of its own nodes while every protection
//! that it may not use keeps as much of its `held` from its own channel's nodes as it could have
//! without `c`. With `N(·)` = nodes of a channel and D ranging over the sets of those protections,
//! `s(D) = Σ free(N(D)) − Σ held(D)`, `m = min s(D)` and
//!
//! `available(c) = max(0, min(cap − open claims of c, most − m))`, where
//! `most = min over D of [Σ free(N(c) ∪ N(D)) − Σ held(D)]`,
//!
//! which is a maximum flow (`docs/domain.md`, Stock). A split that takes `t(n)` from node n is
//! lawful when `t(n) ≤ free(n)` and `s(D) − Σ t(N(D)) ≥ m` for every D.
//!
//! Of all D with the same nodes only the largest can bind, because `held` is never below zero. So
//! [`LawfulSets`] keeps one D for each union of nodes: the result is the same, the guards are few.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::{Day, Quantity};

/// Protections that may be live or future on one item. Each may double the sets D, so that a
/// reserve guards at most 64 of them; refused at the door, never cut off here.
pub const MOST_PROTECTIONS: usize = 6;

/// A protection as availability sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldView {
    /// Its id.
    pub id: String,
    /// The channel it is kept for.
    pub channel: String,
    /// The first day of its window.
    pub from: Day,
    /// The last day of its window; past it, nothing is held.
    pub until: Day,
    /// `max(0, quantity − used − inbound)`, what is short of it included.
    pub held: Quantity,
}

impl HeldView {
    /// Whether it is live or future: one whose window has passed keeps nothing.
    #[must_use]
    pub fn is_standing(&self, today: Day) -> bool {
        self.until >= today
    }

    /// Whether `channel` may use it: its own channel, with today inside its window.
    #[must_use]
    pub fn may_use(&self, channel: &str, today: Day) -> bool {
        self.channel == channel && (self.from..=self.until).contains(&today)
    }
}

/// The stock of one item, as it decides what channels may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockView {
    /// The business day.
    pub today: Day,
    /// Free units by node: sellable less open claims. A node left out has none.
    pub free: BTreeMap<String, Quantity>,
    /// The nodes of every channel, in the channel's order.
    pub channels: BTreeMap<String, Vec<String>>,
    /// Protections of the item.
    pub protections: Vec<HeldView>,
}

/// What a channel's own settings allow of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most open claims that the channel may have; none: no cap.
    pub cap: Option<Quantity>,
    /// The channel's open claims now.
    pub claimed: Quantity,
    /// Units kept back from what is published.
    pub buffer: Quantity,
    /// Below this, nothing is published.
    pub zero_threshold: Quantity,
}

impl Limits {
    /// What the cap still allows, below zero when it was lowered under the open claims.
    #[must_use]
    pub fn room(&self) -> Quantity {
        self.cap.map_or(Quantity::MAX, |cap| cap.saturating_sub(self.claimed))
    }

    /// `max(0, available − buffer)`, and zero when that is below the zero-threshold.
    #[must_use]
    pub fn published(&self, available: Quantity) -> Quantity {
        let rest = available.saturating_sub(self.buffer).max(0);
        if rest < self.zero_threshold { 0 } else { rest }
    }
}

/// A set D that a reserve must respect: the protections, and the nodes that can serve them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawfulSet {
    /// `N(D)`.
    pub nodes: BTreeSet<String>,
    /// The ids of D: every foreign protection that only these nodes can serve, sorted.
    pub protections: Vec<String>,
}

impl LawfulSet {
    /// `s(D) = Σ free(N(D)) − Σ held(D)`, over figures that may be newer than those that made it.
    #[must_use]
    pub fn slack(
        &self,
        free: &BTreeMap<String, Quantity>,
        held: &BTreeMap<String, Quantity>,
    ) -> Quantity {
        over(free, &self.nodes).saturating_sub(over(held, &self.protections))
    }
}

/// The sets D of one channel: one for each union of nodes, the empty one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawfulSets {
    /// At most 2 to the number of protections that the channel may not use.
    pub sets: Vec<LawfulSet>,
}

impl LawfulSets {
    /// The sets for `channel`. They depend on the network, the windows and the day, not on stock:
    /// a protection that holds nothing now is in them, for it may hold something later.
    #[must_use]
    pub fn of(view: &StockView, channel: &str) -> Self {
        let foreign = |protection: &&HeldView| {
            protection.is_standing(view.today) && !protection.may_use(channel, view.today)
        };
        let nodes_of = |protection: &HeldView| -> BTreeSet<String> {
            view.channels.get(&protection.channel).into_iter().flatten().cloned().collect()
        };
        let foreign: Vec<(String, BTreeSet<String>)> = view
            .protections
            .iter()
            .filter(foreign)
            .map(|protection| (protection.id.clone(), nodes_of(protection)))
            .collect();

        let mut unions: BTreeSet<BTreeSet<String>> = BTreeSet::from([BTreeSet::new()]);
        for (_, nodes) in &foreign {
            let wider: Vec<_> = unions.iter().map(|union| union | nodes).collect();
            unions.extend(wider);
        }
        let set = |nodes: BTreeSet<String>| {
            let inside = foreign.iter().filter(|(_, of)| of.is_subset(&nodes));
            let mut protections: Vec<String> = inside.map(|(id, _)| id.clone()).collect();
            protections.sort_unstable();
            LawfulSet { nodes, protections }
        };
        let sets = Self { sets: unions.into_iter().map(set).collect() };
        assert!(sets.sets.first().is_some_and(|set| set.nodes.is_empty()), "no empty set");
        sets
    }

    /// `m`, the least `s(D)`: zero or below, as the empty set is among them.
    #[must_use]
    pub fn minimum(
        &self,
        free: &BTreeMap<String, Quantity>,
        held: &BTreeMap<String, Quantity>,
    ) -> Quantity {
        self.sets.iter().map(|set| set.slack(free, held)).min().unwrap_or(0)
    }

    /// Whether a split keeps to the rule on these figures: `0 ≤ t(n) ≤ free(n)`, and
    /// `s(D) − Σ t(N(D)) ≥ m` for every D.
    #[must_use]
    pub fn allow(
        &self,
        split: &BTreeMap<String, Quantity>,
        free: &BTreeMap<String, Quantity>,
        held: &BTreeMap<String, Quantity>,
    ) -> bool {
        let minimum = self.minimum(free, held);
        let there = |(node, taken): (&String, &Quantity)| {
            *taken >= 0 && *taken <= free.get(node).copied().unwrap_or(0)
        };
        let leaves = |set: &LawfulSet| {
            set.slack(free, held).saturating_sub(over(split, &set.nodes)) >= minimum
        };
        split.iter().all(there) && self.sets.iter().all(leaves)
    }
}

impl StockView {
    /// What each standing protection holds, by id.
    #[must_use]
    pub fn held(&self) -> BTreeMap<String, Quantity> {
        let standing = self.protections.iter().filter(|one| one.is_standing(self.today));
        standing.map(|one| (one.id.clone(), one.held.max(0))).collect()
    }
}

/// The lawful amount of `channel` before its cap: the maximum flow. Zero for an unknown channel.
#[must_use]
pub fn unlimited(view: &StockView, channel: &str) -> Quantity {
    let (sets, held) = (LawfulSets::of(view, channel), view.held());
    let own: BTreeSet<String> = view.channels.get(channel).into_iter().flatten().cloned().collect();
    let with_own = |set: &LawfulSet| {
        over(&view.free, &(&own | &set.nodes)).saturating_sub(over(&held, &set.protections))
    };
    let most = sets.sets.iter().map(with_own).min().unwrap_or(0);
    let rest = most.saturating_sub(sets.minimum(&view.free, &held));
    assert!(rest >= 0, "more nodes cannot give less");
    rest
}

/// What `channel` may take: what a reserve obeys, and a buffer does not lower.
#[must_use]
pub fn available(view: &StockView, channel: &str, limits: &Limits) -> Quantity {
    unlimited(view, channel).min(limits.room()).max(0)
}

/// How much of `ordered` the channel may take: `min(ordered, available)`. Lines of one order on
/// the same item count together: pass their sum.
#[must_use]
pub fn reservable(view: &StockView, channel: &str, limits: &Limits, ordered: Quantity) -> Quantity {
    available(view, channel, limits).min(ordered).max(0)
}

/// The sum of some counters; one that is not there is zero, and so is one below zero: free stock
/// never is, but counters read one after the other may look so.
fn over<'a>(
    counters: &BTreeMap<String, Quantity>,
    keys: impl IntoIterator<Item = &'a String>,
) -> Quantity {
    let values = keys.into_iter().filter_map(|key| counters.get(key));
    values.map(|value| (*value).max(0)).fold(0, Quantity::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn held(id: &str, channel: &str, from: &str, held: Quantity) -> HeldView {
        let (id, channel) = (id.to_owned(), channel.to_owned());
        HeldView { id, channel, from: day(from), until: day("2026-12-31"), held }
    }

    fn stock(
        free: &[(&str, Quantity)],
        channels: &[(&str, &[&str])],
        protections: Vec<HeldView>,
    ) -> StockView {
        let nodes = |nodes: &[&str]| nodes.iter().map(|node| (*node).to_owned()).collect();
        StockView {
            today: day("2026-12-01"),
            free: free.iter().map(|(node, units)| ((*node).to_owned(), *units)).collect(),
            channels: channels.iter().map(|(id, of)| ((*id).to_owned(), nodes(of))).collect(),
            protections,
        }
    }

    fn taking(split: &[(&str, Quantity)]) -> BTreeMap<String, Quantity> {
        split.iter().map(|(node, units)| ((*node).to_owned(), *units)).collect()
    }

    #[test]
    fn what_only_the_protected_channel_reaches_serves_its_protection_first() {
        let view = stock(
            &[("F", 80), ("O", 300)],
            &[("amazon", &["F", "O"]), ("web", &["O"])],
            vec![held("P", "amazon", "2026-12-16", 100)],
        );
        assert_eq!(unlimited(&view, "web"), 280);
        assert_eq!(unlimited(&view, "amazon"), 280, "its own window is not open yet");
        let open = StockView { today: day("2026-12-16"), ..view.clone() };
        assert_eq!(unlimited(&open, "amazon"), 380);
        let past = StockView { today: day("2027-01-01"), ..view };
        assert_eq!(unlimited(&past, "web"), 300);
    }

    #[test]
    fn a_short_protection_keeps_all_it_can_have() {
        let view = stock(
            &[("B", 50), ("A", 200)],
            &[("c", &["A", "B"]), ("d", &["B"])],
            vec![held("P", "d", "2026-12-01", 100)],
        );
        assert_eq!(unlimited(&view, "c"), 200);
        let (sets, kept) = (LawfulSets::of(&view, "c"), view.held());
        assert_eq!(sets.minimum(&view.free, &kept), -50);
        assert!(sets.allow(&taking(&[("A", 200)]), &view.free, &kept));
        assert!(!sets.allow(&taking(&[("A", 199), ("B", 1)]), &view.free, &kept), "d keeps B");
        assert!(!sets.allow(&taking(&[("A", 201)]), &view.free, &kept));
        assert!(!sets.allow(&taking(&[("A", -1)]), &view.free, &kept));
        assert_eq!(unlimited(&view, "d"), 50);
    }

    #[test]
    fn the_main_job_before_and_after_the_delay() {
        for (kept, wholesale, amazon, web) in [(0, 40, 80, 40), (50, 30, 30, 30)] {
            let view = stock(
                &[("FBA", 40), ("OWN", 40)],
                &[("wholesale", &["OWN"]), ("amazon", &["FBA", "OWN"]), ("web", &["OWN"])],
                vec![held("P-AMZ", "amazon", "2026-12-16", kept)],
            );
            for (channel, want) in [("wholesale", wholesale), ("amazon", amazon), ("web", web)] {
                assert_eq!(available(&view, channel, &Limits::default()), want, "{channel}");
            }
        }
    }

    #[test]
    fn caps_limit_what_is_available_and_buffers_what_is_published() {
        let view = stock(&[("A", 51)], &[("c", &["A"])], vec![]);
        for (cap, claimed, buffer, zero_threshold, want, shown) in [
            (None, 29, 0, 0, 51, 51), // C54: on hand 80, reserved 29
            (None, 29, 5, 0, 51, 46), // C54: with a buffer
            (None, 0, 60, 0, 51, 0),
            (None, 0, 5, 46, 51, 46),
            (None, 0, 5, 47, 51, 0),
            (Some(40), 29, 0, 0, 11, 11),
            (Some(20), 29, 0, 0, 0, 0),
        ] {
            let limits = Limits { cap, claimed, buffer, zero_threshold };
            let available = available(&view, "c", &limits);
            assert_eq!((available, limits.published(available)), (want, shown), "{limits:?}");
        }
        let sold = stock(&[("A", 0)], &[("c", &["A"])], vec![]); // C54: 2 on hand, both sold
        assert_eq!(Limits::default().published(available(&sold, "c", &Limits::default())), 0);
    }

    #[test]
    fn an_order_reserves_what_is_free_and_its_lines_count_together() {
        // C43: nodes 2 and 2; C44: 4 and 4 with 2 reserved; C43: 10 with 3 of one's own.
        for (free, ordered, want) in [
            (&[("L1", 2)][..], 2, 2),
            (&[("L1", 2)], 3, 2),
            (&[("L1", 2)], 2 + 2 + 2, 2),
            (&[("L1", 4), ("L2", 2)], 7, 6),
            (&[("L2", 2)], 2, 2),
            (&[("L2", 2)], 3, 2),
            (&[("L1", 7)], 10 - 3, 7),
            (&[("L1", 7)], 11 - 3, 7),
        ] {
            let view = stock(free, &[("c", &["L1", "L2"])], vec![]);
            assert_eq!(reservable(&view, "c", &Limits::default(), ordered), want);
        }
        let view = stock(&[("L1", 2)], &[("c", &["L9"])], vec![]);
        assert_eq!(reservable(&view, "c", &Limits::default(), 1), 0, "not stocked there");
        assert_eq!(reservable(&view, "nobody", &Limits::default(), 1), 0);
    }

    #[test]
    fn sets_with_the_same_nodes_are_one() {
        let protections = vec![
            held("P1", "a", "2026-12-16", 1),
            held("P2", "b", "2026-12-16", 2),
            held("P3", "b", "2026-12-20", 3),
            held("P4", "web", "2026-12-01", 4),
        ];
        let shared: &[(&str, &[&str])] =
            &[("a", &["X", "Y"]), ("b", &["Y", "X"]), ("web", &["X"]), ("nowhere", &[])];
        let view = stock(&[("X", 9), ("Y", 9)], shared, protections);
        let sets = LawfulSets::of(&view, "web");
        let ids: Vec<_> = sets.sets.iter().map(|set| set.protections.join(" ")).collect();
        assert_eq!(ids, ["", "P1 P2 P3"], "its own open protection is not in them");
        let sets = LawfulSets::of(&view, "nowhere");
        let ids: Vec<_> = sets.sets.iter().map(|set| set.protections.join(" ")).collect();
        assert_eq!(ids, ["", "P4", "P1 P2 P3 P4"]);
    }
}
