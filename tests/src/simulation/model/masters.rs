//! Items, nodes, channels, movements and protections, as the model keeps them.

use serde_json::json;

use super::{Model, No, Node, Protection, Verdict, faultless, no, put, yes};
use crate::simulation::command::{Channel, Command, day};

/// Protections of one item that may be live or to come.
const MOST_PROTECTIONS: usize = 6;

impl Model {
    pub(super) fn put_item(&mut self, sku: &str, name: u8) -> Verdict {
        let old = self.items.insert(sku.to_owned(), name);
        yes(put(old.is_none()), json!({ "sku": sku, "name": format!("n{name}") }))
    }

    pub(super) fn put_node(&mut self, id: &str, receiving: u32, weekends: bool) -> Verdict {
        let node = Node { receiving, weekends };
        let old = self.nodes.insert(id.to_owned(), node.clone());
        if old.as_ref() != Some(&node) {
            self.revision += 1;
        }
        yes(put(old.is_none()), json!({ "id": id, "receiving_days": receiving }))
    }

    pub(super) fn put_channel(&mut self, channel: &Channel) -> Verdict {
        let mut faults = Vec::new();
        for (place, node) in channel.nodes.iter().enumerate() {
            if !self.nodes.contains_key(node) {
                faults.push("node-unknown");
            }
            if channel.nodes[..place].contains(node) {
                faults.push("node-repeated");
            }
        }
        faultless(&faults)?;
        let old = self.channels.insert(channel.id.clone(), channel.clone());
        if old.as_ref() != Some(channel) {
            self.revision += 1;
        }
        let body = json!({ "id": channel.id, "nodes": channel.nodes, "cap": channel.cap });
        yes(put(old.is_none()), body)
    }

    pub(super) fn post_move(&mut self, sku: &str, quantity: i64, from: &str, to: &str) -> Verdict {
        let mut faults = Vec::new();
        if !self.items.contains_key(sku) {
            faults.push("sku-unknown");
        }
        for place in [from, to] {
            if place.split_once('/').is_some_and(|(node, _)| !self.nodes.contains_key(node)) {
                faults.push("node-unknown");
            }
        }
        if from == to {
            faults.push("same-place");
        }
        if quantity < 1 {
            faults.push("out-of-range");
        }
        faultless(&faults)?;
        let there = match from.strip_suffix("/sellable") {
            Some(node) => Some(self.free(sku, node)),
            None if from.contains('/') || from == "transit" => Some(self.at(sku, from)),
            None => None,
        };
        if there.is_some_and(|there| there < quantity) {
            return no(409, "stock-negative");
        }
        self.shift(sku, quantity, from, to);
        if from.ends_with("/sellable") || to.ends_with("/sellable") {
            self.renew(sku);
        }
        yes(201, json!({ "sku": sku, "quantity": quantity }))
    }

    pub(super) fn protect(&mut self, command: &Command) -> Verdict {
        let Command::Protect { id, sku, channel, quantity, from, until } = command else {
            return no(500, "no protection");
        };
        let (from, until, today) = (day(*from), day(*until), self.today());
        let generation = self.generations.get(id).copied().unwrap_or(0);
        let live = self.protections.get(id);
        let mut next = Protection {
            sku: sku.clone(),
            channel: channel.clone(),
            quantity: *quantity,
            from,
            until,
            generation: live.map_or(generation + 1, |live| live.generation),
            inbound: 0,
        };
        let body = json!({ "id": id, "sku": sku, "channel": channel, "quantity": quantity });
        if let Some(live) = live {
            next.inbound = live.inbound;
            if *live == next {
                return yes(200, body);
            }
        }
        let mut faults = Vec::new();
        if !self.items.contains_key(sku) {
            faults.push("sku-unknown");
        }
        if !self.channels.contains_key(channel) {
            faults.push("channel-unknown");
        }
        if from > until {
            faults.push("window-reversed");
        } else if until < today {
            faults.push("window-passed");
        }
        faultless(&faults)?;
        if live.is_some_and(|live| live.sku != *sku || live.channel != *channel) {
            return no(409, "protection-fixed");
        }
        let others = || self.standing(sku).filter(|(other, _)| *other != id);
        if others().any(|(_, other)| {
            other.channel == *channel && other.from <= until && from <= other.until
        }) {
            return no(409, "protection-overlaps");
        }
        if others().count() >= MOST_PROTECTIONS {
            return no(409, "too-many-protections");
        }
        let is_new = live.is_none();
        self.generations.insert(id.clone(), next.generation);
        self.protections.insert(id.clone(), next);
        self.renew(sku);
        yes(put(is_new), body)
    }

    pub(super) fn unprotect(&mut self, id: &str) -> Verdict {
        let Some(ended) = self.protections.remove(id) else { return no(404, "not-found") };
        self.renew(&ended.sku);
        yes(200, json!({ "id": id, "ended": true }))
    }

    /// The protections of an item that are live or to come.
    pub(super) fn standing<'a>(
        &'a self,
        sku: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Protection)> {
        let today = self.today();
        self.protections.iter().filter(move |(_, one)| one.sku == sku && one.until >= today)
    }

    /// What of a protection is not used.
    pub(super) fn remainder(&self, id: &str, protection: &Protection) -> i64 {
        let used = self.used.get(&(id.to_owned(), protection.generation)).copied().unwrap_or(0);
        (protection.quantity - used).max(0)
    }

    pub(super) fn known_item(&self, sku: &str, channel: &str) -> Result<(), No> {
        if !self.items.contains_key(sku) {
            return no(422, "sku-unknown");
        }
        if !self.channels.contains_key(channel) {
            return no(422, "channel-unknown");
        }
        Ok(())
    }
}
