//! Trials: the same pegging with changes laid over the present state, never written.

use std::collections::BTreeMap;
use tradewind_kernel::asks::inventory::{Trial, TrialChange};
use tradewind_kernel::events::inventory::PromiseMove;
use tradewind_kernel::{Day, Id, Quantity, Refusal};

use crate::pegging::{LineOutcome, PegInput, Supply, SupplyKind, peg};
use crate::repegging::{Promise, holdings, left_over, repeg};
use crate::situation::Situation;
use crate::supply::SupplyLine;

/// Changes of one trial: an option touches a few lines, and each change costs a pegging's time.
pub const MAX_CHANGES: usize = 16;

fn unknown(what: &str) -> Refusal {
    Refusal::conflict("change-unknown", format!("there is no {what}"))
}

/// The situation and the added supply of a trial.
struct Laid {
    situation: Situation,
    added: Vec<Supply>,
    /// What a transfer takes off present or coming supply.
    taken: Vec<(String, Quantity)>,
}

impl Laid {
    fn add(&mut self, node: &Id, day: Day, quantity: Quantity) {
        let number = self.added.len().saturating_add(1);
        self.added.push(Supply {
            id: format!("trial:{number}"),
            node: node.to_string(),
            day,
            quantity,
            kind: SupplyKind::Inbound,
        });
    }

    fn lay(&mut self, change: &TrialChange) -> Result<(), Refusal> {
        match change {
            TrialChange::MoveSupply { order, line, from, to } => {
                let name = crate::keys::line(order, *line);
                let found = self.situation.supply.get_mut(&name);
                let line: &mut SupplyLine =
                    found.ok_or_else(|| unknown(&format!("open purchase line {name}")))?;
                let entries = line.schedule.iter_mut().filter(|entry| entry.day == *from);
                let moved = entries.map(|entry| entry.day = *to).count();
                if moved == 0 {
                    return Err(unknown(&format!("delivery of {name} on {from}")));
                }
            }
            TrialChange::AddSupply { node, day, quantity } => {
                let usable = self.situation.shelf.network.usable_day(node, *day);
                self.add(node, usable, *quantity);
            }
            TrialChange::Transfer { supply, from_node, to_node, day, quantity } => {
                let input = self.situation.input();
                let there = |one: &&Supply| one.id == *supply && one.node == from_node.as_str();
                let of_it = self.taken.iter().filter(|(id, _)| id == supply);
                let gone = of_it.map(|(_, taken)| *taken).fold(0, Quantity::saturating_add);
                let enough = |one: &Supply| one.quantity.saturating_sub(gone) >= *quantity;
                if !input.supply.iter().find(there).is_some_and(enough) {
                    let what = format!("supply `{supply}` of {quantity} at `{from_node}`");
                    return Err(unknown(&what));
                }
                self.taken.push((supply.clone(), *quantity));
                self.add(to_node, *day, *quantity);
            }
            TrialChange::ReleaseProtection { protection, quantity } => {
                let plan = self.situation.shelf.plan.iter_mut();
                let found =
                    plan.flat_map(|plan| &mut plan.protections).find(|one| one.id == *protection);
                let found = found.ok_or_else(|| unknown(&format!("protection `{protection}`")))?;
                found.quantity = found.quantity.saturating_sub(*quantity).max(0);
            }
        }
        Ok(())
    }

    fn input(&self) -> PegInput {
        let mut input = self.situation.input();
        for (id, quantity) in &self.taken {
            if let Some(supply) = input.supply.iter_mut().find(|supply| supply.id == *id) {
                supply.quantity = supply.quantity.saturating_sub(*quantity).max(0);
            }
        }
        input.supply.extend(self.added.iter().cloned());
        input
    }
}

/// Pegs the item as if the changes were so.
///
/// # Errors
/// `too-many-changes`, `change-unknown`.
pub fn trial(
    situation: &Situation,
    kept: &BTreeMap<String, Promise>,
    changes: &[TrialChange],
) -> Result<Trial, Refusal> {
    if changes.len() > MAX_CHANGES {
        let detail = format!("at most {MAX_CHANGES} changes");
        return Err(Refusal::conflict("too-many-changes", detail));
    }
    let mut laid = Laid { situation: situation.clone(), added: Vec::new(), taken: Vec::new() };
    for change in changes {
        laid.lay(change)?;
    }
    let now = repeg(situation, kept).promises;
    let outcome = peg(&laid.input());
    let given = |one: &LineOutcome| ((one.order.clone(), one.line), one.promised);
    let outcomes: BTreeMap<(String, u32), Option<Day>> = outcome.lines.iter().map(given).collect();
    let today = situation.shelf.today;
    let mut lines = Vec::new();
    for line in situation.lines().into_iter().filter(|line| line.open > 0) {
        let place = (line.demand.order.to_string(), line.demand.line);
        let given = outcomes.get(&place).copied().flatten();
        let present = now.get(&line.demand.member());
        let old_day = present.and_then(|promise| promise.promised);
        // A line that is overdue keeps its day as long as it could still ship today.
        let keeps = present.is_some_and(|promise| promise.overdue) && given == Some(today);
        lines.push(PromiseMove {
            order: line.demand.order.clone(),
            line: line.demand.line,
            channel: line.demand.channel.clone(),
            sku: situation.sku().clone(),
            quantity: line.open,
            wanted: line.demand.wanted,
            old_day,
            new_day: if keeps { old_day } else { given },
            price: line.demand.price,
            first: false,
        });
    }
    Ok(Trial { lines, left_over: left_over(&outcome), held: holdings(&outcome) })
}
