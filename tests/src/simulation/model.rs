//! The model: a small book of stock, claims, protections, demand, supply and purchases.
//!
//! It is written from the rules of the domain (`docs/domain.md`) and calls none of the product's:
//! availability is a maximum flow, pegging the naive one that hands out single units. It is told
//! what was committed, in the order of the commits, and says what must be answered.

mod demand;
mod flow;
mod leaving;
mod masters;
mod pegging;
mod purchase;
mod reserve;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tradewind_kernel::{Day, Instant};

pub use demand::{Kept, Order};
pub use purchase::Purchase;
pub use reserve::Reservation;

use super::command::{Channel, Command, Names};

/// A request that succeeds: its status, and what its body says at least.
#[derive(Debug, Clone, PartialEq)]
pub struct Yes {
    /// The status.
    pub status: u16,
    /// The fields that the model knows.
    pub body: Value,
}

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    /// The status.
    pub status: u16,
    /// The code of the problem.
    pub code: String,
}

/// What a request must be answered.
pub type Verdict = Result<Yes, No>;

pub(super) fn yes(status: u16, body: Value) -> Verdict {
    Ok(Yes { status, body })
}

pub(super) fn no<T>(status: u16, code: &str) -> Result<T, No> {
    Err(No { status, code: code.to_owned() })
}

/// Refuses when there is a fault; several have one code in common.
pub(super) fn faultless(faults: &[&str]) -> Result<(), No> {
    match faults {
        [] => Ok(()),
        [only] => no(422, only),
        _ => no(422, "invalid"),
    }
}

/// Whether a PUT makes something (201) or changes it (200).
pub(super) fn put(is_new: bool) -> u16 {
    if is_new { 201 } else { 200 }
}

/// A node, as pegging needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Node {
    pub receiving: u32,
    pub weekends: bool,
}

/// A protection that was not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Protection {
    pub sku: String,
    pub channel: String,
    pub quantity: i64,
    pub from: Day,
    pub until: Day,
    pub generation: u32,
    /// What supply to come serves of it, as of its last renewal.
    pub inbound: i64,
}

/// An open purchase line, as inventory knows it: where to, and what on which day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Inbound {
    pub node: String,
    pub schedule: BTreeMap<Day, i64>,
}

/// The book.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Model {
    pub now: i64,
    pub items: BTreeMap<String, u8>,
    pub nodes: BTreeMap<String, Node>,
    pub channels: BTreeMap<String, Channel>,
    /// Counts what pegging feels of the network.
    pub revision: u64,
    /// Base units by item and place.
    pub places: BTreeMap<(String, String), i64>,
    pub reservations: BTreeMap<String, Reservation>,
    pub protections: BTreeMap<String, Protection>,
    /// How often a protection of that id was made.
    pub generations: BTreeMap<String, u32>,
    /// What was claimed inside the window, by protection and generation.
    pub used: BTreeMap<(String, u32), i64>,
    /// Day and revision for which an item's plan was renewed.
    pub renewed: BTreeMap<String, (Day, u64)>,
    pub orders: BTreeMap<String, Order>,
    /// By item, then order and line.
    pub promises: BTreeMap<String, BTreeMap<(String, u32), Kept>>,
    pub supply: BTreeMap<String, BTreeMap<(String, u32), Inbound>>,
    pub suppliers: BTreeMap<String, &'static str>,
    pub purchases: BTreeMap<String, Purchase>,
    /// Purchase orders as events told them, by the event's sequence.
    pub told: BTreeMap<u64, (String, Purchase)>,
    /// Receipts whose goods have not entered stock, by receipt and item.
    pub arriving: BTreeMap<(String, String), (String, i64)>,
    /// Names of things of which nothing but their being there is known.
    pub others: BTreeMap<String, String>,
}

impl Model {
    /// Today in the tenant's zone, UTC.
    #[must_use]
    pub fn today(&self) -> Day {
        Instant::from_millis(self.now).day_in("UTC".parse().unwrap_or_default())
    }

