//! The guards of a reserve: the rule of lawful splits, evaluated in the commit on live counters.
//!
//! They cover shortage as well as what is protected, for however many reserve at once.

use tradewind_kernel::decision::{Floor, Guard, Sum, Term};
use tradewind_kernel::{Id, Quantity};

use crate::availability::{LawfulSet, LawfulSets};
use crate::keys;
use crate::reservation::sum;
use crate::shelf::{Shelf, channel as channel_counter, claimed, sellable, term};
use crate::split::Allocation;

/// Guards of one split by `node-order` that says of more nodes than this that they are exhausted
/// cost more than a read.
const MOST_EXHAUSTED: usize = 8;

/// Guards under which live counters give the very split that `node-order` chose on older ones, if
/// it is also lawful ([`of`]) and covers all that is wanted: every node before the last one that it
/// takes from has nothing beyond what is taken. So a split from the first node alone needs none.
/// `None` where this is not so, because something else than its stock bounds such a node.
#[must_use]
pub fn in_order(shelf: &Shelf, channel: &Id, chosen: &[Allocation]) -> Option<Vec<Guard>> {
    let mut guards = Vec::new();
    let Some(last) = chosen.last() else { return Some(guards) };
    let nodes = shelf.network.channels.get(channel).into_iter().flat_map(|one| &one.nodes);
    for node in nodes.take_while(|node| node.as_str() != last.node) {
        let taken = chosen.iter().find(|one| one.node == node.as_str());
        let taken = taken.map_or(0, |one| one.quantity);
        if shelf.free(node.as_str()) != taken || guards.len() == MOST_EXHAUSTED {
            return None;
        }
        let terms = [(sellable(node), -1), (claimed(node), 1)];
        let terms = terms.map(|(field, times)| term(&shelf.sku, field, times)).into();
        guards.push(Guard { sum: Sum { constant: taken, terms }, floor: Floor::Value(0) });
    }
    Some(guards)
}

/// The rule of lawful splits on live counters: what is taken is free, `s(D) − Σ t(N(D))` stays at
/// the live minimum of `s` or above for every D, and the channel's cap holds.
#[must_use]
pub fn of(shelf: &Shelf, channel: &Id, chosen: &[Allocation]) -> Vec<Guard> {
    let (sku, view) = (&shelf.sku, shelf.view(channel));
    let free = |node: &str, times: i64| {
        [term(sku, sellable(node), times), term(sku, claimed(node), times.saturating_neg())]
    };
    let mut guards: Vec<Guard> = chosen
        .iter()
        .map(|one| Guard {
            sum: Sum { constant: one.quantity.saturating_neg(), terms: free(&one.node, 1).into() },
            floor: Floor::Value(0),
        })
        .collect();
    let sets = LawfulSets::of(&view, channel.as_str());
    let slack = |set: &LawfulSet| {
        let mut terms: Vec<Term> = set.nodes.iter().flat_map(|node| free(node, 1)).collect();
        let inside = shelf.standing().filter(|one| set.protections.contains(&one.id.to_string()));
        terms.extend(inside.map(|one| Term::Remaining {
            quantity: one.quantity.saturating_sub(one.inbound).max(0),
            counters: keys::stock(sku),
            field: one.counter.clone(),
            times: -1,
        }));
        Sum { constant: 0, terms }
    };
    let sums: Vec<Sum> = sets.sets.iter().map(slack).collect();
    for (set, sum) in sets.sets.iter().zip(&sums) {
        let taken = chosen.iter().filter(|one| set.nodes.contains(&one.node));
        let taken = taken.map(|one| one.quantity).fold(0, Quantity::saturating_add);
        if taken > 0 {
            let sum = Sum { constant: taken.saturating_neg(), terms: sum.terms.clone() };
            guards.push(Guard { sum, floor: Floor::MinimumOf(sums.clone()) });
        }
    }
    if let Some(cap) = shelf.limits(channel).cap {
        let constant = cap.saturating_sub(sum(chosen));
        let terms = vec![term(sku, channel_counter(channel), -1)];
        guards.push(Guard { sum: Sum { constant, terms }, floor: Floor::Value(0) });
    }
    guards
}
