//! What several reactions and answers read alike.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::{Day, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use crate::backtest::{Forecast, forecast};
use crate::facts::{Channel, Item, Node, Pegged};
use crate::history::{Looked, Quarter, Series, looked_at, observations, quarters_of};
use crate::promotion::Promotion;
use crate::risk::{Ordered, Risk, RiskInput, risks};
use crate::{ENDED_DAYS, keys};

/// What the promotions of an item are judged by, its pegging apart.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Promoted {
    pub today: Day,
    pub item: Option<Item>,
    pub channels: BTreeMap<String, Channel>,
    /// Those that have not long ended.
    pub promotions: Vec<Promotion>,
    pub ordered: Ordered,
    /// What they were short of before.
    pub before: BTreeMap<Id, Risk>,
}

impl Promoted {
    /// The risk of each promotion under a pegging.
    #[must_use]
    pub fn risks(&self, pegged: &Pegged) -> BTreeMap<Id, Risk> {
        let input = RiskInput {
            today: self.today,
            item: self.item.as_ref(),
            channels: &self.channels,
            pegged,
            ordered: &self.ordered,
        };
        risks(&input, &self.promotions)
    }
}

/// The promotions of an item and what they are judged by.
///
/// # Errors
/// Outages; `Behind`.
pub async fn promoted<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    today: Day,
) -> Result<Promoted, Failure> {
    let reads = vec![
        Read::Record { key: keys::item(sku) },
        Read::Set { key: keys::CHANNELS.to_owned() },
        Read::Set { key: keys::item_promotions(sku) },
        Read::Record { key: keys::pegged(sku) },
    ];
    gather.prefetch(reads).await?;
    let item = gather.record::<Item>(keys::item(sku)).await?.map(|kept| kept.value);
    let channels = gather.set::<Channel>(keys::CHANNELS).await?;
    let all = gather.set::<Promotion>(keys::item_promotions(sku)).await?;
    let recent = |promotion: &Promotion| promotion.until >= today.plus(ENDED_DAYS.saturating_neg());
    let promotions: Vec<Promotion> = all.into_values().filter(recent).collect();
    let ids = promotions.iter().map(|promotion| keys::risk(&promotion.promotion)).collect();
    let kept = gather.records::<Risk>(ids).await?;
    let named = promotions.iter().zip(kept);
    let before = named
        .filter_map(|(promotion, kept)| Some((promotion.promotion.clone(), kept?.value)))
        .collect();
    let ordered = ordered(gather, sku, &promotions, 0).await?;
    Ok(Promoted { today, item, channels, promotions, ordered, before })
}

/// What is ordered of an item in the windows of its promotions and `further` days after.
///
/// # Errors
/// Outages; `Behind`.
pub async fn ordered<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    promotions: &[Promotion],
    further: i64,
) -> Result<Ordered, Failure> {
    let places = windows(promotions, further);
    if places.is_empty() {
        return Ok(Ordered::new());
    }
    let units = gather.counter_fields(keys::demand(sku), demand_fields(&places)).await?;
    Ok(places.into_iter().zip(units).filter(|(_, units)| *units != 0).collect())
}

/// The read behind [`ordered`] without further days; none when there is nothing to read.
#[must_use]
pub fn ordered_read(sku: &Id, promotions: &[Promotion]) -> Option<Read> {
    let places = windows(promotions, 0);
    let fields = demand_fields(&places);
    (!fields.is_empty()).then(|| Read::CounterFields { key: keys::demand(sku), fields })
}

/// Channels and days of the windows of promotions and `further` days after.
fn windows(promotions: &[Promotion], further: i64) -> BTreeSet<(Id, Day)> {
    let days = |promotion: &Promotion| {
        let days = promotion.until.since(promotion.from).saturating_add(further);
        let (channel, from) = (promotion.channel.clone(), promotion.from);
        (0..=days).map(move |step| (channel.clone(), from.plus(step)))
    };
    promotions.iter().flat_map(days).collect()
}

fn demand_fields(places: &BTreeSet<(Id, Day)>) -> Vec<String> {
    places.iter().map(|(channel, day)| keys::demand_field(channel, *day)).collect()
}

/// The nodes that planning knows.
///
/// # Errors
/// Outages; `Behind`.
pub async fn nodes<W: World>(gather: &Gather<'_, W>) -> Result<BTreeMap<String, Node>, Failure> {
    gather.set::<Node>(keys::NODES).await
}

/// The reads behind [`forecasts`] of an item's series.
#[must_use]
pub fn quarter_reads(sku: &Id, series: &BTreeMap<String, Series>, yesterday: Day) -> Vec<Read> {
    let quarters = |(channel, series): (&String, &Series)| {
        let part = looked_at(*series, yesterday)?;
        let channel: Id = channel.parse().ok()?;
        let quarters = quarters_of(part.history_from, part.history_until).into_iter();
        let keys = quarters.map(|quarter| keys::quarter(sku, &channel, quarter));
        Some(keys.map(|key| Read::Record { key }).collect::<Vec<_>>())
    };
    series.iter().filter_map(quarters).flatten().collect()
}

/// The forecasts of an item, by channel, from what is known up to `yesterday`.
///
/// # Errors
/// Outages; `Behind`.
pub async fn forecasts<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    yesterday: Day,
) -> Result<BTreeMap<Id, (Looked, Forecast)>, Failure> {
    let all = gather.set::<Series>(keys::series(sku)).await?;
    gather.prefetch(quarter_reads(sku, &all, yesterday)).await?;
    let promotions: Vec<Promotion> =
        gather.set::<Promotion>(keys::item_promotions(sku)).await?.into_values().collect();
    let mut found = BTreeMap::new();
    for (channel, series) in all {
        let (Ok(channel), Some(part)) = (channel.parse::<Id>(), looked_at(series, yesterday))
        else {
            continue;
        };
        let firsts = quarters_of(part.history_from, part.history_until);
        let names = firsts.iter().map(|first| keys::quarter(sku, &channel, *first)).collect();
        let kept = gather.records::<Quarter>(names).await?;
        let quarters = firsts.into_iter().zip(kept);
        let quarters = quarters.filter_map(|(first, kept)| Some((first, kept?.value))).collect();
        let days = observations(part, &channel, &quarters, &promotions);
        found.insert(channel, (part, forecast(&days)));
    }
    Ok(found)
}
