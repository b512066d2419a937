//! What it takes to submit an order: items, a node, suppliers and drafts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tradewind_tests::driver::{Driver, Got, Sender, Sent};
use tradewind_tests::hosted::Hosted;

pub const ORDERS: &str = "/procurement/v1/orders";
const POLICY: &str = "/procurement/v1/policies/approval";

pub fn sender(role: &str) -> Sender {
    let (tenant, role) = ("t1".to_owned(), role.to_owned());
    Sender { tenant, subject: role.clone(), role, bound: None }
}

pub fn sent(method: &str, path: &str, key: &str, body: Option<Value>) -> Sent {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), key.to_owned()));
    }
    let body = body.map(|body| body.to_string());
    Sent { method: method.to_owned(), path: path.to_owned(), headers, body }
}

/// Sends and expects a status.
pub fn send(
    host: &mut Hosted,
    role: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
    status: u16,
) -> Got {
    static SENT: AtomicU64 = AtomicU64::new(0);
    let key = format!("send-{}", SENT.fetch_add(1, Ordering::Relaxed));
    let got = host.send(&sender(role), &sent(method, path, &key, body)).unwrap();
    assert_eq!(got.status, status, "{method} {path}: {}\n{}", got.body, host.log());
    got
}

/// Items, a node and these suppliers, each in its country.
pub fn prepare(host: &mut Hosted, suppliers: &[(&str, &str)]) {
    for sku in ["MUG-BLUE-300", "LAMP"] {
        let item = json!({ "name": sku, "base_unit": "each" });
        send(host, "warehouse", "PUT", &format!("/inventory/v1/items/{sku}"), Some(item), 201);
    }
    let node = json!({ "kind": "warehouse" });
    send(host, "warehouse", "PUT", "/inventory/v1/nodes/OWN", Some(node), 201);
    for (supplier, country) in suppliers {
        let terms = json!({ "name": supplier, "currency": "USD", "country": country });
        let path = format!("/suppliers/v1/suppliers/{supplier}");
        send(host, "buyer", "PUT", &path, Some(terms), 201);
        let reason = json!({ "reason": "audited" });
        send(host, "approver", "POST", &format!("{path}/approve"), Some(reason), 200);
    }
}

/// A draft of so many mugs at 4.50; returns its id.
pub fn draft(host: &mut Hosted, supplier: &str, quantity: u32) -> String {
    let lines = json!([{
        "sku": "MUG-BLUE-300", "node": "OWN", "quantity": quantity, "price": "4.50",
        "due": "2099-12-15",
    }]);
    let body = json!({ "supplier": supplier, "lines": lines });
    let got = send(host, "buyer", "POST", ORDERS, Some(body), 201);
    got.body["id"].as_str().unwrap().to_owned()
}

pub fn order(host: &mut Hosted, id: &str) -> Value {
    send(host, "viewer", "GET", &format!("{ORDERS}/{id}"), None, 200).body
}

/// Says what follows when the plug-in fails.
pub fn on_failure(host: &mut Hosted, what: &str) {
    let body = json!({ "rules": [], "plugin": { "on_failure": what } });
    let got = host.send(&sender("admin"), &sent("PUT", POLICY, "", Some(body))).unwrap();
    assert!(got.status == 200 || got.status == 201, "{}", got.body);
}
