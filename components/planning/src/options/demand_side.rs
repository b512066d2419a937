//! Options that move demand: give up a part of a protection, start a promotion later.

use rust_decimal::Decimal;
use tradewind_kernel::asks::inventory::TrialChange;
use tradewind_kernel::events::inventory::Holding;
use tradewind_kernel::events::planning::{MitigationOption, OptionKind};
use tradewind_kernel::{Id, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::world::World;

use super::smallest::{EVERY, Found, MOST_HINTS, Worse, hints, smallest};
use super::{Gain, Search, listed};
use crate::POSTPONE_DAYS;
use crate::asks::Asks;
use crate::mitigation::{Plan, best};
use crate::promotion::Promotion;

impl<W: World> Search<'_, W>
where
    W::Asks: Asks,
{
    /// The smallest release of one protection that recovers a line.
    pub(super) async fn re_allocate(&self) -> Result<Option<MitigationOption>, Failure> {
        let worse = self.worse_lines();
        if worse.is_empty() {
            return Ok(None);
        }
        let keeps = |holding: &&Holding| !holding.pieces.is_empty();
        let holdings: Vec<&Holding> = self.situation.base.held.iter().filter(keeps).collect();
        let mut candidates = Vec::new();
        for (place, holding) in holdings.iter().enumerate() {
            // What is left is shared by the protections to come; half of it is for halving.
            let others = holdings.len().saturating_sub(place).saturating_mul(2);
            let share = self.trials_left.get().checked_div(others).unwrap_or(0);
            candidates.push(self.release(holding, &worse, share.min(MOST_HINTS)).await?);
        }
        Ok(best(candidates))
    }

    async fn release(
        &self,
        holding: &Holding,
        worse: &[Worse],
        limit: usize,
    ) -> Result<MitigationOption, Failure> {
        let kind = OptionKind::ReAllocate;
        let protection = &holding.protection;
        let pieces = holding.pieces.iter().map(|piece| piece.quantity);
        let most = pieces.fold(holding.short, Quantity::saturating_add);
        let change = |quantity: Quantity| TrialChange::ReleaseProtection {
            protection: protection.clone(),
            quantity,
        };
        let recovers = |gain: &Gain| !gain.recovered.is_empty();
        let try_out = async |quantity: Quantity| self.tried(change(quantity), recovers).await;
        let impossible = |reason: String| {
            let description = format!("Release a part of {protection}");
            self.situation.infeasible(kind, &description, reason)
        };
        let late = self.late.iter().map(|part| part.quantity).fold(0, Quantity::saturating_add);
        let hints = hints(&self.situation, worse, holding, late);
        let found = smallest(most, &hints, limit, try_out).await?;
        let option = match found {
            Found::Nothing if most <= EVERY => {
                impossible(format!("no release of {protection} brings a promise back"))
            }
            Found::Nothing | Found::Ended => impossible(format!(
                "no release of {protection} that was tried brings a promise back"
            )),
            Found::Quantity(quantity, gain) => {
                let description = format!("Release {quantity} of {protection}: {}", outcome(&gain));
                let (day, nothing) = (self.situation.today, Decimal::ZERO);
                let plan =
                    Plan { kind, description, day, cost: nothing, price: nothing, paid: day };
                let option = self.situation.option(plan, &gain);
                MitigationOption { quantity: Some(quantity), ..option }
            }
        };
        Ok(MitigationOption { protection: Some(protection.clone()), ..option })
    }

    /// A promotion that got worse starts on the first day from which it is not short.
    pub(super) fn postpone_promotion(&self) -> Option<MitigationOption> {
        let newly =
            |promotion: &&Promotion| self.situation.newly_short.contains_key(&promotion.promotion);
        let worse = self.situation.promotions.iter().filter(newly);
        best(worse.map(|promotion| self.postpone(promotion)).collect())
    }

    fn postpone(&self, promotion: &Promotion) -> MitigationOption {
        let kind = OptionKind::PostponePromotion;
        let id = &promotion.promotion;
        let impossible =
            |reason: String| self.situation.infeasible(kind, &format!("Start {id} later"), reason);
        let option = if promotion.from < self.situation.today {
            impossible(format!("{id} has begun"))
        } else {
            let found = (1..=POSTPONE_DAYS).find_map(|days| {
                let moved = shifted(&self.situation.promotions, id, days);
                let risks = self.situation.risks(&self.situation.base, &moved);
                let covered = risks.get(id).is_some_and(|risk| risk.units_short == 0);
                covered.then_some((days, moved))
            });
            match found {
                None => impossible(format!(
                    "no start within {POSTPONE_DAYS} days would be without a shortage"
                )),
                Some((days, moved)) => {
                    let gain = self.situation.gain_with(&self.situation.base, &moved);
                    let (day, until) = (promotion.from.plus(days), promotion.until.plus(days));
                    let description = format!(
                        "Run {id} from {day} to {until} instead of from {}",
                        promotion.from
                    );
                    let (cost, price) = (Decimal::ZERO, Decimal::ZERO);
                    let plan = Plan { kind, description, day, cost, price, paid: day };
                    self.situation.option(plan, &gain)
                }
            }
        };
        MitigationOption { promotion: Some(id.clone()), ..option }
    }
}

/// The promotions with one of them moved.
fn shifted(promotions: &[Promotion], id: &Id, days: i64) -> Vec<Promotion> {
    let shift = |promotion: &Promotion| match promotion.promotion == *id {
        false => promotion.clone(),
        true => Promotion {
            from: promotion.from.plus(days),
            until: promotion.until.plus(days),
            ..promotion.clone()
        },
    };
    promotions.iter().map(shift).collect()
}

/// What a release brings and takes, in words.
fn outcome(gain: &Gain) -> String {
    let day = |day: &Option<tradewind_kernel::Day>| {
        day.map_or("no day".to_owned(), |day| day.to_string())
    };
    let lines = gain.recovered.iter();
    let lines: Vec<String> =
        lines.map(|line| format!("{} back to {}", line.order, day(&line.new_day))).collect();
    let shorter = gain.shorter.iter();
    let shorter: Vec<String> =
        shorter.map(|(id, units)| format!("{id} {units} units shorter")).collect();
    let parts = [lines, shorter].into_iter().filter(|part| !part.is_empty());
    parts.map(|part| listed(&part)).collect::<Vec<_>>().join("; ")
}
