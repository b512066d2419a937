//! One entry of the ledger: what was answered, and what that says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::hosted;
use crate::load::{Done, Reach, Step};

/// What the logs know of a purchase order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bought<'a> {
    pub(super) status: &'a str,
    pub(super) accepted: i64,
    pub(super) receipts: BTreeSet<&'a str>,
    pub(super) day: Option<&'a str>,
}

/// Adds what a reservation was granted to the sums, with a sign.
pub(super) fn claim<'a>(
    free: &mut BTreeMap<&'a str, i64>,
    body: &'a Value,
    sign: i64,
) -> Result<()> {
    for line in body["lines"].as_array().context("no lines")? {
        let sku = line["sku"].as_str().context("no item")?;
        for one in line["allocations"].as_array().context("no allocations")? {
            let quantity = one["quantity"].as_i64().context("no quantity")?;
            *free.entry(sku).or_default() += sign * quantity;
        }
    }
    Ok(())
}

/// The same request under the same key is answered the same.
pub(super) fn replays(reach: &Reach<'_>, done: &Done) -> Result<()> {
    let token = (reach.token)(&done.wish.sender)?;
    let got = hosted::send(&reach.agent, &reach.base, &token, &done.wish.sent)?;
    let same = got.status == done.got.status && got.body == done.got.body;
    if !same || got.header("idempotency-replayed") != Some("true") {
        bail!("answered {got:?}, and before {:?}", done.got);
    }
    Ok(())
}

impl Done {
    /// The id of what was made.
    pub(super) fn id(&self) -> Result<&str> {
        self.got.body["id"].as_str().context("an answer without an id")
    }

    pub(super) fn correlation(&self) -> &str {
        self.got.header("correlation-id").unwrap_or("")
    }

    /// The correlation, unless it was an order stated as it already was.
    pub(super) fn told_something(&self) -> Option<&str> {
        let perhaps_nothing =
            matches!(self.wish.step, Step::Order { .. }) && self.got.status == 200;
        Some(self.correlation()).filter(|_| !perhaps_nothing)
    }

    /// The types of event one of which tells it.
    pub(super) fn kinds(&self) -> &'static [&'static str] {
        match self.wish.step {
            Step::MoveIn { .. } | Step::MoveOut { .. } => &["inventory.stock-moved"],
            Step::Reserve => &["inventory.reserved"],
            Step::Ship { .. } => &["inventory.reservation-shipped"],
            Step::GiveBack { .. } => &["inventory.reservation-released"],
            Step::Order { .. } => &["inventory.order-changed"],
            Step::Raise => &["procurement.order-drafted"],
            Step::Act { .. } => &[
                "procurement.order-submitted",
                "procurement.order-approved",
                "procurement.order-released",
            ],
            Step::Confirm { .. } => &["procurement.order-confirmed"],
            Step::Receive { .. } => &["procurement.order-received"],
            Step::LookAtItem { .. } | Step::LookAtReservation { .. } => &[],
        }
    }
}
