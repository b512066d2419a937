//! Settings: the tenant's zone, base currency, opening cash and cash floor.
//!
//! They are finance's; every domain keeps them by reacting to their event. Setting the opening
//! cash says what is at hand on that day: what fell due before is settled in it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::money::{Amount, round_to_minor};
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::time::Zone;
use tradewind_kernel::{Currency, Day, Decision, Money, NewEvent, Refusal};
use utoipa::ToSchema;

use crate::keys;

/// An amount of the base currency: a decimal string, a whole number, or money whose currency says
/// the same. It is answered as a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum BaseAmount {
    /// A whole number; one with decimals is written as a string, which stays exact.
    Whole(i64),
    /// A decimal string.
    Amount(Amount),
    /// Money in the base currency.
    Money(Money),
}

impl Default for BaseAmount {
    fn default() -> Self {
        Self::Amount(Amount::default())
    }
}

/// What a caller puts; what is left out is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "zone": "America/New_York",
    "currency": "USD",
    "opening_cash": "250000.00",
    "cash_floor": "40000.00",
}))]
pub struct PutSettings {
    /// The zone in which a day begins and ends; UTC unless given.
    pub zone: Zone,
    /// The base currency; USD unless given.
    pub currency: Currency,
    /// Cash at hand now, in the base currency and with no more decimals than it has; 0 unless given.
    pub opening_cash: BaseAmount,
    /// The least that the cash balance may be, in the base currency and with no more decimals than it
    /// has; no floor unless given.
    pub cash_floor: Option<BaseAmount>,
}

/// The settings as they are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SettingsView {
    /// The zone in which a day begins and ends.
    pub zone: Zone,
    /// The base currency.
    pub currency: Currency,
    /// Cash at hand when it was set, in the base currency.
    pub opening_cash: Amount,
    /// The least that the cash balance may be; null: no floor.
    pub cash_floor: Option<Amount>,
}

/// The settings as JSON.
#[must_use]
pub fn view(settings: &SettingsChanged) -> Value {
    let SettingsChanged { zone, currency, opening_cash, cash_floor } = *settings;
    json!(SettingsView { zone, currency, opening_cash, cash_floor })
}

/// Puts the settings. `kept` are those that are there, with their version.
///
/// # Errors
/// 422 `currency-differs` for money of another currency than the base, `out-of-range` for more
/// decimals than its minor unit has.
pub fn put_settings(
    command: &PutSettings,
    kept: Option<(&SettingsChanged, u64)>,
) -> Result<Decision, Refusal> {
    let PutSettings { zone, currency, .. } = *command;
    let mut faults = Faults::new();
    let opening_cash = amount(command.opening_cash, currency, "/opening_cash", &mut faults);
    let cash_floor =
        command.cash_floor.map(|floor| amount(floor, currency, "/cash_floor", &mut faults));
    faults.check()?;

    let settings = SettingsChanged { zone, currency, opening_cash, cash_floor };
    let body = view(&settings);
    if let Some((_, version)) = kept.filter(|(old, _)| **old == settings) {
        return Ok(Decision::unchanged(body, version));
    }
    let mut decision = Decision::default();
    decision.put(keys::SETTINGS, &settings);
    decision.event(NewEvent::of("settings", &settings));
    Ok(if kept.is_none() {
        decision.created("/finance/v1/settings", body)
    } else {
        decision.reply(200, body)
    })
}

fn amount(given: BaseAmount, currency: Currency, pointer: &str, faults: &mut Faults) -> Amount {
    let amount = match given {
        BaseAmount::Whole(number) => {
            let sound = (-LIMIT..=LIMIT).contains(&number);
            faults.require(sound, pointer, "out-of-range", "an amount is at most 10^15");
            Amount(number.into())
        }
        BaseAmount::Amount(amount) => amount,
        BaseAmount::Money(money) => {
            let detail = "this amount is in another currency than the base currency";
            faults.require(money.currency == currency, pointer, "currency-differs", detail);
            money.amount
        }
    };
    let rounded = round_to_minor(amount.0, currency);
    let detail = "this amount has more decimals than the currency's minor unit";
    faults.require(rounded == amount.0, pointer, "out-of-range", detail);
    Amount(rounded)
}

/// When the opening cash was last set, and to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The day, in the tenant's zone then.
    pub day: Day,
    /// How much.
    pub cash: Amount,
    /// In which currency.
    pub currency: Currency,
}

/// The opening after the settings became `settings` on `day`; none when it was not set anew. A
/// change of the zone or the floor alone settles nothing.
#[must_use]
pub fn opened(before: Option<&Opening>, settings: &SettingsChanged, day: Day) -> Option<Opening> {
    let (cash, currency) = (settings.opening_cash, settings.currency);
    let same = before.is_some_and(|old| old.cash == cash && old.currency == currency);
    (!same).then_some(Opening { day, cash, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(body: Value) -> PutSettings {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn what_is_left_out_is_the_default() {
        let decision = put_settings(&command(json!({})), None).unwrap();
        let body = json!({
            "zone": "UTC", "currency": "USD", "opening_cash": "0.00", "cash_floor": null,
        });
        assert_eq!((decision.reply.status, decision.reply.body), (201, body));
    }

    #[test]
    fn refusals() {
        let euro = json!({ "amount": "5", "currency": "EUR" });
        for (body, wanted) in [
            (json!({ "opening_cash": "5" }), None),
            (json!({ "opening_cash": 0, "cash_floor": -5 }), None),
            (json!({ "opening_cash": 1_000_000_000_000_001_i64 }), Some("out-of-range")),
            (json!({ "opening_cash": euro, "currency": "EUR" }), None),
            (json!({ "opening_cash": euro }), Some("currency-differs")),
            (json!({ "opening_cash": "0.001" }), Some("out-of-range")),
            (json!({ "opening_cash": "1.5", "currency": "JPY" }), Some("out-of-range")),
            (json!({ "opening_cash": "0.001", "cash_floor": euro }), Some("invalid")),
        ] {
            let refusal = put_settings(&command(body.clone()), None).err();
            assert_eq!(refusal.as_ref().map(|it| it.code.as_str()), wanted, "{body}");
        }
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let before = SettingsChanged { opening_cash: "5".parse().unwrap(), ..Default::default() };
        let kept = Some((&before, 9));
        for five in [json!("5.0"), json!(5), json!({ "amount": "5", "currency": "USD" })] {
            let same = put_settings(&command(json!({ "opening_cash": five })), kept).unwrap();
            assert!(same.is_empty());
        }
        let floor = json!({ "opening_cash": "5", "cash_floor": "-1" });
        let other = put_settings(&command(floor), kept).unwrap();
        assert_eq!((other.reply.status, other.events.len()), (200, 1));
    }

    #[test]
    fn only_another_opening_cash_opens_anew() {
        let settings = SettingsChanged::default();
        let day: Day = "2026-12-01".parse().unwrap();
        let opening = opened(None, &settings, day).unwrap();
        let later = day.plus(5);
        assert_eq!(opened(Some(&opening), &settings, later), None);
        let more = SettingsChanged { opening_cash: "1".parse().unwrap(), ..settings };
        assert_eq!(opened(Some(&opening), &more, later).map(|it| it.day), Some(later));
    }
}
