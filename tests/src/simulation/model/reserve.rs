//! Availability, lawful splits and reservations, as the model has them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::flow::{ALL, Demand, most};
use super::{Model, Verdict, faultless, no, yes};
use crate::simulation::command::Reserve;

/// What a node gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Claim {
    pub node: String,
    pub quantity: i64,
    pub open: i64,
    pub shipped: i64,
}

/// A line of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub sku: String,
    pub quantity: i64,
    pub claims: Vec<Claim>,
    pub backordered: i64,
    /// The protection that it used, and its generation.
    pub used: Option<(String, u32)>,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reservation {
    pub order: Option<String>,
    pub channel: String,
    pub status: &'static str,
    pub expires: Option<i64>,
    pub lines: Vec<Line>,
}

impl Reservation {
    /// What must be said of it.
    #[must_use]
    pub fn body(&self) -> Value {
        let line = |line: &Line| {
            let node = |one: &Claim| json!({ "node": one.node, "quantity": one.quantity });
            json!({
                "sku": line.sku,
                "quantity": line.quantity,
                "allocations": line.claims.iter().map(node).collect::<Vec<_>>(),
                "backordered": line.backordered,
                "open": line.claims.iter().map(|one| one.open).sum::<i64>(),
                "shipped": line.claims.iter().map(|one| one.shipped).sum::<i64>(),
            })
        };
        json!({
            "order": self.order, "channel": self.channel, "status": self.status,
            "lines": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }
}

/// What is taken from nodes, in the order of taking.
type Split = Vec<(String, i64)>;

impl Model {
    /// What protections that the channel may not use hold: a demand on their nodes for each.
    fn foreign(&self, sku: &str, channel: &str) -> Vec<Demand> {
        let today = self.today();
        let may_not = self
            .standing(sku)
            .filter(|(_, one)| one.channel != channel || today < one.from || one.until < today);
        let demand = |(id, one): (&String, &super::Protection)| {
            let nodes = self.channels.get(&one.channel).map(|channel| channel.nodes.clone());
            (nodes.unwrap_or_default(), (self.remainder(id, one) - one.inbound).max(0))
        };
        may_not.map(demand).collect()
    }

    /// The most that the nodes give without taking from what the others could have.
    fn lawful(free: &BTreeMap<String, i64>, foreign: &[Demand], nodes: &[String]) -> i64 {
        let mut demands = foreign.to_vec();
        let kept = most(free, &demands);
        demands.push((nodes.to_vec(), ALL));
        most(free, &demands) - kept
    }

    /// What a channel can take.
    #[must_use]
    pub fn available(&self, sku: &str, channel: &str) -> i64 {
        let Some(settings) = self.channels.get(channel) else { return 0 };
        let (free, foreign) = (self.free_by_node(sku), self.foreign(sku, channel));
        let most = Self::lawful(&free, &foreign, &settings.nodes);
        let claims: i64 = self
            .reservations
            .values()
            .filter(|one| one.channel == channel)
            .flat_map(|one| &one.lines)
            .filter(|line| line.sku == sku)
            .flat_map(|line| &line.claims)
            .map(|claim| claim.open)
            .sum();
        settings.cap.map_or(most, |cap| most.min(cap - claims)).max(0)
    }

    /// What a channel can take, and what it shows.
    #[must_use]
    pub fn shown(&self, sku: &str, channel: &str) -> (i64, i64) {
        let available = self.available(sku, channel);
        let Some(settings) = self.channels.get(channel) else { return (available, 0) };
        let shown = (available - settings.buffer).max(0);
        (available, if shown < settings.threshold { 0 } else { shown })
    }

    /// What each protection of an item holds of present stock.
    #[must_use]
    pub fn held(&self, sku: &str) -> BTreeMap<String, i64> {
        self.standing(sku)
            .map(|(id, one)| (id.clone(), (self.remainder(id, one) - one.inbound).max(0)))
            .collect()
    }

    pub(super) fn availability(&self, sku: &str, channel: &str) -> Verdict {
        self.known_item(sku, channel)?;
        let mut seen = self.clone();
        if seen.is_stale(sku) {
            seen.renew(sku);
        }
        let (available, published) = seen.shown(sku, channel);
        let Some(settings) = seen.channels.get(channel) else { return no(422, "channel-unknown") };
        let free = |node: &String| json!({ "node": node, "quantity": seen.free(sku, node) });
        let protected = seen.held(sku);
        yes(
            200,
            json!({
                "sku": sku, "channel": channel, "available": available, "published": published,
                "free": settings.nodes.iter().map(free).collect::<Vec<_>>(),
                // Compared without their order, by the player.
                "held": protected,
            }),
        )
    }

    fn split(&self, sku: &str, channel: &str, ordered: i64, strategy: &str) -> Split {
        let total = self.available(sku, channel).min(ordered);
        let Some(settings) = self.channels.get(channel) else { return Split::new() };
        let (free, foreign) = (self.free_by_node(sku), self.foreign(sku, channel));
        let fill = |nodes: &[&String]| fill(&free, &foreign, nodes, total);
        let sum = |split: &Split| split.iter().map(|(_, units)| units).sum::<i64>();
        let mut nodes: Vec<&String> = settings.nodes.iter().collect();
        if strategy == "most-stock" {
            nodes.sort_by_key(|node| -free.get(*node).copied().unwrap_or(0));
        }
        if strategy == "fewest-splits" {
            for size in 0..=nodes.len() {
                for choice in choices(&nodes, size) {
                    let split = fill(&choice);
                    if sum(&split) == total {
                        return split;
                    }
                }
            }
        }
        fill(&nodes)
    }

    pub(super) fn reserve(&mut self, asked: &Reserve, id: &str) -> Verdict {
        let mut faults = Vec::new();
        if !self.channels.contains_key(&asked.channel) {
            faults.push("channel-unknown");
        }
        let order = asked.order.as_ref().and_then(|order| self.orders.get(order));
        if order.is_some_and(|order| order.channel != asked.channel) {
            faults.push("channel-differs");
        }
        for (sku, _) in &asked.lines {
            if !self.items.contains_key(sku) {
                faults.push("sku-unknown");
            }
        }
        faultless(&faults)?;
        let skus: BTreeSet<&String> = asked.lines.iter().map(|(sku, _)| sku).collect();
        let mut rests: BTreeMap<&String, Split> = BTreeMap::new();
        for sku in &skus {
            let of_item = asked.lines.iter().filter(|(other, _)| other == *sku);
            let total = of_item.map(|(_, quantity)| quantity).sum();
            rests.insert(sku, self.split(sku, &asked.channel, total, asked.strategy));
        }
        let lines = self.granted(asked, rests);
        let claimed = |line: &Line| line.claims.iter().map(|one| one.quantity).sum::<i64>();
        let short = lines.iter().any(|line| claimed(line) < line.quantity);
        let nothing = lines.iter().all(|line| claimed(line) == 0 && line.backordered == 0);
        if short && (!asked.partial || nothing) {
            return no(409, "insufficient-stock");
        }
        for line in &lines {
            if let Some(used) = &line.used {
                *self.used.entry(used.clone()).or_default() += claimed(line);
            }
        }
        let body = self.claim(asked, id, lines);
        yes(201, body)
    }

    /// Takes in a reservation with another split than the model would choose now, if it is lawful.
    ///
    /// # Errors
    /// It is not, in words.
    pub fn reserve_as(&mut self, asked: &Reserve, id: &str, body: &Value) -> Result<(), String> {
        let none = BTreeMap::new();
        let mut lines = self.granted(asked, none);
        let given = body["lines"].as_array().cloned().unwrap_or_default();
        let mut taken: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for (line, given) in lines.iter_mut().zip(&given) {
            line.backordered = given["backordered"].as_i64().unwrap_or(0);
            for one in given["allocations"].as_array().into_iter().flatten() {
                let node = one["node"].as_str().unwrap_or_default().to_owned();
                let quantity = one["quantity"].as_i64().unwrap_or(0);
                let of = taken.entry(line.sku.clone()).or_default();
                *of.entry(node.clone()).or_default() += quantity;
                line.claims.push(Claim { node, quantity, open: quantity, shipped: 0 });
            }
        }
        for (sku, taken) in &taken {
            let (mut free, foreign) = (self.free_by_node(sku), self.foreign(sku, &asked.channel));
            let kept = most(&free, &foreign);
            if taken.values().sum::<i64>() > self.available(sku, &asked.channel) {
                return Err(format!("more of {sku} than is available"));
            }
            for (node, units) in taken {
                *free.entry(node.clone()).or_default() -= units;
            }
            if free.values().any(|left| *left < 0) || most(&free, &foreign) < kept {
                return Err(format!("of {sku} it takes what others could have"));
            }
        }
        for line in &lines {
            if let Some(used) = &line.used {
                let claimed: i64 = line.claims.iter().map(|one| one.quantity).sum();
                *self.used.entry(used.clone()).or_default() += claimed;
            }
        }
        self.claim(asked, id, lines);
        Ok(())
    }

    fn claim(&mut self, asked: &Reserve, id: &str, lines: Vec<Line>) -> Value {
        let reservation = Reservation {
            order: asked.order.clone(),
            channel: asked.channel.clone(),
            status: "open",
            expires: asked.expires.map(|seconds| self.now + seconds * 1000),
            lines,
        };
        let body = reservation.body();
        self.reservations.insert(id.to_owned(), reservation);
        body
    }

    /// The lines with what they are dealt, and what stays open on the order that they name.
    fn granted(&self, asked: &Reserve, mut splits: BTreeMap<&String, Split>) -> Vec<Line> {
        let today = self.today();
        let mut spoken: BTreeMap<&String, i64> = splits
            .iter()
            .map(|(sku, split)| (*sku, split.iter().map(|(_, units)| units).sum()))
            .collect();
        let settings = self.channels.get(&asked.channel);
        let order = asked.order.as_ref().filter(|order| self.orders.contains_key(*order));
        let waits = asked.partial && settings.is_some_and(|one| one.backorder);
        let mut lines = Vec::new();
        for (sku, quantity) in &asked.lines {
            let (mut missing, mut claims) = (*quantity, Vec::new());
            for (node, left) in splits.get_mut(sku).into_iter().flatten() {
                let taken = missing.min(*left);
                if taken > 0 {
                    (*left, missing) = (*left - taken, missing - taken);
                    let (node, open) = (node.clone(), taken);
                    claims.push(Claim { node, quantity: taken, open, shipped: 0 });
                }
            }
            let open = order.map_or(0, |order| self.open_of(order, sku));
            let spoken = spoken.entry(sku).or_default();
            let backordered = if waits && missing > 0 && open - *spoken >= missing {
                *spoken += missing;
                missing
            } else {
                0
            };
            let own = self.standing(sku).find(|(_, one)| {
                one.channel == asked.channel && one.from <= today && today <= one.until
            });
            let used = own.map(|(id, one)| (id.clone(), one.generation));
            let (sku, quantity) = (sku.clone(), *quantity);
            lines.push(Line { sku, quantity, claims, backordered, used });
        }
        lines
    }
}

/// As much as is lawful from one node after the other.
fn fill(free: &BTreeMap<String, i64>, foreign: &[Demand], nodes: &[&String], total: i64) -> Split {
    let (mut free, mut missing, mut split) = (free.clone(), total, Split::new());
    for node in nodes {
        let lawful = Model::lawful(&free, foreign, &[(*node).clone()]);
        let taken = lawful.min(missing);
        if taken > 0 {
            *free.entry((*node).clone()).or_default() -= taken;
            missing -= taken;
            split.push(((*node).clone(), taken));
        }
    }
    split
}

/// Every choice of `size` nodes, by their places.
fn choices<'a>(nodes: &[&'a String], size: usize) -> Vec<Vec<&'a String>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in nodes.iter().enumerate() {
        for rest in choices(&nodes[place + 1..], size - 1) {
            all.push(std::iter::once(*first).chain(rest).collect());
        }
    }
    all
}
