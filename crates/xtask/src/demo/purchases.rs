//! Purchase orders: a record of the last months for every supplier, and open ones at every stage.
//!
//! Days are counted from the base day, the day on which the brand is loaded: -7 is a week ago.

use super::brand::{self, DALLAS, EDISON, RENO, SupplierFacts};
use super::catalogue::{Class, Item};
use super::random::Random;

/// How many days before the base day the play begins: long enough for the longest lead time to
/// pass twice over, short enough to be played in seconds.
pub const PLAYED_DAYS: i64 = 91;

/// The latest due day of an order that is to be complete by the base day, however late it comes.
const PAST_DUE_BY: i64 = -21;

/// Days from raising an order to its release and confirmation, beyond the supplier's lead time.
const ORDERING_DAYS: i64 = 2;

/// Of a hundred lines that come, so many come with rejects.
const BAD_DAY_PERCENT: i64 = 15;

/// How far an order comes before the brand is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Stage {
    Draft,
    Submitted,
    Rejected,
    Approved,
    Cancelled,
    Released,
    Confirmed,
}

/// A line of a purchase order.
#[derive(Debug, Clone)]
pub struct PurchaseLine {
    /// The place of its item in the catalogue.
    pub item: usize,
    /// Where it goes.
    pub node: &'static str,
    /// Units.
    pub quantity: i64,
    /// Unit price in hundredths of the order's currency.
    pub price: i64,
    /// The day on which the supplier says, after the release, that it comes.
    pub confirmed: i64,
}

/// What came on a day: line from 1, accepted, rejected.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The day, which is one of the play.
    pub day: i64,
    /// What came of which line.
    pub lines: Vec<(usize, i64, i64)>,
}

/// A purchase order and what becomes of it.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// Its name in the play; its id is given by the system.
    pub name: String,
    /// Whom it goes to.
    pub supplier: &'static SupplierFacts,
    /// The day on which it is raised.
    pub raised: i64,
    /// The day on which it is due.
    pub due: i64,
    /// How far it comes.
    pub stage: Stage,
    /// Its lines.
    pub lines: Vec<PurchaseLine>,
    /// What has come of it, by day.
    pub receipts: Vec<Receipt>,
    /// The day for which the supplier confirms what is still open after the receipts, if it does.
    pub rest: Option<i64>,
    /// How much of it customers wait for, percent.
    pub awaited: i64,
}

/// The days on which something happens in the play: two of each week.
pub fn play_days() -> impl Iterator<Item = i64> {
    (-PLAYED_DAYS / 7..0).flat_map(|week| [week * 7, week * 7 + 3])
}

/// The first day of the play on or after a day; the last one when there is none.
fn played(day: i64) -> i64 {
    play_days().find(|played| *played >= day).unwrap_or(-4)
}

