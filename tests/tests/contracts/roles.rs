//! Who may do what: the published lists against the table of `contract.md`.
//!
//! The table below is that one, operation by operation, so that nobody gains or loses a right
//! unnoticed. `admin` may everything and is not repeated.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::openapi::{operations, published};

/// What changes something, and who may.
const WRITES: &[(&str, &[&str])] = &[
    ("PUT /suppliers/v1/suppliers/{supplier}", &["buyer"]),
    ("PUT /suppliers/v1/offers/{supplier}/{sku}", &["buyer"]),
    ("POST /suppliers/v1/suppliers/{supplier}/approve", &["approver"]),
    ("POST /suppliers/v1/suppliers/{supplier}/conditional", &["approver"]),
    ("POST /suppliers/v1/suppliers/{supplier}/suspend", &["approver"]),
    ("POST /suppliers/v1/suppliers/{supplier}/block", &["approver"]),
    ("POST /procurement/v1/orders", &["buyer"]),
    ("POST /procurement/v1/orders/{order}/submit", &["buyer"]),
    // A step may be any of these roles'; which one it is, the approval itself checks.
    ("POST /procurement/v1/orders/{order}/approve", STEPS),
    ("POST /procurement/v1/orders/{order}/reject", STEPS),
    ("POST /procurement/v1/orders/{order}/release", &["buyer"]),
    ("POST /procurement/v1/orders/{order}/accept", &["approver"]),
    ("POST /procurement/v1/orders/{order}/cancel", &["buyer"]),
    ("POST /procurement/v1/orders/{order}/close", &["buyer"]),
    ("POST /procurement/v1/orders/{order}/confirmations", &["buyer", "partner"]),
    ("POST /procurement/v1/orders/{order}/receipts", &["warehouse"]),
    ("PUT /procurement/v1/policies/approval", &[]),
    ("PUT /inventory/v1/items/{sku}", &["warehouse"]),
    ("PUT /inventory/v1/nodes/{node}", &["warehouse"]),
    ("PUT /inventory/v1/lanes/{from}/{to}", &["warehouse"]),
    ("PUT /inventory/v1/channels/{channel}", &["planner"]),
    ("PUT /inventory/v1/protections/{id}", &["planner"]),
    ("DELETE /inventory/v1/protections/{id}", &["planner"]),
    ("POST /inventory/v1/movements", &["warehouse"]),
    ("POST /inventory/v1/reservations", &["channel"]),
    ("POST /inventory/v1/reservations/{id}/ship", &["warehouse"]),
    ("POST /inventory/v1/reservations/{id}/release", &["channel"]),
    ("PUT /inventory/v1/orders/{order}", &["channel"]),
    ("POST /inventory/v1/orders/{order}/cancel", &["channel"]),
    ("PUT /planning/v1/promotions/{id}", &["planner"]),
    ("PUT /planning/v1/policies/{sku}/{node}", &["planner"]),
    ("POST /planning/v1/history", &["planner"]),
    ("POST /planning/v1/runs", &["planner"]),
    ("PUT /finance/v1/settings", &["finance"]),
    ("PUT /finance/v1/rates/{currency}/{day}", &["finance"]),
    // An exception is closed by its owner, which the operation itself checks.
    ("POST /reporting/v1/exceptions/{id}/close", &["buyer", "planner", "warehouse"]),
];

/// The roles that a step of an approval may name.
const STEPS: &[&str] = &["approver", "buyer", "finance", "planner", "warehouse"];

/// Those that read everything.
const READERS: &[&str] = &["approver", "buyer", "finance", "planner", "viewer", "warehouse"];

/// What others may read too.
const READS_TOO: &[(&str, &str)] = &[
    ("GET /inventory/v1/availability", "channel"),
    ("GET /inventory/v1/promise", "channel"),
    ("GET /inventory/v1/orders/{order}", "channel"),
    ("GET /inventory/v1/reservations/{id}", "channel"),
    ("GET /procurement/v1/orders", "partner"),
    ("GET /procurement/v1/orders/{order}", "partner"),
    ("GET /suppliers/v1/suppliers/{supplier}/scorecard", "partner"),
];

/// What every domain answers alike.
fn shared(path: &str) -> Option<BTreeSet<&'static str>> {
    let (_, rest) = path.trim_start_matches('/').split_once("/v1/")?;
    Some(match rest {
        "tick" => BTreeSet::from(["system"]),
        "parked/{event}/replay" | "parked/{event}/dismiss" => BTreeSet::new(),
        "events" | "parked" => READERS.iter().copied().collect(),
        "openapi.json" => READERS.iter().copied().chain(["channel", "system", "partner"]).collect(),
        _ => return None,
    })
}

/// Who may beside admin.
pub fn wanted(name: &str, path: &str) -> Option<BTreeSet<&'static str>> {
    if let Some(shared) = shared(path) {
        return Some(shared);
    }
    if name.starts_with("GET ") {
        let others = READS_TOO.iter().filter(|(read, _)| *read == name).map(|(_, role)| *role);
        return Some(READERS.iter().copied().chain(others).collect());
    }
    let (_, roles) = WRITES.iter().find(|(write, _)| *write == name)?;
    Some(roles.iter().copied().collect())
}

fn allowed(operation: &Value) -> Option<BTreeSet<&str>> {
    let roles = operation.get("x-roles")?.as_array()?;
    Some(roles.iter().filter_map(Value::as_str).collect())
}

#[test]
fn roles_are_those_of_the_contract() {
    let mut faults = Vec::new();
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    for one in published() {
        for operation in operations(&one.document) {
            seen.insert(operation.name.clone(), ());
            if operation.path.ends_with("/v1/health") {
                assert!(allowed(operation.value).is_none(), "health needs no token");
                continue;
            }
            let Some(mut may) = allowed(operation.value) else {
                faults.push(format!("{}: it does not say who may", operation.name));
                continue;
            };
            if !may.remove("admin") {
                faults.push(format!("{}: admin may not", operation.name));
            }
            match wanted(&operation.name, operation.path) {
                None => faults.push(format!("{}: the table does not know it", operation.name)),
                Some(wanted) if wanted == may => {}
                Some(wanted) => {
                    faults.push(format!("{}: {may:?} may, not {wanted:?}", operation.name));
                }
            }
        }
    }
    let table = WRITES.iter().map(|(name, _)| *name).chain(READS_TOO.iter().map(|(name, _)| *name));
    for name in table.filter(|name| !seen.contains_key(*name)) {
        faults.push(format!("{name}: nobody publishes it"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
