//! Mixed load: clients who work at once, each with a log of what was answered.
//!
//! A client sends one request at a time, each under an `Idempotency-Key` of its own. When no answer
//! comes, or one that says "later", it repeats the same request under the same key until there is
//! one. What was answered is kept, in order; [`crate::ledger`] holds the product against it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::driver::{Got, Sender, Sent};
use crate::hosted;

/// The item that everybody wants.
pub const HOT: &str = "HOT";

/// All items.
pub const ITEMS: [&str; 5] = [HOT, "A", "B", "C", "D"];

/// The nodes that the channels sell from.
pub const NODES: [&str; 2] = ["EAST", "WEST"];

/// The channels.
pub const CHANNELS: [&str; 2] = ["web", "shop"];

/// Customer orders that a client changes again and again: re-pegging stays small.
const ORDERS: u64 = 4;

/// Purchase orders that a client keeps open.
const PURCHASES: usize = 3;

/// Reservations that a client keeps open.
const RESERVATIONS: usize = 12;

/// How long a client repeats one request before the test fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// The pause before a request is repeated.
const PAUSE: Duration = Duration::from_millis(15);

/// What a request was for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Step {
    MoveIn { sku: String, quantity: i64 },
    MoveOut { sku: String, quantity: i64 },
    Reserve,
    Ship { reservation: String },
    GiveBack { reservation: String },
    Order { order: String },
    Raise,
    Act { purchase: String },
    Confirm { purchase: String },
    Receive { purchase: String, sku: String, accepted: i64 },
}

impl Step {
    /// Stock may not suffice, which is no fault.
    fn may_be_refused(&self) -> bool {
        matches!(self, Self::MoveOut { .. } | Self::Reserve)
    }
}

/// A request with its answer.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Done {
    pub step: Step,
    pub sender: Sender,
    pub sent: Sent,
    pub got: Got,
}

/// How far a purchase order has come.
#[derive(Debug, Clone)]
struct Purchase {
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

/// One client.
#[derive(Debug)]
pub struct Client {
    tenant: String,
    name: String,
    chance: Chance,
    requests: u64,
    purchases: Vec<Purchase>,
    reservations: Vec<String>,
    /// What was answered with a success, in order.
    pub done: Vec<Done>,
    /// Requests that stock did not suffice for.
    pub refused: u64,
    /// Requests that had to be repeated.
    pub repeated: u64,
    /// Those among them that had taken effect before.
    pub replayed: u64,
}

type Request = (Step, Sender, Sent);

impl Client {
    /// A client; what it wants follows from the seed and from the answers.
    #[must_use]
    pub fn new(tenant: &str, number: u64, seed: u64) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: format!("client-{number}"),
            chance: Chance::new(seed.wrapping_mul(1_000_003).wrapping_add(number)),
            requests: 0,
            purchases: Vec::new(),
            reservations: Vec::new(),
            done: Vec::new(),
            refused: 0,
            repeated: 0,
            replayed: 0,
        }
    }

    /// Works until told to stop; the last request has its answer then.
    ///
    /// # Errors
    /// An answer that must not be, or none at all.
    pub fn work(&mut self, reach: &Reach<'_>) -> Result<()> {
        while !reach.stop.load(Ordering::Relaxed) {
            let (step, sender, sent) = self.next();
            let got = self.ask(reach, &sender, &sent)?;
            reach.answered.fetch_add(1, Ordering::SeqCst);
            match got.status {
                200 | 201 => {
                    self.learn(&step, &got)?;
                    self.done.push(Done { step, sender, sent, got });
                }
                409 if step.may_be_refused() => self.refused += 1,
                _ => bail!("{}: {sent:?} was answered {got:?}", self.name),
            }
        }
        Ok(())
    }

    /// Sends a request until it is answered.
    fn ask(&mut self, reach: &Reach<'_>, sender: &Sender, sent: &Sent) -> Result<Got> {
        let token = (reach.token)(sender)?;
        let begun = Instant::now();
        let mut repeated = false;
        loop {
            let got = hosted::send(&reach.agent, &reach.base, &token, sent);
            if let Ok(got) = got
                && !matches!(got.status, 429 | 500..)
            {
                let replayed = got.header("idempotency-replayed") == Some("true");
                if replayed && !repeated {
                    bail!("{sent:?} was sent once and had been answered before");
                }
                self.repeated += u64::from(repeated);
                self.replayed += u64::from(replayed);
                return Ok(got);
            }
            if begun.elapsed() > ANSWER_WITHIN {
                bail!("{}: no answer to {sent:?}", self.name);
            }
            repeated = true;
            std::thread::sleep(PAUSE);
            while reach.down.load(Ordering::Relaxed) && begun.elapsed() < ANSWER_WITHIN {
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn next(&mut self) -> Request {
        match self.chance.below(100) {
            0..15 => self.movement(),
            15..40 => self.reserve(),
            40..60 => self.leave(),
            60..75 => self.order(),
            _ => self.buy(),
        }
    }

    fn request(
        &mut self,
        step: Step,
        role: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Request {
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
        (step, sender, Sent { method, path, headers, body: Some(body.to_string()) })
    }

    /// Every other time the hot one.
    fn item(&mut self) -> String {
        let sku = if self.chance.below(2) == 0 { HOT } else { self.chance.one_of(&ITEMS) };
        sku.to_owned()
    }

    fn day(&mut self) -> String {
        format!("2026-12-{:02}", self.chance.between(2, 31))
    }

    fn movement(&mut self) -> Request {
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

    fn reserve(&mut self) -> Request {
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
    fn leave(&mut self) -> Request {
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

    fn order(&mut self) -> Request {
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
    fn buy(&mut self) -> Request {
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

    fn receive(&mut self, purchase: &Purchase) -> Request {
        let open = u64::try_from(purchase.open).unwrap_or(1);
        let accepted = i64::try_from(self.chance.between(1, open)).unwrap_or(1);
        let line = json!({"line": 1, "accepted": accepted, "rejected": self.chance.below(3)});
        let path = format!("/procurement/v1/orders/{}/receipts", purchase.id);
        let (id, sku) = (purchase.id.clone(), purchase.sku.clone());
        let step = Step::Receive { purchase: id, sku, accepted };
        self.request(step, "warehouse", "POST", &path, &json!({"lines": [line]}))
    }

    /// What an answer means for what comes next.
    fn learn(&mut self, step: &Step, got: &Got) -> Result<()> {
        match step {
            Step::Reserve => {
                let id = got.body["id"].as_str().context("a reservation without an id")?;
                self.reservations.push(id.to_owned());
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

/// How clients reach the product, shared by all of them.
pub struct Reach<'a> {
    /// The agent.
    pub agent: ureq::Agent,
    /// Where it answers.
    pub base: String,
    /// A token for a sender.
    pub token: &'a (dyn Fn(&Sender) -> Result<String> + Sync),
    /// It was killed: do not knock before it is up again.
    pub down: &'a AtomicBool,
    /// Finish and go.
    pub stop: &'a AtomicBool,
    /// How many requests were answered.
    pub answered: &'a AtomicU64,
}
