//! Availability and splits against a real maximum flow, and against every split there is.
#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tradewind_inventory::availability::{
    HeldView, LawfulSets, Limits, StockView, available, unlimited,
};
use tradewind_inventory::split::{Allocation, Strategy as Way, deal, split};
use tradewind_kernel::{Day, Quantity};

const CHANNELS: [&str; 4] = ["a", "b", "c", "d"];
const NODES: [&str; 4] = ["W", "X", "Y", "Z"];

/// A failing case is printed whole; it becomes a table test, not a file of seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn day(number: i64) -> Day {
    "2026-12-01".parse::<Day>().unwrap().plus(number)
}

/// Stock of up to 3 units on 4 nodes, four channels over any of them, up to six protections.
fn stocks() -> impl Strategy<Value = StockView> {
    let free = prop::array::uniform4(0i64..4);
    let nodes = Just(NODES.to_vec()).prop_shuffle();
    let channels = prop::collection::vec((nodes, 0usize..5), CHANNELS.len());
    let protection = (0..CHANNELS.len(), -3i64..3, 0i64..4, 0i64..5);
    let protections = prop::collection::vec(protection, 0..7);
    (free, channels, protections).prop_map(|(free, channels, protections)| {
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let channel = |(nodes, count): (Vec<&'static str>, usize)| {
            owned(nodes.into_iter().take(count).collect())
        };
        let held = |(index, (channel, from, length, held)): (usize, (usize, i64, i64, i64))| {
            let (id, channel) = (format!("P{index}"), CHANNELS[channel].to_owned());
            HeldView { id, channel, from: day(from), until: day(from + length), held }
        };
        StockView {
            today: day(0),
            free: owned(NODES.to_vec()).into_iter().zip(free).collect(),
            channels: owned(CHANNELS.to_vec())
                .into_iter()
                .zip(channels.into_iter().map(channel))
                .collect(),
            protections: protections.into_iter().enumerate().map(held).collect(),
        }
    })
}

/// The protections that the channel may not use: by nodes and what they hold.
fn foreign(view: &StockView, channel: &str) -> Vec<(BTreeSet<String>, Quantity)> {
    let inside = |one: &HeldView| one.from <= view.today && view.today <= one.until;
    let stands = view.protections.iter().filter(|one| one.until >= view.today);
    let foreign = stands.filter(|one| one.channel != channel || !inside(one));
    let nodes = |one: &HeldView| view.channels[&one.channel].iter().cloned().collect();
    foreign.map(|one| (nodes(one), one.held)).collect()
}

/// The most that these demands can get together: a maximum flow, one unit and one augmenting path
/// at a time.
fn flow(free: &BTreeMap<String, Quantity>, demands: &[(BTreeSet<String>, Quantity)]) -> Quantity {
    let mut given: BTreeMap<(usize, String), Quantity> = BTreeMap::new();
    let mut total = 0;
    for (start, (_, wanted)) in demands.iter().enumerate() {
        for _ in 0..*wanted {
            let Some(path) = path(free, demands, &given, start) else { break };
            for step in path {
                *given.entry(step.0).or_default() += step.1;
            }
            total += 1;
        }
    }
    total
}

type Step = ((usize, String), Quantity);

/// From a demand to a node with something left, over what others could give back.
fn path(
    free: &BTreeMap<String, Quantity>,
    demands: &[(BTreeSet<String>, Quantity)],
    given: &BTreeMap<(usize, String), Quantity>,
    start: usize,
) -> Option<Vec<Step>> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<(usize, Vec<Step>)> = vec![(start, Vec::new())];
    while let Some((demand, steps)) = open.pop() {
        for node in &demands[demand].0 {
            if !seen.insert(node.clone()) {
                continue;
            }
            let mut steps = steps.clone();
            steps.push(((demand, node.clone()), 1));
            let at_node = given.iter().filter(|((_, at), units)| at == node && **units > 0);
            if at_node.clone().map(|(_, units)| units).sum::<Quantity>() < free[node] {
                return Some(steps);
            }
            for ((other, _), _) in at_node {
                let mut back = steps.clone();
                back.push(((*other, node.clone()), -1));
                open.push((*other, back));
            }
        }
    }
    None
}

