//! Events of the finance domain.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::event::Event;
use crate::money::{Amount, Currency};
use crate::ratio::Ratio;
use crate::time::{Day, Zone};

/// The tenant's settings changed; every domain keeps them by reacting to this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SettingsChanged {
    pub zone: Zone,
    /// The base currency.
    pub currency: Currency,
    /// Cash at hand, in the base currency.
    pub opening_cash: Amount,
    /// The least that the cash balance may be.
    pub cash_floor: Option<Amount>,
}

/// A currency's rate to the base currency on a day was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RateSet {
    pub currency: Currency,
    pub day: Day,
    pub rate: Ratio,
    /// The base currency that it converts to.
    #[serde(default)]
    pub base: Option<Currency>,
}

/// What remains of an event once a later one of the same currency is known: nothing of a rate that
/// was set anew for the same day and base.
#[must_use]
pub fn rate_remains(event: Event, later: &Event) -> Option<Event> {
    let place = |event: &Event| {
        let set = event.is::<RateSet>().then(|| event.read::<RateSet>().ok()).flatten()?;
        Some((set.currency, set.day, set.base))
    };
    let anew = place(&event).is_some_and(|earlier| place(later) == Some(earlier));
    (!anew).then_some(event)
}

/// A week's net flow of cash, before and after; a week is its Monday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct WeekChange {
    pub week: Day,
    pub before: Amount,
    pub after: Amount,
    pub change: Amount,
}

/// The cash forecast moved; only the weeks that moved are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct CashChanged {
    pub currency: Currency,
    pub weeks: Vec<WeekChange>,
}

payloads! {
    SettingsChanged => "finance.settings-changed",
    RateSet => "finance.rate-set",
    CashChanged => "finance.cash-changed",
}
