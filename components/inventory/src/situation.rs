//! The situation of an item: everything that pegging rests on, at one moment.

use std::collections::BTreeMap;

use tradewind_kernel::events::inventory::{
    AvailabilityChanged, ChannelAvailability, ProtectionChange,
};
use tradewind_kernel::{Decision, Id, NewEvent, Quantity};

use crate::demand::{Demand, OpenLine, open_lines};
use crate::keys;
use crate::pegging::{PegInput, ProtectionView, Supply, SupplyKind, protect};
use crate::protection::Plan;
use crate::shelf::Shelf;
use crate::supply::SupplyLine;

/// Everything that pegging rests on, of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// Stock, claims, protections, network, day.
    pub shelf: Shelf,
    /// What orders have claimed and shipped.
    pub fills: BTreeMap<String, Quantity>,
    /// Demand lines.
    pub demand: BTreeMap<String, Demand>,
    /// Open purchase lines.
    pub supply: BTreeMap<String, SupplyLine>,
}

impl Situation {
    /// The situation of an item that has no more than what is on its shelf.
    #[must_use]
    pub fn of_shelf(shelf: Shelf) -> Self {
        Self { shelf, fills: BTreeMap::new(), demand: BTreeMap::new(), supply: BTreeMap::new() }
    }

    /// The item.
    #[must_use]
    pub fn sku(&self) -> &Id {
        &self.shelf.sku
    }

    /// The demand lines with what became of them, by order and line.
    #[must_use]
    pub fn lines(&self) -> Vec<OpenLine<'_>> {
        open_lines(&self.demand, &self.fills)
    }

    /// What pegging looks at.
    #[must_use]
    pub fn input(&self) -> PegInput {
        let (shelf, network) = (&self.shelf, &self.shelf.network);
        let present = shelf.nodes().map(|node| Supply {
            id: format!("stock:{node}"),
            node: node.to_owned(),
            day: shelf.today,
            quantity: shelf.free(node).max(0),
            kind: SupplyKind::Present,
        });
        let inbound = self.supply.values().flat_map(|line| line.supplies(network));
        let protections = shelf.standing().map(|protection| ProtectionView {
            id: protection.id.to_string(),
            channel: protection.channel.to_string(),
            from: protection.from,
            until: protection.until,
            remainder: shelf.remainder(protection),
        });
        let lines = self.lines();
        PegInput {
            today: shelf.today,
            channels: network.views(),
            supply: present.filter(|supply| supply.quantity > 0).chain(inbound).collect(),
            protections: protections.collect(),
            lines: lines.iter().filter(|line| line.open > 0).map(OpenLine::view).collect(),
        }
    }

    /// The plan with `inbound` of every protection as it is now, for this day and network; what
    /// has passed is left out.
    #[must_use]
    pub fn renewed_plan(&self) -> Option<Plan> {
        let plan = self.shelf.plan.as_ref()?;
        let inbound: BTreeMap<String, Quantity> =
            protect(&self.input()).into_iter().map(|one| (one.id, one.inbound)).collect();
        let protections =
            plan.protections.iter().filter(|protection| protection.until >= self.shelf.today).map(
                |protection| {
                    let mut protection = protection.clone();
                    protection.inbound = inbound.get(protection.id.as_str()).copied().unwrap_or(0);
                    protection
                },
            );
        let (day, revision) = (self.shelf.today, self.shelf.network.revision);
        Some(Plan { day, revision, protections: protections.collect() })
    }

    /// Renews the plan, here and in the decision if it differs from what `stored` was.
    pub fn renew(&mut self, stored: Option<&Plan>, decision: &mut Decision) {
        if let Some(plan) = self.renewed_plan() {
            if Some(&plan) != stored {
                decision.put(keys::plan(self.sku()), &plan);
            }
            self.shelf.plan = Some(plan);
        }
    }

    /// What each protection lacks.
    #[must_use]
    pub fn short(&self) -> BTreeMap<String, Quantity> {
        protect(&self.input()).into_iter().map(|one| (one.id, one.short)).collect()
    }
}

/// What changed of availability and of protections between two moments of an item; nothing when
/// nothing did.
#[must_use]
pub fn availability_changed(before: &Situation, after: &Situation) -> Option<NewEvent> {
    let sku = after.sku();
    let channels = after.shelf.network.channels.keys().filter_map(|channel| {
        // A channel that was not there could take nothing: `available` says so.
        let old = before.shelf.available(channel);
        let new = after.shelf.available(channel);
        (old != new).then(|| ChannelAvailability {
            sku: sku.clone(),
            channel: channel.clone(),
            available_before: old.0,
            available_after: new.0,
            published_before: old.1,
            published_after: new.1,
        })
    });
    let held = |one: &Situation| -> BTreeMap<Id, Quantity> {
        let shelf = &one.shelf;
        shelf.standing().map(|held| (held.id.clone(), shelf.held(held))).collect()
    };
    let (old, new) = (held(before), held(after));
    let (short_old, short_new) = (before.short(), after.short());
    let ids: std::collections::BTreeSet<&Id> = old.keys().chain(new.keys()).collect();
    let protections = ids.into_iter().filter_map(|id| {
        let of = |held: &BTreeMap<Id, Quantity>| held.get(id).copied().unwrap_or(0);
        let lacks = |s: &BTreeMap<String, Quantity>| s.get(id.as_str()).copied().unwrap_or(0);
        let change = ProtectionChange {
            id: id.clone(),
            held_before: of(&old),
            held_after: of(&new),
            short_before: lacks(&short_old),
            short_after: lacks(&short_new),
        };
        let moved =
            change.held_before != change.held_after || change.short_before != change.short_after;
        moved.then_some(change)
    });
    let told = AvailabilityChanged {
        sku: sku.clone(),
        channels: channels.collect(),
        protections: protections.collect(),
    };
    let empty = told.channels.is_empty() && told.protections.is_empty();
    (!empty).then(|| NewEvent::of(sku.as_str(), &told))
}
