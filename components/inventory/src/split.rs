//! Splits: from which nodes a reservation takes.
//!
//! `Σ t(n) = min(ordered, available)`, and every split is lawful in the sense of
//! [`crate::availability`]: it leaves every protection that the channel may not use as much as it
//! could have without. The lawful splits form a polymatroid, so that taking as much as is lawful
//! from one node after another always ends at the whole available amount, in whatever order.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tradewind_kernel::Quantity;

use crate::availability::{LawfulSets, Limits, StockView, reservable};

/// With more nodes than this, `fewest-splits` goes by most stock instead of trying every choice.
pub const FEWEST_SPLITS_NODES: usize = 10;

/// How nodes are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// As much as is lawful from the channel's first node, then from the second, …
    #[default]
    NodeOrder,
    /// From as few nodes as can give it; among those, by the channel's order.
    FewestSplits,
    /// The node with the most free stock first; ties by the channel's order.
    MostStock,
}

impl Strategy {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NodeOrder => "node-order",
            Self::FewestSplits => "fewest-splits",
            Self::MostStock => "most-stock",
        }
    }
}

/// What is taken from one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The node.
    pub node: String,
    /// Base units, more than zero.
    pub quantity: Quantity,
}

/// Splits `min(ordered, available)` over the channel's nodes, in the order in which they were
/// taken. Nothing available: an empty split. Whether less than ordered will do is the caller's
/// mode.
#[must_use]
pub fn split(
    view: &StockView,
    channel: &str,
    limits: &Limits,
    ordered: Quantity,
    strategy: Strategy,
) -> Vec<Allocation> {
    let total = reservable(view, channel, limits, ordered);
    let mut nodes: Vec<&str> = Vec::new();
    for node in view.channels.get(channel).into_iter().flatten() {
        if !nodes.contains(&node.as_str()) {
            nodes.push(node);
        }
    }
    let rule = Rule::new(view, channel);
    let chosen = match strategy {
        Strategy::NodeOrder => rule.fill(&nodes, total),
        Strategy::FewestSplits if nodes.len() <= FEWEST_SPLITS_NODES => rule.fewest(&nodes, total),
        Strategy::FewestSplits | Strategy::MostStock => {
            nodes.sort_by_key(|node| Reverse(view.free.get(*node).copied().unwrap_or(0)));
            rule.fill(&nodes, total)
        }
    };
    assert_eq!(sum(&chosen), total, "a split must give all that is available");
    assert!(rule.allows(view, &chosen), "an unlawful split");
    chosen
}

/// Deals a split out to the lines of one order that share the item: the first line first, each
/// from the first allocations that have anything left.
#[must_use]
pub fn deal(split: &[Allocation], lines: &[Quantity]) -> Vec<Vec<Allocation>> {
    let mut rest: Vec<Allocation> = split.to_vec();
    let mut dealt = Vec::with_capacity(lines.len());
    for ordered in lines {
        let mut missing = (*ordered).max(0);
        let mut line = Vec::new();
        for allocation in &mut rest {
            let quantity = allocation.quantity.min(missing);
            if quantity > 0 {
                allocation.quantity = allocation.quantity.saturating_sub(quantity);
                missing = missing.saturating_sub(quantity);
                line.push(Allocation { node: allocation.node.clone(), quantity });
            }
        }
        dealt.push(line);
    }
    dealt
}

/// The rule of lawful splits with its figures.
struct Rule<'a> {
    view: &'a StockView,
    sets: LawfulSets,
    /// By set: `s(D) − m`, what may be taken from its nodes together.
    spare: Vec<Quantity>,
}

impl<'a> Rule<'a> {
    fn new(view: &'a StockView, channel: &str) -> Self {
        let (sets, held) = (LawfulSets::of(view, channel), view.held());
        let slacks: Vec<_> = sets.sets.iter().map(|set| set.slack(&view.free, &held)).collect();
        let minimum = slacks.iter().copied().min().unwrap_or(0);
        let spare = slacks.into_iter().map(|slack| slack.saturating_sub(minimum)).collect();
        Self { view, sets, spare }
    }

    /// As much as is lawful from one node after the other, until `total` is there.
    fn fill(&self, nodes: &[&str], total: Quantity) -> Vec<Allocation> {
        let mut spare = self.spare.clone();
        let mut missing = total;
        let mut chosen = Vec::new();
        for node in nodes {
            let touched = || self.sets.sets.iter().map(|set| set.nodes.contains(*node));
            let free = self.view.free.get(*node).copied().unwrap_or(0);
            let bounds = spare.iter().zip(touched()).filter(|(_, touched)| *touched);
            let lawful = bounds.map(|(spare, _)| *spare).fold(free, Quantity::min);
            let quantity = lawful.min(missing).max(0);
            if quantity == 0 {
                continue;
            }
            for (spare, _) in spare.iter_mut().zip(touched()).filter(|(_, touched)| *touched) {
                *spare = spare.saturating_sub(quantity);
            }
            missing = missing.saturating_sub(quantity);
            chosen.push(Allocation { node: (*node).to_owned(), quantity });
        }
        chosen
    }

