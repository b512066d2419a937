//! Customer orders: those that wait for goods on their way, the ordinary ones of these days, and
//! those shipped in the weeks before.
//!
//! Days are counted from the base day.

use std::collections::BTreeSet;

use super::brand::{
    AMAZON, CHANNELS, ChannelFacts, DISTRIBUTORS, OWN_SITE, SHOP_TOWNS, SHOPS, WHOLESALE,
};
use super::catalogue::{Class, Item};
use super::purchases::{Purchase, play_days};
use super::random::Random;

/// Of what comes, so much is ordered before it is there, percent; the rest is for promotions,
/// protections and the shelf.
const ORDERED_AHEAD: i64 = 55;

/// How far back shipped orders go: the longest time that a channel takes to pay, and some more.
const SHIPPED_SINCE: i64 = -46;

/// Ordinary lines by channel, in the order of [`CHANNELS`].
const ORDINARY_LINES: [i64; 4] = [90, 130, 170, 60];

/// Of a hundred ordinary orders of people, so many are claimed already: they are being packed.
const CLAIMED_PERCENT: i64 = 30;

/// A line of a customer order.
#[derive(Debug, Clone)]
pub struct DemandLine {
    /// The place of its item in the catalogue.
    pub item: usize,
    /// Units.
    pub quantity: i64,
    /// The day on which the customer wants it.
    pub wanted: i64,
    /// Whether it waits for goods on their way.
    pub waits: bool,
}

/// A customer order.
#[derive(Debug, Clone)]
pub struct CustomerOrder {
    /// Its id.
    pub id: String,
    /// Through which channel.
    pub channel: &'static ChannelFacts,
    /// The day on which it was made.
    pub ordered: i64,
    /// Its lines.
    pub lines: Vec<DemandLine>,
    /// Whether stock is claimed for it.
    pub claimed: bool,
}

/// Every open order of the base day.
#[must_use]
pub fn open_orders(seed: u64, items: &[Item], purchases: &[Purchase]) -> Vec<CustomerOrder> {
    let mut random = Random::of(seed, "orders");
    let mut lines: [Vec<DemandLine>; 4] = Default::default();
    let mut awaited = BTreeSet::new();
    for purchase in purchases.iter().filter(|purchase| purchase.awaited > 0) {
        for line in &purchase.lines {
            awaited.insert(line.item);
            let item = &items[line.item];
            wait(&mut random, &mut lines, item, line.item, (purchase, line.quantity));
        }
    }
    ordinary(&mut random, &mut lines, items, &awaited);
    let mut orders = Vec::new();
    for (channel, lines) in CHANNELS.iter().zip(lines) {
        pack(&mut random, &mut orders, channel, lines);
    }
    orders
}

/// Does `channel` list the item?
fn lists(item: &Item, channel: &str) -> bool {
    item.shapes.iter().any(|(facts, _)| facts.id == channel)
}

/// The lines of all channels that wait for one line of a purchase order: distributors and shops
/// around the day on which it comes, people before it (from stock) and after it (ordered ahead).
fn wait(
    random: &mut Random,
    lines: &mut [Vec<DemandLine>; 4],
    item: &Item,
    place: usize,
    (purchase, coming): (&Purchase, i64),
) {
    let due = purchase.due.max(1);
    let ahead = coming * purchase.awaited / 100 * ORDERED_AHEAD / 100;
    let eagerly = purchase.awaited >= 100;
    let cases = |units: i64| (units / item.case).max(1) * item.case;
    let mut add = |channel: usize, quantity: i64, wanted: i64, waits: bool| {
        lines[channel].push(DemandLine { item: place, quantity, wanted: wanted.max(0), waits });
    };
    if lists(item, WHOLESALE) {
        let count = if eagerly { random.between(3, 4) } else { random.between(1, 2) };
        for _ in 0..count {
            let quantity = cases(ahead * random.between(50, 85) / 100 / count);
            add(0, quantity, due + random.between(-3, 16), true);
        }
    }
    if lists(item, SHOPS) && random.chance(if eagerly { 80 } else { 50 }) {
        add(3, cases(ahead * 10 / 100), due + random.between(1, 12), true);
    }
    let (soon, later) = if eagerly { (3, 3) } else { (1, 2) };
    for channel in [1, 2] {
        for _ in 0..random.between(soon - 1, soon + 1) {
            add(channel, random.between(1, 4), random.between(0, 5.min(due - 1)), false);
        }
        // Who orders ahead on the marketplace buys for a whole office.
        let most = if channel == 1 { 9 } else { 4 };
        for _ in 0..later {
            add(channel, random.between(2, most), due + random.between(1, 12), true);
        }
    }
}

/// Lines of items that nobody waits for.
fn ordinary(
    random: &mut Random,
    lines: &mut [Vec<DemandLine>; 4],
    items: &[Item],
    awaited: &BTreeSet<usize>,
) {
    for (channel, (facts, count)) in CHANNELS.iter().zip(ORDINARY_LINES).enumerate() {
        let listed: Vec<usize> = (0..items.len())
            .filter(|place| !awaited.contains(place) && lists(&items[*place], facts.id))
            .collect();
        for _ in 0..count {
            let Some(place) = random.choose(&listed).copied() else { return };
            let item = &items[place];
            let (quantity, wanted) = match facts.id {
                AMAZON | OWN_SITE => (random.between(1, 3), random.between(0, 4)),
                SHOPS => (item.case, random.between(1, 8)),
                _ => (item.case * random.between(1, 4), random.between(2, 20)),
            };
            lines[channel].push(DemandLine { item: place, quantity, wanted, waits: false });
        }
    }
}