    /// Does what a command says, and gives back what it must be answered. `made` is the id that the
    /// product gave to what is made; a dry run has none.
    pub fn act(&mut self, command: &Command, names: &Names, made: Option<&str>) -> Verdict {
        match command {
            Command::Item { sku, name } => self.put_item(sku, *name),
            Command::Node { node, receiving, weekends } => {
                self.put_node(node, *receiving, *weekends)
            }
            Command::Channel(channel) => self.put_channel(channel),
            Command::Move { sku, quantity, from, to } => self.post_move(sku, *quantity, from, to),
            Command::Protect { .. } => self.protect(command),
            Command::Unprotect { id } => self.unprotect(id),
            Command::Reserve(reserve) => self.reserve(reserve, made.unwrap_or("?")),
            Command::Leave { reservation, ships, lines } => {
                self.leave(names.get(reservation), *ships, lines.as_deref())
            }
            Command::Order { order, channel, lines } => self.put_order(order, channel, lines),
            Command::CancelOrder { order } => self.cancel_order(order),
            Command::Trespass { .. } => no(403, "role-insufficient"),
            Command::Availability { sku, channel } => self.availability(sku, channel),
            Command::Promise { sku, channel, quantity, wanted } => {
                self.promise(sku, channel, *quantity, *wanted)
            }
            Command::OrderView { order } => self.view_order(order),
            // The player takes the command that is meant.
            Command::Again { .. } | Command::Reuse { .. } => no(404, "not-found"),
            _ => self.act_bought(command, names, made.unwrap_or("?")),
        }
    }

    fn act_bought(&mut self, command: &Command, names: &Names, made: &str) -> Verdict {
        match command {
            Command::Supplier { supplier } => self.put_supplier(supplier),
            Command::Standing { supplier, to } => self.stand(supplier, to),
            Command::Raise { supplier, lines } => self.raise(supplier, lines, made),
            Command::Act { purchase, action, by } => self.act_on(names.get(purchase), action, by),
            Command::Confirm { purchase, lines } => self.confirm(names.get(purchase), lines),
            Command::Receive { purchase, lines } => self.receive(names.get(purchase), lines, made),
            Command::Offer { supplier, sku, price, days } => {
                let known = self.suppliers.contains_key(supplier);
                if !known {
                    return no(404, "not-found");
                }
                self.other(&format!("offer {supplier} {sku}"), &format!("{price} {days}"))
            }
            Command::Promotion { id, .. } => {
                self.other(&format!("promotion {id}"), &format!("{command:?}"))
            }
            Command::Policy { sku, node, review } => {
                self.other(&format!("policy {sku} {node}"), &review.to_string())
            }
            Command::Set { what, value } => self.other(what, &value.to_string()),
            Command::History { sku, channel, .. } => {
                self.others.insert(format!("history {sku} {channel}"), String::new());
                yes(200, json!({}))
            }
            _ => yes(201, json!({})),
        }
    }

    /// Something of which the model knows only whether it is there.
    fn other(&mut self, name: &str, content: &str) -> Verdict {
        let old = self.others.insert(name.to_owned(), content.to_owned());
        yes(put(old.is_none()), json!({}))
    }

    /// Base units at a place.
    #[must_use]
    pub fn at(&self, sku: &str, place: &str) -> i64 {
        self.places.get(&(sku.to_owned(), place.to_owned())).copied().unwrap_or(0)
    }

    /// Moves goods.
    pub(super) fn shift(&mut self, sku: &str, quantity: i64, from: &str, to: &str) {
        for (place, delta) in [(from, -quantity), (to, quantity)] {
            *self.places.entry((sku.to_owned(), place.to_owned())).or_default() += delta;
        }
    }

    /// Sellable less open claims.
    #[must_use]
    pub fn free(&self, sku: &str, node: &str) -> i64 {
        let claims = self.reservations.values().flat_map(|one| &one.lines);
        let here = claims
            .filter(|line| line.sku == sku)
            .flat_map(|line| &line.claims)
            .filter(|claim| claim.node == node);
        self.at(sku, &format!("{node}/sellable")) - here.map(|claim| claim.open).sum::<i64>()
    }

    /// Free stock by node, where there is or was any.
    #[must_use]
    pub fn free_by_node(&self, sku: &str) -> BTreeMap<String, i64> {
        let nodes: BTreeSet<&str> = self
            .places
            .keys()
            .filter(|(item, _)| item == sku)
            .filter_map(|(_, place)| place.strip_suffix("/sellable"))
            .collect();
        nodes.into_iter().map(|node| (node.to_owned(), self.free(sku, node))).collect()
    }
}
