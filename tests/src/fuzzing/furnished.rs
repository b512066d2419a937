//! What the fuzzed tenant has before the first request: the main job, and something in every state
//! that an operation needs, so that each can be granted by chance.

use std::fmt::Write;

use anyhow::{Result, ensure};
use serde_json::Value;
use tradewind_shell::http::Request;

use super::campaign::admin;
use super::lawful::{Ids, Maker};
use super::request::{HOME, Operation, plain};
use crate::chance::Chance;
use crate::driver::{Driver, Got, Sender, Sent};
use crate::native::Native;
use crate::story;

/// Orders of a supplier in every state, raised by somebody who asks for nothing later on: how many,
/// and the steps that lead there.
const ORDERS: [(usize, &[&str]); 6] = [
    (2, &[]),
    (2, &["submit"]),
    (2, &["submit", "approve"]),
    (3, &["submit", "approve", "release"]),
    (2, &["submit", "approve", "release", "confirm"]),
    (1, &["submit", "approve", "release", "confirm", "receive"]),
];

/// The rest: a rate, a lane, a policy, what was sold before, a supplier on trial, stock that is
/// reserved; and what the examples of the documents name, so that they can be granted as they are.
const REST: &str = r#"
```http
finance PUT /finance/v1/rates/EUR/2026-11-01

{"rate": "1.1"}
```
```http
warehouse PUT /inventory/v1/lanes/FBA/OWN

{"days": 2}
```
```http
planner PUT /planning/v1/policies/X/OWN

{}
```
```http
planner POST /planning/v1/runs

{}
```
```http
planner POST /planning/v1/history

{"sku": "X", "channel": "web", "day": "2026-11-02", "quantity": 14}
```
```http
buyer PUT /suppliers/v1/suppliers/S4

{"name": "On trial", "class": "overseas", "currency": "USD"}
```
```http
warehouse POST /inventory/v1/movements

{"sku": "Y", "quantity": 500, "from": "found", "to": {"node": "OWN", "status": "sellable"}}
```
```http
warehouse PUT /inventory/v1/items/SHIRT-M

{"name": "Linen shirt, white, M"}
```
```http
warehouse POST /inventory/v1/movements

{"sku": "SHIRT-M", "quantity": 500, "from": "found", "to": {"node": "OWN", "status": "sellable"}}
```
```http
buyer PUT /suppliers/v1/suppliers/LISBON-KNITS

{"name": "Lisbon Knits", "class": "nearshore", "currency": "EUR"}
```
```http
approver POST /suppliers/v1/suppliers/LISBON-KNITS/approve

{"reason": "audited"}
```
```http
channel PUT /inventory/v1/orders/W-1001

{"channel": "web", "ordered_at": "2026-11-02T09:00:00Z", "lines": [{"sku": "SHIRT-M", "quantity": 9}]}
```
```http
channel POST /inventory/v1/reservations

{"channel": "web", "lines": [{"sku": "SHIRT-M", "quantity": 50}]}
```
```http
channel POST /inventory/v1/reservations

{"channel": "web", "lines": [{"sku": "Y", "quantity": 60}]}
```
"#;

/// Furnishes the tenant; what it then has is told by its lists.
///
/// # Errors
/// The main job or something of the rest is refused.
pub(super) fn furnish(
    product: &mut Native,
    main_job: &str,
    operations: &[Operation<'_>],
) -> Result<Ids> {
    let mut learning = Learning { product, operations, ids: Ids::known() };
    story::play(&mut learning, HOME, &format!("{main_job}\n{}{REST}", orders()))?;
    let mut ids = learning.ids;
    product.settle()?;
    // Whole lists first, then those of what they named.
    let lists = |of_one: bool| {
        operations.iter().filter(move |one| one.is_list() && one.path.contains('{') == of_one)
    };
    for operation in lists(false).chain(lists(true)) {
        let (list, rest) = operation.path.split_once("/{").unwrap_or((operation.path, ""));
        let rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        let paths: Vec<String> = match operation.path.contains('{') {
            true => ids.of(list).iter().map(|id| format!("{list}/{id}{rest}")).collect(),
            false => vec![operation.path.to_owned()],
        };
        for path in paths {
            let (caller, request) = admin("GET", &path, &Value::Null);
            let answer = product.answer(caller, &Request { query: query(operation), ..request })?;
            ensure!(answer.status == 200, "{path} answered {}", answer.status);
            learn(&mut ids, operation, &path, &serde_json::from_slice(&answer.body)?);
        }
    }
    Ok(ids)
}

/// What a list needs to know.
fn query(operation: &Operation<'_>) -> String {
    let (ids, mut chance) = (Ids::known(), Chance::new(1));
    let document = operation.document;
    let mut maker = Maker { document, chance: &mut chance, ids: &ids, calm: true };
    // The one list that needs either of two.
    let either = operation.path == "/suppliers/v1/offers";
    let mut query = "limit=500".to_owned();
    for told in operation.parameters("query") {
        let name = told["name"].as_str().unwrap_or_default();
        if told["required"] == true || (either && name == "sku") {
            let _ = write!(query, "&{name}={}", plain(&maker.value(&told["schema"], name)));
        }
    }
    query
}

/// The product, of whose answers the ids are kept.
struct Learning<'a> {
    product: &'a mut Native,
    operations: &'a [Operation<'a>],
    ids: Ids,
}

