//! The shelf of an item: what is at hand, what is claimed of it, and what is protected.
//!
//! Counters: `sellable:NODE`, `hold:NODE`, `damaged:NODE` and `supplier`, `customer`, `transit`,
//! `loss`, `found` say where the units are, and always sum to zero; `claimed:NODE` and
//! `channel:CHANNEL` count open claims, `used:PROTECTION` what a protection's channel has claimed
//! on days inside the window.

use std::collections::BTreeMap;
use std::rc::Rc;

use tradewind_kernel::decision::{Floor, Guard, Sum, Term};
use tradewind_kernel::{Day, Id, Quantity};

use crate::availability::{HeldView, Limits, StockView, available};
use crate::keys;
use crate::network::Network;
use crate::protection::{Plan, Protection};

/// Everything that availability rests on, of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The item.
    pub sku: Id,
    /// The business day.
    pub today: Day,
    /// Channels, nodes and lanes.
    pub network: Rc<Network>,
    /// Protections, if the item ever had one.
    pub plan: Option<Plan>,
    /// The item's counters.
    pub counters: BTreeMap<String, Quantity>,
}

/// The counter of a node's sellable stock.
#[must_use]
pub fn sellable(node: impl AsRef<str>) -> String {
    format!("sellable:{}", node.as_ref())
}

/// The counter of a node's open claims.
#[must_use]
pub fn claimed(node: impl AsRef<str>) -> String {
    format!("claimed:{}", node.as_ref())
}

/// The counter of a channel's open claims.
#[must_use]
pub fn channel(channel: &Id) -> String {
    format!("channel:{channel}")
}

impl Shelf {
    /// A counter; one that was never written is zero.
    #[must_use]
    pub fn counter(&self, field: &str) -> Quantity {
        self.counters.get(field).copied().unwrap_or(0)
    }

    /// Adds to a counter, in this picture alone.
    pub fn add(&mut self, field: impl Into<String>, delta: Quantity) {
        let value = self.counters.entry(field.into()).or_default();
        *value = value.saturating_add(delta);
    }

    /// Sellable less open claims.
    #[must_use]
    pub fn free(&self, node: &str) -> Quantity {
        self.counter(&sellable(node)).saturating_sub(self.counter(&claimed(node)))
    }

    /// The nodes where the item is, or was, sellable.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.counters.keys().filter_map(|field| field.strip_prefix("sellable:"))
    }

    /// What of a protection is not used yet.
    #[must_use]
    pub fn remainder(&self, protection: &Protection) -> Quantity {
        protection.quantity.saturating_sub(self.counter(&protection.counter)).max(0)
    }

    /// What a protection keeps of present stock, its shortage included.
    #[must_use]
    pub fn held(&self, protection: &Protection) -> Quantity {
        self.remainder(protection).saturating_sub(protection.inbound).max(0)
    }

    /// The protections that are live or future.
    pub fn standing(&self) -> impl Iterator<Item = &Protection> {
        let all = self.plan.iter().flat_map(|plan| &plan.protections);
        all.filter(|protection| protection.until >= self.today)
    }

    /// Whether the plan was made for this day and this network.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        let fresh = |plan: &Plan| plan.day == self.today && plan.revision == self.network.revision;
        self.plan.as_ref().is_none_or(fresh)
    }

    /// As availability to this channel sees it: other channels only as far as they have a
    /// protection.
    #[must_use]
    pub fn view(&self, channel: &Id) -> StockView {
        let held = |protection: &Protection| HeldView {
            id: protection.id.to_string(),
            channel: protection.channel.to_string(),
            from: protection.from,
            until: protection.until,
            held: self.held(protection),
        };
        let protected = self.standing().map(|one| &one.channel);
        let channels = std::iter::once(channel).chain(protected).filter_map(|id| {
            let nodes = &self.network.channels.get(id)?.nodes;
            Some((id.to_string(), nodes.iter().map(Id::to_string).collect()))
        });
        StockView {
            today: self.today,
            free: self.nodes().map(|node| (node.to_owned(), self.free(node))).collect(),
            channels: channels.collect(),
            protections: self.standing().map(held).collect(),
        }
    }

    /// What a channel's own settings allow; an unknown channel has no stock anyway.
    #[must_use]
    pub fn limits(&self, id: &Id) -> Limits {
        let Some(settings) = self.network.channels.get(id) else { return Limits::default() };
        Limits {
            cap: settings.cap,
            claimed: self.counter(&channel(id)),
            buffer: settings.buffer,
            zero_threshold: settings.zero_threshold,
        }
    }

    /// What a channel can take, and what it shows.
    #[must_use]
    pub fn available(&self, channel: &Id) -> (Quantity, Quantity) {
        let limits = self.limits(channel);
        let available = available(&self.view(channel), channel.as_str(), &limits);
        (available, limits.published(available))
    }

    /// The protection that a claim of this channel uses today: one channel's do not overlap.
    #[must_use]
    pub fn own_protection(&self, channel: &Id) -> Option<&Protection> {
        let today = self.today;
        self.standing()
            .find(|one| one.channel == *channel && (one.from..=one.until).contains(&today))
    }

    /// Guards that hold as long as no counter that `inbound` rests on has changed, and no node that
    /// never had the item, or a claim on it, has got any.
    #[must_use]
    pub fn unchanged(&self) -> Vec<Guard> {
        let steers = |field: &&String| {
            let kinds = ["sellable:", "claimed:", "used:"];
            kinds.iter().any(|kind| field.starts_with(kind))
        };
        let both = |field: &String| {
            [1, -1].map(|times| {
                let value = self.counter(field).saturating_mul(times);
                Guard { sum: counter(&self.sku, field, times), floor: Floor::Value(value) }
            })
        };
        let changed = self.counters.keys().filter(steers).flat_map(both);
        let fields = self.network.nodes.keys().flat_map(|node| [sellable(node), claimed(node)]);
        let new = fields.filter(|field| !self.counters.contains_key(field));
        let terms: Vec<Term> = new.map(|field| term(&self.sku, field, -1)).collect();
        let empty = Guard { sum: Sum { constant: 0, terms }, floor: Floor::Value(0) };
        changed.chain((!empty.sum.terms.is_empty()).then_some(empty)).collect()
    }
}

/// `times × counter` of an item's stock.
#[must_use]
pub fn term(sku: &Id, field: impl Into<String>, times: i64) -> Term {
    Term::Counter { counters: keys::stock(sku), field: field.into(), times }
}

fn counter(sku: &Id, field: &str, times: i64) -> Sum {
    Sum { constant: 0, terms: vec![term(sku, field, times)] }
}
