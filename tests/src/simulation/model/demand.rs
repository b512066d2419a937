//! Customer orders and their promises, as the model keeps them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tradewind_inventory::pegging::LineView;
use tradewind_kernel::{Day, Instant};

use super::pegging::Held;
use super::{Model, Verdict, faultless, no, put, yes};
use crate::simulation::command::{OrderLine, day};

/// A line as it was stated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub line: u32,
    pub sku: String,
    pub quantity: i64,
    pub wanted: Day,
    pub price: i64,
}

/// A customer order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Order {
    pub channel: String,
    pub ordered_at: i64,
    pub cancelled: bool,
    pub lines: Vec<Line>,
}

/// A promise as it was last pegged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Kept {
    pub promised: Option<Day>,
    pub pegs: BTreeMap<(String, Option<String>), i64>,
    pub overdue: bool,
    /// It was wholly claimed while it had no promise: nobody was given this one.
    pub unasked: bool,
}

impl Kept {
    fn could_have_shipped_before(&self, today: Day) -> bool {
        self.promised.is_some_and(|day| day < today) && self.could_ship()
    }

    /// Whether the line was wholly claimed or shipped when it was pegged.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.promised.is_some() && self.pegs.is_empty()
    }

    fn could_ship(&self) -> bool {
        !self.pegs.is_empty() && self.pegs.keys().all(|(id, _)| id.starts_with("stock:"))
    }
}

impl Model {
    /// Claimed and shipped units of an order, of one item.
    fn fills(&self, order: &str, sku: &str) -> (i64, i64) {
        let named = self.reservations.values().filter(|one| one.order.as_deref() == Some(order));
        let claims = named
            .flat_map(|one| &one.lines)
            .filter(|line| line.sku == sku)
            .flat_map(|line| &line.claims);
        claims.fold((0, 0), |sum, claim| (sum.0 + claim.open, sum.1 + claim.shipped))
    }

    /// An order's lines of an item, with what of each is claimed and shipped: in line order,
    /// shipped units first.
    pub(super) fn filled(&self, id: &str, sku: &str) -> Vec<(&Line, (i64, i64))> {
        match self.orders.get(id) {
            Some(order) if !order.cancelled => self.filled_of(order, id, sku),
            _ => Vec::new(),
        }
    }

