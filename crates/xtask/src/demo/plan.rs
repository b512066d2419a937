//! The whole load as a value: which calls, by whom, in which order, on which day of the play.
//!
//! A step's chains are independent of each other and may run side by side; the calls of a chain
//! follow one another. Nothing here talks to anyone: the same seed and base day give the same plan.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};
use tradewind_kernel::Day;

use super::campaigns;
use super::catalogue::{self, Item};
use super::demand;
use super::orders;
use super::purchases::{self, PLAYED_DAYS, Purchase, play_days};
use super::stock::{self, Stock};

mod documents;
mod masters;

/// Who acts in the brand. Each is a person of their own, so that nobody approves what they raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Actor {
    Buyer,
    Approver,
    Planner,
    Warehouse,
    Finance,
    Sales,
    Owner,
    /// This supplier itself.
    Supplier(&'static str),
}

/// What a call carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One document.
    Json(Value),
    /// JSON lines, streamed.
    Lines(String),
}

/// One call of the public API.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Who makes it.
    pub actor: Actor,
    /// PUT or POST.
    pub method: &'static str,
    /// Its path; `{name}` stands for the id that an earlier answer gave under that name.
    pub path: String,
    /// What it carries.
    pub body: Body,
    /// The name under which the answer's id is kept.
    pub keep: Option<String>,
}

impl Call {
    fn put(actor: Actor, path: String, body: Value) -> Self {
        Self { actor, method: "PUT", path, body: Body::Json(body), keep: None }
    }

    fn post(actor: Actor, path: impl Into<String>, body: Value) -> Self {
        Self { actor, method: "POST", path: path.into(), body: Body::Json(body), keep: None }
    }

    fn keep(self, name: impl Into<String>) -> Self {
        Self { keep: Some(name.into()), ..self }
    }
}

/// Calls that follow one another.
pub type Chain = Vec<Call>;

/// Where the business clock stands during a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Where it stood.
    Stays,
    /// Mid-morning of a day.
    On(Day),
    /// Real time.
    Real,
}

/// A part of the load.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it does, for the person who waits.
    pub what: String,
    /// Where the clock stands.
    pub clock: Clock,
    /// What may run side by side.
    pub chains: Vec<Chain>,
}

/// The brand under a seed, before it becomes calls.
struct Brand {
    base: Day,
    items: Vec<Item>,
    purchases: Vec<Purchase>,
    open: Vec<orders::CustomerOrder>,
    shipped: Vec<orders::CustomerOrder>,
    promotions: Vec<campaigns::Promotion>,
    counts: BTreeMap<Place, Count>,
}

