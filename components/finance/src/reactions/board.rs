//! Reading and writing the board, and what moves it as a whole: days, rates, settings.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::event::Event;
use tradewind_kernel::events::finance::{CashChanged, RateSet, SettingsChanged};
use tradewind_kernel::events::inventory::DayTurned;
use tradewind_kernel::{Currency, Day, Decision, NewEvent};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use super::read;
use crate::board::{Board, Parcel, week_changes};
use crate::flow::Change;
use crate::keys;
use crate::rate::{Curve, Rates};
use crate::settings::{Opening, opened as opened_anew};

/// The board without any member, as of the day up to which days have turned.
async fn bare_board<W: World>(gather: &Gather<'_, W>, otherwise: Day) -> Result<Board, Failure> {
    let record = |key: &str| Read::Record { key: key.to_owned() };
    gather.prefetch(vec![record(keys::TODAY), record(keys::OPENING)]).await?;
    let today = gather.record::<Day>(keys::TODAY).await?.map_or(otherwise, |kept| kept.value);
    let opening = gather.record::<Opening>(keys::OPENING).await?.map(|kept| kept.value.day);
    Ok(Board::new(today, opening, BTreeMap::new()))
}

/// The whole board, as of the day up to which days have turned, or `otherwise` if none has.
pub(crate) async fn whole_board<W: World>(
    gather: &Gather<'_, W>,
    otherwise: Day,
) -> Result<Board, Failure> {
    let mut board = bare_board(gather, otherwise).await?;
    for (name, parcels) in gather.set::<Vec<Parcel>>(keys::BOARD).await? {
        board.take_in(&name, parcels);
    }
    Ok(board)
}

/// Rates to `base` for these currencies.
async fn rates_of<W: World>(
    gather: &Gather<'_, W>,
    base: Currency,
    currencies: BTreeSet<Currency>,
) -> Result<Rates, Failure> {
    let mut rates = Rates { base, curves: BTreeMap::new() };
    if currencies.is_empty() {
        return Ok(rates);
    }
    let names = currencies.iter().map(Currency::to_string).collect();
    let curves = gather.members::<Curve>(keys::curves(base), names).await?;
    let known = currencies.into_iter().zip(curves);
    rates.curves.extend(known.filter_map(|(currency, curve)| Some((currency, curve?))));
    Ok(rates)
}

/// The day of an event, in the tenant's zone.
async fn day_of<W: World>(gather: &Gather<'_, W>, event: &Event) -> Result<Day, Failure> {
    Ok(event.origin.at.day_in(gather.settings().await?.zone))
}

/// Applies changes of flows: writes the board and tells the weeks whose net flow moved.
pub(super) async fn move_cash<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
    decision: &mut Decision,
    changes: &[Change],
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let base = gather.settings().await?.currency;
    let mut board = bare_board(gather, day_of(gather, event).await?).await?;
    if gather.record::<Day>(keys::TODAY).await?.is_none() {
        decision.put(keys::TODAY, &board.today);
    }
    let names: Vec<String> = board.members_of(changes).into_iter().collect();
    let members = gather.members::<Vec<Parcel>>(keys::BOARD, names.clone()).await?;
    for (name, parcels) in names.iter().zip(members) {
        board.take_in(name, parcels.unwrap_or_default());
    }
    let mut currencies = board.currencies(base);
    currencies.extend(changes.iter().map(|change| change.flow().currency));
    currencies.remove(&base);
    let rates = rates_of(gather, base, currencies).await?;
    let weeks = board.weeks_of(changes);
    let before = board.nets(&weeks, &rates);
    board.apply(changes);
    write(decision, &board);
    tell(decision, base, &before, &board.nets(&weeks, &rates));
    Ok(())
}

fn write(decision: &mut Decision, board: &Board) {
    for (name, parcels) in board.changed() {
        if parcels.is_empty() {
            decision.delete_member(keys::BOARD, name);
        } else {
            decision.put_member(keys::BOARD, name, &parcels);
        }
    }
}

fn tell(
    decision: &mut Decision,
    currency: Currency,
    before: &BTreeMap<Day, rust_decimal::Decimal>,
    after: &BTreeMap<Day, rust_decimal::Decimal>,
) {
    let weeks = week_changes(before, after, currency);
    if !weeks.is_empty() {
        decision.event(NewEvent::of("cash", &CashChanged { currency, weeks }));
    }
}

/// The day turned: what has passed slides.
pub(super) async fn turned<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let to = read::<DayTurned>(event)?.to;
    let mut decision = Decision::default();
    let base = gather.settings().await?.currency;
    let mut board = whole_board(gather, to).await?;
    if board.today > to {
        return Ok(decision);
    }
    decision.put(keys::TODAY, &to);
    let rates = rates_of(gather, base, board.currencies(base)).await?;
    let before = board.nets(&board.weeks(), &rates);
    board.turn(to);
    write(&mut decision, &board);
    tell(&mut decision, base, &before, &board.nets(&board.weeks(), &rates));
    Ok(decision)
}

/// A rate was set: flows of its currency are worth something else.
pub(super) async fn rated<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let set: RateSet = read(event)?;
    let base = gather.settings().await?.currency;
    let to = set.base.unwrap_or(base);
    let names = vec![set.currency.to_string()];
    let kept = gather.members::<Curve>(keys::curves(to), names).await?;
    let mut curve = kept.into_iter().flatten().next().unwrap_or_default();
    curve.insert(set.day, set.rate);
    let mut decision = Decision::default();
    decision.put_member(keys::curves(to), set.currency.code(), &curve);
    if to == base {
        let board = whole_board(gather, day_of(gather, event).await?).await?;
        let mut rates = rates_of(gather, base, board.currencies(base)).await?;
        let before = board.nets(&board.weeks(), &rates);
        rates.curves.insert(set.currency, curve);
        tell(&mut decision, base, &before, &board.nets(&board.weeks(), &rates));
    }
    Ok(decision)
}

/// The settings changed: an opening cash that was set anew settles what fell due before. Sums in
/// two base currencies cannot be compared, so a new base currency tells no change.
pub(super) async fn opened<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let settings: SettingsChanged = read(event)?;
    let mut decision = Decision::default();
    let before = gather.record::<Opening>(keys::OPENING).await?;
    let day = event.origin.at.day_in(settings.zone);
    let Some(opening) = opened_anew(before.as_deref(), &settings, day) else {
        return Ok(decision);
    };
    decision.put(keys::OPENING, &opening);
    let base = settings.currency;
    let mut board = whole_board(gather, day).await?;
    let rates = rates_of(gather, base, board.currencies(base)).await?;
    let nets = board.nets(&board.weeks(), &rates);
    board.settle(opening.day);
    write(&mut decision, &board);
    if before.is_none_or(|before| before.currency == base) {
        tell(&mut decision, base, &nets, &board.nets(&board.weeks(), &rates));
    }
    Ok(decision)
}
