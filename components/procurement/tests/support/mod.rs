//! Drives the domain natively: requests in, responses out, supplier standings by hand, and events
//! of other domains.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::event::{Domain, NewEvent, Origin, Payload};
use tradewind_kernel::events::inventory::{DayTurned, ItemSet, NodeSet};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::{Day, Id, Instant};
use tradewind_procurement::Procurement;
use tradewind_procurement::asks::Asks;
use tradewind_procurement::draft::{self, Draft};
use tradewind_procurement::known::Unknown;
use tradewind_procurement::order::{Context, Order};
use tradewind_procurement::policy::StepRole;
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::{Commit, Needs, Outcome, Store};
use tradewind_shell::world::{Answered, AskError, World};

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

pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Pointers and codes of all faults.
    pub fn faults(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.iter().map(|it| (text(&it["pointer"]), text(&it["code"]))).collect()
    }
}

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
    tell(world, Domain::Inventory, sku, &set);
}

/// Inventory makes a node.
pub fn node(world: &Local, node: &str) {
    let set = json!({ "node": node, "kind": "warehouse", "receiving_days": 0,
        "calendar": Calendar::default() });
    let set: NodeSet = serde_json::from_value(set).unwrap();
    tell(world, Domain::Inventory, node, &set);
}

/// Sends a request; `who` is `role`, `role:subject` or, for a partner, `partner@supplier`.
pub fn send(world: &Local, who: &str, method: &str, target: &str, body: &Value) -> Answer {
    let (who, supplier) = who.split_once('@').map_or((who, None), |(a, b)| (a, Some(b.to_owned())));
    let (role, subject) = who.split_once(':').unwrap_or((who, who));
    let role: Role = role.parse().unwrap();
    let target = format!("/procurement/v1/{target}");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), format!("{:x}", world.random())));
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    };
    let caller = Caller {
        subject: subject.to_owned(),
        tenant: "acme".to_owned(),
        roles: vec![role],
        supplier,
        channel: None,
        expires: i64::MAX,
    };
    let Response { status, headers, body } =
        block_on(serve::<Procurement, _>(world, &request, Ok(caller)));
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Answer { status, body, headers }
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
    post(world, "buyer", "orders", &lines(quantities, due)).expect(201).id()
}

/// The same, approved.
pub fn approved(world: &Local, quantities: &[i64], due: &str) -> String {
    let id = drafted(world, quantities, due);
    post(world, "buyer", &format!("orders/{id}/submit"), &json!({})).expect(200);
    let answer = post(world, "approver", &format!("orders/{id}/approve"), &json!({}));
    assert_eq!(answer.expect(200).body["status"], "approved");
    id
}

/// The same, released.
pub fn released(world: &Local, quantities: &[i64], due: &str) -> String {
    let id = approved(world, quantities, due);
    post(world, "buyer", &format!("orders/{id}/release"), &json!({})).expect(200);
    id
}

/// Another domain says something.
pub fn tell<P: Payload>(world: &Local, domain: Domain, subject: &str, payload: &P) {
    let origin = Origin {
        at: world.now(),
        by: "test".to_owned(),
        reason: None,
        correlation: format!("cor-{:x}", world.random()),
        parent: None,
        causation: None,
    };
    let commit = Commit {
        tenant: "acme".to_owned(),
        domain,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: vec![NewEvent::of(subject, payload)],
        origin,
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    };
    let outcome = block_on(world.store().commit(&commit)).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

pub fn turn(world: &Local, to: &str) {
    world.set_now(noon(to));
    tell(world, Domain::Inventory, to, &DayTurned { from: None, to: day(to) });
}

/// The domain's events of a type, oldest first.
pub fn events(world: &Local, kind: &str) -> Vec<Value> {
    let answer = get(world, "events?limit=500").expect(200);
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
