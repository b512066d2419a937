//! The verifier: recounts everything from what happened, and lists what differs.
//!
//! Movements say where goods are, reservations who claims them; together they give every counter.
//! Promises must be what pegging gives, unless something still waits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::inventory::{LeavingLine, ReservationShipped, StockMoved};
use tradewind_kernel::{Event, Id, Quantity};
use utoipa::ToSchema;

use crate::demand;
use crate::keys;
use crate::leaving::ReleasedWithUse;
use crate::place::{Elsewhere, Place};
use crate::repegging::{Promise, repeg};
use crate::reservation::ReservedWithUse;
use crate::shelf::{channel, claimed, sellable};
use crate::situation::Situation;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The item.
    pub sku: Id,
    /// What differs: a counter of the item (`sellable:NODE`, `claimed:NODE`, `channel:CHANNEL`,
    /// `supplier`, …), their `sum`, `free:NODE`, `event:ID` for one that does not read, `lines` (how
    /// many there are), or `promise:ORDER/LINE`.
    #[schema(pattern = "^[a-z]+(:[A-Za-z0-9._~/-]+)*$")]
    pub what: String,
    /// What is kept: a number, a day or a word.
    #[schema(format = "free-text")]
    pub kept: String,
    /// What it must be, in the same form.
    #[schema(format = "free-text")]
    pub expected: String,
}

/// The counters of one item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Of its stock.
    pub stock: BTreeMap<String, Quantity>,
    /// Of orders' claims and shipments.
    pub fills: BTreeMap<String, Quantity>,
}

fn add(counters: &mut BTreeMap<String, Quantity>, field: String, delta: Quantity) {
    let value = counters.entry(field).or_default();
    *value = value.saturating_add(delta);
}

/// Counters recounted from events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recount {
    /// By item.
    pub items: BTreeMap<Id, Counted>,
    /// Events that do not read.
    pub unread: Vec<String>,
}

impl Recount {
    /// Counts an event of inventory's stream.
    pub fn count(&mut self, event: &Event) {
        let counted = if event.is::<StockMoved>() {
            event.read().ok().and_then(|told: StockMoved| self.moved(&told))
        } else if event.is::<ReservedWithUse>() {
            event.read().ok().map(|told: ReservedWithUse| self.reserved(&told))
        } else if event.is::<ReservationShipped>() {
            event.read().ok().map(|told: ReservationShipped| self.shipped(&told))
        } else if event.is::<ReleasedWithUse>() {
            event.read().ok().map(|told: ReleasedWithUse| self.released(&told))
        } else {
            Some(())
        };
        if counted.is_none() {
            self.unread.push(event.id());
        }
    }

    fn item(&mut self, sku: &Id) -> &mut Counted {
        self.items.entry(sku.clone()).or_default()
    }

    fn moved(&mut self, told: &StockMoved) -> Option<()> {
        let (from, to) = (Place::of_text(&told.from)?, Place::of_text(&told.to)?);
        let stock = &mut self.item(&told.sku).stock;
        add(stock, from.counter(), told.quantity.saturating_neg());
        add(stock, to.counter(), told.quantity);
        Some(())
    }

    fn reserved(&mut self, told: &ReservedWithUse) {
        let reserved = &told.reserved;
        for line in &reserved.lines {
            let item = self.item(&line.sku);
            for one in &line.allocations {
                add(&mut item.stock, claimed(&one.node), one.quantity);
                add(&mut item.stock, channel(&reserved.channel), one.quantity);
                if let Some(counter) = told.used.get(&line.sku) {
                    add(&mut item.stock, counter.clone(), one.quantity);
                }
                if reserved.order != reserved.reservation {
                    add(&mut item.fills, demand::claimed(&reserved.order), one.quantity);
                }
            }
        }
    }

    /// What leaves a reservation is claimed no more.
    fn left(&mut self, of: &Id, line: &LeavingLine, order: Option<&Id>) -> &mut Counted {
        let item = self.item(&line.sku);
        for one in &line.allocations {
            let less = one.quantity.saturating_neg();
            add(&mut item.stock, claimed(&one.node), less);
            add(&mut item.stock, channel(of), less);
            if let Some(order) = order {
                add(&mut item.fills, demand::claimed(order), less);
            }
        }
        item
    }

