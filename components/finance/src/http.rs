//! The routes of finance.

use serde_json::json;
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::refusal::Fault;
use tradewind_kernel::{Currency, Day, Ratio, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::http::Method::{Get, Put};
use tradewind_shell::route::{QueryParameter, Role, Route, described};
use tradewind_shell::service::Service;
use tradewind_shell::world::World;

use crate::forecast::{CashForecast, horizon};
use crate::keys;
use crate::queries::forecast_now;
use crate::rate::{PutRate, RatePlace, RateView, put_rate};
use crate::settings::{PutSettings, SettingsView, put_settings, view};

/// What finance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    PutSettings,
    GetSettings,
    PutRate,
    GetRate,
    CashForecast,
}

/// Who keeps settings and rates.
const KEEPERS: &[Role] = &[Role::Finance];

/// Every route.
pub const ROUTES: &[Route<Operation>] = &[
    Route {
        summary: "Sets zone, base currency, opening cash and cash floor",
        body: Some(described::<PutSettings>),
        answers: &[(200, Some(described::<SettingsView>)), (201, Some(described::<SettingsView>))],
        ..Route::new(Put, "/finance/v1/settings", Operation::PutSettings, KEEPERS)
    },
    Route {
        summary: "The settings; the defaults when none were put",
        answers: &[(200, Some(described::<SettingsView>))],
        ..Route::new(Get, "/finance/v1/settings", Operation::GetSettings, Role::READERS)
    },
    Route {
        summary: "Sets what one unit of a currency is worth in the base currency from a day on",
        body: Some(described::<PutRate>),
        answers: &[(200, Some(described::<RateView>)), (201, Some(described::<RateView>))],
        ..Route::new(Put, "/finance/v1/rates/{currency}/{day}", Operation::PutRate, KEEPERS)
    },
    Route {
        summary: "The rate that was set for a currency and a day",
        answers: &[(200, Some(described::<RateView>))],
        ..Route::new(Get, "/finance/v1/rates/{currency}/{day}", Operation::GetRate, Role::READERS)
    },
    Route {
        summary: "The cash forecast, week by week",
        query: &[QueryParameter {
            name: "weeks",
            required: false,
            most: 1,
            form: "1..53",
            description: "how many weeks; 13 unless given",
        }],
        answers: &[(200, Some(described::<CashForecast>))],
        ..Route::new(Get, "/finance/v1/cash-forecast", Operation::CashForecast, Role::READERS)
    },
];

/// Answers one request.
///
/// # Errors
/// Refusals and outages.
pub async fn handle<S: Service<W>, W: World>(
    operation: Operation,
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    match operation {
        Operation::PutSettings => put_the_settings(call).await,
        Operation::GetSettings => settings(call).await,
        Operation::PutRate => put_a_rate(call).await,
        Operation::GetRate => rate(call).await,
        Operation::CashForecast => cash_forecast(call).await,
    }
}

async fn put_the_settings<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let command: PutSettings = call.body()?;
    call.command(async |gather| {
        let kept = gather.record::<SettingsChanged>(keys::SETTINGS).await?;
        call.if_match(kept.as_ref().map_or(0, |kept| kept.version))?;
        let kept = kept.as_ref().map(|kept| (&kept.value, kept.version));
        Ok(put_settings(&command, kept)?)
    })
    .await
}

async fn settings<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    call.answer(async |gather| {
        let kept = gather.record::<SettingsChanged>(keys::SETTINGS).await?;
        Ok(match kept {
            Some(kept) => Answer::versioned(view(&kept), kept.version),
            None => Answer::ok(view(&SettingsChanged::default())),
        })
    })
    .await
}

async fn put_a_rate<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let (currency, day) = new_place(call)?;
    let command: PutRate = call.body()?;
    call.command(async |gather| {
        let base = gather.settings().await?.currency;
        let kept = gather.record::<Ratio>(keys::rate(base, currency, day)).await?;
        call.if_match(kept.as_ref().map_or(0, |kept| kept.version))?;
        let kept = kept.map(|kept| (kept.value, kept.version));
        Ok(put_rate(RatePlace { base, currency, day }, &command, kept)?)
    })
    .await
}

fn new_place<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<(Currency, Day), Refusal> {
    let mut faults = Vec::new();
    let currency = call.text("currency").parse::<Currency>();
    if let Err(fault) = &currency {
        faults.push(Fault::new("", "currency-malformed", fault.to_string()));
    }
    let day = call.text("day").parse::<Day>();
    if let Err(fault) = &day {
        faults.push(Fault::new("", "day-malformed", fault.to_string()));
    }
    match (currency, day) {
        (Ok(currency), Ok(day)) => Ok((currency, day)),
        _ => Err(Refusal::invalid(faults)),
    }
}

async fn rate<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let named = format!("rate of `{}` on `{}`", call.text("currency"), call.text("day"));
    let (currency, day) = new_place(call).map_err(|_| Refusal::not_found(&named))?;
    call.answer(async |gather| {
        let base = gather.settings().await?.currency;
        let kept = gather.record::<Ratio>(keys::rate(base, currency, day)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(&named))?;
        let view = json!(RateView { currency, base, day, rate: kept.value });
        Ok(Answer::versioned(view, kept.version))
    })
    .await
}

async fn cash_forecast<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let asked = call.query::<i64>("weeks")?;
    let asked = asked.map(|weeks| u32::try_from(weeks).unwrap_or(u32::MAX));
    let weeks = horizon(asked)?;
    call.answer(async |gather| {
        let (forecast, _) = forecast_now(gather, weeks).await?;
        Ok(Answer::ok(json!(forecast)))
    })
    .await
}
