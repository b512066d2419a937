//! Options that bring supply: hurry the late one, buy from somebody else.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::asks::inventory::TrialChange;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::events::planning::{MitigationOption, OptionKind};
use tradewind_kernel::{Day, Id, Money, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::world::World;

use super::{Search, price_for};
use crate::asks::Asks;
use crate::late::LatePart;
use crate::mitigation::{Plan, best};
use crate::replenishment::lot;
use crate::spending::{is_limited, room};

/// Other suppliers tried for one item, the earliest to arrive first: a buyer compares a handful.
const MAX_SUPPLIERS: usize = 8;

/// Nodes that late parts go to, tried for one item, the most units first.
const MAX_NODES: usize = 3;

/// What a purchase from another supplier would stand in for.
struct Replaced<'a> {
    /// Where the goods are needed.
    node: Id,
    /// The late part; of several that go to the node the one with the most units.
    part: Option<&'a LatePart>,
    /// The planned unit prices of the late parts that go there, with their units.
    prices: Vec<(Money, Quantity)>,
}

impl<W: World> Search<'_, W>
where
    W::Asks: Asks,
{
    /// The late open part arrives the offer's days earlier, not before its old day nor today.
    pub(super) async fn expedite(&self) -> Result<Option<MitigationOption>, Failure> {
        let mut candidates = Vec::new();
        for part in &self.late {
            let option = self.expedite_part(part).await?;
            candidates.push(MitigationOption {
                order: Some(part.order.clone()),
                line: Some(part.line),
                supplier: Some(part.supplier.clone()),
                quantity: Some(part.quantity),
                to_node: Some(part.node.clone()),
                ..option
            });
        }
        Ok(best(candidates))
    }

    async fn expedite_part(&self, part: &LatePart) -> Result<MitigationOption, Failure> {
        let LatePart { order, line, supplier, sku, quantity, .. } = part;
        let kind = OptionKind::Expedite;
        let impossible = |reason: String| {
            let description = format!("Expedite line {line} of {order} from {supplier}");
            self.situation.infeasible(kind, &description, reason)
        };
        let offer = self.offers.iter().find(|offer| offer.supplier == *supplier);
        let Some((offer, hurry)) = offer.and_then(|offer| Some((offer, offer.expedite.as_ref()?)))
        else {
            return Ok(impossible(format!("{supplier} offers no expediting of {sku}")));
        };
        let earliest = part.new_day.plus(i64::from(hurry.days).saturating_neg());
        let day = earliest.max(part.old_day).max(self.situation.today);
        if day >= part.new_day {
            return Ok(impossible(format!("it cannot arrive before {day}")));
        }
        let total = hurry.cost_per_unit.times(*quantity).ok();
        let Some(cost) = total.and_then(|total| self.situation.in_base(total)) else {
            return Ok(impossible(no_rate(hurry.cost_per_unit)));
        };
        let (order, line) = (order.clone(), *line);
        let change = TrialChange::MoveSupply { order, line, from: part.new_day, to: day };
        let Some(gain) = self.gain(&[change]).await? else {
            return Ok(impossible("the late part is not open any more".to_owned()));
        };
        let earlier = part.new_day.since(day);
        let description = format!(
            "Have {supplier} bring {quantity} of {} line {line} {earlier} days earlier, on {day} \
             instead of {}, for {} a unit",
            part.order, part.new_day, hurry.cost_per_unit,
        );
        let paid = self.usable(&part.node, day).plus(i64::from(offer.terms_days));
        let plan = Plan { kind, description, day, cost, price: cost, paid };
        Ok(self.situation.option(plan, &gain))
    }

    /// Another supplier, none of those that are late, brings what is missing, by its lead time, to a
    /// node that late parts were to go to.
    pub(super) async fn alternate_supplier(&self) -> Result<Option<MitigationOption>, Failure> {
        let wanted = self.situation.worse_units();
        if wanted <= 0 {
            return Ok(None);
        }
        let is_late = |offer: &&Offer| self.late.iter().any(|part| part.supplier == offer.supplier);
        let others = self.offers.iter().filter(|offer| !is_late(offer));
        let mut others: Vec<&Offer> = others.filter(|offer| self.is_usable(offer)).collect();
        others.sort_by_key(|offer| (self.arrival(offer), offer.supplier.clone()));
        let replaced = self.replaced();
        let mut candidates = Vec::new();
        for offer in others.into_iter().take(MAX_SUPPLIERS) {
            for replaced in replaced.iter().take(MAX_NODES) {
                candidates.push(self.buy_from(offer, replaced, wanted).await?);
            }
        }
        if candidates.is_empty() {
            let reason = format!("no other approved supplier offers {}", self.situation.sku);
            let description = "Buy from another supplier";
            let kind = OptionKind::AlternateSupplier;
            candidates.push(self.situation.infeasible(kind, description, reason));
        }
        Ok(best(candidates))
    }

    /// The late parts by the node that they go to, the most units first; without any, the first
    /// node of what got worse.
    fn replaced(&self) -> Vec<Replaced<'_>> {
        let mut nodes: BTreeMap<&Id, Vec<&LatePart>> = BTreeMap::new();
        for part in &self.late {
            nodes.entry(&part.node).or_default().push(part);
        }
        if nodes.is_empty() {
            let wanting = self.wanting_nodes().into_iter().take(1);
            return wanting.map(|node| Replaced { node, part: None, prices: Vec::new() }).collect();
        }
        let mut replaced: Vec<(Quantity, Replaced<'_>)> = Vec::new();
        for (node, parts) in nodes {
            let units = parts.iter().map(|part| part.quantity).fold(0, Quantity::saturating_add);
            let prices = parts.iter().filter_map(|part| Some((part.price?, part.quantity)));
            let prices = prices.collect();
            let largest = parts
                .into_iter()
                .min_by_key(|part| (Reverse(part.quantity), part.order.clone(), part.line));
            replaced.push((units, Replaced { node: node.clone(), part: largest, prices }));
        }
        replaced.sort_by_key(|(units, replaced)| (Reverse(*units), replaced.node.clone()));
        replaced.into_iter().map(|(_, replaced)| replaced).collect()
    }

    fn arrival(&self, offer: &Offer) -> Day {
        offer.calendar.add_open_days(self.situation.today, offer.lead_time_days)
    }

    async fn buy_from(
        &self,
        offer: &Offer,
        replaced: &Replaced<'_>,
        wanted: Quantity,
    ) -> Result<MitigationOption, Failure> {
        let kind = OptionKind::AlternateSupplier;
        let Replaced { node, part: late, prices } = replaced;
        let supplier = &offer.supplier;
        let quantity = lot(wanted, offer.minimum, offer.multiple, offer.maximum);
        let impossible = |reason: String| {
            let description = format!("Buy from {supplier}");
            let reason = format!("{supplier}: {reason}");
            let option = self.situation.infeasible(kind, &description, reason);
            MitigationOption { supplier: Some(supplier.clone()), ..option }
        };
        if quantity <= 0 {
            return Ok(impossible("its maximum is below its minimum".to_owned()));
        }
        let price = price_for(offer, quantity);
        let Some((cost, total)) = self.premium(price, prices, quantity) else {
            return Ok(impossible(no_rate(price)));
        };
        let day = self.arrival(offer);
        let change = TrialChange::AddSupply { node: node.clone(), day, quantity };
        let reasons: Vec<String> = self.beyond_limit(offer, total).into_iter().collect();
        let Some(gain) = self.gain(&[change]).await? else {
            let reason = format!("{node} cannot receive it any more");
            return Ok(impossible([reasons, vec![reason]].concat().join("; ")));
        };
        let description = format!(
            "Buy {quantity} from {supplier} at {price} a unit, arriving at {node} on {day}"
        );
        let paid = self.usable(node, day).plus(i64::from(offer.terms_days));
        let plan = Plan { kind, description, day, cost, price: total, paid };
        let option = self.situation.option_unless(reasons, plan, &gain);
        Ok(MitigationOption {
            supplier: Some(supplier.clone()),
            quantity: Some(quantity),
            to_node: Some(node.clone()),
            order: late.map(|part| part.order.clone()),
            line: late.map(|part| part.line),
            reason: option.reason.map(|reasons| format!("{supplier}: {reasons}")),
            ..option
        })
    }

    /// Why the limit of a conditional supplier forbids a purchase of this price, if it does.
    fn beyond_limit(&self, offer: &Offer, price: Decimal) -> Option<String> {
        if !is_limited(offer) {
            return None;
        }
        let known = self.commitments.get(&offer.supplier);
        let (known, limit) = known.and_then(|known| Some((known, known.limit?))).unzip();
        let Some(limit) = limit else {
            return Some("it is not known what its limit is".to_owned());
        };
        let in_base = |money| self.situation.in_base(money);
        let Some(room) = known.and_then(|known| room(known, in_base)) else {
            return Some("a rate is missing to compare its open orders with its limit".to_owned());
        };
        let room = room.max(Decimal::ZERO);
        (price > room).then(|| {
            let (price, room) = (self.situation.base_money(price), self.situation.base_money(room));
            format!("of its limit of {limit} only {room} is free, and this costs {price}")
        })
    }

    /// The extra over the planned price for a quantity, never below zero since the late part is
    /// still to come and paid for, and the whole price. The plan is the late parts' own price, the
    /// mean of several by their units; without one, the lowest price at which an approved supplier
    /// sells as many.
    fn premium(
        &self,
        price: Money,
        late: &[(Money, Quantity)],
        quantity: Quantity,
    ) -> Option<(Decimal, Decimal)> {
        let price = self.situation.in_base(price)?;
        let priced: Option<Vec<(Decimal, Quantity)>> = late
            .iter()
            .map(|(price, units)| Some((self.situation.in_base(*price)?, *units)))
            .collect();
        let planned = match mean_price(&priced?) {
            Some(planned) => planned,
            None => {
                let usable = self.offers.iter().filter(|offer| self.is_usable(offer));
                let approved = usable.filter(|offer| !is_limited(offer));
                let price = |offer: &Offer| {
                    let bought = lot(quantity, offer.minimum, offer.multiple, offer.maximum);
                    self.situation.in_base(price_for(offer, bought))
                };
                approved.filter_map(price).min()?
            }
        };
        let units = Decimal::from(quantity);
        let extra = price.saturating_sub(planned).max(Decimal::ZERO);
        Some((extra.checked_mul(units)?, price.checked_mul(units)?))
    }
}

