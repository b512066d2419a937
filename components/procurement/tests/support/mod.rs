//! Drives the domain natively: requests in, responses out, supplier standings by hand, and events
//! of other domains.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::events::inventory::{DayTurned, ItemSet, NodeSet};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::role::StepRole;
use tradewind_kernel::{Day, Id, Instant};
use tradewind_procurement::Procurement;
use tradewind_procurement::asks::Asks;
use tradewind_procurement::draft::{self, Draft};
use tradewind_procurement::known::Unknown;
use tradewind_procurement::order::{Context, Order};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::world::{Answered, AskError, World};
pub use tradewind_testing::{Answer, tell_alone as tell};
use tradewind_testing::{ask, called};

/// Suppliers that stand where a test puts them.
#[derive(Default)]
pub struct Standings(RefCell<BTreeMap<String, Standing>>);

impl Standings {
    pub fn put(&self, supplier: &str, status: SupplierStatus, limit: Option<&str>) {
        let standing = standing(supplier, status, limit);
        self.0.borrow_mut().insert(supplier.to_owned(), standing);
    }
}

impl Asks for Standings {
    async fn standing(
        &self,
        _tenant: &str,
        supplier: &str,
    ) -> Result<Answered<Standing>, AskError> {
        let known = self.0.borrow().get(supplier).cloned();
        let value = known.ok_or_else(|| {
            AskError::Refused("supplier-unknown".to_owned(), format!("no `{supplier}`"))
        })?;
        Ok(Answered { value, witnesses: Vec::new(), sequence: 0 })
    }
}

pub fn standing(supplier: &str, status: SupplierStatus, limit: Option<&str>) -> Standing {
    Standing {
        supplier: supplier.parse().unwrap(),
        status,
        class: Some("overseas".to_owned()),
        country: Some("VN".to_owned()),
        currency: Default::default(),
        terms_days: 30,
        limit: limit.map(|limit| serde_json::from_value(usd(limit)).unwrap()),
    }
}

pub fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

pub type Local = LocalWorld<MemoryStore, Standings>;

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub fn noon(day: &str) -> Instant {
    format!("{day}T12:00:00.000Z").parse().unwrap()
}

/// A world in which S1 is approved, and there are item X and nodes OWN and FBA.
pub fn world(today: &str) -> Local {
    let world = LocalWorld::new(MemoryStore::new(), Standings::default(), noon(today), 7);
    world.asks().put("S1", SupplierStatus::Approved, None);
    item(&world, "X");
    node(&world, "OWN");
    node(&world, "FBA");
    world
}

/// Inventory makes an item.
pub fn item(world: &Local, sku: &str) {
    let set = json!({ "sku": sku, "name": sku, "base_unit": "pcs", "list_prices": {} });
    let set: ItemSet = serde_json::from_value(set).unwrap();
    tell(world, sku, &set);
}

/// Inventory makes a node.
pub fn node(world: &Local, node: &str) {
    let set = json!({ "node": node, "kind": "warehouse", "receiving_days": 0,
        "calendar": Calendar::default() });
    let set: NodeSet = serde_json::from_value(set).unwrap();
    tell(world, node, &set);
}

/// Sends a request of what `who` says: `role`, `role:subject` or, for a partner, `partner@supplier`.
pub fn send(world: &Local, who: &str, method: &str, target: &str, body: &Value) -> Answer {
    let target = format!("/procurement/v1/{target}");
    ask::<Procurement, _>(world, called(who), method, &target, body)
}

pub fn get(world: &Local, target: &str) -> Answer {
    send(world, "viewer", "GET", target, &Value::Null)
}

pub fn post(world: &Local, who: &str, target: &str, body: &Value) -> Answer {
    send(world, who, "POST", target, body)
}

pub fn lines(quantities: &[i64], due: &str) -> Value {
    let line = |quantity: &i64| json!({ "sku": "X", "node": "OWN", "quantity": quantity, "price": "7.50", "due": due });
    json!({ "supplier": "S1", "currency": "USD",
        "lines": quantities.iter().map(line).collect::<Vec<_>>() })
}

/// An order of these quantities as a draft; its id.
pub fn drafted(world: &Local, quantities: &[i64], due: &str) -> String {
    post(world, "buyer", "orders", &lines(quantities, due)).is(201).id()
}

/// The same, approved.
pub fn approved(world: &Local, quantities: &[i64], due: &str) -> String {
    let id = drafted(world, quantities, due);
    post(world, "buyer", &format!("orders/{id}/submit"), &json!({})).is(200);
    let answer = post(world, "approver", &format!("orders/{id}/approve"), &json!({}));
    assert_eq!(answer.is(200).body["status"], "approved");
    id
}

/// The same, released.
pub fn released(world: &Local, quantities: &[i64], due: &str) -> String {
    let id = approved(world, quantities, due);
    post(world, "buyer", &format!("orders/{id}/release"), &json!({})).is(200);
    id
}

pub fn turn(world: &Local, to: &str) {
    world.set_now(noon(to));
    tell(world, to, &DayTurned { from: None, to: day(to) });
}

/// The domain's events of a type, oldest first.
pub fn events(world: &Local, kind: &str) -> Vec<Value> {
    let answer = get(world, "events?limit=500").is(200);
    let items = answer.body["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().filter(|item| item["type"] == kind).collect()
}

pub fn context(by: &str, role: StepRole, today: &str) -> Context {
    Context {
        by: by.to_owned(),
        roles: vec![role],
        admin: role == StepRole::Admin,
        now: noon(today),
        today: day(today),
    }
}

/// The order that a decision wrote.
pub fn order_of(decision: &tradewind_kernel::Decision) -> Order {
    use tradewind_kernel::decision::Write;
    let record = decision.writes.iter().find_map(|write| match write {
        Write::Put { key, value } if key.starts_with("procurement:order:") => Some(value),
        _ => None,
    });
    serde_json::from_str(record.unwrap()).unwrap()
}

/// A draft made by the pure function.
pub fn pure_draft(quantities: &[i64], due: &str) -> Order {
    let draft: Draft = serde_json::from_value(lines(quantities, due)).unwrap();
    let id: Id = "po_1".parse().unwrap();
    let standing = standing("S1", SupplierStatus::Approved, None);
    let context = context("buyer", StepRole::Buyer, "2026-12-01");
    order_of(&draft::raise(id, draft, Ok(standing), &Unknown::default(), &context).unwrap())
}
