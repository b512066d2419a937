//! Mitigations: what can be done about what a cause made worse, and what it would bring.
//!
//! Each is judged by a trial of the same pegging laid beside the present one: `units` and
//! `revenue` are of lines back to their old day or better plus promotion units no longer short,
//! `lost` of lines newly delayed and promotion units newly short, `net = revenue − lost − cost`
//! (docs/domain.md, Scenario). Everything here is pure; `options.rs` asks and tries.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::Trial;
use tradewind_kernel::events::inventory::PromiseMove;
use tradewind_kernel::events::planning::{MitigationOption, OptionKind};
use tradewind_kernel::{Day, Id, Money, Quantity};

use crate::HORIZON_WEEKS;
use crate::facts::{Channel, Item, Pegged};
use crate::promotion::Promotion;
use crate::risk::{Ordered, Risk, RiskInput, risks};

/// What is judged: an item, what its cause moved, and what stands beside it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Situation {
    pub sku: Id,
    pub today: Day,
    pub item: Option<Item>,
    pub channels: BTreeMap<String, Channel>,
    pub promotions: Vec<Promotion>,
    pub ordered: Ordered,
    /// Promises that the cause made worse.
    pub moved: Vec<PromiseMove>,
    /// Promotion units that the cause made short, by promotion.
    pub newly_short: BTreeMap<Id, Quantity>,
    /// The present pegging.
    pub base: Trial,
    /// The cash forecast; its rates convert to the base currency.
    pub outlook: Outlook,
    /// The sequence of the present pegging, as an event id.
    pub as_of: String,
}

/// What a trial brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Gain {
    pub units: Quantity,
    pub revenue: Decimal,
    pub lost: Decimal,
    /// Lines back to their old day or better.
    pub recovered: Vec<PromiseMove>,
    /// Promotions that would be shorter, and by how much.
    pub shorter: Vec<(Id, Quantity)>,
}

/// Whether a promise is worse than another; none at all is the worst.
#[must_use]
pub fn is_worse(day: Option<Day>, than: Option<Day>) -> bool {
    match (day, than) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(day), Some(than)) => day > than,
    }
}

/// The promises that a pegging made worse: those that somebody was given before.
#[must_use]
pub fn made_worse(moved: Vec<PromiseMove>) -> Vec<PromiseMove> {
    moved.into_iter().filter(|line| !line.first && is_worse(line.new_day, line.old_day)).collect()
}

impl Situation {
    /// The risk of each promotion under a pegging.
    #[must_use]
    pub fn risks(&self, trial: &Trial, promotions: &[Promotion]) -> BTreeMap<Id, Risk> {
        let pegged = Pegged { left_over: trial.left_over.clone(), held: trial.held.clone() };
        let input = RiskInput {
            today: self.today,
            item: self.item.as_ref(),
            channels: &self.channels,
            pegged: &pegged,
            ordered: &self.ordered,
        };
        risks(&input, promotions)
    }

    /// Of the promotion units that the cause made short, keeps those that are short now: the
    /// present may be ahead of the cause.
    pub fn forget_what_is_undone(&mut self) {
        let now = self.risks(&self.base, &self.promotions);
        for (promotion, units) in &mut self.newly_short {
            *units = (*units).min(now.get(promotion).map_or(0, |risk| risk.units_short));
        }
        self.newly_short.retain(|_, units| *units > 0);
    }

    /// The lines that are still worse than before the cause, as they stand now.
    #[must_use]
    pub fn still_worse(&self) -> Vec<PromiseMove> {
        let worse = |line: &&PromiseMove| self.lost_promise(line).is_some();
        self.base.lines.iter().filter(worse).cloned().collect()
    }

    /// The day that a line was promised before the cause took it away, if it is still worse.
    #[must_use]
    pub fn lost_promise(&self, line: &PromiseMove) -> Option<Day> {
        let before = self.before(line)?;
        before.filter(|_| is_worse(line.old_day, before))
    }

