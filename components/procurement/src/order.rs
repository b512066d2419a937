//! A purchase order: what is bought from whom, and how far it has come.
//!
//! | from \ command | submit | approve | reject | release | confirm, receive | close | cancel |
//! |---|---|---|---|---|---|---|---|
//! | draft | submitted | | | | | | cancelled |
//! | submitted | | approved¹ | rejected | | | | cancelled |
//! | approved | | | | released | | | cancelled |
//! | released | | | | | confirmed / received | closed | cancelled² |
//! | confirmed | | | | | confirmed / received | closed | cancelled² |
//! | received | | | | | received | closed | |
//!
//! ¹ after the last step. ² before anything was received. Rejected, closed and cancelled are final.
//! An order is `received` from its first receipt on, whatever is still open.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tradewind_kernel::events::procurement::{OrderLine, OrderState, OrderStatus, ScheduleEntry};
use tradewind_kernel::money::Amount;
use tradewind_kernel::published::{Actor, Version};
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::role::StepRole;
use tradewind_kernel::{Currency, Day, Id, Instant, Money, Quantity};
use utoipa::ToSchema;

use crate::approval::Approval;

/// A purchase order as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Its id.
    pub id: Id,
    /// From whom.
    pub supplier: Id,
    /// The supplier's class when the order was raised.
    #[schema(format = "free-text")]
    pub class: Option<String>,
    /// The currency of its prices.
    pub currency: Currency,
    /// Days from receipt to payment.
    pub terms_days: u32,
    /// How far it has come.
    pub status: OrderStatus,
    /// The day on which it was released.
    pub released: Option<Day>,
    /// Who raised it.
    #[schema(value_type = Actor)]
    pub raised_by: String,
    /// When it was raised.
    pub raised_at: Instant,
    /// The order's date: the day on which it was raised, in the tenant's zone.
    pub raised_on: Day,
    /// Its lines, from 1.
    pub lines: Vec<OrderLine>,
    /// Its approval, from its submission on.
    pub approval: Option<Approval>,
}

/// An order, its total, and the version of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderAnswer {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// All lines at their prices, in the order's currency.
    pub total: Amount,
    /// The version, as in `ETag`.
    #[schema(value_type = Version)]
    pub version: String,
}

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The subject of the token.
    pub by: String,
    /// The roles in which it may give an approval.
    pub roles: Vec<StepRole>,
    /// May do everything but approve what it raised.
    pub admin: bool,
    /// The business clock.
    pub now: Instant,
    /// Its day in the tenant's zone.
    pub today: Day,
}

impl Order {
    /// What is ordered at its prices, rounded to the minor unit.
    #[must_use]
    pub fn total(&self) -> Money {
        self.sum(|line| line.quantity)
    }

    /// What is open at its prices, rounded to the minor unit.
    #[must_use]
    pub fn open_amount(&self) -> Money {
        self.sum(|line| line.open)
    }

    /// [`Order::total`] unrounded, or `None` when it is beyond the limit of amounts.
    #[must_use]
    pub fn checked_total(&self) -> Option<Money> {
        self.lines.iter().try_fold(Money::zero(self.currency), |total, line| {
            let price = Money::new(line.price.0, self.currency);
            price.times(line.quantity).and_then(|amount| total.plus(amount)).ok()
        })
    }

    fn sum(&self, quantity: fn(&OrderLine) -> Quantity) -> Money {
        let total = self.lines.iter().fold(Money::zero(self.currency), |total, line| {
            let price = Money::new(line.price.0, self.currency);
            // A draft whose total is beyond the limit of amounts is refused.
            price.times(quantity(line)).and_then(|amount| total.plus(amount)).unwrap_or(total)
        });
        total.rounded()
    }

    /// Whether its open quantities are on order.
    #[must_use]
    pub fn is_on_order(&self) -> bool {
        use OrderStatus::{Confirmed, Received, Released};
        matches!(self.status, Released | Confirmed | Received)
    }

    /// The line with this number.
    pub fn line_mut(&mut self, number: u32) -> Option<&mut OrderLine> {
        self.lines.iter_mut().find(|line| line.line == number)
    }

    /// The line with this number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&OrderLine> {
        self.lines.iter().find(|line| line.line == number)
    }

    /// Refuses unless the order is in one of these states.
    ///
    /// # Errors
    /// 409 `status-transition`.
    pub fn require(&self, allowed: &[OrderStatus], participle: &str) -> Result<(), Refusal> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let detail = format!("an order that is {} cannot be {participle}", name(self.status));
        Err(Refusal::conflict("status-transition", detail))
    }

    /// The hash of what an approval covers: supplier, currency, terms, and of each line what,
    /// where to, how many, at what price and for which day.
    #[must_use]
    pub fn content(&self) -> String {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                let price = line.price.0.normalize().to_string();
                (line.line, &line.sku, &line.node, line.quantity, price, line.due)
            })
            .collect();
        let covered = (&self.supplier, self.currency, self.terms_days, lines);
        let hash = Sha256::digest(tradewind_kernel::decision::json(&covered).as_bytes());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The order as events tell it.
    #[must_use]
    pub fn state(&self) -> OrderState {
        OrderState {
            order: self.id.clone(),
            supplier: self.supplier.clone(),
            currency: self.currency,
            terms_days: self.terms_days,
            status: self.status,
            released: self.released,
            raised_by: self.raised_by.clone(),
            raised_at: self.raised_at,
            lines: self.lines.clone(),
        }
    }

    /// The order as others see it.
    #[must_use]
    pub fn answer(&self, version: u64) -> serde_json::Value {
        let (order, total) = (self.clone(), self.total().amount);
        serde_json::json!(OrderAnswer { order, total, version: version.to_string() })
    }

    /// What must hold after every command: open = ordered − accepted − cancelled ≥ 0 on each line,
    /// and the schedule sums to it.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.lines.iter().all(|line| {
            let rest = line.quantity.saturating_sub(line.accepted).saturating_sub(line.cancelled);
            let scheduled = line.schedule.iter().map(|entry| entry.quantity);
            line.open == rest
                && line.open >= 0
                && scheduled.clone().fold(0, Quantity::saturating_add) == line.open
                && line.schedule.iter().all(|entry| entry.quantity > 0)
                && line.schedule.windows(2).all(|pair| matches!(pair, [a, b] if a.day < b.day))
        })
    }
}

/// Drops what is open of a line.
pub fn drop_rest(line: &mut OrderLine) {
    line.cancelled = line.cancelled.saturating_add(line.open);
    line.open = 0;
    line.schedule = Vec::new();
    line.waiting_price = None;
}

/// Puts parts of a line on their days: one entry a day, by day, none of them empty.
#[must_use]
pub fn schedule(parts: impl IntoIterator<Item = (Day, Quantity)>) -> Vec<ScheduleEntry> {
    let mut days: std::collections::BTreeMap<Day, Quantity> = std::collections::BTreeMap::new();
    for (day, quantity) in parts.into_iter().filter(|(_, quantity)| *quantity > 0) {
        let there = days.entry(day).or_default();
        *there = there.saturating_add(quantity);
    }
    days.into_iter().map(|(day, quantity)| ScheduleEntry { day, quantity }).collect()
}

/// A status in words.
#[must_use]
pub fn name(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Draft => "draft",
        OrderStatus::Submitted => "submitted",
        OrderStatus::Rejected => "rejected",
        OrderStatus::Approved => "approved",
        OrderStatus::Released => "released",
        OrderStatus::Confirmed => "confirmed",
        OrderStatus::Received => "received",
        OrderStatus::Closed => "closed",
        OrderStatus::Cancelled => "cancelled",
    }
}