    /// The same, whether the order was cancelled or not.
    fn filled_of<'a>(&self, order: &'a Order, id: &str, sku: &str) -> Vec<(&'a Line, (i64, i64))> {
        let (mut claimed, mut shipped) = self.fills(id, sku);
        let mut lines = Vec::new();
        for line in order.lines.iter().filter(|line| line.sku == sku) {
            let gone = shipped.min(line.quantity);
            let held = claimed.min(line.quantity - gone);
            (shipped, claimed) = (shipped - gone, claimed - held);
            lines.push((line, (held, gone)));
        }
        lines
    }

    /// What of an order's lines of an item is neither claimed nor shipped.
    pub(super) fn open_of(&self, id: &str, sku: &str) -> i64 {
        let Some(order) = self.orders.get(id).filter(|order| !order.cancelled) else {
            return 0;
        };
        let ordered: i64 =
            order.lines.iter().filter(|line| line.sku == sku).map(|line| line.quantity).sum();
        let (claimed, shipped) = self.fills(id, sku);
        ordered - claimed - shipped
    }

    pub(super) fn put_order(&mut self, id: &str, channel: &str, lines: &[OrderLine]) -> Verdict {
        let old = self.orders.get(id).cloned();
        if old.as_ref().is_some_and(|order| order.cancelled) {
            return no(409, "order-cancelled");
        }
        let mut faults = Vec::new();
        if !self.channels.contains_key(channel) {
            faults.push("channel-unknown");
        }
        let (today, mut next) = (self.today(), Vec::new());
        for (place, line) in lines.iter().enumerate() {
            if lines[..place].iter().any(|other| other.line == line.line) {
                faults.push("line-repeated");
            }
            if !self.items.contains_key(&line.sku) {
                faults.push("sku-unknown");
            }
            let same = |one: &&Line| one.line == line.line && one.sku == line.sku;
            let stated = old.as_ref().and_then(|old| old.lines.iter().find(same));
            let first = stated.map_or(today, |stated| stated.wanted);
            next.push(Line {
                line: line.line,
                sku: line.sku.clone(),
                quantity: line.quantity,
                wanted: line.wanted.map_or(first, day),
                price: line.price,
            });
        }
        faultless(&faults)?;
        next.sort_by_key(|line| line.line);
        let ordered_at = old.as_ref().map_or(self.now, |old| old.ordered_at);
        let next = Order { channel: channel.to_owned(), ordered_at, cancelled: false, lines: next };
        self.state(id, next);
        yes(put(old.is_none()), self.stated(id))
    }

    pub(super) fn cancel_order(&mut self, id: &str) -> Verdict {
        let Some(order) = self.orders.get(id).cloned() else { return no(404, "not-found") };
        if order.cancelled {
            return no(409, "order-cancelled");
        }
        self.state(id, Order { cancelled: true, ..order });
        yes(200, json!({ "id": id, "status": "cancelled" }))
    }

    /// Puts an order; what changed of its lines starts anew.
    fn state(&mut self, id: &str, next: Order) {
        let demand = |order: &Order| -> BTreeMap<(String, u32), String> {
            let lines = order.lines.iter().filter(|_| !order.cancelled);
            lines
                .map(|line| {
                    let content = format!("{line:?} {} {}", order.channel, order.ordered_at);
                    ((line.sku.clone(), line.line), content)
                })
                .collect()
        };
        let (old, new) = (self.orders.get(id).map(demand).unwrap_or_default(), demand(&next));
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for (sku, line) in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
            if let Some(promises) = self.promises.get_mut(sku) {
                promises.remove(&(id.to_owned(), *line));
            }
        }
        self.orders.insert(id.to_owned(), next);
    }

    /// The lines as they were stated, for the answer of a PUT.
    fn stated(&self, id: &str) -> Value {
        let Some(order) = self.orders.get(id) else { return Value::Null };
        let line = |line: &Line| {
            json!({
                "line": line.line, "sku": line.sku, "quantity": line.quantity,
                "wanted": line.wanted,
            })
        };
        let lines: Value = order.lines.iter().map(line).collect();
        json!({ "id": id, "channel": order.channel, "status": "open", "lines": lines })
    }

    /// An order with its promises as they are kept.
    pub(super) fn view_order(&self, id: &str) -> Verdict {
        let Some(order) = self.orders.get(id) else { return no(404, "not-found") };
        let status = if order.cancelled { "cancelled" } else { "open" };
        let mut lines = Vec::new();
        for line in &order.lines {
            let name = (id.to_owned(), line.line);
            let kept = self.promises.get(&line.sku).and_then(|of| of.get(&name));
            let kept = kept.filter(|_| !order.cancelled);
            let filled = self.filled_of(order, id, &line.sku);
            let filled = filled.iter().find(|(one, _)| one.line == line.line);
            let (claimed, shipped) = filled.map_or((0, 0), |(_, filled)| *filled);
            lines.push(json!({
                "line": line.line,
                "quantity": line.quantity,
                "claimed": claimed,
                "shipped": shipped,
                "promised": kept.and_then(|kept| kept.promised),
                "overdue": kept.is_some_and(|kept| kept.overdue),
                // Compared without their order, by the player.
                "held": kept.map(|kept| shown(&kept.pegs)).unwrap_or_default(),
            }));
        }
        yes(200, json!({ "id": id, "status": status, "lines": lines }))
    }

    /// Pegs an item anew: what each line is promised from now on.
    pub fn repeg(&mut self, sku: &str) {
        let today = self.today();
        let old = self.promises.remove(sku).unwrap_or_default();
        let missed = old.iter().filter(|(_, kept)| kept.could_have_shipped_before(today));
        let pegged = self.pegged_but(sku, &missed.map(|(name, _)| name.clone()).collect());
        let mut promises = BTreeMap::new();
        for id in self.orders.keys() {
            for (line, _) in self.filled(id, sku) {
                let name = (id.clone(), line.line);
                let before = old.get(&name);
                let kept = match pegged.lines.get(&name) {
                    Some((promised, pegs)) => promise(*promised, pegs, before, today),
                    // Wholly claimed or shipped: it keeps the promise it has.
                    None => Kept {
                        promised: match before {
                            Some(Kept { promised: Some(day), .. }) => Some(*day),
                            _ => Some(line.wanted.max(today)),
                        },
                        pegs: Held::new(),
                        overdue: false,
                        unasked: before
                            .is_none_or(|before| before.unasked || before.promised.is_none()),
                    },
                };
                promises.insert(name, kept);
            }
        }
        self.promises.insert(sku.to_owned(), promises);
    }

    /// The day a quantity ordered now would be promised.
    pub(super) fn promise(&self, sku: &str, channel: &str, quantity: i64, on: i64) -> Verdict {
        self.known_item(sku, channel)?;
        let wanted = day(on);
        let asked = LineView {
            order: "~".to_owned(),
            line: 0,
            channel: channel.to_owned(),
            wanted,
            ordered_at: Instant::from_millis(self.now),
            open: quantity,
        };
        let before = self.pegged(sku, None).lines;
        let mut after = self.pegged(sku, Some(asked)).lines;
        let own = after.remove(&("~".to_owned(), 0));
        let promised = own.as_ref().and_then(|(promised, _)| *promised);
        let moved =
            after.iter().filter(|(name, new)| before.get(*name).is_some_and(|old| old.0 != new.0));
        let mut body = json!({ "sku": sku, "channel": channel, "would_move": moved.count() });
        // Unpromised, the product may still name the day of a purchase.
        if let Some(promised) = promised {
            body["day"] = json!(promised);
            body["held"] = json!(shown(&own.map(|(_, pegs)| pegs).unwrap_or_default()));
        }
        yes(200, body)
    }
}

/// What stands behind a promise, as a list that can be compared.
fn shown(pegs: &Held) -> Vec<String> {
    let text = |((supply, from), quantity): (&(String, Option<String>), &i64)| {
        format!("{supply} {} {quantity}", from.as_deref().unwrap_or("-"))
    };
    pegs.iter().map(text).collect()
}

/// A line that could have shipped on its day and has not keeps that day, and is overdue.
fn promise(promised: Option<Day>, pegs: &Held, before: Option<&Kept>, today: Day) -> Kept {
    let mut kept = Kept { promised, pegs: pegs.clone(), overdue: false, unasked: false };
    let missed = before.filter(|before| {
        let still = promised == Some(today) && kept.could_ship();
        before.could_have_shipped_before(today) && still
    });
    if let Some(before) = missed {
        (kept.promised, kept.overdue) = (before.promised, true);
    }
    kept
}
