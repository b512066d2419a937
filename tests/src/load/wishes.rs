//! What a client wants next, and what it makes of the answers.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{CHANNELS, Client, HOT, ITEMS, NODES, Reach, Step, Wish};
use crate::driver::{Got, Sender, Sent};

/// Customer orders that a client changes again and again: re-pegging stays small.
const ORDERS: u64 = 4;

/// Purchase orders that a client keeps open.
const PURCHASES: usize = 3;

/// Reservations that a client keeps open.
const RESERVATIONS: usize = 12;

/// How far a purchase order has come.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    id: String,
    sku: String,
    stage: Stage,
    open: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Draft,
    Submitted,
    Approved,
    Released,
    Confirmed,
}

impl Client {
    pub(super) fn next(&mut self, reach: &Reach<'_>) -> Wish {
        match self.chance.below(100) {
            0..30 if reach.contest.takes_one() => self.contend(reach.contest),
            ..42 => self.movement(),
            42..58 => self.reserve(),
            58..72 => self.leave(),
            72..82 => self.order(),
            _ => self.buy(),
        }
    }

    pub(super) fn request(
        &mut self,
        step: Step,
        role: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Wish {
        self.requests += 1;
        // Nobody approves what they raised.
        let subject = if role == "approver" { "boss".to_owned() } else { self.name.clone() };
        let (tenant, role) = (self.tenant.clone(), role.to_owned());
        let sender = Sender { tenant, role, subject, bound: None };
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("idempotency-key".to_owned(), format!("{}-{}", self.name, self.requests)),
        ];
        let (method, path) = (method.to_owned(), path.to_owned());
        let sent = Sent { method, path, headers, body: Some(body.to_string()) };
        Wish { step, sender, sent, contest: None }
    }

    /// Every other time the hot one.
    fn item(&mut self) -> String {
        let sku = if self.chance.below(2) == 0 { HOT } else { self.chance.one_of(&ITEMS) };
        sku.to_owned()
    }

    fn day(&mut self) -> String {
        format!("2026-12-{:02}", self.chance.between(5, 31))
    }

    fn movement(&mut self) -> Wish {
        let (sku, node) = (self.item(), *self.chance.one_of(&NODES));
        let quantity = i64::try_from(self.chance.between(1, 20)).unwrap_or(1);
        let place = json!({"node": node, "status": "sellable"});
        let (out, from, to) = match self.chance.below(4) {
            0 => (true, place, json!("loss")),
            _ => (false, json!("supplier"), place),
        };
        let body = json!({"sku": sku, "quantity": quantity, "from": from, "to": to});
        let step =
            if out { Step::MoveOut { sku, quantity } } else { Step::MoveIn { sku, quantity } };
        self.request(step, "warehouse", "POST", "/inventory/v1/movements", &body)
    }

    fn reserve(&mut self) -> Wish {
        if self.reservations.len() >= RESERVATIONS {
            return self.leave();
        }
        let mut lines = vec![json!({"sku": self.item(), "quantity": self.chance.between(1, 9)})];
        if self.chance.below(4) == 0 {
            let sku = *self.chance.one_of(&ITEMS[1..]);
            lines.push(json!({"sku": sku, "quantity": self.chance.between(1, 5)}));
        }
        let mode = *self.chance.one_of(&["all-or-nothing", "partial"]);
        let channel = *self.chance.one_of(&CHANNELS);
        let body = json!({"channel": channel, "mode": mode, "lines": lines});
        self.request(Step::Reserve, "channel", "POST", "/inventory/v1/reservations", &body)
    }

    /// Ships a reservation or gives it back.
    fn leave(&mut self) -> Wish {
        if self.reservations.is_empty() {
            return self.movement();
        }
        let count = u64::try_from(self.reservations.len()).unwrap_or(1);
        let place = usize::try_from(self.chance.below(count)).unwrap_or(0);
        let reservation = self.reservations.swap_remove(place);
        let path = format!("/inventory/v1/reservations/{reservation}");
        if self.chance.below(3) == 0 {
            let (step, path) = (Step::GiveBack { reservation }, format!("{path}/release"));
            return self.request(step, "channel", "POST", &path, &json!({}));
        }
        let (step, path) = (Step::Ship { reservation }, format!("{path}/ship"));
        self.request(step, "warehouse", "POST", &path, &json!({}))
    }

