//! Pegging against a second implementation of the same rules that hands out one unit at a time and
//! looks at everything anew for each, and against brute force where the rule has a plain meaning.
#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradewind_inventory::pegging::{
    ChannelView, LineOutcome, LineView, PegInput, PegOutcome, ProtectionView, Supply, SupplyKind,
    peg, protect,
};
use tradewind_inventory::promise::{Asked, available_to_promise, promise};
use tradewind_kernel::{Day, Instant, Quantity};

use naive::{figures, naive};

mod naive;

const CHANNELS: [&str; 3] = ["a", "b", "c"];
const NODES: [&str; 3] = ["X", "Y", "Z"];
const TODAY: i64 = 5;

/// A failing case is printed whole; it becomes a table test, not a file of seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Day 0 is 2026-12-01; today is day 5, so that wanted days and windows may have passed.
fn day(number: i64) -> Day {
    "2026-12-01".parse::<Day>().unwrap().plus(number)
}

fn channels() -> impl Strategy<Value = BTreeMap<String, ChannelView>> {
    let nodes = Just(NODES.to_vec()).prop_shuffle();
    let channel = (1u32..4, nodes, 0usize..4);
    prop::collection::vec(channel, CHANNELS.len()).prop_map(|views| {
        let view = |(priority, nodes, count): (u32, Vec<&str>, usize)| {
            let nodes = nodes.into_iter().take(count).map(str::to_owned).collect();
            ChannelView { priority, nodes }
        };
        CHANNELS.iter().map(|id| (*id).to_owned()).zip(views.into_iter().map(view)).collect()
    })
}

fn supplies() -> impl Strategy<Value = Vec<Supply>> {
    let kind = prop_oneof![
        2 => Just(SupplyKind::Present),
        5 => Just(SupplyKind::Inbound),
        1 => Just(SupplyKind::PastDue),
    ];
    let one = (kind, 0..NODES.len(), TODAY..TODAY + 7, 0..5i64);
    prop::collection::vec(one, 0..7).prop_map(|all| {
        let supply = |(index, (kind, node, on, quantity)): (usize, (_, usize, i64, Quantity))| {
            let on = if kind == SupplyKind::Inbound { on } else { TODAY };
            let (id, node) = (format!("s{}", (index * 5) % 7), NODES[node].to_owned());
            Supply { id, node, day: day(on), quantity, kind }
        };
        all.into_iter().enumerate().map(supply).collect()
    })
}

fn protections() -> impl Strategy<Value = Vec<ProtectionView>> {
    let one = (0..CHANNELS.len(), 2..TODAY + 7, 0i64..5, 0i64..7);
    prop::collection::vec(one, 0..4).prop_map(|all| {
        let view =
            |(index, (channel, from, length, remainder)): (usize, (usize, i64, i64, i64))| {
                let (id, channel) = (format!("P{}", 9 - index), CHANNELS[channel].to_owned());
                ProtectionView {
                    id,
                    channel,
                    from: day(from),
                    until: day(from + length),
                    remainder,
                }
            };
        all.into_iter().enumerate().map(view).collect()
    })
}

fn lines(most: usize) -> impl Strategy<Value = Vec<LineView>> {
    let one = (0..CHANNELS.len(), 2..TODAY + 8, 0i64..2, 0i64..6);
    prop::collection::vec(one, 0..most).prop_map(|all| {
        let view =
            |(index, (channel, wanted, at, open)): (usize, (usize, i64, i64, i64))| LineView {
                order: format!("O{}", index % 3),
                line: index as u32,
                channel: CHANNELS[channel].to_owned(),
                wanted: day(wanted),
                ordered_at: Instant::from_millis(at),
                open,
            };
        all.into_iter().enumerate().map(view).collect()
    })
}

fn inputs() -> impl Strategy<Value = PegInput> {
    let parts = (channels(), supplies(), protections(), lines(7));
    parts.prop_map(|(channels, supply, protections, lines)| PegInput {
        today: day(TODAY),
        channels,
        supply,
        protections,
        lines,
    })
}

fn promises(outcome: &PegOutcome) -> BTreeMap<(String, u32), Option<Day>> {
    let lines = outcome.lines.iter();
    lines.map(|line| ((line.order.clone(), line.line), line.promised)).collect()
}

