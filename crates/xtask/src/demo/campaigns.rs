//! Promotions of the last and the next weeks, and protections: units kept for one channel.
//!
//! Those of the next weeks rest on goods that are on their way, so that a late one is felt.

use super::brand::{AMAZON, OWN_SITE, SHOPS, WHOLESALE};
use super::catalogue::{Class, Item};
use super::purchases::Purchase;
use super::random::Random;

/// Of a line of goods on their way, what a promotion expects to sell, percent.
const PROMOTED_SHARE: i64 = 18;

/// Of a line of goods on their way, what a protection keeps, percent.
const PROTECTED_SHARE: i64 = 16;

/// Promotions of the last weeks.
const PAST_PROMOTIONS: i64 = 6;

/// A promotion; days from the base day.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Promotion {
    pub id: String,
    pub name: String,
    pub item: usize,
    pub channel: &'static str,
    pub from: i64,
    pub until: i64,
    pub expected: i64,
}

/// A protection; days from the base day.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Protection {
    pub id: String,
    pub item: usize,
    pub channel: &'static str,
    pub quantity: i64,
    pub from: i64,
    pub until: i64,
    pub reason: &'static str,
}

/// What is kept of the first lines of the large order: what it is called, channel, first and last
/// day after the due day, why. The second ends before a delay of two weeks is over, so that it
/// falls short.
const KEPT: [(&str, &str, i64, i64, &str); 4] = [
    ("prebook", WHOLESALE, 3, 26, "distributors' prebook"),
    ("deal-stock", AMAZON, 2, 9, "marketplace deal"),
    ("prebook", WHOLESALE, 3, 26, "distributors' prebook"),
    ("window", SHOPS, 2, 20, "shop windows"),
];

/// The promotions that rest on the large order: its line, channel, name, first and last day after
/// the due day.
const PROMOTED: [(usize, &str, &str, i64, i64); 4] = [
    (1, AMAZON, "Deal of the week", 2, 8),
    (4, OWN_SITE, "Members' weekend", 3, 6),
    (5, AMAZON, "Linen days", 4, 10),
    (6, OWN_SITE, "Two for one", 1, 7),
];

/// Every promotion, those of the past first.
#[must_use]
pub fn promotions(seed: u64, items: &[Item], purchases: &[Purchase]) -> Vec<Promotion> {
    let mut random = Random::of(seed, "promotions");
    let mut promotions = Vec::new();
    for number in 1..=PAST_PROMOTIONS {
        let from = -number * 11 - 8;
        let item = usize::try_from(random.between(0, 299)).unwrap_or(0);
        promotions.push(Promotion {
            id: format!("past-deal-{number}"),
            name: format!("Deal of {number} weeks ago"),
            item,
            channel: if number % 2 == 0 { AMAZON } else { OWN_SITE },
            from,
            until: from + 4,
            expected: items[item].level * 7 / 1000 + 10,
        });
    }
    for (place, purchase) in purchases.iter().enumerate().filter(|(_, p)| p.awaited > 0) {
        let first = [(0, AMAZON, "Deal of the week", 2, 7)];
        let planned: &[(usize, &'static str, &str, i64, i64)] = match (place, purchase.awaited) {
            (0, _) => &PROMOTED,
            (_, 35..) => &first,
            _ => &[],
        };
        for (line, channel, name, from, until) in planned {
            let Some(line) = purchase.lines.get(*line) else { continue };
            promotions.push(Promotion {
                id: format!("{}-{}", slug(name), items[line.item].sku),
                name: (*name).to_owned(),
                item: line.item,
                channel,
                from: purchase.due + from,
                until: purchase.due + until,
                expected: line.quantity * PROMOTED_SHARE / 100,
            });
        }
    }
    promotions
}

/// A name as a part of an id: `Members' weekend` is `members-weekend`.
fn slug(name: &str) -> String {
    let kept = name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == ' ');
    kept.collect::<String>().to_ascii_lowercase().replace(' ', "-")
}

/// Every protection.
#[must_use]
pub fn protections(items: &[Item], purchases: &[Purchase]) -> Vec<Protection> {
    let mut protections = Vec::new();
    for (place, purchase) in purchases.iter().enumerate().filter(|(_, p)| p.awaited >= 40) {
        let planned = if place == 0 { &KEPT[..] } else { &KEPT[..1] };
        for (line, (name, channel, from, until, reason)) in purchase.lines.iter().zip(planned) {
            // Only what sells well is prebooked, and only that is in the shops.
            let item = &items[line.item];
            if item.class == Class::C {
                continue;
            }
            protections.push(Protection {
                id: format!("{name}-{}", item.sku),
                item: line.item,
                channel,
                quantity: line.quantity * PROTECTED_SHARE / 100,
                from: purchase.due + from,
                until: purchase.due + until,
                reason,
            });
        }
    }
    protections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{catalogue, purchases};

    #[test]
    fn the_large_order_carries_promotions_and_a_prebook() {
        let items = catalogue::items(5).unwrap();
        let purchases = purchases::purchases(5, &items);
        let large: Vec<usize> = purchases[0].lines.iter().map(|line| line.item).collect();
        let promotions = promotions(5, &items, &purchases);
        let resting = promotions.iter().filter(|p| p.from > 0 && large.contains(&p.item));
        assert_eq!(resting.count(), PROMOTED.len());
        assert!(promotions.len() >= 12);
        let protections = protections(&items, &purchases);
        assert!(protections.iter().any(|p| p.channel == WHOLESALE && large.contains(&p.item)));
        assert!(protections.iter().all(|p| p.quantity > 0 && p.from <= p.until));
    }
}