impl Driver for Learning<'_> {
    fn send(&mut self, sender: &Sender, sent: &Sent) -> Result<Got> {
        let got = self.product.send(sender, sent)?;
        let path = sent.path.split('?').next().unwrap_or("");
        let is_it = |told: &str| {
            let same = |(part, told): (&str, &str)| told.starts_with('{') || part == told;
            let deep = |path: &str| path.split('/').count();
            deep(path) == deep(told) && path.split('/').zip(told.split('/')).all(same)
        };
        let found = self.operations.iter().find(|one| one.method == sent.method && is_it(one.path));
        if let Some(operation) = found.filter(|_| (200..300).contains(&got.status)) {
            learn(&mut self.ids, operation, path, &got.body);
        }
        Ok(got)
    }

    fn set_clock(&mut self, instant: &str) -> Result<()> {
        self.product.set_clock(instant)
    }
}

fn orders() -> String {
    let mut story = String::new();
    let all = ORDERS.iter().flat_map(|(count, steps)| vec![steps; *count]);
    for (number, steps) in all.enumerate() {
        let _ = writeln!(
            story,
            "```http\nbuyer:furnisher POST /procurement/v1/orders\n\n{{\"supplier\": \"S1\", \
             \"currency\": \"USD\", \"lines\": [{{\"sku\": \"Y\", \"node\": \"OWN\", \
             \"quantity\": 480, \"price\": \"7.50\", \"due\": \"2027-01-20\"}}]}}\n```\n\
             ```json 201\n{{\"id\": \"$o{number}\"}}\n```"
        );
        for step in *steps {
            let (role, path, body) = match *step {
                "approve" => ("approver", "approve", "{}"),
                // The price waits to be accepted.
                "confirm" => (
                    "buyer",
                    "confirmations",
                    r#"{"lines": [{"line": 1, "day": "2027-01-20", "price": "7.60"}]}"#,
                ),
                "receive" => {
                    ("warehouse", "receipts", r#"{"lines": [{"line": 1, "accepted": 4}]}"#)
                }
                other => ("buyer", other, "{}"),
            };
            let path = format!("/procurement/v1/orders/{{o{number}}}/{path}");
            let _ = writeln!(story, "```http\n{role}:furnisher2 POST {path}\n\n{body}\n```");
        }
    }
    story
}

/// Keeps the ids of what a granted request names and its answer shows, so that later requests find
/// something.
pub(super) fn learn(ids: &mut Ids, operation: &Operation<'_>, path: &str, body: &Value) {
    let told = operation.path;
    let mut list = String::new();
    for (part, told) in path.split('/').zip(told.split('/')).skip(1) {
        if told.starts_with('{') && !part.contains('%') && operation.method != "DELETE" {
            ids.learn(&list, part);
        }
        list = format!("{list}/{part}");
    }
    // A list of its own, as an order's receipts, else that to which the thing belongs.
    let is_list = operation.document["paths"]
        .as_object()
        .is_some_and(|paths| paths.keys().any(|other| other.starts_with(&format!("{told}/{{"))));
    let first = told.split("/{").next().unwrap_or("");
    let list = if is_list { path } else { first };
    let items = body["items"].as_array().into_iter().flatten();
    for shown in std::iter::once(body).chain(items) {
        for (name, value) in shown.as_object().into_iter().flatten() {
            let Some(value) = value.as_str() else { continue };
            match name.as_str() {
                "id" => ids.learn(list, value),
                "order" | "sku" | "node" | "supplier" | "channel" | "receipt" => {
                    ids.learn(name, value);
                }
                "correlationid" => ids.learn("/reporting/v1/cascades", value),
                _ => {}
            }
        }
    }
}
