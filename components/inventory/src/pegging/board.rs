//! One run of pegging: what of each supply is free, and what each protection holds of it.
//!
//! Guards that nothing is taken twice: every unit leaves the free supply or a holding exactly
//! once, and a promise is given only with its whole quantity behind it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::{Day, Quantity};

use super::{
    ChannelView, LineOutcome, LineView, Peg, PegInput, ProtectionOutcome, ProtectionView, Reason,
    Supply, SupplyKind, units,
};

/// The state of one run.
pub(super) struct Board<'a> {
    input: &'a PegInput,
    /// By channel, the supply at its nodes: latest day first; within a day, nodes that serve the
    /// fewest channels first, then the channel's order of nodes, then the id.
    routes: BTreeMap<&'a str, Vec<Stop<'a>>>,
    /// What nobody holds, by the place of the supply in the input.
    free: Vec<Quantity>,
    holdings: Vec<Holding<'a>>,
}

/// A supply as a run sees it.
#[derive(Clone, Copy)]
struct Stop<'a> {
    /// Its place in the input.
    place: usize,
    supply: &'a Supply,
    /// Today at the earliest.
    day: Day,
    kind: SupplyKind,
}

/// What a protection holds.
struct Holding<'a> {
    protection: &'a ProtectionView,
    chosen: Vec<Peg>,
    inbound: Quantity,
    /// By the place of the supply in the input; lines take of it.
    kept: Vec<Quantity>,
}

impl<'a> Board<'a> {
    pub(super) fn new(input: &'a PegInput) -> Self {
        let mut serves: BTreeMap<&str, usize> = BTreeMap::new();
        for channel in input.channels.values() {
            for node in channel.nodes.iter().collect::<BTreeSet<_>>() {
                let count = serves.entry(node).or_default();
                *count = count.saturating_add(1);
            }
        }
        let stops = stops(input);
        let route = |channel: &ChannelView| {
            let mut route = Vec::new();
            for stop in stops.iter().filter(|stop| stop.supply.quantity > 0) {
                let node = &stop.supply.node;
                let Some(position) = channel.nodes.iter().position(|n| n == node) else { continue };
                let count = serves.get(node.as_str()).copied().unwrap_or(0);
                let rank = (Reverse(stop.day), count, position, &stop.supply.id, stop.place);
                route.push((rank, *stop));
            }
            route.sort_unstable_by_key(|(rank, _)| *rank);
            route.into_iter().map(|(_, stop)| stop).collect()
        };
        let routes = input.channels.iter().map(|(id, view)| (id.as_str(), route(view))).collect();
        let free = input.supply.iter().map(|supply| supply.quantity.max(0)).collect();
        Self { input, routes, free, holdings: Vec::new() }
    }

    /// Every protection chooses, by (from, id).
    pub(super) fn protect(&mut self) {
        let mut queue: Vec<&ProtectionView> = self.input.protections.iter().collect();
        queue.sort_by_key(|protection| (protection.from, &protection.id));
        for protection in queue {
            let kept = vec![0; self.free.len()];
            let mut holding = Holding { protection, chosen: Vec::new(), inbound: 0, kept };
            let mut missing = remainder(protection, self.input.today);
            for stop in self.choices(protection) {
                let taken = take(&mut self.free, stop.place, &mut missing);
                if taken == 0 {
                    continue;
                }
                if let Some(kept) = holding.kept.get_mut(stop.place) {
                    *kept = taken;
                }
                if stop.kind == SupplyKind::Inbound {
                    holding.inbound = holding.inbound.saturating_add(taken);
                }
                holding.chosen.push(stop.peg(taken, None));
            }
            self.holdings.push(holding);
        }
    }