/// An open order as it is planned: supplier, days to its due day, lines, stage, percent awaited.
type Planned = (&'static str, i64, usize, Stage, i64);

/// The open orders. The first is the large one that the main job delays; each further confirmed
/// one is awaited by fewer.
const OPEN: [Planned; 24] = [
    ("ningbo-evergreen", 11, 12, Stage::Confirmed, 100),
    ("yiwu-bright-star", 8, 10, Stage::Confirmed, 50),
    ("jaipur-block-print", 15, 9, Stage::Confirmed, 45),
    ("izmir-glass", 13, 8, Stage::Confirmed, 40),
    ("porto-ceramica", 19, 8, Stage::Confirmed, 40),
    ("hanoi-bamboo", 6, 8, Stage::Confirmed, 35),
    ("ningbo-evergreen", 27, 5, Stage::Confirmed, 20),
    ("jaipur-block-print", 34, 4, Stage::Confirmed, 15),
    ("hudson-supply", 4, 3, Stage::Confirmed, 25),
    ("great-lakes-goods", 6, 3, Stage::Confirmed, 20),
    ("porto-ceramica", 40, 4, Stage::Confirmed, 0),
    ("izmir-glass", 47, 3, Stage::Confirmed, 0),
    ("porto-ceramica", 30, 4, Stage::Released, 0),
    ("hanoi-bamboo", 36, 4, Stage::Released, 0),
    ("izmir-glass", -2, 3, Stage::Released, 10),
    ("jaipur-block-print", 44, 4, Stage::Approved, 0),
    ("hudson-supply", 9, 3, Stage::Approved, 0),
    ("yiwu-bright-star", 45, 5, Stage::Submitted, 0),
    ("ningbo-evergreen", 49, 4, Stage::Submitted, 0),
    ("great-lakes-goods", 12, 2, Stage::Submitted, 0),
    ("hanoi-bamboo", 42, 4, Stage::Draft, 0),
    ("porto-ceramica", 33, 3, Stage::Draft, 0),
    ("yiwu-bright-star", 52, 3, Stage::Rejected, 0),
    ("great-lakes-goods", 10, 2, Stage::Cancelled, 0),
];

/// Orders of which a part has come: supplier, due day, days until the rest.
const PART_RECEIVED: [(&str, i64, i64); 4] = [
    ("yiwu-bright-star", -7, 5),
    ("hanoi-bamboo", -4, 9),
    ("jaipur-block-print", -11, 3),
    ("great-lakes-goods", -4, 4),
];

/// Every purchase order of the brand; the one that the main job delays comes first.
#[must_use]
pub fn purchases(seed: u64, items: &[Item]) -> Vec<Purchase> {
    let mut random = Random::of(seed, "purchases");
    let mut pools = Pools::of(items);
    let mut purchases: Vec<Purchase> =
        OPEN.iter().filter_map(|planned| open(&mut random, &mut pools, items, planned)).collect();
    if let Some(relief) = purchases.first().and_then(|large| relief(large, items)) {
        purchases.push(relief);
    }
    for (supplier, due, rest) in PART_RECEIVED {
        let planned = (supplier, due, 4, Stage::Confirmed, 20);
        if let Some(mut purchase) = open(&mut random, &mut pools, items, &planned) {
            part_receive(&mut purchase, due, rest);
            purchases.push(purchase);
        }
    }
    for supplier in brand::suppliers() {
        let count = if supplier.class == "domestic" { 4 } else { 6 };
        purchases.extend((0..count).filter_map(|_| past(&mut random, items, supplier)));
    }
    for (place, purchase) in purchases.iter_mut().enumerate() {
        purchase.name = format!("{}-{}", purchase.supplier.id, place + 1);
    }
    purchases
}

/// The items of each supplier that no open order has yet, what sells most first.
struct Pools {
    free: Vec<usize>,
}

impl Pools {
    fn of(items: &[Item]) -> Self {
        let mut free: Vec<usize> = (0..items.len()).collect();
        free.sort_by_key(|place| items[*place].class);
        Self { free }
    }

    fn take(&mut self, items: &[Item], supplier: &SupplierFacts, count: usize) -> Vec<usize> {
        // A backup gets what is left, from the slow end.
        let backup = supplier.class == "domestic";
        let sold = |place: &usize| offer_of(&items[*place], supplier).is_some();
        let mut candidates: Vec<usize> = self.free.iter().copied().filter(sold).collect();
        if backup {
            candidates.reverse();
        }
        candidates.truncate(count);
        self.free.retain(|place| !candidates.contains(place));
        candidates
    }
}

fn offer_of<'a>(
    item: &'a Item,
    supplier: &SupplierFacts,
) -> Option<&'a super::catalogue::OfferFacts> {
    item.offers.iter().find(|offer| offer.supplier.id == supplier.id)
}

fn line(
    random: &mut Random,
    items: &[Item],
    supplier: &SupplierFacts,
    place: usize,
    (weeks, day): (i64, i64),
) -> Option<PurchaseLine> {
    let item = items.get(place)?;
    let offer = offer_of(item, supplier)?;
    let quantity = offer.lot(item.level * 7 / 1000 * weeks);
    let node = match item.class {
        Class::A | Class::B => EDISON,
        Class::C => *random.choose(&[EDISON, DALLAS, RENO])?,
    };
    Some(PurchaseLine {
        item: place,
        node,
        quantity,
        price: offer.price_of(quantity),
        confirmed: day,
    })
}

fn open(
    random: &mut Random,
    pools: &mut Pools,
    items: &[Item],
    planned: &Planned,
) -> Option<Purchase> {
    let (supplier, due, count, stage, awaited) = *planned;
    let supplier = brand::suppliers().find(|facts| facts.id == supplier)?;
    let weeks = if awaited >= 100 { 7 } else { 5 };
    let lines = pools
        .take(items, supplier, count)
        .into_iter()
        .filter_map(|place| line(random, items, supplier, place, (weeks, due)))
        .collect();
    // What is not released yet was raised this week; the rest its lead time ago.
    let raised =
        if stage < Stage::Released { -4 } else { due - supplier.lead_days - ORDERING_DAYS };
    let raised = played(raised.clamp(-PLAYED_DAYS, -4));
    let (name, receipts, rest) = (String::new(), Vec::new(), None);
    Some(Purchase { name, supplier, raised, due, stage, lines, receipts, rest, awaited })
}

/// A small order of the large one's best sellers at a backup, two weeks behind it: some of what
/// waits need not wait the whole delay.
fn relief(large: &Purchase, items: &[Item]) -> Option<Purchase> {
    let supplier = brand::suppliers().find(|facts| facts.id == "hudson-supply")?;
    let due = large.due + 9;
    let lines: Vec<PurchaseLine> = large
        .lines
        .iter()
        .filter_map(|line| {
            let offer = offer_of(&items[line.item], supplier)?;
            let quantity = offer.lot(line.quantity / 6);
            Some(PurchaseLine {
                quantity,
                price: offer.price_of(quantity),
                confirmed: due,
                ..line.clone()
            })
        })
        .take(2)
        .collect();
    Some(Purchase {
        name: String::new(),
        supplier,
        raised: -4,
        due,
        stage: Stage::Confirmed,
        lines,
        receipts: Vec::new(),
        rest: None,
        awaited: 0,
    })
}

