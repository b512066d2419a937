//! A tenant with planning alone: the other domains are what they told (events) and what they
//! answer (asks). Trials are answered by inventory's own pegging.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_inventory::pegging::{PegInput, Supply, SupplyKind, peg};
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Lane, Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::inventory::{Holding, ItemPegged, PromiseMove, Usable};
use tradewind_kernel::events::procurement::OrderConfirmed;
use tradewind_kernel::{Day, Id, Instant, Money};
use tradewind_planning::Planning;
use tradewind_planning::asks::Asks;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::Store;
use tradewind_shell::world::{Answered, AskError};
pub use tradewind_testing::{Answer, TENANT};
use tradewind_testing::{ask, caller, request};

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

pub fn usd(text: &str) -> Money {
    Money { amount: text.parse().unwrap(), currency: "USD".parse().unwrap() }
}

/// What the other domains answer.
#[derive(Default)]
pub struct Others {
    pub pegging: Mutex<Option<PegInput>>,
    pub prices: Mutex<Vec<(String, Money)>>,
    pub offers: Mutex<Vec<Offer>>,
    pub commitments: Mutex<BTreeMap<String, Commitment>>,
    pub lanes: Mutex<Vec<Lane>>,
    pub outlook: Mutex<Outlook>,
    pub positions: Mutex<Vec<Position>>,
    /// How often the next answers say `behind`.
    pub behind: Mutex<u32>,
}

impl Others {
    fn answer<T>(&self, value: T) -> Result<Answered<T>, AskError> {
        let mut behind = self.behind.lock().unwrap();
        if *behind > 0 {
            *behind -= 1;
            return Err(AskError::Behind);
        }
        Ok(Answered { value, witnesses: Vec::new(), sequence: 7 })
    }

    /// The item's pegging as inventory would tell it: promises, what is left over and held.
    pub fn pegged(&self, input: &PegInput) -> Trial {
        let prices = self.prices.lock().unwrap();
        let outcome = peg(input);
        let usable = |piece: &tradewind_inventory::pegging::Peg| Usable {
            supply: piece.supply.clone(),
            node: id(&piece.node),
            day: piece.day,
            quantity: piece.quantity,
        };
        let line = |line: &tradewind_inventory::pegging::LineOutcome| {
            let known = input.lines.iter().find(|known| known.order == line.order).unwrap();
            let price = prices.iter().find(|(order, _)| *order == line.order);
            PromiseMove {
                order: id(&line.order),
                line: line.line,
                channel: id(&known.channel),
                sku: id("X"),
                quantity: known.open,
                wanted: known.wanted,
                old_day: None,
                new_day: line.promised,
                price: price.map(|(_, price)| *price),
                first: false,
            }
        };
        let held = outcome.protections.iter().map(|protection| Holding {
            protection: id(&protection.id),
            channel: id(&protection.channel),
            from: protection.from,
            until: protection.until,
            pieces: protection.kept.iter().map(usable).collect(),
            short: protection.short,
        });
        Trial {
            lines: outcome.lines.iter().map(line).collect(),
            left_over: outcome.left_over.iter().map(usable).collect(),
            held: held.collect(),
        }
    }
}

fn laid(mut input: PegInput, changes: &[TrialChange]) -> Result<PegInput, AskError> {
    let unknown = || AskError::Refused("change-unknown".to_owned(), "no such thing".to_owned());
    for change in changes {
        match change {
            TrialChange::MoveSupply { order, line, from, to } => {
                let name = format!("{order}/{line}/{from}");
                let found = input.supply.iter_mut().find(|supply| supply.id == name);
                found.ok_or_else(unknown)?.day = *to;
            }
            TrialChange::AddSupply { node, day, quantity } => {
                input.supply.push(supply("trial:1", node.as_str(), *day, *quantity));
            }
            TrialChange::Transfer { supply: from, to_node, day, quantity, .. } => {
                let found = input.supply.iter_mut().find(|supply| supply.id == *from);
                found.ok_or_else(unknown)?.quantity -= quantity;
                input.supply.push(supply("trial:1", to_node.as_str(), *day, *quantity));
            }
            TrialChange::ReleaseProtection { protection, quantity } => {
                let mut all = input.protections.iter_mut();
                let found = all.find(|known| known.id == protection.as_str());
                found.ok_or_else(unknown)?.remainder -= quantity;
            }
        }
    }
    Ok(input)
}

