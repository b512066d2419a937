//! Options that bring supply: hurry the late one, buy elsewhere, move it from another node.

use rust_decimal::Decimal;
use tradewind_kernel::asks::inventory::{Lane, TrialChange};
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::events::inventory::Usable;
use tradewind_kernel::events::planning::MitigationOption;
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

/// Left-over supplies tried over lanes for one item, the earliest to arrive first.
const MAX_TRANSFERS: usize = 6;

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
        let kind = "expedite";
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

    /// Another supplier brings what is missing, by its lead time.
    pub(super) async fn alternate_supplier(&self) -> Result<Option<MitigationOption>, Failure> {
        let wanted = self.situation.worse_units();
        if wanted <= 0 {
            return Ok(None);
        }
        let late = self.late.first();
        let node = late.map(|part| part.node.clone()).or(self.wanting_nodes().first().cloned());
        let mut others: Vec<&Offer> = self
            .offers
            .iter()
            .filter(|offer| late.is_none_or(|part| part.supplier != offer.supplier))
            .filter(|offer| self.is_usable(offer))
            .collect();
        others.sort_by_key(|offer| (self.arrival(offer), offer.supplier.clone()));
        let mut candidates = Vec::new();
        for offer in others.into_iter().take(MAX_SUPPLIERS) {
            let Some(node) = &node else { continue };
            candidates.push(self.buy_from(offer, node, late, wanted).await?);
        }
        if candidates.is_empty() {
            let reason = format!("no other approved supplier offers {}", self.situation.sku);
            let description = "Buy from another supplier";
            let kind = "alternate-supplier";
            candidates.push(self.situation.infeasible(kind, description, reason));
        }
        Ok(best(candidates))
    }

    fn arrival(&self, offer: &Offer) -> Day {
        offer.calendar.add_open_days(self.situation.today, offer.lead_time_days)
    }

    async fn buy_from(
        &self,
        offer: &Offer,
        node: &Id,
        late: Option<&LatePart>,
        wanted: Quantity,
    ) -> Result<MitigationOption, Failure> {
        let kind = "alternate-supplier";
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
        let Some((cost, total)) = self.premium(price, late, quantity) else {
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
    /// still to come and paid for, and the whole price. The plan is the late line's own price;
    /// without one, the lowest price at which an approved supplier sells as many.
    fn premium(
        &self,
        price: Money,
        late: Option<&LatePart>,
        quantity: Quantity,
    ) -> Option<(Decimal, Decimal)> {
        let price = self.situation.in_base(price)?;
        let planned = match late.and_then(|part| part.price) {
            Some(planned) => self.situation.in_base(planned)?,
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

    /// Left-over units go over a lane to where they are wanted, as many as help.
    pub(super) async fn transfer(&self) -> Result<Option<MitigationOption>, Failure> {
        let wanted = self.situation.worse_units();
        let targets = self.wanting_nodes();
        if wanted <= 0 || targets.is_empty() {
            return Ok(None);
        }
        let kind = "transfer";
        let leads = |lane: &&Lane| targets.contains(&lane.to) && lane.from != lane.to;
        let lanes: Vec<&Lane> = self.network.lanes.iter().filter(leads).collect();
        let mut pairs: Vec<(Day, &Usable, &Lane)> = Vec::new();
        for piece in &self.situation.base.left_over {
            for lane in lanes.iter().filter(|lane| lane.from == piece.node) {
                let sent = piece.day.max(self.situation.today);
                pairs.push((sent.plus(i64::from(lane.days)), piece, lane));
            }
        }
        pairs.sort_by_key(|(day, piece, lane)| (*day, piece.supply.clone(), lane.to.clone()));
        let mut candidates = Vec::new();
        for (day, piece, lane) in pairs.into_iter().take(MAX_TRANSFERS) {
            candidates.push(self.move_over(day, piece, lane, wanted).await?);
        }
        if candidates.is_empty() {
            let names: Vec<String> = targets.iter().map(Id::to_string).collect();
            let reason = match lanes.first() {
                None => format!("no lane leads to {}", names.join(" or ")),
                Some(_) => "nothing is left over where a lane begins".to_owned(),
            };
            let description = format!("Transfer left-over units to {}", names.join(" or "));
            candidates.push(self.situation.infeasible(kind, &description, reason));
        }
        Ok(best(candidates))
    }

    async fn move_over(
        &self,
        day: Day,
        piece: &Usable,
        lane: &Lane,
        wanted: Quantity,
    ) -> Result<MitigationOption, Failure> {
        let kind = "transfer";
        let Lane { from, to, .. } = lane;
        let change = |quantity: Quantity| TrialChange::Transfer {
            supply: piece.supply.clone(),
            from_node: from.clone(),
            to_node: to.clone(),
            day,
            quantity,
        };
        let helps = |gain: &super::Gain, whole: &super::Gain| {
            gain.units > 0 && gain.units >= whole.units && gain.revenue >= whole.revenue
        };
        let found = self.smallest(wanted.min(piece.quantity), change, helps).await?;
        let place = |option: MitigationOption| MitigationOption {
            from_node: Some(from.clone()),
            to_node: Some(to.clone()),
            ..option
        };
        let general = format!("Transfer left-over units from {from} to {to}");
        let Some((quantity, gain)) = found else {
            let reason = "it would bring no promise back and cover no promotion".to_owned();
            return Ok(place(self.situation.infeasible(kind, &general, reason)));
        };
        let each = lane.cost_per_unit;
        let total = match each.map(|each| each.times(quantity)) {
            None => Some(Decimal::ZERO),
            Some(total) => total.ok().and_then(|total| self.situation.in_base(total)),
        };
        let Some(cost) = total else {
            let reason = each.map(no_rate).unwrap_or_default();
            return Ok(place(self.situation.infeasible(kind, &general, reason)));
        };
        let price = each.map(|each| format!(", for {each} a unit")).unwrap_or_default();
        let description = format!("Transfer {quantity} from {from} to {to}, there on {day}{price}");
        let plan = Plan { kind, description, day, cost, price: cost, paid: day };
        let option = self.situation.option(plan, &gain);
        Ok(place(MitigationOption { quantity: Some(quantity), ..option }))
    }
}

fn no_rate(money: Money) -> String {
    format!("there is no rate for {}", money.currency)
}
