//! Settings, suppliers, the network, items with their offers and opening stock.

use serde_json::{Value, json};

use super::{Actor, Brand, Call, Chain, Clock, Step, decimal, dollars, first_day, movement, place};
use crate::demo::brand::{self, CHANNELS, LANES, NODES, RATES, SupplierFacts, ZONE};
use crate::demo::catalogue::{Class, Item, OfferFacts};

/// Cash at hand on the base day, US cents.
const OPENING_CASH: i64 = 94_000_000;

/// The least that cash may be, US cents.
const CASH_FLOOR: i64 = 25_000_000;

/// The steps, in order.
pub fn steps(brand: &Brand) -> Vec<Step> {
    let first = Clock::On(first_day(brand));
    let mut around: Vec<Chain> = brand::suppliers().map(|facts| supplier(brand, facts)).collect();
    around.push(network(brand));
    let step = |what: &str, clock, chains| Step { what: what.to_owned(), clock, chains };
    vec![
        step("settings and currencies", first, vec![settings(brand)]),
        step("suppliers, warehouses, channels", Clock::Stays, around),
        step(
            "items, offers and opening stock",
            Clock::Stays,
            (0..brand.items.len()).map(|place| item(brand, place)).collect(),
        ),
        step("planning policies", Clock::Stays, policies(brand)),
    ]
}

fn settings(brand: &Brand) -> Chain {
    let body = json!({
        "zone": ZONE,
        "currency": "USD",
        "opening_cash": decimal(OPENING_CASH),
        "cash_floor": decimal(CASH_FLOOR),
    });
    let mut chain = vec![Call::put(Actor::Finance, "/finance/v1/settings".to_owned(), body)];
    // A little dearer each month, so that older documents have rates of their own.
    for (month, days) in (0..).zip([-91, -61, -30, 0]) {
        for (currency, rate) in RATES {
            let rate = rate - 3 * (3 - month);
            let path = format!("/finance/v1/rates/{currency}/{}", brand.day(days));
            let rate = json!({ "rate": format!("{}.{:04}", rate / 10_000, rate % 10_000) });
            chain.push(Call::put(Actor::Finance, path, rate));
        }
    }
    chain
}

fn supplier(brand: &Brand, facts: &SupplierFacts) -> Chain {
    let path = format!("/suppliers/v1/suppliers/{}", facts.id);
    let year = brand.base.to_string().get(..4).unwrap_or_default().to_owned();
    // The autumn holidays of Chinese factories.
    let closed: Vec<String> = match facts.country {
        "CN" => (1..=7).map(|day| format!("{year}-10-{day:02}")).collect(),
        _ => Vec::new(),
    };
    let body = json!({
        "name": facts.name,
        "class": facts.class,
        "currency": facts.currency,
        "terms_days": facts.terms_days,
        "calendar": { "open": ["mon", "tue", "wed", "thu", "fri", "sat"], "closed": closed },
        "country": facts.country,
    });
    let reason = json!({ "reason": "audited, samples approved" });
    vec![
        Call::put(Actor::Buyer, path.clone(), body),
        Call::post(Actor::Approver, format!("{path}/approve"), reason),
    ]
}

fn network(brand: &Brand) -> Chain {
    let mut chain = Vec::new();
    let closed = holidays(brand);
    for (id, kind, open, receiving_days) in NODES {
        let body = json!({
            "kind": kind,
            "calendar": { "open": open, "closed": closed },
            "receiving_days": receiving_days,
        });
        chain.push(Call::put(Actor::Warehouse, format!("/inventory/v1/nodes/{id}"), body));
    }
    for (from, to, days, cost) in LANES {
        let body = json!({ "days": days, "cost_per_unit": dollars(cost) });
        chain.push(Call::put(Actor::Warehouse, format!("/inventory/v1/lanes/{from}/{to}"), body));
    }
    for channel in &CHANNELS {
        let body = json!({
            "kind": channel.kind,
            "priority": channel.priority,
            "nodes": channel.nodes,
            "buffer": channel.buffer,
            "payout": { "lag_days": channel.lag_days, "fee": channel.fee },
        });
        chain.push(Call::put(
            Actor::Planner,
            format!("/inventory/v1/channels/{}", channel.id),
            body,
        ));
    }
    // Goods from overseas bind cash for months, so finance looks at them too.
    let rules = json!({ "rules": [
        { "steps": ["approver"] },
        { "class": "overseas", "steps": ["approver", "finance"] },
    ]});
    chain.push(Call::put(Actor::Owner, "/procurement/v1/policies/approval".to_owned(), rules));
    chain
}

/// Days on which nobody receives: Christmas and New Year around the base day.
fn holidays(brand: &Brand) -> Vec<String> {
    let base = brand.base.to_string();
    let year: i32 = base.get(..4).and_then(|year| year.parse().ok()).unwrap_or_default();
    (year - 1..=year + 1)
        .flat_map(|year| [format!("{year}-12-25"), format!("{year}-01-01")])
        .collect()
}

fn policies(brand: &Brand) -> Vec<Chain> {
    let policy = |sku: &str, service: &str, criticality: &str| {
        let body =
            json!({ "service_level": service, "review_days": 7, "criticality": criticality });
        vec![Call::put(Actor::Planner, format!("/planning/v1/policies/{sku}/*"), body)]
    };
    let mut chains = vec![policy("*", "0.95", "C")];
    let best = brand.items.iter().filter(|item| item.class == Class::A);
    chains.extend(best.map(|item| policy(&item.sku, "0.98", "A")));
    chains
}

fn item(brand: &Brand, number: usize) -> Chain {
    let item = &brand.items[number];
    let prices: serde_json::Map<String, Value> = item
        .shapes
        .iter()
        .map(|(channel, _)| (channel.id.to_owned(), dollars(item.price(channel))))
        .collect();
    let body = json!({
        "name": item.name,
        "base_unit": "each",
        "units": [{ "unit": "case", "numerator": item.case, "denominator": 1 }],
        "weight_grams": item.grams,
        "list_prices": prices,
    });
    let path = format!("/inventory/v1/items/{}", item.sku);
    let mut chain = vec![Call::put(Actor::Warehouse, path, body)];
    chain.extend(item.offers.iter().map(|offered| offer(item, offered)));
    let own = brand.counts.range((number, "")..).take_while(|((place, _), _)| *place == number);
    for ((_, node), count) in own {
        let (from, to) = (json!("supplier"), place(node));
        chain.push(movement(brand, number, count.opening, from, to, "opening stock"));
    }
    chain
}

fn offer(item: &Item, offer: &OfferFacts) -> Call {
    let currency = offer.supplier.currency;
    let money = |hundredths| json!({ "amount": decimal(hundredths), "currency": currency });
    let breaks: Vec<Value> = offer
        .breaks
        .iter()
        .map(|(from, price)| json!({ "from": from, "price": money(*price) }))
        .collect();
    let mut body = json!({
        "price": money(offer.price),
        "lead_time_days": offer.supplier.lead_days,
        "minimum": offer.minimum,
        "multiple": offer.multiple,
        "breaks": breaks,
        "origin": offer.supplier.country,
    });
    if let (Some((days, cost)), Some(body)) = (offer.expedite, body.as_object_mut()) {
        let expedite = json!({ "days": days, "cost_per_unit": money(cost) });
        body.insert("expedite".to_owned(), expedite);
    }
    let path = format!("/suppliers/v1/offers/{}/{}", offer.supplier.id, item.sku);
    Call::put(Actor::Buyer, path, body)
}