/// Every way to give the lines a day or none, that the supply of one node bears: whatever is
/// promised by a day must be there by that day.
fn feasible(input: &PegInput, lines: &[&LineView], days: &[Day]) -> Vec<Vec<Option<Day>>> {
    let mut all: Vec<Vec<Option<Day>>> = vec![Vec::new()];
    for line in lines {
        let choices = days.iter().copied().filter(|on| *on >= line.wanted).map(Some);
        let choices: Vec<Option<Day>> = choices.chain([None]).collect();
        let longer = |start: &Vec<Option<Day>>| -> Vec<Vec<Option<Day>>> {
            choices.iter().map(|choice| [&start[..], &[*choice]].concat()).collect()
        };
        all = all.iter().flat_map(longer).collect();
    }
    let bears = |promised: &Vec<Option<Day>>| {
        days.iter().all(|by| {
            let supply = input.supply.iter().filter(|supply| supply.day <= *by);
            let there: Quantity = supply.map(|supply| supply.quantity).sum();
            let due = lines.iter().zip(promised).filter(|(_, on)| on.is_some_and(|on| on <= *by));
            due.map(|(line, _)| line.open).sum::<Quantity>() <= there
        })
    };
    all.into_iter().filter(bears).collect()
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn pegging_is_what_the_naive_rules_say(input in inputs()) {
        let outcome = peg(&input);
        prop_assert_eq!(figures(&outcome), naive(&input));
        let supplied: Quantity = input.supply.iter().map(|supply| supply.quantity).sum();
        let pegs = outcome.lines.iter().flat_map(|line| &line.pegs);
        let kept = outcome.protections.iter().flat_map(|protection| &protection.kept);
        let given = pegs.chain(kept).chain(&outcome.left_over);
        prop_assert_eq!(given.map(|peg| peg.quantity).sum::<Quantity>(), supplied);
    }

    #[test]
    fn a_hold_is_its_present_part_and_what_is_short(input in inputs()) {
        let kinds: BTreeMap<_, _> = input.supply.iter().map(|s| (&s.id, s.kind)).collect();
        for outcome in protect(&input) {
            let view = input.protections.iter().find(|view| view.id == outcome.id).unwrap();
            let remainder = if view.until < input.today { 0 } else { view.remainder };
            let present = outcome.chosen.iter().filter(|p| kinds[&p.supply] == SupplyKind::Present);
            let present: Quantity = present.map(|peg| peg.quantity).sum();
            prop_assert_eq!(outcome.held, present + outcome.short);
            prop_assert_eq!(outcome.held + outcome.inbound, remainder);
        }
    }

    #[test]
    fn the_order_of_the_input_is_no_matter(
        (input, mixed) in inputs().prop_flat_map(|input| {
            let parts = (
                Just(input.supply.clone()).prop_shuffle(),
                Just(input.protections.clone()).prop_shuffle(),
                Just(input.lines.clone()).prop_shuffle(),
            );
            (Just(input), parts)
        })
    ) {
        let (supply, protections, lines) = mixed;
        let mixed = PegInput { supply, protections, lines, ..input.clone() };
        prop_assert_eq!(peg(&input), peg(&mixed));
    }

    #[test]
    fn a_line_moves_only_those_behind_it(input in inputs(), place in 0usize..7, open in 0i64..9) {
        let before = peg(&input);
        let mut changed = input.clone();
        if let Some(line) = changed.lines.get_mut(place) {
            line.open = open;
            let key = (line.order.clone(), line.line);
            let ahead = |line: &&LineOutcome| {
                (line.order.clone(), line.line) != key
            };
            let after = peg(&changed);
            if let Some(rank) = before.lines.iter().position(|line| !ahead(&line)) {
                prop_assert_eq!(&before.lines[..rank], &after.lines[..rank]);
            }
            // The protections chose before all of them.
            let chosen = |of: &PegOutcome| -> Vec<_> {
                of.protections.iter().map(|one| (one.chosen.clone(), one.held)).collect()
            };
            prop_assert_eq!(chosen(&before), chosen(&after));
        }
    }

    #[test]
    fn asking_is_ordering_last_among_equals(
        input in inputs(),
        asked in (0..CHANNELS.len(), 1i64..6, 2..TODAY + 8, 0i64..2),
    ) {
        let (channel, quantity, wanted, at) = asked;
        let (channel, wanted) = (CHANNELS[channel].to_owned(), day(wanted));
        let at = Instant::from_millis(at);
        let answer = promise(&input, &Asked { channel: channel.clone(), quantity, wanted, at });
        let mut ordered = input.clone();
        let order = "~".to_owned();
        let line = LineView { order, line: 1, channel, wanted, ordered_at: at, open: quantity };
        ordered.lines.push(line);
        let (before, mut after) = (promises(&peg(&input)), promises(&peg(&ordered)));
        prop_assert_eq!(answer.day, after.remove(&("~".to_owned(), 1)).unwrap());
        let taken: Quantity = answer.supply.iter().map(|peg| peg.quantity).sum();
        prop_assert_eq!(taken, answer.day.map_or(0, |_| quantity));
        let moved = before.iter().filter(|(key, promised)| after[key] != **promised).count();
        prop_assert_eq!(answer.would_move, moved);
    }

    #[test]
    fn what_is_available_to_promise_is_what_the_last_in_line_gets(
        input in inputs(),
        channel in 0..CHANNELS.len(),
        on in TODAY + 7..TODAY + 9,
    ) {
        let mut input = input;
        let channel = CHANNELS[channel].to_owned();
        input.channels.get_mut(&channel).unwrap().priority = 9;
        let outcome = peg(&input);
        let units = available_to_promise(&input, &outcome, &channel, day(on));
        let at = Instant::from_millis(9);
        let ask = |quantity| {
            let wanted = day(on);
            promise(&input, &Asked { channel: channel.clone(), quantity, wanted, at })
        };
        if units > 0 {
            let answer = ask(units);
            prop_assert_eq!((answer.day, answer.would_move), (Some(day(on)), 0));
        }
        prop_assert_ne!(ask(units + 1).day, Some(day(on)));
    }
}