    fn shipped(&mut self, told: &ReservationShipped) {
        let order = Some(&told.order).filter(|order| **order != told.reservation);
        for line in &told.lines {
            let item = self.left(&told.channel, line, order);
            for one in &line.allocations {
                add(&mut item.stock, sellable(&one.node), one.quantity.saturating_neg());
            }
            add(&mut item.stock, Place::Elsewhere(Elsewhere::Customer).counter(), line.quantity);
            if let Some(order) = order {
                add(&mut item.fills, demand::shipped(order), line.quantity);
            }
        }
    }

    fn released(&mut self, told: &ReleasedWithUse) {
        let released = &told.released;
        let order = Some(&released.order).filter(|order| **order != released.reservation);
        for line in &released.lines {
            let item = self.left(&released.channel, line, order);
            if let Some(counter) = told.used.get(&line.sku) {
                add(&mut item.stock, counter.clone(), line.quantity.saturating_neg());
            }
        }
    }
}

/// What differs between counters as kept and as recounted, and from what must always hold.
#[must_use]
pub fn counters(sku: &Id, kept: &Counted, expected: &Counted) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |what: String, kept: Quantity, expected: Quantity| {
        let (kept, expected) = (kept.to_string(), expected.to_string());
        found.push(Difference { sku: sku.clone(), what, kept, expected });
    };
    let groups = [(&kept.stock, &expected.stock), (&kept.fills, &expected.fills)];
    for (kept, expected) in groups {
        let fields: std::collections::BTreeSet<&String> =
            kept.keys().chain(expected.keys()).collect();
        for field in fields {
            let of =
                |counters: &BTreeMap<String, Quantity>| counters.get(field).copied().unwrap_or(0);
            if of(kept) != of(expected) {
                note(field.clone(), of(kept), of(expected));
            }
        }
    }
    let value = |field: &str| kept.stock.get(field).copied().unwrap_or(0);
    let is_place = |field: &str| {
        let of_node = ["sellable:", "hold:", "damaged:"].iter().any(|kind| field.starts_with(kind));
        of_node || Elsewhere::ALL.iter().any(|word| word.name() == field)
    };
    let places = kept.stock.keys().filter(|field| is_place(field));
    let sum = places.map(|field| value(field)).fold(0, Quantity::saturating_add);
    if sum != 0 {
        note("sum".to_owned(), sum, 0);
    }
    let claims = kept.stock.keys().filter_map(|field| field.strip_prefix("claimed:"));
    for node in claims {
        let free = value(&sellable(node)).saturating_sub(value(&claimed(node)));
        if free < 0 {
            note(format!("free:{node}"), free, 0);
        }
    }
    found
}

/// Whether the count of an item's demand lines is that of the lines it has.
#[must_use]
pub fn weight(situation: &Situation, counted: Quantity) -> Option<Difference> {
    let lines = situation.demand.len();
    (Quantity::try_from(lines) != Ok(counted)).then(|| Difference {
        sku: situation.sku().clone(),
        what: keys::LINE_COUNT.to_owned(),
        kept: counted.to_string(),
        expected: lines.to_string(),
    })
}

/// What differs between promises as kept and as pegging gives them.
#[must_use]
pub fn promises(situation: &Situation, kept: &BTreeMap<String, Promise>) -> Vec<Difference> {
    let repegged = repeg(situation, kept);
    let day = |promise: Option<&Promise>| match promise.map(|promise| promise.promised) {
        Some(Some(day)) => day.to_string(),
        Some(None) => "unpromised".to_owned(),
        None => "none".to_owned(),
    };
    let difference = |name: &String| Difference {
        sku: situation.sku().clone(),
        what: format!("promise:{name}"),
        kept: day(kept.get(name)),
        expected: day(repegged.promises.get(name)),
    };
    repegged.changed.iter().map(difference).collect()
}