/// Puts a channel's lines into orders as its customers order: distributors many lines, people few.
fn pack(
    random: &mut Random,
    orders: &mut Vec<CustomerOrder>,
    channel: &'static ChannelFacts,
    mut lines: Vec<DemandLine>,
) {
    random.shuffle(&mut lines);
    let (least, most) = match channel.id {
        WHOLESALE => (4, 8),
        SHOPS => (3, 6),
        OWN_SITE => (1, 3),
        _ => (1, 1),
    };
    let mut number = 0;
    while !lines.is_empty() {
        let size = usize::try_from(random.between(least, most)).unwrap_or(1);
        let mut taken: Vec<DemandLine> = Vec::new();
        let mut left = Vec::new();
        for line in lines {
            if taken.len() < size && taken.iter().all(|other| other.item != line.item) {
                taken.push(line);
            } else {
                left.push(line);
            }
        }
        lines = left;
        number += 1;
        let people = channel.id == AMAZON || channel.id == OWN_SITE;
        let at_hand = taken.iter().all(|line| !line.waits);
        orders.push(CustomerOrder {
            id: name_of(channel, number),
            channel,
            ordered: if people && at_hand { -1 } else { -random.between(2, 18) },
            claimed: people && at_hand && random.chance(CLAIMED_PERCENT),
            lines: taken,
        });
    }
}

/// Order numbers as each channel writes them.
fn name_of(channel: &ChannelFacts, number: usize) -> String {
    match channel.id {
        WHOLESALE => format!("{}-{}", DISTRIBUTORS[number % DISTRIBUTORS.len()], 4100 + number),
        SHOPS => format!("shop-{}-{}", SHOP_TOWNS[number % SHOP_TOWNS.len()], 700 + number),
        AMAZON => {
            format!("113-{:07}-{:07}", 4_180_000 + number * 7919, 2_204_000 + number * 104_729)
        }
        _ => format!("hp-{}", 58_200 + number),
    }
}

/// Orders that were claimed and shipped on days of the play; they bring the money of the next
/// weeks.
#[must_use]
pub fn shipped_orders(seed: u64, items: &[Item]) -> Vec<CustomerOrder> {
    let mut random = Random::of(seed, "shipped");
    let sold: Vec<usize> =
        (0..items.len()).filter(|place| items[*place].class != Class::C).collect();
    let mut orders = Vec::new();
    for day in play_days().filter(|day| *day >= SHIPPED_SINCE) {
        for channel in &CHANNELS {
            let mut lines: Vec<DemandLine> = Vec::new();
            let count = if channel.id == WHOLESALE { 6 } else { 3 };
            for _ in 0..count {
                let Some(item) = random.choose(&sold).copied() else { continue };
                if lines.iter().any(|line| line.item == item) {
                    continue;
                }
                // Half a week of the channel in one order: a day's worth of people's orders.
                let quantity = items[item].weekly(channel) * random.between(30, 60) / 100 + 1;
                lines.push(DemandLine { item, quantity, wanted: day, waits: false });
            }
            let id = format!("{}-{}", channel.id, 3000 + orders.len());
            let (ordered, claimed) = (day - 1, true);
            orders.push(CustomerOrder { id, channel, ordered, lines, claimed });
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::{catalogue, purchases};

    #[test]
    fn all_channels_have_open_orders_and_many_wait_for_the_large_one() {
        let items = catalogue::items(5).unwrap();
        let purchases = purchases::purchases(5, &items);
        let orders = open_orders(5, &items, &purchases);
        assert!((350..900).contains(&orders.len()), "{} orders", orders.len());
        let ids: BTreeSet<&str> = orders.iter().map(|order| order.id.as_str()).collect();
        assert_eq!(ids.len(), orders.len());
        let coming: Vec<usize> = purchases[0].lines.iter().map(|line| line.item).collect();
        let due = purchases[0].due;
        let waiting = |channel: &str| {
            let of = orders.iter().filter(|order| order.channel.id == channel);
            of.flat_map(|order| &order.lines)
                .filter(|line| coming.contains(&line.item) && line.waits && line.wanted < due + 14)
                .count()
        };
        for (channel, least) in [(WHOLESALE, 20), (AMAZON, 15), (OWN_SITE, 15), (SHOPS, 4)] {
            assert!(waiting(channel) >= least, "{channel}: {}", waiting(channel));
        }
        for line in &purchases[0].lines {
            let all = orders.iter().flat_map(|order| &order.lines);
            let ordered: i64 = all
                .filter(|other| other.item == line.item && other.waits)
                .map(|l| l.quantity)
                .sum();
            assert!(ordered <= line.quantity * 70 / 100, "{ordered} of {}", line.quantity);
        }
    }
}
