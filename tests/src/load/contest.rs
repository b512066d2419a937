//! What clients do in each other's way, on an item of which a history is kept.
//!
//! One contest follows the other, each with an item of its own that has no stock at first. All
//! clients move it in and out at one node, reserve it one line at a time, ship and release each
//! other's reservations, and look. Some reservations expire by themselves. Requests without an
//! answer may be set aside until the contest is over, while others go on.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;

use super::{CHANNELS, Client, NODES, Step, Wish};

/// Of so many reservations one expires by itself, if nobody ends it before.
const EXPIRING: u64 = 8;

/// How long it holds: within a round, so that expiry meets ship and release.
pub const HOLD: Duration = Duration::from_secs(1);

/// Units that one request speaks of, at most: some must be refused for want of stock.
const MOST_UNITS: u64 = 6;

/// Requests of one contest: the search for an order of its history stays short. A contest that has
/// had them is over, though the round may not be.
const MOST_CALLS: u64 = 600;

/// What the clients of a contest share.
#[derive(Debug, Default)]
pub struct Contest {
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    number: u64,
    calls: u64,
    /// Reservations that somebody was granted.
    reservations: Vec<String>,
}

/// The item of a contest.
#[must_use]
pub fn item(number: u64) -> String {
    format!("CONTEST-{number}")
}

impl Contest {
    /// Its number, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.with(|now| now.number)
    }

    /// Begins the next one, whose item must exist.
    pub fn begin(&self, number: u64) {
        self.with(|now| *now = Now { number, ..Now::default() });
    }

    /// A reservation was granted: from now on everybody may end it.
    pub(super) fn opened(&self, number: u64, id: &str) {
        self.with(|now| {
            if now.number == number {
                now.reservations.push(id.to_owned());
            }
        });
    }

    /// Whether it takes one more call.
    pub(super) fn takes_one(&self) -> bool {
        self.with(|now| {
            now.calls += 1;
            now.calls <= MOST_CALLS
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Now) -> T) -> T {
        look(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of the latest reservations: rivals should meet.
    fn one(&self, choose: u64) -> Option<String> {
        const LATEST: usize = 6;
        self.with(|now| {
            let latest = &now.reservations[now.reservations.len().saturating_sub(LATEST)..];
            let place = usize::try_from(choose).unwrap_or(0).checked_rem(latest.len())?;
            latest.get(place).cloned()
        })
    }
}

impl Client {
    pub(super) fn contend(&mut self, contest: &Contest) -> Wish {
        let number = self.contest;
        let sku = item(number);
        let mut wish = match self.chance.below(100) {
            0..22 => self.carry(sku, true),
            22..32 => self.carry(sku, false),
            32..58 => self.claim(&sku),
            58..72 => self.look(sku),
            _ => match contest.one(self.chance.draw()) {
                Some(reservation) => self.meddle(reservation),
                None => self.carry(sku, true),
            },
        };
        wish.contest = Some(number);
        wish
    }

    fn units(&mut self) -> i64 {
        i64::try_from(self.chance.between(1, MOST_UNITS)).unwrap_or(1)
    }

    /// Moves some in or out.
    fn carry(&mut self, sku: String, into: bool) -> Wish {
        let quantity = self.units();
        let place = json!({"node": NODES[0], "status": "sellable"});
        let (from, to) = if into { (json!("supplier"), place) } else { (place, json!("loss")) };
        let body = json!({"sku": sku, "quantity": quantity, "from": from, "to": to});
        let step = match into {
            true => Step::MoveIn { sku, quantity },
            false => Step::MoveOut { sku, quantity },
        };
        self.request(step, "warehouse", "POST", "/inventory/v1/movements", &body)
    }

    fn claim(&mut self, sku: &str) -> Wish {
        let line = json!({"sku": sku, "quantity": self.units()});
        let mut body = json!({"channel": CHANNELS[0], "mode": "all-or-nothing", "lines": [line]});
        if self.chance.below(EXPIRING) == 0 {
            body["expires_in_seconds"] = json!(HOLD.as_secs());
        }
        self.request(Step::Reserve, "channel", "POST", "/inventory/v1/reservations", &body)
    }

    /// Ships a reservation, gives it back or looks at it, whosever it is.
    fn meddle(&mut self, reservation: String) -> Wish {
        let path = format!("/inventory/v1/reservations/{reservation}");
        match self.chance.below(4) {
            0 => {
                let step = Step::Ship { reservation };
                self.request(step, "warehouse", "POST", &format!("{path}/ship"), &json!({}))
            }
            1 | 2 => {
                let step = Step::GiveBack { reservation };
                self.request(step, "channel", "POST", &format!("{path}/release"), &json!({}))
            }
            _ => self.read(Step::LookAtReservation { reservation }, &path),
        }
    }

    fn look(&mut self, sku: String) -> Wish {
        let path = format!("/inventory/v1/availability?sku={sku}&channel={}", CHANNELS[0]);
        self.read(Step::LookAtItem { sku }, &path)
    }

    fn read(&mut self, step: Step, path: &str) -> Wish {
        let mut wish = self.request(step, "channel", "GET", path, &json!({}));
        (wish.sent.headers, wish.sent.body) = (Vec::new(), None);
        wish
    }
}
