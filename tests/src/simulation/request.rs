//! Commands as requests: method, path and body.

use serde_json::{Value, json};

use super::command::{Bought, Channel, Command, Label, NOBODY, Names, OrderLine, Reserve, day};
use crate::driver::Sent;

/// What a conditional supplier may be ordered from: more than is ever ordered.
const LIMIT: i64 = 1_000_000_000;

fn place(spot: &str) -> Value {
    match spot.split_once('/') {
        Some((node, status)) => json!({ "node": node, "status": status }),
        None => json!(spot),
    }
}

fn pairs(lines: &[(String, i64)]) -> Value {
    lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect()
}

fn money(amount: i64) -> Value {
    json!({ "amount": format!("{amount}.00"), "currency": "USD" })
}

impl Command {
    /// The request, under a key. A repetition is the request of another command: its player has
    /// that.
    #[must_use]
    pub fn sent(&self, key: &str, names: &Names) -> Sent {
        let name = |label: &Label| names.get(label).map_or(NOBODY, String::as_str);
        let (method, path, body) = match self {
            Self::Item { sku, name } => {
                ("PUT", format!("/inventory/v1/items/{sku}"), json!({ "name": format!("n{name}") }))
            }
            Self::Node { node, receiving, weekends } => {
                ("PUT", format!("/inventory/v1/nodes/{node}"), node_body(*receiving, *weekends))
            }
            Self::Channel(channel) => {
                let path = format!("/inventory/v1/channels/{}", channel.id);
                ("PUT", path, channel_body(channel))
            }
            Self::Move { sku, quantity, from, to } => {
                let (from, to) = (place(from), place(to));
                let body = json!({ "sku": sku, "quantity": quantity, "from": from, "to": to });
                ("POST", "/inventory/v1/movements".to_owned(), body)
            }
            Self::Protect { id, sku, channel, quantity, from, until } => {
                let (from, until) = (day(*from), day(*until));
                let body = json!({
                    "sku": sku, "channel": channel, "quantity": quantity,
                    "from": from, "until": until,
                });
                ("PUT", format!("/inventory/v1/protections/{id}"), body)
            }
            Self::Unprotect { id } => {
                ("DELETE", format!("/inventory/v1/protections/{id}"), Value::Null)
            }
            Self::Reserve(reserve) => {
                ("POST", "/inventory/v1/reservations".to_owned(), reserve_body(reserve))
            }
            Self::Leave { reservation, ships, lines } => {
                let verb = if *ships { "ship" } else { "release" };
                let path = format!("/inventory/v1/reservations/{}/{verb}", name(reservation));
                let body = match lines {
                    Some(lines) => json!({ "lines": pairs(lines) }),
                    None => json!({}),
                };
                ("POST", path, body)
            }
            Self::Order { order, channel, lines } => {
                ("PUT", format!("/inventory/v1/orders/{order}"), order_body(channel, lines))
            }
            Self::CancelOrder { order } => {
                ("POST", format!("/inventory/v1/orders/{order}/cancel"), json!({}))
            }
            Self::Trespass { sku } => {
                let (from, to) = ("supplier", place("N1/sellable"));
                let body = json!({ "sku": sku, "quantity": 1, "from": from, "to": to });
                ("POST", "/inventory/v1/movements".to_owned(), body)
            }
            Self::Availability { sku, channel } => {
                let path = format!("/inventory/v1/availability?sku={sku}&channel={channel}");
                ("GET", path, Value::Null)
            }
            Self::Promise { sku, channel, quantity, wanted } => {
                let wanted = day(*wanted);
                let query = format!("sku={sku}&channel={channel}&quantity={quantity}");
                ("GET", format!("/inventory/v1/promise?{query}&wanted={wanted}"), Value::Null)
            }
            Self::OrderView { order } => {
                ("GET", format!("/inventory/v1/orders/{order}"), Value::Null)
            }
            Self::Again { .. } | Self::Reuse { .. } => ("GET", String::new(), Value::Null),
            _ => self.bought(name),
        };
        request(method, path, &body, key)
    }

