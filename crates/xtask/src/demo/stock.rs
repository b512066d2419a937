//! How much of each item lies where on the base day: weeks of cover for most, days for what waits
//! for goods on their way.

use std::collections::BTreeMap;

use super::catalogue::Item;
use super::orders::CustomerOrder;
use super::purchases::Purchase;
use super::random::Random;

/// Units by item (its place in the catalogue) and node.
pub type Stock = BTreeMap<(usize, &'static str), i64>;

/// Of a channel's week, what lies at its first node beside the orders at hand, percent, when the
/// item waits for goods: so little that what was promised from a late delivery cannot come from
/// the shelf.
const THIN: (i64, i64) = (4, 30);

/// The same when it does not: weeks.
const AMPLE: (i64, i64) = (350, 800);

/// The stock of the base day.
#[must_use]
pub fn on_hand(
    seed: u64,
    items: &[Item],
    purchases: &[Purchase],
    orders: &[CustomerOrder],
) -> Stock {
    let mut random = Random::of(seed, "stock");
    let awaited = |place: usize| {
        let waited_for = purchases.iter().filter(|purchase| purchase.awaited > 0);
        waited_for.flat_map(|purchase| &purchase.lines).any(|line| line.item == place)
    };
    let mut stock = Stock::new();
    for (place, item) in items.iter().enumerate() {
        let thin = awaited(place);
        for (channel, _) in &item.shapes {
            let (least, most) = if thin { THIN } else { AMPLE };
            let percent = random.between(least, most);
            let cover = item.weekly(channel) * percent / 100 + 1;
            *stock.entry((place, channel.nodes[0])).or_default() += cover;
        }
    }
    for order in orders {
        for line in order.lines.iter().filter(|line| !line.waits) {
            *stock.entry((line.item, order.channel.nodes[0])).or_default() += line.quantity;
        }
    }
    stock
}

/// What a list of shipped orders takes from which node.
#[must_use]
pub fn taken(orders: &[CustomerOrder]) -> Stock {
    let mut stock = Stock::new();
    for order in orders {
        for line in &order.lines {
            *stock.entry((line.item, order.channel.nodes[0])).or_default() += line.quantity;
        }
    }
    stock
}

/// What receipts have brought to which node.
#[must_use]
pub fn received(purchases: &[Purchase]) -> Stock {
    let mut stock = Stock::new();
    for purchase in purchases {
        for (line, accepted, _) in purchase.receipts.iter().flat_map(|receipt| &receipt.lines) {
            let Some(line) = purchase.lines.get(line - 1) else { continue };
            *stock.entry((line.item, line.node)).or_default() += accepted;
        }
    }
    stock
}