/// The mean of prices by their units, exactly the price when all are the same; none without any.
fn mean_price(prices: &[(Decimal, Quantity)]) -> Option<Decimal> {
    let (first, _) = prices.first()?;
    if prices.iter().all(|(price, _)| price == first) {
        return Some(*first);
    }
    let add = |(sum, count): (Decimal, Decimal), (price, units): &(Decimal, Quantity)| {
        let units = Decimal::from(*units);
        Some((sum.checked_add(price.checked_mul(units)?)?, count.checked_add(units)?))
    };
    let (sum, count) = prices.iter().try_fold((Decimal::ZERO, Decimal::ZERO), add)?;
    sum.checked_div(count)
}

/// Why an amount cannot be compared.
pub(super) fn no_rate(money: Money) -> String {
    format!("there is no rate for {}", money.currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planned_price_is_the_mean_by_units() {
        for (prices, mean) in [
            (&[][..], None),
            (&[("7.50", 200)][..], Some("7.50")),
            (&[("7.51", 3), ("7.51", 4)][..], Some("7.51")),
            (&[("7.50", 100), ("9.50", 300)][..], Some("9")),
            (&[("7.50", 0), ("9.50", 0)][..], None),
        ] {
            let prices: Vec<(Decimal, Quantity)> =
                prices.iter().map(|(price, units)| (price.parse().unwrap(), *units)).collect();
            assert_eq!(mean_price(&prices), mean.map(|mean| mean.parse().unwrap()), "{prices:?}");
        }
    }
}
