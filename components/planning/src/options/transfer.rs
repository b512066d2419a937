//! The option that moves supply: left-over units go over a lane to where they are wanted.

use rust_decimal::Decimal;
use tradewind_kernel::asks::inventory::{Lane, TrialChange};
use tradewind_kernel::events::inventory::Usable;
use tradewind_kernel::events::planning::{MitigationOption, OptionKind};
use tradewind_kernel::{Day, Id, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::world::World;

use super::smallest::{Found, Tried, single, smallest};
use super::supply_side::no_rate;
use super::{Gain, Search};
use crate::asks::Asks;
use crate::mitigation::{Plan, best};

/// Left-over supplies tried over lanes for one item, the earliest to arrive first.
const MAX_TRANSFERS: usize = 6;

impl<W: World> Search<'_, W>
where
    W::Asks: Asks,
{
    /// Left-over units go over a lane to where they are wanted, as many as help.
    pub(super) async fn transfer(&self) -> Result<Option<MitigationOption>, Failure> {
        let wanted = self.situation.worse_units();
        let targets = self.wanting_nodes();
        if wanted <= 0 || targets.is_empty() {
            return Ok(None);
        }
        let kind = OptionKind::Transfer;
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
        let kind = OptionKind::Transfer;
        let Lane { from, to, .. } = lane;
        let change = |quantity: Quantity| TrialChange::Transfer {
            supply: piece.supply.clone(),
            from_node: from.clone(),
            to_node: to.clone(),
            day,
            quantity,
        };
        let found = self.as_many_as_help(wanted.min(piece.quantity), change).await?;
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

    /// The smallest quantity that brings as much as `most`; when `most` brings nothing, the smallest
    /// of those that single lines lack that brings anything. None when nothing does.
    async fn as_many_as_help(
        &self,
        most: Quantity,
        change: impl Fn(Quantity) -> TrialChange,
    ) -> Result<Option<(Quantity, Gain)>, Failure> {
        let Some(whole) = self.gain(&[change(most)]).await? else { return Ok(None) };
        let enough = |gain: &Gain| {
            gain.units > 0 && gain.units >= whole.units && gain.revenue >= whole.revenue
        };
        let try_out = async |quantity: Quantity| match quantity == most {
            true if enough(&whole) => Ok(Tried::Helps(whole.clone())),
            true => Ok(Tried::Fails),
            false => self.tried(change(quantity), enough).await,
        };
        let hints = match whole.units > 0 {
            true => Vec::new(),
            false => single(&self.situation, &self.worse_lines()),
        };
        let found = smallest(most, &hints, hints.len(), try_out).await?;
        Ok(match found {
            Found::Quantity(quantity, gain) => Some((quantity, gain)),
            Found::Nothing | Found::Ended => None,
        })
    }
}
