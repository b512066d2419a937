//! States before and after a cause, and the cascade that must tell what lies between them.
//!
//! The states are what the domains answer when everything is at rest: availability and holds,
//! promises, promotions, scores, cash. They are read before the cause and after all has settled, and
//! nothing else goes on, so that the cascade's totals are their difference: nothing more, nothing
//! less.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::observer::cents;
use super::player::Player;
use super::step::{Finding, Step};

/// By the name of what changed: what it changed from and to, and what is said of it.
type Changes = BTreeMap<String, Value>;

/// Claims change what channels can sell, and that is no news: a cascade lists none of it.
const CLAIMS: [&str; 3] =
    ["inventory.reserved", "inventory.reservation-shipped", "inventory.reservation-released"];

/// What was read at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    available: BTreeMap<String, (i64, i64)>,
    protections: BTreeMap<String, (i64, i64)>,
    promises: BTreeMap<String, Line>,
    promotions: BTreeMap<String, (i64, Value)>,
    scores: BTreeMap<String, Value>,
    cash: BTreeMap<String, i64>,
    /// A line may be promised what was pegged by counters of a moment before.
    torn: bool,
}

/// A line of a customer order: as it was stated, what of it is unclaimed, and its promise.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    stated: Value,
    open: i64,
    promised: Value,
    unasked: bool,
}

impl Player {
    /// Everything comes to rest, so that a cause can be alone.
    pub(super) fn state_at_rest(&mut self, step: &Step) -> Result<Option<State>, Finding> {
        if !step.alone {
            return Ok(None);
        }
        self.settle()?;
        // What is parked will be replayed by the audit: one cause more.
        if !self.observer.parked.is_empty() {
            return Ok(None);
        }
        self.state().map(Some)
    }

    /// The newest cascade, if the step started one, is the difference of the states.
    pub(super) fn difference(&mut self, before: &State, known: usize) -> Result<(), Finding> {
        let torn = before.torn || self.observer.ledger.any_torn();
        let after = self.state()?;
        let cascade = match self.observer.correlations.get(known..) {
            Some([]) => json!({ "complete": true }),
            Some([only]) => self.get(&format!("/reporting/v1/cascades/{only}"))?,
            _ => return Ok(()),
        };
        if cascade["complete"] != true {
            return Err(Finding::new("cascade: not complete", cascade.to_string()));
        }
        let lines = |field: &'static str| cascade[field].as_array().into_iter().flatten();
        let claims = lines("chain").any(|link| CLAIMS.iter().any(|kind| link["type"] == *kind));
        let mut parts = vec![
            (
                "promotions",
                promotions(before, &after),
                lines("promotions").map(promotion).collect(),
            ),
            ("suppliers", scores(before, &after), lines("suppliers").map(score).collect()),
            ("cash", cash(before, &after), weeks(&cascade).collect()),
        ];
        if !torn {
            let told = lines("promises").map(promise).collect();
            parts.push(("promises", promises(before, &after), told));
        }
        if !claims {
            parts.push((
                "allocations",
                allocations(before, &after),
                lines("allocations").map(allocation).collect(),
            ));
            parts.push((
                "protections",
                protections(before, &after),
                lines("protections").map(protection).collect(),
            ));
        }
        for (what, expected, told) in parts {
            let told: Changes = told;
            if told != expected {
                let detail = format!("expected {expected:?}\n  told {told:?}\n  in {cascade}");
                return Err(Finding::new(format!("cascade: {what}"), detail));
            }
            let count = self.counts.compared.entry(what).or_default();
            *count += u64::try_from(expected.len()).unwrap_or(0);
        }
        self.counts.differences += 1;
        Ok(())
    }

    fn state(&mut self) -> Result<State, Finding> {
        let torn = self.observer.ledger.any_torn();
        let mut state = State { torn, ..State::default() };
        let skus: Vec<String> = self.model.items.keys().cloned().collect();
        for channel in self.model.channels.keys().cloned().collect::<Vec<_>>() {
            let query: Vec<String> = skus.iter().map(|sku| format!("sku={sku}")).collect();
            let query = format!("{}&channel={channel}", query.join("&"));
            let body = self.get(&format!("/inventory/v1/availability?{query}"))?;
            for item in each(&body) {
                let name = format!("{} in {channel}", text(&item["sku"]));
                state.available.insert(name, pair(item, "available", "published"));
                for one in item["protected"].as_array().into_iter().flatten() {
                    state.protections.insert(text(&one["id"]), pair(one, "held", "short"));
                }
            }
        }
        for order in self.model.orders.keys().cloned().collect::<Vec<_>>() {
            let body = self.get(&format!("/inventory/v1/orders/{order}"))?;
            for line in body["lines"].as_array().into_iter().flatten() {
                let stated = json!([
                    body["status"],
                    body["channel"],
                    line["sku"],
                    line["quantity"],
                    line["wanted"],
                    line["price"]["amount"],
                ]);
                let units = |field: &str| line[field].as_i64().unwrap_or(0);
                let open = units("quantity") - units("claimed") - units("shipped");
                let number = line["line"].as_u64().and_then(|number| number.try_into().ok());
                let of_item = self.model.promises.get(line["sku"].as_str().unwrap_or_default());
                let name = (order.clone(), number.unwrap_or(0));
                let kept = of_item.and_then(|of_item| of_item.get(&name));
                let unasked = kept.is_some_and(|kept| kept.unasked);
                let promised = line["promised"].clone();
                let kept = Line { stated, open, promised, unasked };
                state.promises.insert(format!("{order}/{}", line["line"]), kept);
            }
        }
        let promotions = self.get("/planning/v1/promotions?limit=500")?;
        for one in each(&promotions) {
            let short = one["units_short"].as_i64().unwrap_or(0);
            let risk = (short, one["first_day"].clone());
            state.promotions.insert(text(&one["promotion"]), risk);
        }
        for supplier in self.model.suppliers.keys().cloned().collect::<Vec<_>>() {
            let card = self.get(&format!("/suppliers/v1/suppliers/{supplier}/scorecard"))?;
            state.scores.insert(supplier, card["score"].clone());
        }
        state.cash = self.weeks()?;
        Ok(state)
    }
}