    fn order(&mut self) -> Wish {
        let number = self.chance.below(ORDERS);
        let order = format!("{}-order-{number}", self.name);
        let line = |client: &mut Self| {
            json!({
                "sku": client.item(), "quantity": client.chance.between(1, 30),
                "wanted": client.day(), "price": {"amount": "5.00", "currency": "USD"},
            })
        };
        let lines: Vec<Value> = (0..=self.chance.below(2)).map(|_| line(self)).collect();
        // An order stays with its channel.
        let channel = CHANNELS[usize::from(number % 2 == 1)];
        let at = "2026-12-01T08:00:00Z";
        let body = json!({"channel": channel, "ordered_at": at, "lines": lines});
        let path = format!("/inventory/v1/orders/{order}");
        self.request(Step::Order { order }, "channel", "PUT", &path, &body)
    }

    /// Takes a purchase order one step further, or raises one.
    fn buy(&mut self) -> Wish {
        if self.purchases.len() < PURCHASES {
            let line = json!({
                "sku": self.item(), "node": *self.chance.one_of(&NODES),
                "quantity": self.chance.between(5, 40), "price": "2.50", "due": self.day(),
            });
            let body = json!({"supplier": "S1", "currency": "USD", "lines": [line]});
            return self.request(Step::Raise, "buyer", "POST", "/procurement/v1/orders", &body);
        }
        let purchase = self.chance.one_of(&self.purchases).clone();
        let path = |action: &str| format!("/procurement/v1/orders/{}/{action}", purchase.id);
        let act = Step::Act { purchase: purchase.id.clone() };
        match purchase.stage {
            Stage::Draft => self.request(act, "buyer", "POST", &path("submit"), &json!({})),
            Stage::Submitted => self.request(act, "approver", "POST", &path("approve"), &json!({})),
            Stage::Approved => self.request(act, "buyer", "POST", &path("release"), &json!({})),
            Stage::Confirmed if self.chance.below(3) > 0 => self.receive(&purchase),
            Stage::Released | Stage::Confirmed => {
                let line = json!({"line": 1, "day": self.day()});
                let body = json!({"lines": [line], "reason": "the supplier said so"});
                let step = Step::Confirm { purchase: purchase.id.clone() };
                self.request(step, "buyer", "POST", &path("confirmations"), &body)
            }
        }
    }

    fn receive(&mut self, purchase: &Purchase) -> Wish {
        let open = u64::try_from(purchase.open).unwrap_or(1);
        let accepted = i64::try_from(self.chance.between(1, open)).unwrap_or(1);
        let line = json!({"line": 1, "accepted": accepted, "rejected": self.chance.below(3)});
        let path = format!("/procurement/v1/orders/{}/receipts", purchase.id);
        let (id, sku) = (purchase.id.clone(), purchase.sku.clone());
        let step = Step::Receive { purchase: id, sku, accepted };
        self.request(step, "warehouse", "POST", &path, &json!({"lines": [line]}))
    }

    /// What an answer means for what comes next.
    pub(super) fn learn(&mut self, reach: &Reach<'_>, wish: &Wish, got: &Got) -> Result<()> {
        match &wish.step {
            Step::Reserve => {
                let id = got.body["id"].as_str().context("a reservation without an id")?;
                match wish.contest {
                    Some(number) => reach.contest.opened(number, id),
                    None => self.reservations.push(id.to_owned()),
                }
            }
            Step::Raise => {
                let line = &got.body["lines"][0];
                self.purchases.push(Purchase {
                    id: got.body["id"].as_str().context("an order without an id")?.to_owned(),
                    sku: line["sku"].as_str().context("a line without an item")?.to_owned(),
                    stage: Stage::Draft,
                    open: line["quantity"].as_i64().context("a line without a quantity")?,
                });
            }
            Step::Act { purchase: id } | Step::Confirm { purchase: id } => {
                let purchase = self.purchases.iter_mut().find(|one| one.id == *id);
                let purchase = purchase.context("an order of nobody")?;
                purchase.stage = match purchase.stage {
                    Stage::Draft => Stage::Submitted,
                    Stage::Submitted => Stage::Approved,
                    Stage::Approved => Stage::Released,
                    Stage::Released | Stage::Confirmed => Stage::Confirmed,
                };
            }
            Step::Receive { purchase: id, accepted, .. } => {
                for purchase in self.purchases.iter_mut().filter(|one| one.id == *id) {
                    purchase.open -= accepted;
                }
                self.purchases.retain(|one| one.open > 0);
            }
            _ => {}
        }
        Ok(())
    }
}