/// An item (its place in the catalogue) at a node.
type Place = (usize, &'static str);

/// What an item starts with at a node, and what is sold there until the base day.
struct Count {
    opening: i64,
    sold: i64,
}

impl Brand {
    fn of(seed: u64, base: Day) -> Result<Self> {
        let items = catalogue::items(seed)?;
        let purchases = purchases::purchases(seed, &items);
        let open = orders::open_orders(seed, &items, &purchases);
        let shipped = orders::shipped_orders(seed, &items);
        let promotions = campaigns::promotions(seed, &items, &purchases);
        let at_hand = stock::on_hand(seed, &items, &purchases, &open);
        let counts = counts(&at_hand, &stock::received(&purchases), &stock::taken(&shipped));
        Ok(Self { base, items, purchases, open, shipped, promotions, counts })
    }

    fn day(&self, days: i64) -> Day {
        self.base.plus(days)
    }
}

/// The first item of the brand: where it is, a load has begun.
pub const FIRST: &str = "/inventory/v1/items/LIN-001";

/// What is loaded last: where it is, the load is complete.
pub const LAST: &str = "/planning/v1/promotions/season-finale";

/// Everything, in order. `base` is the day on which the brand is handed over.
///
/// # Errors
/// The checked-in shapes are unreadable.
pub fn plan(seed: u64, base: Day) -> Result<Vec<Step>> {
    let brand = Brand::of(seed, base)?;
    let mut steps = masters::steps(&brand);
    for day in play_days() {
        steps.push(documents::day(&brand, day));
    }
    steps.push(sales(&brand));
    // History is of days that have been, so it comes when the clock is back.
    let mut current = documents::current(&brand);
    if let Some(first) = current.first_mut() {
        let history = demand::history(seed, base, &brand.items);
        let lines: usize = history.iter().map(|body| body.lines().count()).sum();
        first.what = format!("{}, two years of demand in {lines} lines", first.what);
        first.chains.extend(history.into_iter().map(|lines| vec![bulk(lines)]));
    }
    steps.extend(current);
    Ok(steps)
}

fn bulk(lines: String) -> Call {
    let (actor, method, keep) = (Actor::Planner, "POST", None);
    let path = "/planning/v1/history".to_owned();
    Call { actor, method, path, body: Body::Lines(lines), keep }
}

/// What was sold over the counter in the play, so that the base day's stock is what it should be.
fn sales(brand: &Brand) -> Step {
    let chains = brand
        .counts
        .iter()
        .map(|((item, node), count)| {
            vec![movement(brand, *item, count.sold, place(node), json!("customer"), "sold")]
        })
        .collect();
    Step { what: "what was sold since".to_owned(), clock: Clock::Stays, chains }
}

/// Opening stock and sales by item and node: opening + received − shipped − sold is what is to be
/// at hand on the base day, and nothing ever falls below it on the way.
fn counts(at_hand: &Stock, received: &Stock, shipped: &Stock) -> BTreeMap<Place, Count> {
    let of = |stock: &Stock, place: &Place| stock.get(place).copied().unwrap_or(0);
    let places: BTreeSet<Place> =
        at_hand.keys().chain(received.keys()).chain(shipped.keys()).copied().collect();
    places
        .into_iter()
        .map(|place| {
            let ordinary = of(at_hand, &place) / 2 + 1;
            let opening = of(at_hand, &place) + of(shipped, &place) + ordinary;
            (place, Count { opening, sold: of(received, &place) + ordinary })
        })
        .collect()
}

fn place(node: &str) -> Value {
    json!({ "node": node, "status": "sellable" })
}

fn movement(brand: &Brand, item: usize, units: i64, from: Value, to: Value, why: &str) -> Call {
    let sku = &brand.items[item].sku;
    let body = json!({ "sku": sku, "quantity": units, "from": from, "to": to, "reason": why });
    Call::post(Actor::Warehouse, "/inventory/v1/movements", body)
}

/// Hundredths as a decimal text.
fn decimal(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// US cents as the contract writes money.
fn dollars(cents: i64) -> Value {
    json!({ "amount": decimal(cents), "currency": "USD" })
}

/// The first day of the play.
fn first_day(brand: &Brand) -> Day {
    brand.day(-PLAYED_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Day {
        "2026-11-23".parse().unwrap()
    }

    #[test]
    fn one_seed_and_day_is_one_plan() {
        let one = plan(11, day()).unwrap();
        assert_eq!(one, plan(11, day()).unwrap());
        assert_ne!(one, plan(12, day()).unwrap());
    }

    #[test]
    fn the_plan_is_small_enough_to_be_played_in_a_minute_and_ids_are_kept_before_use() {
        let steps = plan(11, day()).unwrap();
        let mut kept = BTreeSet::new();
        let mut calls = 0;
        for step in &steps {
            let mut fresh = Vec::new();
            for chain in &step.chains {
                let mut own: Vec<&str> = Vec::new();
                for call in chain {
                    calls += 1;
                    if let Some((_, rest)) = call.path.split_once('{') {
                        let name = rest.split_once('}').unwrap().0;
                        assert!(kept.contains(name) || own.contains(&name), "{}", call.path);
                    }
                    own.extend(call.keep.as_deref());
                }
                fresh.extend(own);
            }
            kept.extend(fresh);
        }
        assert!((2_000..4_500).contains(&calls), "{calls} calls");
        assert_eq!(steps.last().unwrap().clock, Clock::Stays);
        assert_eq!(steps.iter().filter(|step| step.clock == Clock::Real).count(), 1);
    }

    #[test]
    fn stock_never_falls_below_nothing() {
        let brand = Brand::of(11, day()).unwrap();
        let at_hand = stock::on_hand(11, &brand.items, &brand.purchases, &brand.open);
        let received = stock::received(&brand.purchases);
        let shipped = stock::taken(&brand.shipped);
        for (place, count) in &brand.counts {
            let of = |stock: &Stock| stock.get(place).copied().unwrap_or(0);
            let left = count.opening + of(&received) - of(&shipped) - count.sold;
            assert_eq!(left, of(&at_hand), "{place:?}");
            assert!(count.opening > of(&shipped), "{place:?}");
        }
    }
}