fn each(page: &Value) -> impl Iterator<Item = &Value> {
    page["items"].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pair(from: &Value, one: &str, other: &str) -> (i64, i64) {
    (from[one].as_i64().unwrap_or(0), from[other].as_i64().unwrap_or(0))
}

/// What differs; what is missing in one of them is nothing there.
fn changed<T: Clone + Default + PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    say: impl Fn(T, T) -> Value,
) -> Changes {
    let names = before.keys().chain(after.keys());
    let of =
        |state: &BTreeMap<String, T>, name: &String| state.get(name).cloned().unwrap_or_default();
    let change = |name: &String| {
        let (old, new) = (of(before, name), of(after, name));
        (old != new).then(|| (name.clone(), say(old, new)))
    };
    names.filter_map(change).collect()
}

fn allocations(before: &State, after: &State) -> Changes {
    changed(&before.available, &after.available, |old, new| json!([old.0, new.0, old.1, new.1]))
}

fn allocation(told: &Value) -> (String, Value) {
    let name = format!("{} in {}", text(&told["sku"]), text(&told["channel"]));
    let field = |field: &str| told[field].clone();
    (
        name,
        json!([
            field("available_before"),
            field("available_after"),
            field("published_before"),
            field("published_after"),
        ]),
    )
}

fn protections(before: &State, after: &State) -> Changes {
    changed(&before.protections, &after.protections, |old, new| json!([old.0, new.0, old.1, new.1]))
}

fn protection(told: &Value) -> (String, Value) {
    let field = |field: &str| told[field].clone();
    (
        text(&told["id"]),
        json!([
            field("held_before"),
            field("held_after"),
            field("short_before"),
            field("short_after"),
        ]),
    )
}

/// Lines that were stated before and are stated so still: others were given another promise, and
/// no promise moved. What is wholly claimed rests on no promise.
fn promises(before: &State, after: &State) -> Changes {
    let mut moved = Changes::new();
    for (name, new) in &after.promises {
        let Some(old) = before.promises.get(name).filter(|old| old.stated == new.stated) else {
            continue;
        };
        if old.promised != new.promised && !old.unasked && new.open > 0 {
            let revenue = cents(&new.stated[5]) * new.open;
            let (channel, sku) = (&new.stated[1], &new.stated[2]);
            let told = json!([old.promised, new.promised, channel, sku, new.open, revenue]);
            moved.insert(name.clone(), told);
        }
    }
    moved
}

fn promise(told: &Value) -> (String, Value) {
    let field = |field: &str| told[field].clone();
    (
        format!("{}/{}", text(&told["order"]), told["line"]),
        json!([
            field("old_day"),
            field("new_day"),
            field("channel"),
            field("sku"),
            field("quantity"),
            cents(&told["revenue"]),
        ]),
    )
}

fn promotions(before: &State, after: &State) -> Changes {
    changed(&before.promotions, &after.promotions, |old, new| json!([old.0, new.0, new.1]))
}

fn promotion(told: &Value) -> (String, Value) {
    (
        text(&told["promotion"]),
        json!([told["units_short_before"], told["units_short"], told["first_day"],]),
    )
}

fn scores(before: &State, after: &State) -> Changes {
    changed(&before.scores, &after.scores, |old, new| json!([old, new]))
}

fn score(told: &Value) -> (String, Value) {
    (text(&told["id"]), json!([told["score_before"], told["score_after"]]))
}

fn cash(before: &State, after: &State) -> Changes {
    changed(&before.cash, &after.cash, |old, new| json!([old, new]))
}

fn weeks(cascade: &Value) -> impl Iterator<Item = (String, Value)> {
    let weeks = cascade["cash"]["weeks"].as_array().into_iter().flatten();
    weeks.map(|week| (text(&week["week"]), json!([cents(&week["before"]), cents(&week["after"])])))
}
