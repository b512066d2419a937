//! Answers to what other domains ask: `wit/finance.wit`.

use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::event::Domain;
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::Needs;
use tradewind_shell::world::{Answered, AskError, World};

use crate::forecast::{CashForecast, forecast, horizon};
use crate::keys;
use crate::rate::{Curve, Rates};
use crate::reactions::whole_board;

/// The forecast as of now, and the rates it used: read at one moment.
pub(crate) async fn forecast_now<W: World>(
    gather: &Gather<'_, W>,
    weeks: u32,
) -> Result<(CashForecast, Rates), Failure> {
    let settings = gather.settings().await?;
    let today = gather.today().await?;
    let mut board = whole_board(gather, today).await?;
    // The day may have turned without anybody having said so yet.
    board.turn(today);
    let curves = gather.set::<Curve>(keys::curves(settings.currency)).await?;
    let curves = curves.into_iter().filter_map(|(name, curve)| Some((name.parse().ok()?, curve)));
    let rates = Rates { base: settings.currency, curves: curves.collect() };
    Ok((forecast(&settings, &board, &rates, weeks), rates))
}

/// The cash forecast over so many weeks, in short; with every event up to `up_to`, or up to now.
///
/// # Errors
/// `weeks-out-of-range`; behind; unavailable.
pub async fn outlook<W: World>(
    world: &W,
    tenant: &str,
    weeks: u32,
    up_to: Option<u64>,
) -> Result<Answered<Outlook>, AskError> {
    let gather = Gather::new(world, tenant, Domain::Finance, Needs::up_to(up_to), 0);
    let outlook = short(&gather, weeks).await.map_err(|failure| match failure {
        Failure::Behind => AskError::Behind,
        Failure::Outage(outage) => AskError::Unavailable(outage.to_string()),
        Failure::Refused(refusal) => AskError::Refused(refusal.code, refusal.detail),
    })?;
    Ok(gather.answer(outlook))
}

async fn short<W: World>(gather: &Gather<'_, W>, weeks: u32) -> Result<Outlook, Failure> {
    let weeks = horizon(Some(weeks))?;
    let (forecast, rates) = forecast_now(gather, weeks).await?;
    let floor = gather.settings().await?.cash_floor;
    let today = gather.today().await?;
    let newest = rates
        .curves
        .keys()
        .filter_map(|currency| Some((currency.to_string(), rates.newest(*currency, today)?)));
    let rates = newest.collect();
    let balances = forecast.weeks.iter().map(|week| (week.week, week.balance)).collect();
    Ok(Outlook { currency: forecast.currency, floor, balances, rates })
}