pub fn supply(id: &str, node: &str, day: Day, quantity: i64) -> Supply {
    let kind = if id.starts_with("stock:") { SupplyKind::Present } else { SupplyKind::Inbound };
    Supply { id: id.to_owned(), node: node.to_owned(), day, quantity, kind }
}

/// A supplier moves the only line of an order of X, so many units at a price, from a day to another.
pub fn confirmed(
    order: &str,
    supplier: &str,
    node: &str,
    (quantity, price): (i64, &str),
    [from, to]: [&str; 2],
) -> OrderConfirmed {
    let schedule = |day: &str| json!([{"day": day, "quantity": quantity}]);
    let line = json!({"line": 1, "sku": "X", "node": node, "quantity": quantity, "price": price,
        "due": from, "accepted": 0, "rejected": 0, "cancelled": 0, "open": quantity,
        "schedule": schedule(to), "confirmed": to});
    let change = json!({"line": 1, "sku": "X", "node": node, "before": schedule(from),
        "after": schedule(to), "price_before": price, "price_after": price});
    let event = json!({"order": order, "supplier": supplier, "currency": "USD", "terms_days": 30,
        "status": "confirmed", "released": "2026-11-01", "raised_by": "bob",
        "raised_at": "2026-11-01T00:00:00Z", "lines": [line], "changes": [change]});
    serde_json::from_value(event).unwrap()
}

impl Asks for Others {
    async fn offers(&self, _: &str, _: &str) -> Result<Answered<Vec<Offer>>, AskError> {
        self.answer(self.offers.lock().unwrap().clone())
    }

    async fn commitment(&self, _: &str, name: &str) -> Result<Answered<Commitment>, AskError> {
        self.answer(self.commitments.lock().unwrap().get(name).cloned().unwrap_or_default())
    }

    async fn trial(
        &self,
        _: &str,
        _: &str,
        changes: &[TrialChange],
        _: u64,
    ) -> Result<Answered<Trial>, AskError> {
        let Some(input) = self.pegging.lock().unwrap().clone() else {
            return Err(AskError::Refused("sku-unknown".to_owned(), "no such item".to_owned()));
        };
        let now = self.pegged(&input);
        let mut trial = self.pegged(&laid(input, changes)?);
        for line in &mut trial.lines {
            let same = now.lines.iter().find(|known| known.order == line.order);
            line.old_day = same.and_then(|same| same.new_day);
        }
        self.answer(trial)
    }

    async fn network(&self, _: &str) -> Result<Answered<Network>, AskError> {
        self.answer(Network { lanes: self.lanes.lock().unwrap().clone(), channels: Vec::new() })
    }

    async fn positions(
        &self,
        _: &str,
        skus: &[Id],
        _: u64,
    ) -> Result<Answered<Vec<Position>>, AskError> {
        let all = self.positions.lock().unwrap();
        self.answer(all.iter().filter(|one| skus.contains(&one.sku)).cloned().collect())
    }

    async fn outlook(&self, _: &str, _: u32, _: u64) -> Result<Answered<Outlook>, AskError> {
        self.answer(self.outlook.lock().unwrap().clone())
    }
}

/// A brand on 2026-12-01.
pub struct Brand {
    pub world: LocalWorld<MemoryStore, Others>,
}

impl Brand {
    pub fn new() -> Self {
        let store = MemoryStore::new();
        let now: Instant = "2026-12-01T09:00:00Z".parse().unwrap();
        let mut world = LocalWorld::new(store, Others::default(), now, 5);
        world.verbose = true;
        block_on(tradewind_shell::world::World::store(&world).add_tenant(TENANT)).unwrap();
        Self { world }
    }