/// Every split over the channel's nodes that the free stock bears.
fn splits(view: &StockView, channel: &str) -> Vec<BTreeMap<String, Quantity>> {
    let mut all = vec![BTreeMap::new()];
    for node in &view.channels[channel] {
        let with = |split: &BTreeMap<String, Quantity>, units: Quantity| {
            let mut split = split.clone();
            split.insert(node.clone(), units);
            split
        };
        let longer = |split| (0..=view.free[node]).map(move |units| with(split, units));
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// Whether it leaves the others as much as they could have without it.
fn leaves(view: &StockView, channel: &str, split: &BTreeMap<String, Quantity>) -> bool {
    let others = foreign(view, channel);
    let left = view
        .free
        .iter()
        .map(|(node, free)| (node.clone(), free - split.get(node).copied().unwrap_or(0)));
    flow(&left.collect(), &others) == flow(&view.free, &others)
}

fn taken(split: &[Allocation]) -> BTreeMap<String, Quantity> {
    split.iter().map(|one| (one.node.clone(), one.quantity)).collect()
}

fn sum(split: &BTreeMap<String, Quantity>) -> Quantity {
    split.values().sum()
}

/// The formula of domain.md word for word, over all 2^k sets D.
fn formula(view: &StockView, channel: &str) -> Quantity {
    let others = foreign(view, channel);
    let own: BTreeSet<String> = view.channels[channel].iter().cloned().collect();
    let terms = (0u32..1 << others.len()).map(|mask| {
        let chosen = others.iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
        let chosen: Vec<_> = chosen.map(|(_, one)| one).collect();
        let nodes = chosen.iter().fold(BTreeSet::new(), |union, (nodes, _)| &union | nodes);
        let held: Quantity = chosen.iter().map(|(_, held)| held).sum();
        let free =
            |nodes: &BTreeSet<String>| -> Quantity { nodes.iter().map(|n| view.free[n]).sum() };
        (free(&nodes) - held, free(&(&own | &nodes)) - held)
    });
    let terms: Vec<(Quantity, Quantity)> = terms.collect();
    let least = terms.iter().map(|(slack, _)| *slack).min().unwrap();
    terms.iter().map(|(_, with_own)| with_own - least).min().unwrap().max(0)
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn available_is_the_maximum_flow(view in stocks(), channel in 0..CHANNELS.len()) {
        let channel = CHANNELS[channel];
        let others = foreign(&view, channel);
        let own = view.channels[channel].iter().cloned().collect();
        let mut all = others.clone();
        all.push((own, view.free.values().sum()));
        let found = unlimited(&view, channel);
        prop_assert_eq!(found, flow(&view.free, &all) - flow(&view.free, &others));
        prop_assert_eq!(found, formula(&view, channel));
    }

    #[test]
    fn few_sets_say_what_all_sets_say(view in stocks(), channel in 0..CHANNELS.len()) {
        let channel = CHANNELS[channel];
        let (sets, held) = (LawfulSets::of(&view, channel), view.held());
        prop_assert!(sets.sets.len() <= 1 << foreign(&view, channel).len());
        let mut most = 0;
        for split in splits(&view, channel) {
            let lawful = leaves(&view, channel, &split);
            prop_assert_eq!(sets.allow(&split, &view.free, &held), lawful, "{:?}", split);
            if lawful {
                most = most.max(sum(&split));
            }
        }
        prop_assert_eq!(unlimited(&view, channel), most);
    }

    #[test]
    fn splits_are_lawful_and_whole(
        view in stocks(),
        channel in 0..CHANNELS.len(),
        ordered in 0i64..14,
        cap in prop::option::of(0i64..9),
    ) {
        let channel = CHANNELS[channel];
        let limits = Limits { cap, claimed: 2, ..Limits::default() };
        let total = available(&view, channel, &limits).min(ordered);
        let lawful: Vec<_> =
            splits(&view, channel).into_iter().filter(|one| leaves(&view, channel, one)).collect();
        for way in [Way::NodeOrder, Way::FewestSplits, Way::MostStock] {
            let chosen = taken(&split(&view, channel, &limits, ordered, way));
            prop_assert_eq!(sum(&chosen), total, "{:?}", way);
            prop_assert!(leaves(&view, channel, &chosen), "{:?} {:?}", way, chosen);
        }
        // By the order of nodes: no lawful split of that size takes more from the first node, nor
        // as much from the first and more from the second, …
        let in_order = |split: &BTreeMap<String, Quantity>| -> Vec<Quantity> {
            let nodes = view.channels[channel].iter();
            nodes.map(|node| split.get(node).copied().unwrap_or(0)).collect()
        };
        let chosen = taken(&split(&view, channel, &limits, ordered, Way::NodeOrder));
        let same_size = || lawful.iter().filter(|one| sum(one) == total);
        prop_assert_eq!(in_order(&chosen), same_size().map(in_order).max().unwrap());
        let parts = |split: &BTreeMap<String, Quantity>| split.values().filter(|u| **u > 0).count();
        let chosen = taken(&split(&view, channel, &limits, ordered, Way::FewestSplits));
        prop_assert_eq!(parts(&chosen), same_size().map(parts).min().unwrap());
    }

    /// Taking what is lawful now and the rest later comes to the same as taking it at once, and
    /// never changes what another channel's protection can have.
    #[test]
    fn what_is_taken_is_what_becomes_less(
        view in stocks(), channel in 0..CHANNELS.len(), ordered in 0i64..14
    ) {
        let channel = CHANNELS[channel];
        let before = unlimited(&view, channel);
        let chosen = taken(&split(&view, channel, &Limits::default(), ordered, Way::NodeOrder));
        let mut after = view.clone();
        for (node, units) in &chosen {
            *after.free.get_mut(node).unwrap() -= units;
        }
        prop_assert_eq!(unlimited(&after, channel), before - sum(&chosen));
        prop_assert!(leaves(&view, channel, &chosen));
    }

    #[test]
    fn lines_are_dealt_exactly_what_was_split(
        view in stocks(), lines in prop::collection::vec(0i64..6, 0..5)
    ) {
        let ordered: Quantity = lines.iter().sum();
        let chosen = split(&view, "a", &Limits::default(), ordered, Way::NodeOrder);
        let dealt = deal(&chosen, &lines);
        let mut back: BTreeMap<String, Quantity> = BTreeMap::new();
        for (line, ordered) in dealt.iter().zip(&lines) {
            prop_assert!(sum(&taken(line)) <= *ordered);
            for one in line {
                *back.entry(one.node.clone()).or_default() += one.quantity;
            }
        }
        prop_assert_eq!(back, taken(&chosen));
    }
}
