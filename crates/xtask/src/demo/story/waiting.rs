//! Which purchase order to delay: the confirmed one that most customers' money waits for.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail};
use serde_json::Value;
use tradewind_kernel::Day;

use super::table::{hundredths, list, number, text};
use crate::demo::client::Client;

/// Connections for reading the customer orders: enough to keep two cores busy.
const READERS: usize = 4;

/// A line of a customer order that waits for a purchase order.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The customer order.
    pub order: String,
    /// Its channel.
    pub channel: String,
    /// The item.
    pub sku: String,
    /// Units that come from the purchase order.
    pub units: i64,
    /// What they bring, in hundredths.
    pub revenue: i64,
}

/// A purchase order that could be late.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The purchase order as procurement tells it.
    pub order: Value,
    /// The day on which its last open units are to come.
    pub day: Day,
    /// Who waits for it.
    pub waiting: Vec<Waiting>,
}

impl Candidate {
    /// The purchase order's id.
    pub fn id(&self) -> String {
        text(&self.order["id"])
    }

    /// The supplier's id.
    pub fn supplier(&self) -> String {
        text(&self.order["supplier"])
    }

    fn revenue(&self) -> i64 {
        self.waiting.iter().map(|waiting| waiting.revenue).sum()
    }
}

/// Is anything of the line still to come?
pub fn is_open(line: &Value) -> bool {
    number(&line["open"]) > 0
}

/// The latest day on which something of the line is to come.
pub fn day_of(line: &Value) -> Option<Day> {
    list(&line["schedule"]).iter().filter_map(|part| part["day"].as_str()?.parse().ok()).max()
}

/// The confirmed order, not late yet, that the most revenue waits for.
pub fn most_awaited(client: &Client<'_>) -> Result<Option<Candidate>> {
    let waiting = waiting(client)?;
    let mut candidates: Vec<Candidate> = client
        .list("/procurement/v1/orders?status=confirmed")?
        .into_iter()
        .filter(|order| !is_late(order))
        .filter_map(|order| {
            let open = list(&order["lines"]).iter().filter(|line| is_open(line));
            let day = open.filter_map(day_of).max()?;
            let id = text(&order["id"]);
            Some(Candidate { day, waiting: waiting.get(&id).cloned().unwrap_or_default(), order })
        })
        .collect();
    candidates.sort_by_key(|candidate| (-candidate.revenue(), candidate.day, candidate.id()));
    Ok(candidates.into_iter().next())
}

/// Is any line confirmed for later than it was ordered for?
fn is_late(order: &Value) -> bool {
    list(&order["lines"]).iter().filter(|line| is_open(line)).any(|line| {
        let due = line["due"].as_str().and_then(|due| due.parse::<Day>().ok());
        day_of(line) > due
    })
}

/// Who waits for which purchase order, from the pegs of every open customer order.
fn waiting(client: &Client<'_>) -> Result<BTreeMap<String, Vec<Waiting>>> {
    let orders: Vec<String> = client
        .list("/inventory/v1/orders")?
        .iter()
        .filter(|order| order["status"] == "open")
        .map(|order| text(&order["id"]))
        .collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let read = || -> Result<()> {
        let client = client.another();
        while let Some(id) = orders.get(next.fetch_add(1, Ordering::Relaxed)) {
            let order = client.read(&format!("/inventory/v1/orders/{id}"))?;
            let mut found = found.lock().map_err(|_| anyhow!("a reader panicked"))?;
            for (purchase, line) in pegged(&order) {
                found.entry(purchase).or_insert_with(Vec::new).push(line);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        for reader in readers {
            match reader.join() {
                Ok(ended) => ended?,
                Err(_) => bail!("a reader panicked"),
            }
        }
        Ok(())
    })?;
    let mut found = found.into_inner().map_err(|_| anyhow!("a reader panicked"))?;
    // Readers end in any order; the story is told in one.
    for lines in found.values_mut() {
        lines.sort_by(|one, other| (&one.order, &one.sku).cmp(&(&other.order, &other.sku)));
    }
    Ok(found)
}

/// What of a customer order comes from which purchase order. A supply that is a purchase is named
/// `order/line/day`.
fn pegged(order: &Value) -> Vec<(String, Waiting)> {
    let mut pegged = Vec::new();
    for line in list(&order["lines"]) {
        for peg in list(&line["pegs"]) {
            let supply = text(&peg["supply"]);
            let Some((purchase, _)) = supply.split_once('/') else { continue };
            let units = number(&peg["quantity"]);
            let waiting = Waiting {
                order: text(&order["id"]),
                channel: text(&order["channel"]),
                sku: text(&line["sku"]),
                units,
                revenue: hundredths(&line["price"]) * units,
            };
            pegged.push((purchase.to_owned(), waiting));
        }
    }
    pegged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pegs_on_purchases_are_found_and_stock_is_not() {
        let order = json!({ "id": "O1", "channel": "web", "lines": [{
            "sku": "X", "price": { "amount": "24.00", "currency": "USD" },
            "pegs": [
                { "supply": "stock:OWN", "quantity": 3 },
                { "supply": "po_1/2/2026-12-15", "quantity": 5 },
            ],
        }]});
        let found = pegged(&order);
        assert_eq!(found.len(), 1);
        let (purchase, waiting) = &found[0];
        assert_eq!((purchase.as_str(), waiting.units, waiting.revenue), ("po_1", 5, 12_000));
    }

    #[test]
    fn an_order_is_late_when_what_is_open_comes_after_its_due_day() {
        let order = |day: &str, open: i64| {
            json!({ "lines": [{
                "open": open, "due": "2026-12-15", "schedule": [{ "day": day, "quantity": open }],
            }]})
        };
        for (day, open, late) in
            [("2026-12-15", 5, false), ("2026-12-29", 5, true), ("2026-12-29", 0, false)]
        {
            assert_eq!(is_late(&order(day, open)), late, "{day} {open}");
        }
    }
}
