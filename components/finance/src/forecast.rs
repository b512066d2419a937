//! Forecast: the cash balance, week by week.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::money::{Amount, round_to_minor};
use tradewind_kernel::refusal::RefusalKind;
use tradewind_kernel::{Currency, Day, Refusal};
use utoipa::ToSchema;

use crate::board::Board;
use crate::rate::Rates;

/// Weeks of a forecast unless asked otherwise: a quarter.
pub const DEFAULT_WEEKS: u32 = 13;

/// The most weeks of a forecast: a year, whatever day it starts on.
pub const MAX_WEEKS: u32 = 53;

/// A week's cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForecastWeek {
    /// Its Monday.
    pub week: Day,
    /// What comes in.
    #[serde(rename = "in")]
    pub incoming: Amount,
    /// What goes out, as a positive number.
    #[serde(rename = "out")]
    pub outgoing: Amount,
    /// Cash at hand at its end.
    pub balance: Amount,
}

/// Flows that could not be converted, for want of a rate, and are left out of the weeks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unconverted {
    /// Their currency.
    pub currency: Currency,
    /// What comes in within the forecast's weeks, in that currency.
    #[serde(rename = "in")]
    pub incoming: Amount,
    /// What goes out.
    #[serde(rename = "out")]
    pub outgoing: Amount,
}

/// The cash forecast, in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CashForecast {
    /// The base currency.
    pub currency: Currency,
    /// Week by week, this week first; what is past due counts this week.
    pub weeks: Vec<ForecastWeek>,
    /// What is left out.
    pub unconverted: Vec<Unconverted>,
}

/// The number of weeks that was asked for.
///
/// # Errors
/// 422 `weeks-out-of-range` outside 1 to [`MAX_WEEKS`].
pub fn horizon(weeks: Option<u32>) -> Result<u32, Refusal> {
    let weeks = weeks.unwrap_or(DEFAULT_WEEKS);
    if (1..=MAX_WEEKS).contains(&weeks) {
        return Ok(weeks);
    }
    let detail = format!("`weeks` is 1 to {MAX_WEEKS}");
    Err(Refusal::new(RefusalKind::Invalid, "weeks-out-of-range", detail))
}

/// The forecast for so many weeks from the board's day on. The whole board must have been read.
#[must_use]
pub fn forecast(
    settings: &SettingsChanged,
    board: &Board,
    rates: &Rates,
    weeks: u32,
) -> CashForecast {
    let currency = settings.currency;
    let rounded = |value, currency| Amount(round_to_minor(value, currency));
    let mut balance = settings.opening_cash.0;
    let mut left_out: std::collections::BTreeMap<Currency, (Decimal, Decimal)> =
        std::collections::BTreeMap::new();
    let mut listed = Vec::new();
    for step in 0..i64::from(weeks) {
        let week = board.today.monday().plus(step.saturating_mul(7));
        let total = board.total(week, rates);
        balance = balance.saturating_add(total.incoming).saturating_sub(total.outgoing);
        listed.push(ForecastWeek {
            week,
            incoming: rounded(total.incoming, currency),
            outgoing: rounded(total.outgoing, currency),
            balance: rounded(balance, currency),
        });
        for (currency, (incoming, outgoing)) in total.unconverted {
            let sum = left_out.entry(currency).or_default();
            sum.0 = sum.0.saturating_add(incoming);
            sum.1 = sum.1.saturating_add(outgoing);
        }
    }
    let unconverted = left_out.into_iter().map(|(currency, (incoming, outgoing))| Unconverted {
        currency,
        incoming: rounded(incoming, currency),
        outgoing: rounded(outgoing, currency),
    });
    CashForecast { currency, weeks: listed, unconverted: unconverted.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Change, Flow};

    #[test]
    fn horizons_are_one_to_fifty_three_weeks() {
        for (asked, wanted) in [
            (None, Some(13)),
            (Some(0), None),
            (Some(1), Some(1)),
            (Some(53), Some(53)),
            (Some(54), None),
        ] {
            assert_eq!(horizon(asked).ok(), wanted);
        }
    }

    #[test]
    fn balances_run_on_and_amounts_have_all_their_decimals() {
        let mut board = Board::new("2026-12-01".parse().unwrap(), None, Default::default());
        for (day, cents, currency) in [
            ("2026-12-03", 6_984_i64, "USD"),
            ("2026-12-14", -1_000, "USD"),
            ("2026-12-14", 500, "EUR"),
        ] {
            let currency = currency.parse().unwrap();
            let (anchor, amount) = (day.parse().unwrap(), Decimal::new(cents, 2));
            let flow = Flow { anchor, offset_days: 0, slides: false, amount, currency };
            board.apply(&[Change::Begins(flow)]);
        }
        let settings =
            SettingsChanged { opening_cash: "100".parse().unwrap(), ..Default::default() };
        let forecast = forecast(&settings, &board, &Rates::default(), 3);
        let weeks: Vec<[String; 4]> = forecast
            .weeks
            .iter()
            .map(|it| {
                let amounts = [it.incoming, it.outgoing, it.balance].map(|it| it.to_string());
                let [incoming, outgoing, balance] = amounts;
                [it.week.to_string(), incoming, outgoing, balance]
            })
            .collect();
        assert_eq!(
            weeks,
            [
                ["2026-11-30", "69.84", "0.00", "169.84"],
                ["2026-12-07", "0.00", "0.00", "169.84"],
                ["2026-12-14", "0.00", "10.00", "159.84"],
            ]
        );
        assert_eq!(forecast.unconverted[0].incoming.to_string(), "5.00");
    }
}