    /// A line's promise before the cause, if the cause moved it.
    fn before(&self, line: &PromiseMove) -> Option<Option<Day>> {
        let same = |moved: &&PromiseMove| moved.order == line.order && moved.line == line.line;
        self.moved.iter().find(same).map(|moved| moved.old_day)
    }

    /// The units that the cause delayed or made promotions short of.
    #[must_use]
    pub fn worse_units(&self) -> Quantity {
        let lines = self.still_worse();
        let lines = lines.iter().map(|line| line.quantity);
        lines.chain(self.newly_short.values().copied()).fold(0, Quantity::saturating_add)
    }

    /// What a trial brings against the present pegging.
    #[must_use]
    pub fn gain(&self, trial: &Trial) -> Gain {
        self.gain_with(trial, &self.promotions)
    }

    /// As [`Situation::gain`], with promotions changed too.
    #[must_use]
    pub fn gain_with(&self, trial: &Trial, promotions: &[Promotion]) -> Gain {
        let mut gain = Gain::default();
        for line in &trial.lines {
            let revenue = self.line_revenue(line);
            let before = self.before(line).filter(|before| is_worse(line.old_day, *before));
            if before.is_some_and(|before| !is_worse(line.new_day, before)) {
                gain.units = gain.units.saturating_add(line.quantity);
                gain.revenue = gain.revenue.saturating_add(revenue);
                gain.recovered.push(line.clone());
            } else if is_worse(line.new_day, line.old_day) {
                gain.lost = gain.lost.saturating_add(revenue);
            }
        }
        let (now, then) = (self.risks(&self.base, &self.promotions), self.risks(trial, promotions));
        for promotion in &self.promotions {
            let short = |risks: &BTreeMap<Id, Risk>| {
                risks.get(&promotion.promotion).map_or(0, |risk| risk.units_short)
            };
            let fewer = short(&now).saturating_sub(short(&then));
            let worth = self.promotion_revenue(promotion, fewer.saturating_abs());
            if fewer > 0 {
                gain.units = gain.units.saturating_add(fewer);
                gain.revenue = gain.revenue.saturating_add(worth);
            } else if fewer < 0 {
                gain.lost = gain.lost.saturating_add(worth);
                gain.shorter.push((promotion.promotion.clone(), fewer.saturating_neg()));
            }
        }
        assert!(gain.units >= 0, "a trial cannot recover less than nothing");
        gain
    }

    fn line_revenue(&self, line: &PromiseMove) -> Decimal {
        let total = line.price.and_then(|price| price.times(line.quantity).ok());
        total.and_then(|total| self.in_base(total)).unwrap_or_default()
    }

    fn promotion_revenue(&self, promotion: &Promotion, units: Quantity) -> Decimal {
        let prices = self.item.as_ref().map(|item| &item.list_prices);
        let price = prices.and_then(|prices| prices.get(&promotion.channel)).copied();
        let total = price.and_then(|price| price.times(units).ok());
        total.and_then(|total| self.in_base(total)).unwrap_or_default()
    }

    /// Money in the base currency; none without a rate.
    #[must_use]
    pub fn in_base(&self, money: Money) -> Option<Decimal> {
        if money.currency == self.outlook.currency {
            return Some(money.value());
        }
        let rate = self.outlook.rates.get(money.currency.code())?;
        money.value().checked_mul(rate.0)
    }

    /// Money in the base currency, rounded to its minor unit.
    #[must_use]
    pub fn base_money(&self, amount: Decimal) -> Money {
        Money::new(amount, self.outlook.currency).rounded()
    }

    /// What of a payment on `day` falls into the horizon of the cash forecast.
    #[must_use]
    pub fn within_horizon(&self, amount: Decimal, day: Day) -> Decimal {
        let end = self.today.monday().plus(i64::from(HORIZON_WEEKS).saturating_mul(7));
        if day < end { amount } else { Decimal::ZERO }
    }