    /// The fill of the smallest choice of nodes that gives `total`; of several, the one whose
    /// nodes come first in the channel's order.
    fn fewest(&self, nodes: &[&str], total: Quantity) -> Vec<Allocation> {
        for size in 0..nodes.len() {
            for choice in choices(nodes, size) {
                let chosen = self.fill(&choice, total);
                if sum(&chosen) == total {
                    return chosen;
                }
            }
        }
        self.fill(nodes, total)
    }

    fn allows(&self, view: &StockView, chosen: &[Allocation]) -> bool {
        let taken: BTreeMap<String, Quantity> =
            chosen.iter().map(|one| (one.node.clone(), one.quantity)).collect();
        self.sets.allow(&taken, &view.free, &view.held())
    }
}

/// Every choice of `size` nodes, in lexicographic order of their places.
fn choices<'a>(nodes: &[&'a str], size: usize) -> Vec<Vec<&'a str>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    let mut rest = nodes;
    while let Some((first, others)) = rest.split_first() {
        for mut choice in choices(others, size.saturating_sub(1)) {
            choice.insert(0, *first);
            all.push(choice);
        }
        rest = others;
    }
    all
}

fn sum(chosen: &[Allocation]) -> Quantity {
    chosen.iter().map(|one| one.quantity).fold(0, Quantity::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::HeldView;
    use tradewind_kernel::Day;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// One channel `c` over `free` in that order, and one `d` over `others`, with `held` kept.
    fn stock(free: &[(&str, Quantity)], others: &[&str], held: Quantity) -> StockView {
        let (id, channel) = ("P".to_owned(), "d".to_owned());
        let (from, until) = (day("2026-12-01"), day("2026-12-31"));
        StockView {
            today: day("2026-12-01"),
            free: free.iter().map(|(node, units)| ((*node).to_owned(), *units)).collect(),
            channels: BTreeMap::from([
                ("c".to_owned(), free.iter().map(|(node, _)| (*node).to_owned()).collect()),
                ("d".to_owned(), others.iter().map(|node| (*node).to_owned()).collect()),
            ]),
            protections: vec![HeldView { id, channel, from, until, held }],
        }
    }

    fn text(chosen: &[Allocation]) -> String {
        let parts: Vec<_> = chosen.iter().map(|a| format!("{} {}", a.node, a.quantity)).collect();
        parts.join(" + ")
    }

    #[test]
    fn c45_node_splits() {
        use Strategy::{FewestSplits, MostStock, NodeOrder};
        let four_three: &[(&str, Quantity)] = &[("A", 4), ("B", 3)];
        let three_four: &[(&str, Quantity)] = &[("B", 3), ("A", 4)];
        for (free, ordered, strategy, want) in [
            (four_three, 5, MostStock, "A 4 + B 1"),
            (three_four, 5, MostStock, "A 4 + B 1"),
            (three_four, 5, NodeOrder, "B 3 + A 2"),
            (four_three, 10, NodeOrder, "A 4 + B 3"), // 7 of 10: all-or-nothing refuses it
            (&[("B", 5)], 5, NodeOrder, "B 5"),
            (&[("A", 4 - 2), ("B", 3)], 3, NodeOrder, "A 2 + B 1"),
            (&[("A", 10), ("B", 15)], 13, NodeOrder, "A 10 + B 3"),
            (&[("A", 10), ("B", 15)], 13, FewestSplits, "B 13"),
            (&[("A", 3), ("B", 4), ("C", 5)], 8, FewestSplits, "A 3 + C 5"),
            (&[("A", 3), ("B", 4), ("C", 5)], 12, FewestSplits, "A 3 + B 4 + C 5"),
            (&[("A", 4)], 0, FewestSplits, ""),
            (&[], 5, NodeOrder, ""),
        ] {
            let chosen = split(&stock(free, &[], 0), "c", &Limits::default(), ordered, strategy);
            assert_eq!(text(&chosen), want, "{free:?} {ordered} {}", strategy.code());
        }
    }

    #[test]
    fn a_split_leaves_what_another_channel_protects() {
        let limits = Limits::default();
        for (held, ordered, want) in [
            (100, 250, "A 200"), // domain.md: d keeps all of B, though that does not cover it
            (20, 250, "B 30 + A 200"),
            (20, 40, "B 30 + A 10"),
            (0, 60, "B 50 + A 10"),
        ] {
            let view = stock(&[("B", 50), ("A", 200)], &["B"], held);
            let chosen = split(&view, "c", &limits, ordered, Strategy::NodeOrder);
            assert_eq!(text(&chosen), want, "{held} {ordered}");
        }
        let capped = Limits { cap: Some(30), claimed: 10, ..limits };
        let view = stock(&[("B", 50), ("A", 200)], &["B"], 35);
        let chosen = split(&view, "c", &capped, 250, Strategy::NodeOrder);
        assert_eq!(text(&chosen), "B 15 + A 5");
    }

    #[test]
    fn lines_of_one_order_are_dealt_one_split() {
        let chosen = split(
            &stock(&[("A", 4), ("B", 3)], &[], 0),
            "c",
            &Limits::default(),
            6,
            Strategy::NodeOrder,
        );
        let dealt: Vec<_> = deal(&chosen, &[3, 2, 5]).iter().map(|line| text(line)).collect();
        assert_eq!(dealt, ["A 3", "A 1 + B 1", "B 1"]);
    }
}
