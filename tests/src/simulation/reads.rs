//! Reads of which the model knows only that they must be answered: every list, and one of each that
//! a list shows, as far as nothing else asks for them.

use serde_json::Value;

use super::generator::{NODES, SKUS};
use super::player::Player;
use super::step::Finding;

/// Lists, and the field by which one of each is asked for; none where nothing more is to be asked.
const LISTS: [(&str, Option<&str>); 19] = [
    ("/finance/v1/settings", None),
    ("/finance/v1/events", None),
    ("/inventory/v1/channels", Some("id")),
    ("/inventory/v1/events", None),
    ("/inventory/v1/items", Some("sku")),
    ("/inventory/v1/lanes", None),
    ("/inventory/v1/nodes", Some("id")),
    ("/inventory/v1/orders", None),
    ("/inventory/v1/protections", Some("id")),
    ("/inventory/v1/reservations", Some("id")),
    ("/planning/v1/events", None),
    ("/planning/v1/promotions", Some("promotion")),
    ("/planning/v1/proposals", None),
    ("/procurement/v1/orders", Some("id")),
    ("/procurement/v1/events", None),
    ("/reporting/v1/audit", None),
    ("/reporting/v1/events", None),
    ("/suppliers/v1/suppliers", Some("id")),
    ("/suppliers/v1/events", None),
];

impl Player {
    /// Every list is answered, and the first that it shows.
    pub(super) fn reads(&mut self) -> Result<(), Finding> {
        for (path, field) in LISTS {
            let list = self.get(path)?;
            let first = field.and_then(|field| list["items"][0][field].as_str());
            if let Some(first) = first {
                self.get(&format!("{path}/{first}"))?;
            }
        }
        let orders = self.get("/procurement/v1/orders")?;
        if let Some(order) = orders["items"][0]["id"].as_str() {
            let path = format!("/procurement/v1/orders/{order}/receipts");
            let receipts = self.get(&path)?;
            if let Some(receipt) = receipts["items"][0]["id"].as_str() {
                self.get(&format!("{path}/{receipt}"))?;
            }
        }
        for sku in SKUS {
            self.get(&format!("/inventory/v1/items/{sku}/stock"))?;
        }
        let moved = self.get("/inventory/v1/events?limit=500")?;
        let movement = moved["items"].as_array().into_iter().flatten().find_map(|event| {
            event["data"]["movement"].as_str().filter(|_| event["type"] == "inventory.stock-moved")
        });
        if let Some(movement) = movement {
            self.get(&format!("/inventory/v1/movements/{movement}"))?;
        }
        for other in self.model.others.clone().into_keys() {
            let path = match other.split(' ').collect::<Vec<_>>().as_slice() {
                [path] => (*path).to_owned(),
                ["history", sku, channel] => format!("/planning/v1/forecasts/{sku}/{channel}"),
                ["policy", sku, node] => format!("/planning/v1/policies/{sku}/{node}"),
                ["offer", supplier, sku] => format!("/suppliers/v1/offers/{supplier}/{sku}"),
                _ => continue,
            };
            self.get(&path)?;
        }
        self.get("/suppliers/v1/offers?supplier=S1")?;
        self.get("/planning/v1/policies")?;
        self.get(&format!("/inventory/v1/nodes/{}", NODES[0]))?;
        Ok(())
    }

    /// A person settles the oldest exception that is open.
    pub(super) fn settled_exception(&mut self) -> Result<(), Finding> {
        let open = self.get("/reporting/v1/exceptions?status=open")?;
        let Some(id) = open["items"][0]["id"].as_str() else { return Ok(()) };
        let path = format!("/reporting/v1/exceptions/{id}");
        let body = "{\"reason\":\"simulated\"}";
        let response = self.ask("POST", &format!("{path}/close"), Some(body))?;
        let closed = self.get(&path)?;
        if response.status != 200 || closed["status"] != "closed" {
            let detail = format!("{path} answered {}, and is {closed}", response.status);
            return Err(Finding::new("audit: exception", detail));
        }
        self.settle()?;
        let valid = self.get("/reporting/v1/audit/verify")?;
        if valid["valid"] == Value::Bool(true) {
            return Ok(());
        }
        Err(Finding::new("audit: chain", valid.to_string()))
    }
}