    /// The first week in which a payment on `day` would take the balance below the floor.
    #[must_use]
    pub fn below_floor(&self, cash: Decimal, day: Day) -> Option<(Day, Decimal)> {
        let floor = self.outlook.floor?.0;
        let week = day.max(self.today).monday();
        let after = self.outlook.balances.iter().filter(|(monday, _)| *monday >= week);
        let below = |balance: Decimal| balance.saturating_sub(cash) < floor;
        let found = after.into_iter().find(|(_, balance)| cash > Decimal::ZERO && below(balance.0));
        found.map(|(monday, _)| (*monday, floor))
    }

    /// An option that cannot be taken, with the reason.
    #[must_use]
    pub fn infeasible(
        &self,
        kind: OptionKind,
        description: &str,
        reason: String,
    ) -> MitigationOption {
        let nothing = Money::zero(self.outlook.currency).rounded();
        MitigationOption {
            kind,
            description: description.to_owned(),
            sku: self.sku.clone(),
            day: None,
            units: 0,
            revenue: nothing,
            lost: nothing,
            cost: nothing,
            cash: nothing,
            net: nothing,
            feasible: false,
            reason: Some(reason),
            as_of: self.as_of.clone(),
            order: None,
            line: None,
            supplier: None,
            quantity: None,
            protection: None,
            promotion: None,
            from_node: None,
            to_node: None,
        }
    }

    /// An option with what it brings and costs; infeasible, with every reason, when it brings
    /// nothing or the cash floor forbids it.
    #[must_use]
    pub fn option(&self, plan: Plan, gain: &Gain) -> MitigationOption {
        self.option_unless(Vec::new(), plan, gain)
    }

    /// As [`Situation::option`], unless one of these reasons forbids it too.
    #[must_use]
    pub fn option_unless(
        &self,
        mut reasons: Vec<String>,
        plan: Plan,
        gain: &Gain,
    ) -> MitigationOption {
        let Plan { kind, description, day, cost, price, paid } = plan;
        if gain.units <= 0 {
            reasons.push("it would bring no promise back and cover no promotion".to_owned());
        }
        let cash = self.within_horizon(price, paid);
        if let Some((week, floor)) = self.below_floor(cash, paid) {
            let floor = self.base_money(floor);
            let reason =
                format!("cash would fall below the floor of {floor} in the week of {week}");
            reasons.push(reason);
        }
        if !reasons.is_empty() {
            return self.infeasible(kind, &description, reasons.join("; "));
        }
        let [revenue, lost, cost, cash] =
            [gain.revenue, gain.lost, cost, cash].map(|amount| self.base_money(amount));
        let net = revenue.value().saturating_sub(lost.value()).saturating_sub(cost.value());
        MitigationOption {
            day: Some(day),
            units: gain.units,
            revenue,
            lost,
            cost,
            cash,
            net: self.base_money(net),
            feasible: true,
            reason: None,
            ..self.infeasible(kind, &description, String::new())
        }
    }
}

/// What an option is, before it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its kind.
    pub kind: OptionKind,
    /// A sentence for a buyer.
    pub description: String,
    /// When it takes effect.
    pub day: Day,
    /// Extra over the plan, in the base currency.
    pub cost: Decimal,
    /// All that is paid for it, in the base currency.
    pub price: Decimal,
    /// The day on which it is paid.
    pub paid: Day,
}

/// Ranks by net, then less cash, earlier day, kind; the infeasible last.
pub fn rank(options: &mut [MitigationOption]) {
    options.sort_by(|left, right| {
        let key = |option: &MitigationOption| {
            let (net, cash) = (Reverse(option.net.value()), option.cash.value());
            (!option.feasible, net, cash, option.day, option.kind)
        };
        key(left).cmp(&key(right))
    });
}

/// The best of one kind: the first by rank; of infeasible ones the first that was tried, with the
/// reasons of all.
#[must_use]
pub fn best(mut candidates: Vec<MitigationOption>) -> Option<MitigationOption> {
    rank(&mut candidates);
    let mut reasons: Vec<String> = Vec::new();
    for reason in candidates.iter().filter_map(|candidate| candidate.reason.clone()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let first = candidates.into_iter().next()?;
    let reason = if first.feasible { first.reason.clone() } else { Some(reasons.join("; ")) };
    Some(MitigationOption { reason, ..first })
}

#[cfg(test)]
mod tests;