    /// The supply a protection may choose, in its order: usable by its opening day, backwards,
    /// what is due today before what is here; then later supply forwards, up to its last day.
    fn choices(&self, protection: &ProtectionView) -> Vec<Stop<'a>> {
        let opening = protection.from.max(self.input.today);
        let route = self.route(&protection.channel).iter().copied();
        let able = route.filter(|stop| stop.kind != SupplyKind::PastDue);
        let (mut choices, mut later): (Vec<_>, Vec<_>) = able.partition(|stop| stop.day <= opening);
        // Both sorts are stable: within a day the route's order stays.
        choices.sort_by_key(|stop| (Reverse(stop.day), stop.kind == SupplyKind::Present));
        later.retain(|stop| stop.day <= protection.until);
        later.sort_by_key(|stop| stop.day);
        choices.append(&mut later);
        choices
    }

    /// Promises a line and takes what stands behind the promise.
    pub(super) fn serve(&mut self, line: &LineView) -> LineOutcome {
        let (today, wanted) = (self.input.today, line.wanted);
        let unpromised = |reason| LineOutcome {
            order: line.order.clone(),
            line: line.line,
            promised: None,
            reason,
            pegs: Vec::new(),
        };
        if !self.routes.contains_key(line.channel.as_str()) {
            return unpromised(Reason::ChannelUnknown);
        }
        let own = self.own_holdings(line);
        let Some(promised) = self.earliest(line, &own) else {
            return unpromised(Reason::InsufficientSupply);
        };
        let pegs = self.take_for(line, promised, &own);
        assert!(promised >= today.max(wanted), "promised before it is wanted or before today");
        assert_eq!(units(&pegs), line.open, "a promise without its supply");
        let reason = match promised {
            day if day == wanted => Reason::AsWanted,
            day if day == today => Reason::WantedDayPassed,
            _ => Reason::LaterSupply,
        };
        LineOutcome { promised: Some(promised), pegs, ..unpromised(reason) }
    }

    /// The protections a line may use, by their place among the holdings: its channel's, with its
    /// wanted day in their window.
    fn own_holdings(&self, line: &LineView) -> Vec<usize> {
        let may_use = |protection: &ProtectionView| {
            let window = protection.from..=protection.until;
            protection.channel == line.channel && window.contains(&line.wanted)
        };
        let held = self.holdings.iter().enumerate();
        held.filter(|(_, holding)| may_use(holding.protection)).map(|(place, _)| place).collect()
    }

    /// The earliest day, not before the wanted one, by which the open quantity is there.
    fn earliest(&self, line: &LineView, own: &[usize]) -> Option<Day> {
        let own = || own.iter().filter_map(|place| self.holdings.get(*place));
        let mut there: Quantity = 0;
        for stop in self.route(&line.channel).iter().rev() {
            there = there.saturating_add(*self.free.get(stop.place)?);
            for holding in own() {
                there = there.saturating_add(*holding.kept.get(stop.place)?);
            }
            if there >= line.open {
                return Some(line.wanted.max(stop.day));
            }
        }
        None
    }

    /// Takes the open quantity of what is usable by `promised`: first of what the line's own
    /// protections hold, then of what nobody holds, each the latest first.
    fn take_for(&mut self, line: &LineView, promised: Day, own: &[usize]) -> Vec<Peg> {
        let mut missing = line.open;
        let mut pegs = Vec::new();
        let route = self.routes.get(line.channel.as_str()).map_or(&[][..], Vec::as_slice);
        let usable = || route.iter().skip_while(|stop| stop.day > promised);
        for stop in usable().filter(|_| !own.is_empty()) {
            for place in own {
                let Some(holding) = self.holdings.get_mut(*place) else { continue };
                let taken = take(&mut holding.kept, stop.place, &mut missing);
                if taken > 0 {
                    pegs.push(stop.peg(taken, Some(&holding.protection.id)));
                }
            }
        }
        for stop in usable() {
            let taken = take(&mut self.free, stop.place, &mut missing);
            if taken > 0 {
                pegs.push(stop.peg(taken, None));
            }
            if missing == 0 {
                break;
            }
        }
        pegs
    }

    fn route(&self, channel: &str) -> &[Stop<'a>] {
        self.routes.get(channel).map_or(&[], Vec::as_slice)
    }

    /// What nobody holds, by (day, id).
    pub(super) fn left_over(&self) -> Vec<Peg> {
        pegs(self.input, &self.free)
    }

    /// What the protections chose and still keep, in the order in which they chose.
    pub(super) fn protection_outcomes(&self) -> Vec<ProtectionOutcome> {
        let outcome = |holding: &Holding<'_>| {
            let protection = holding.protection;
            let remainder = remainder(protection, self.input.today);
            ProtectionOutcome {
                id: protection.id.clone(),
                channel: protection.channel.clone(),
                from: protection.from,
                until: protection.until,
                chosen: holding.chosen.clone(),
                kept: pegs(self.input, &holding.kept),
                inbound: holding.inbound,
                held: remainder.saturating_sub(holding.inbound),
                short: remainder.saturating_sub(units(&holding.chosen)),
            }
        };
        self.holdings.iter().map(outcome).collect()
    }
}

impl Stop<'_> {
    fn peg(&self, quantity: Quantity, protection: Option<&str>) -> Peg {
        Peg {
            supply: self.supply.id.clone(),
            node: self.supply.node.clone(),
            day: self.day,
            quantity,
            protection: protection.map(str::to_owned),
        }
    }
}

/// The supply, with the days that have passed slid to today.
fn stops(input: &PegInput) -> Vec<Stop<'_>> {
    let mut stops = Vec::with_capacity(input.supply.len());
    for (place, supply) in input.supply.iter().enumerate() {
        let (day, kind) = match supply.kind {
            SupplyKind::Inbound if supply.day >= input.today => (supply.day, SupplyKind::Inbound),
            SupplyKind::Inbound | SupplyKind::PastDue => (input.today, SupplyKind::PastDue),
            SupplyKind::Present => (input.today, SupplyKind::Present),
        };
        stops.push(Stop { place, supply, day, kind });
    }
    stops
}

/// A peg for each supply of which `quantities` says more than zero, by (day, id).
fn pegs(input: &PegInput, quantities: &[Quantity]) -> Vec<Peg> {
    let stops = stops(input);
    let some = stops.iter().zip(quantities).filter(|(_, quantity)| **quantity > 0);
    let mut pegs: Vec<Peg> = some.map(|(stop, quantity)| stop.peg(*quantity, None)).collect();
    pegs.sort_by(|left, right| (left.day, &left.supply).cmp(&(right.day, &right.supply)));
    pegs
}

/// What is still to be kept: nothing once the window has passed.
fn remainder(protection: &ProtectionView, today: Day) -> Quantity {
    if protection.until < today { 0 } else { protection.remainder.max(0) }
}

/// Moves as much as it can from one place of the stock to what is missing, and says how much.
fn take(stock: &mut [Quantity], place: usize, missing: &mut Quantity) -> Quantity {
    let Some(stock) = stock.get_mut(place) else { return 0 };
    let taken = (*stock).min(*missing);
    *stock = stock.saturating_sub(taken);
    *missing = missing.saturating_sub(taken);
    taken
}