    pub fn others(&self) -> &Others {
        tradewind_shell::world::World::asks(&self.world)
    }

    /// Another domain tells something under a correlation.
    pub fn tell<P: Payload>(&self, correlation: &str, subject: &str, payload: &P) {
        tradewind_testing::tell(&self.world, correlation, subject, payload);
    }

    pub fn call(&self, role: Role, method: &str, target: &str, body: &Value) -> Answer {
        ask::<Planning, _>(&self.world, caller(role), method, target, body)
    }

    /// Loads history, a JSON object a line.
    pub fn load(&self, lines: &str) -> Answer {
        let target = "/planning/v1/history";
        let mut request = request(&self.world, "POST", target, &Value::Null);
        request.headers[0].1 = "application/x-ndjson".to_owned();
        request.body = lines.as_bytes().to_vec();
        block_on(serve::<Planning, _>(&self.world, &request, Ok(caller(Role::Planner)))).into()
    }

    pub fn get(&self, target: &str) -> Value {
        let answer = self.call(Role::Viewer, "GET", target, &Value::Null);
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
        answer.body
    }

    pub fn send(&self, method: &str, target: &str, body: &Value) -> Answer {
        self.call(Role::Planner, method, target, body)
    }

    /// The payloads of planning's events of a type under a correlation (any, when empty).
    pub fn told(&self, kind: &str, correlation: &str) -> Vec<Value> {
        self.get("/planning/v1/events?limit=500")["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["type"] == kind)
            .filter(|event| correlation.is_empty() || event["correlationid"] == correlation)
            .map(|event| event["data"].clone())
            .collect()
    }

    /// Inventory tells of the present pegging, in two parts, with what moved since `from`.
    pub fn peg(&self, correlation: &str, from: Option<&PegInput>) {
        let others = self.others();
        let input = others.pegging.lock().unwrap().clone().unwrap();
        let now = others.pegged(&input);
        let was = from.map(|from| others.pegged(from).lines).unwrap_or_default();
        let mut moved = now.lines.clone();
        for line in &mut moved {
            let before = was.iter().find(|was| was.order == line.order);
            line.old_day = before.and_then(|was| was.new_day);
        }
        moved.retain(|line| from.is_some() && line.old_day != line.new_day);
        let rest = moved.split_off(moved.len() / 2);
        let part = |part, moved, left_over, held| {
            let (sku, today, parts) = (id("X"), input.today, 2);
            ItemPegged { sku, today, part, parts, moved, left_over, held }
        };
        self.tell(correlation, "X", &part(1, moved, Vec::new(), Vec::new()));
        self.tell(correlation, "X", &part(2, rest, now.left_over, now.held));
    }

    /// Item X, channels and nodes of the main job.
    pub fn settle(&self) {
        let item = json!({"sku": "X", "name": "X", "base_unit": "each", "weight_grams": null,
            "list_prices": {"amazon": {"amount": "20.00", "currency": "USD"}}});
        self.tell_json::<tradewind_kernel::events::inventory::ItemSet>("X", item);
        for node in ["FBA", "OWN"] {
            let set =
                json!({"node": node, "kind": "warehouse", "calendar": {}, "receiving_days": 0});
            self.tell_json::<tradewind_kernel::events::inventory::NodeSet>(node, set);
        }
        for (channel, priority, nodes) in [
            ("wholesale", 1, vec!["OWN"]),
            ("amazon", 2, vec!["FBA", "OWN"]),
            ("web", 3, vec!["OWN"]),
        ] {
            let set = json!({"channel": channel, "kind": "dtc", "priority": priority,
                "nodes": nodes, "backorder": true, "payout": {}});
            self.tell_json::<tradewind_kernel::events::inventory::ChannelSet>(channel, set);
        }
    }

    pub fn tell_json<P: Payload>(&self, subject: &str, payload: Value) {
        let payload: P = serde_json::from_value(payload).unwrap();
        self.tell("setup", subject, &payload);
    }
}