    /// The requests around suppliers, purchases and plans.
    fn bought<'a>(&self, name: impl Fn(&Label) -> &'a str) -> (&'static str, String, Value) {
        let purchase =
            |label: &Label, verb: &str| format!("/procurement/v1/orders/{}/{verb}", name(label));
        match self {
            Self::Supplier { supplier } => {
                let path = format!("/suppliers/v1/suppliers/{supplier}");
                ("PUT", path, json!({ "name": supplier, "currency": "USD" }))
            }
            Self::Standing { supplier, to } => {
                let path = format!("/suppliers/v1/suppliers/{supplier}/{to}");
                let mut body = json!({ "reason": "simulated" });
                if *to == "conditional" {
                    body["limit"] = money(LIMIT);
                }
                ("POST", path, body)
            }
            Self::Raise { supplier, lines } => {
                let line = |line: &Bought| {
                    let Bought { sku, node, quantity, due } = line;
                    json!({ "sku": sku, "node": node, "quantity": quantity, "price": "5.00",
                            "due": day(*due) })
                };
                let lines: Value = lines.iter().map(line).collect();
                let body = json!({ "supplier": supplier, "currency": "USD", "lines": lines });
                ("POST", "/procurement/v1/orders".to_owned(), body)
            }
            Self::Act { purchase: label, action, .. } => {
                ("POST", purchase(label, action), json!({}))
            }
            Self::Confirm { purchase: label, lines } => {
                let line = |(line, on, quantity): &(u32, i64, Option<i64>)| json!({ "line": line, "day": day(*on), "quantity": quantity });
                let lines: Value = lines.iter().map(line).collect();
                ("POST", purchase(label, "confirmations"), json!({ "lines": lines }))
            }
            Self::Receive { purchase: label, lines } => {
                let line = |(line, accepted, rejected): &(u32, i64, i64)| json!({ "line": line, "accepted": accepted, "rejected": rejected });
                let lines: Value = lines.iter().map(line).collect();
                ("POST", purchase(label, "receipts"), json!({ "lines": lines }))
            }
            Self::Offer { supplier, sku, price, days } => {
                let path = format!("/suppliers/v1/offers/{supplier}/{sku}");
                ("PUT", path, json!({ "price": money(*price), "lead_time_days": days }))
            }
            Self::Promotion { id, sku, channel, from, until, units } => {
                let (from, until) = (day(*from), day(*until));
                let body = json!({
                    "name": id, "sku": sku, "channel": channel, "from": from, "until": until,
                    "expected_units": units,
                });
                ("PUT", format!("/planning/v1/promotions/{id}"), body)
            }
            Self::Policy { sku, node, review } => {
                let path = format!("/planning/v1/policies/{sku}/{node}");
                ("PUT", path, json!({ "review_days": review }))
            }
            Self::History { sku, channel, day: on, quantity } => {
                let body = json!({
                    "sku": sku, "channel": channel, "day": day(*on), "quantity": quantity,
                });
                ("POST", "/planning/v1/history".to_owned(), body)
            }
            Self::Set { what, value } => {
                let body = match *what {
                    "/finance/v1/settings" => json!({ "opening_cash": format!("{value}.00") }),
                    "/finance/v1/rates/EUR/2026-12-01" => json!({ "rate": format!("1.{value}") }),
                    "/inventory/v1/lanes/N1/N2" => json!({ "days": value }),
                    _ => {
                        json!({ "rules": [{ "over": format!("{value}000.00"), "steps": ["approver"] }] })
                    }
                };
                ("PUT", (*what).to_owned(), body)
            }
            _ => ("POST", "/planning/v1/runs".to_owned(), json!({})),
        }
    }
}

fn request(method: &str, path: String, body: &Value, key: &str) -> Sent {
    let body = Some(body.to_string()).filter(|body| body != "null");
    let mut headers = Vec::new();
    if method != "GET" {
        headers.push(("idempotency-key".to_owned(), key.to_owned()));
    }
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Sent { method: method.to_owned(), path, headers, body }
}

fn node_body(receiving: u32, weekends: bool) -> Value {
    let open = if weekends {
        json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    } else {
        json!(["mon", "tue", "wed", "thu", "fri"])
    };
    json!({ "kind": "warehouse", "receiving_days": receiving, "calendar": { "open": open } })
}

fn channel_body(channel: &Channel) -> Value {
    json!({
        "kind": "dtc", "priority": channel.priority, "nodes": channel.nodes, "cap": channel.cap,
        "buffer": channel.buffer, "zero_threshold": channel.threshold,
        "backorder": channel.backorder, "payout": { "lag_days": 7, "fee": "0.10" },
    })
}

fn reserve_body(reserve: &Reserve) -> Value {
    let mode = if reserve.partial { "partial" } else { "all-or-nothing" };
    json!({
        "channel": reserve.channel, "order": reserve.order, "mode": mode,
        "lines": pairs(&reserve.lines), "expires_in_seconds": reserve.expires,
        "strategy": reserve.strategy,
    })
}

fn order_body(channel: &str, lines: &[OrderLine]) -> Value {
    let line = |line: &OrderLine| {
        json!({
            "line": line.line, "sku": line.sku, "quantity": line.quantity,
            "wanted": line.wanted.map(day), "price": money(line.price),
        })
    };
    let lines: Value = lines.iter().map(line).collect();
    json!({ "channel": channel, "lines": lines })
}