/// Two thirds of it came on the due day; the rest is confirmed for later.
fn part_receive(purchase: &mut Purchase, due: i64, rest: i64) {
    let came = |(place, line): (usize, &PurchaseLine)| (place + 1, line.quantity * 2 / 3, 0);
    let lines = purchase.lines.iter().enumerate().map(came).collect();
    purchase.receipts.push(Receipt { day: played(due), lines });
    purchase.rest = Some(rest);
}

/// An order of the last months that has come: most lines on the day, some late, some with rejects
/// that were replaced.
fn past(random: &mut Random, items: &[Item], supplier: &'static SupplierFacts) -> Option<Purchase> {
    let span = supplier.lead_days + ORDERING_DAYS;
    let raised = played(random.between(-PLAYED_DAYS, PAST_DUE_BY - span - 3));
    let due = played(raised + span);
    let sold: Vec<usize> = (0..items.len())
        .filter(|place| {
            offer_of(&items[*place], supplier).is_some() && items[*place].class != Class::C
        })
        .collect();
    let mut places: Vec<usize> = Vec::new();
    for _ in 0..random.between(3, 6) {
        let place = *random.choose(&sold)?;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut lines = Vec::new();
    let mut came: Vec<(i64, (usize, i64, i64))> = Vec::new();
    for place in places {
        let mut line = line(random, items, supplier, place, (3, due))?;
        let number = lines.len() + 1;
        let day = if random.chance(supplier.late_percent) {
            let day = played(due + random.between(2, 13));
            // Half of the late ones were announced.
            line.confirmed = if random.chance(50) { day } else { due };
            day
        } else {
            due
        };
        let worst = line.quantity * supplier.reject_permille * random.between(1, 3) / 1000;
        let rejected = if random.chance(BAD_DAY_PERCENT) { worst } else { 0 };
        came.push((day, (number, line.quantity - rejected, rejected)));
        if rejected > 0 {
            came.push((played(day + 7), (number, rejected, 0)));
        }
        lines.push(line);
    }
    came.sort_unstable();
    let receipts = came
        .chunk_by(|one, next| one.0 == next.0)
        .map(|day| Receipt { day: day[0].0, lines: day.iter().map(|(_, line)| *line).collect() })
        .collect();
    let (name, stage, rest, awaited) = (String::new(), Stage::Confirmed, None, 0);
    Some(Purchase { name, supplier, raised, due, stage, lines, receipts, rest, awaited })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::demo::catalogue::{self, in_dollars};

    #[test]
    fn every_supplier_has_a_record_and_every_stage_an_order() {
        let items = catalogue::items(5).unwrap();
        let purchases = purchases(5, &items);
        let stages: BTreeSet<Stage> = purchases.iter().map(|purchase| purchase.stage).collect();
        assert_eq!(stages.len(), 7);
        let mut complete: BTreeMap<&str, usize> = BTreeMap::new();
        for purchase in &purchases {
            assert!(!purchase.lines.is_empty(), "{}", purchase.name);
            assert!(play_days().any(|day| day == purchase.raised), "{}", purchase.name);
            let mut open: Vec<i64> = purchase.lines.iter().map(|line| line.quantity).collect();
            for receipt in &purchase.receipts {
                assert!(receipt.day > purchase.raised && receipt.day < 0, "{}", purchase.name);
                assert!(play_days().any(|day| day == receipt.day));
                for (line, accepted, rejected) in &receipt.lines {
                    open[line - 1] -= accepted;
                    assert!(open[line - 1] >= 0 && *rejected >= 0);
                }
            }
            if open.iter().all(|open| *open == 0) {
                *complete.entry(purchase.supplier.id).or_default() += 1;
            }
        }
        assert_eq!(complete.len(), 8);
        assert!(complete.values().all(|count| *count >= 3), "{complete:?}");
    }

    #[test]
    fn the_order_that_is_delayed_is_large_and_comes_soon() {
        let items = catalogue::items(5).unwrap();
        let purchases = purchases(5, &items);
        let value = |purchase: &Purchase| -> i64 {
            let currency = purchase.supplier.currency;
            let lines = purchase.lines.iter();
            lines.map(|line| in_dollars(line.price, currency) * line.quantity).sum()
        };
        let large = &purchases[0];
        assert_eq!((large.stage, large.due), (Stage::Confirmed, 11));
        assert!((2_000_000..20_000_000).contains(&value(large)), "{} cents", value(large));
        let open: i64 = purchases.iter().filter(|p| p.receipts.is_empty()).map(value).sum();
        assert!((10_000_000..120_000_000).contains(&open), "{open} cents on order");
    }
}