proptest! {
    #![proptest_config(config(500))]

    /// One node, no protections: of all the promises that the supply bears, pegging gives those
    /// that are best for the first line, among them those best for the second, and so on. So no
    /// line's promise can be earlier without a higher one's being later.
    #[test]
    fn no_promise_can_be_earlier_without_a_higher_one_later(
        supply in supplies(), lines in lines(5), priorities in prop::array::uniform3(1u32..4)
    ) {
        let view = |priority| ChannelView { priority, nodes: vec!["X".to_owned()] };
        let ids = CHANNELS.iter().map(|id| (*id).to_owned());
        let supply = supply.into_iter().map(|one| Supply { node: "X".to_owned(), ..one }).collect();
        let input = PegInput {
            today: day(TODAY),
            channels: ids.zip(priorities.map(view)).collect(),
            supply,
            protections: Vec::new(),
            lines,
        };
        let outcome = peg(&input);
        let ranked: Vec<&LineView> = outcome.lines.iter().map(|found| {
            let same = |line: &&LineView| line.order == found.order && line.line == found.line;
            input.lines.iter().find(same).unwrap()
        }).collect();
        let days: Vec<Day> = (TODAY..TODAY + 8).map(day).collect();
        let rank = |promised: &[Option<Day>]| -> Vec<(bool, Option<Day>)> {
            promised.iter().map(|on| (on.is_none(), *on)).collect()
        };
        let best = feasible(&input, &ranked, &days).into_iter().map(|way| rank(&way)).min();
        let found: Vec<Option<Day>> = outcome.lines.iter().map(|line| line.promised).collect();
        prop_assert_eq!(Some(rank(&found)), best);
    }
}

/// 10,000 lines and 60 supplies of one item: no step is quadratic in the lines. The limit is far
/// above what it takes, and far below what a quadratic step would.
#[test]
fn ten_thousand_lines_are_pegged_at_once() {
    let channel = |index: usize| {
        let nodes = NODES.iter().take(index + 1).map(|node| (*node).to_owned()).collect();
        (CHANNELS[index].to_owned(), ChannelView { priority: index as u32 + 1, nodes })
    };
    let supply = |index: usize| Supply {
        id: format!("s{index}"),
        node: NODES[index % 3].to_owned(),
        day: day(TODAY + index as i64 / 2),
        quantity: 500,
        kind: SupplyKind::Inbound,
    };
    let line = |index: usize| LineView {
        order: format!("O{index}"),
        line: 1,
        channel: CHANNELS[index % 3].to_owned(),
        wanted: day((index % 40) as i64),
        ordered_at: Instant::from_millis(index as i64),
        open: (index % 7) as i64,
    };
    let input = PegInput {
        today: day(TODAY),
        channels: (0..3).map(channel).collect(),
        supply: (0..60).map(supply).collect(),
        protections: Vec::new(),
        lines: (0..10_000).map(line).collect(),
    };
    let outcome = peg(&input);
    assert!(outcome.lines.iter().filter(|line| line.promised.is_some()).count() > 5_000);
}
