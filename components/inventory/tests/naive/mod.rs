//! Pegging once more, deliberately simple: it hands out single units, looks at all of them anew for
//! each, and tries every single day.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tradewind_inventory::pegging::{
    LineView, Peg, PegInput, PegOutcome, ProtectionView, Supply, SupplyKind,
};
use tradewind_kernel::{Day, Quantity};

/// One unit, and who holds it: a protection by its place in the input.
#[derive(Clone)]
struct Unit {
    supply: Supply,
    protection: Option<usize>,
    gone: bool,
}

/// Who holds how much of which supply, summed up.
pub type Held = BTreeMap<(String, Option<String>), Quantity>;

/// Its figures: by line the promise and what it took, what each protection chose and kept, and
/// what is left over.
#[derive(Debug, PartialEq, Eq)]
pub struct Figures {
    pub lines: BTreeMap<(String, u32), (Option<Day>, Held)>,
    pub chosen: BTreeMap<String, Held>,
    pub kept: BTreeMap<String, Held>,
    pub left_over: Held,
}

fn count<'a>(units: impl Iterator<Item = &'a Unit>) -> Held {
    let mut held = Held::new();
    for unit in units {
        *held.entry((unit.supply.id.clone(), None)).or_default() += 1;
    }
    held
}

/// Of the units that `able` lets through, the first by `rank`.
fn first<Rank: Ord>(
    units: &mut [Unit],
    able: impl Fn(&Unit) -> bool,
    rank: impl Fn(&Unit) -> Rank,
) -> Option<&mut Unit> {
    units.iter_mut().filter(|unit| !unit.gone && able(unit)).min_by_key(|unit| rank(unit))
}

fn serves(input: &PegInput, channel: &str, unit: &Unit) -> bool {
    input.channels[channel].nodes.contains(&unit.supply.node)
}

/// The rank of a unit among those of one day.
fn within_day(input: &PegInput, channel: &str, unit: &Unit) -> (usize, usize, String) {
    let node = &unit.supply.node;
    let served = input.channels.values().filter(|view| view.nodes.contains(node)).count();
    let position = input.channels[channel].nodes.iter().position(|n| n == node).unwrap();
    (served, position, unit.supply.id.clone())
}

/// What a protection takes next, if anything.
fn protect_one<'a>(
    input: &PegInput,
    units: &'a mut [Unit],
    protection: &ProtectionView,
) -> Option<&'a mut Unit> {
    let opening = protection.from.max(input.today);
    let able = |unit: &Unit| {
        unit.protection.is_none()
            && unit.supply.kind != SupplyKind::PastDue
            && serves(input, &protection.channel, unit)
    };
    let in_time = |unit: &Unit| able(unit) && unit.supply.day <= opening;
    if units.iter().any(in_time) {
        return first(units, in_time, |unit| {
            let present = unit.supply.kind == SupplyKind::Present;
            let inside = within_day(input, &protection.channel, unit);
            (Reverse(unit.supply.day), present, inside)
        });
    }
    first(
        units,
        |unit| able(unit) && unit.supply.day > opening && unit.supply.day <= protection.until,
        |unit| (unit.supply.day, within_day(input, &protection.channel, unit)),
    )
}

fn may_use(input: &PegInput, protection: usize, channel: &str, on: Day) -> bool {
    let protection = &input.protections[protection];
    protection.channel == channel && protection.from <= on && on <= protection.until
}

/// The rules, unit by unit.
pub fn naive(input: &PegInput) -> Figures {
    let mut units: Vec<Unit> = Vec::new();
    for supply in &input.supply {
        for _ in 0..supply.quantity {
            units.push(Unit { supply: supply.clone(), protection: None, gone: false });
        }
    }
    let mut order: Vec<usize> = (0..input.protections.len()).collect();
    order.sort_by_key(|p| (input.protections[*p].from, input.protections[*p].id.clone()));
    for place in order {
        let protection = &input.protections[place];
        for _ in 0..protection.remainder {
            if protection.until >= input.today
                && let Some(unit) = protect_one(input, &mut units, protection)
            {
                unit.protection = Some(place);
            }
        }
    }
    let holding = |units: &[Unit]| -> BTreeMap<String, Held> {
        let of = |place: usize| {
            count(units.iter().filter(|unit| !unit.gone && unit.protection == Some(place)))
        };
        let all = input.protections.iter().enumerate();
        all.map(|(place, protection)| (protection.id.clone(), of(place))).collect()
    };
    let chosen = holding(&units);

    let mut queue: Vec<&LineView> = input.lines.iter().filter(|line| line.open > 0).collect();
    queue.sort_by_key(|line| {
        let priority = input.channels[&line.channel].priority;
        (priority, line.wanted, line.ordered_at, line.order.clone(), line.line)
    });
    let mut lines = BTreeMap::new();
    for line in queue {
        let key = (line.order.clone(), line.line);
        lines.insert(key, naive_line(input, &mut units, line));
    }
    let left = units.iter().filter(|unit| !unit.gone && unit.protection.is_none());
    Figures { lines, chosen, kept: holding(&units), left_over: count(left) }
}

fn naive_line(input: &PegInput, units: &mut [Unit], line: &LineView) -> (Option<Day>, Held) {
    let able = |unit: &Unit, on: Day| {
        serves(input, &line.channel, unit)
            && unit.supply.day <= on
            && unit.protection.is_none_or(|place| may_use(input, place, &line.channel, line.wanted))
    };
    // Every single day is tried, one after the other, as long as supply is still to come.
    let last = units.iter().map(|unit| unit.supply.day).fold(line.wanted, Day::max);
    let days = (0..).map(|ahead| line.wanted.plus(ahead));
    let mut days = days.take_while(|on| *on <= last);
    let there = |on: &Day| units.iter().filter(|unit| !unit.gone && able(unit, *on)).count() as i64;
    let Some(promised) = days.find(|on| there(on) >= line.open) else {
        return (None, Held::new());
    };
    let mut pegs = Held::new();
    for _ in 0..line.open {
        let unit = first(
            units,
            |unit| able(unit, promised),
            |unit| {
                let inside = within_day(input, &line.channel, unit);
                (unit.protection.is_none(), Reverse(unit.supply.day), inside)
            },
        );
        let unit = unit.unwrap();
        unit.gone = true;
        let from = unit.protection.map(|place| input.protections[place].id.clone());
        *pegs.entry((unit.supply.id.clone(), from)).or_default() += 1;
    }
    (Some(promised), pegs)
}

fn summed(pegs: &[Peg]) -> Held {
    let mut held = Held::new();
    for peg in pegs {
        *held.entry((peg.supply.clone(), peg.protection.clone())).or_default() += peg.quantity;
    }
    held
}

/// The same figures of the real pegging.
pub fn figures(outcome: &PegOutcome) -> Figures {
    let lines = outcome.lines.iter();
    let protections = || outcome.protections.iter();
    Figures {
        lines: lines
            .map(|line| ((line.order.clone(), line.line), (line.promised, summed(&line.pegs))))
            .collect(),
        chosen: protections().map(|one| (one.id.clone(), summed(&one.chosen))).collect(),
        kept: protections().map(|one| (one.id.clone(), summed(&one.kept))).collect(),
        left_over: summed(&outcome.left_over),
    }
}
