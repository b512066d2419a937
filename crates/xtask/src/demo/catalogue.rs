//! The items of the brand: 300 of them, each with a class, a level of demand, prices and offers.

use anyhow::{Context, Result};

use super::brand::{self, ChannelFacts, DOMESTIC, FAMILIES, OVERSEAS, SupplierFacts};
use super::random::Random;
use super::shapes::{self, Shape};

/// How much of an item is sold: A much, C little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A tenth of the items, most of the units.
    A,
    /// A quarter of the items.
    B,
    /// The long tail.
    C,
}

impl Class {
    /// Units of all channels on an average day, in thousandths: least and most.
    const fn level(self) -> (i64, i64) {
        match self {
            Self::A => (14_000, 32_000),
            Self::B => (4_000, 9_000),
            Self::C => (600, 2_200),
        }
    }

    /// Which of [`brand::CHANNELS`] list it: the tail is sold to people alone.
    const fn channels(self) -> std::ops::Range<usize> {
        match self {
            Self::A | Self::B => 0..4,
            Self::C => 1..3,
        }
    }
}

/// An offer of a supplier, in its currency's hundredths.
#[derive(Debug, Clone)]
pub struct OfferFacts {
    /// Who offers.
    pub supplier: &'static SupplierFacts,
    /// Unit price.
    pub price: i64,
    /// The least quantity of a line.
    pub minimum: i64,
    /// A line's quantity is a multiple of this.
    pub multiple: i64,
    /// Lower prices: from which quantity, which price.
    pub breaks: Vec<(i64, i64)>,
    /// How many days hurrying saves, and what it costs a unit.
    pub expedite: Option<(i64, i64)>,
}

impl OfferFacts {
    /// The unit price of a quantity.
    #[must_use]
    pub fn price_of(&self, quantity: i64) -> i64 {
        let reached = self.breaks.iter().rev().find(|(from, _)| quantity >= *from);
        reached.map_or(self.price, |(_, price)| *price)
    }

    /// A quantity raised to what the supplier sells.
    #[must_use]
    pub fn lot(&self, quantity: i64) -> i64 {
        let least = quantity.max(self.minimum);
        (least + self.multiple - 1) / self.multiple * self.multiple
    }
}

/// An item.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// How much of it is sold.
    pub class: Class,
    /// Grams of one.
    pub grams: i64,
    /// How many make a case.
    pub case: i64,
    /// List price in US cents.
    pub list: i64,
    /// Units of an average day over all its channels, in thousandths.
    pub level: i64,
    /// The rhythm of each channel that lists it.
    pub shapes: Vec<(&'static ChannelFacts, Shape)>,
    /// Whom it can be bought from, the usual supplier first.
    pub offers: Vec<OfferFacts>,
}

impl Item {
    /// What a channel sells it at, in US cents.
    #[must_use]
    pub fn price(&self, channel: &ChannelFacts) -> i64 {
        self.list * channel.price / 100
    }

    /// Units that a channel sells on an average day, in thousandths.
    #[must_use]
    pub fn channel_level(&self, channel: &ChannelFacts) -> i64 {
        let listed: i64 = self.shapes.iter().map(|(listed, _)| listed.share).sum();
        self.level * channel.share / listed.max(1)
    }

    /// Units that a channel sells in an average week, at least one.
    #[must_use]
    pub fn weekly(&self, channel: &ChannelFacts) -> i64 {
        (self.channel_level(channel) * shapes::WEEK / 1000).max(1)
    }
}

/// The items under a seed, in the order of their codes.
///
/// # Errors
/// The checked-in shapes are unreadable or lack what the families need.
pub fn items(seed: u64) -> Result<Vec<Item>> {
    let shapes = shapes::all()?;
    let gifts: Vec<&Shape> = shapes.iter().filter(|shape| shape.id.starts_with("gifts")).collect();
    let steady: Vec<&Shape> =
        shapes.iter().filter(|shape| shape.id.starts_with("grocery")).collect();
    let mut random = Random::of(seed, "items");
    let mut items = Vec::new();
    for (family, usual) in FAMILIES.iter().zip(&OVERSEAS) {
        for (row, (article, cost, grams)) in family.articles.iter().enumerate() {
            for (column, design) in family.designs.iter().enumerate() {
                let number = row * family.designs.len() + column + 1;
                let class = class_of(number);
                let cost = cost * random.between(92, 108) / 100;
                let list = (cost * random.between(300, 360) / 10_000 + 1) * 100 - 5;
                let (least, most) = class.level();
                let mut item = Item {
                    sku: format!("{}-{number:03}", family.code),
                    name: format!("{article}, {design}"),
                    class,
                    grams: *grams,
                    case: if cost > 1000 { 6 } else { 12 },
                    list,
                    level: random.between(least, most),
                    shapes: Vec::new(),
                    offers: Vec::new(),
                };
                for channel in &brand::CHANNELS[class.channels()] {
                    // Site and shops sell steadily; distributors and the marketplace by season.
                    let steadily = channel.priority > 2 && random.chance(45);
                    let among = if steadily { &steady } else { &gifts };
                    let shape = random.choose(among).context("no shapes to choose from")?;
                    item.shapes.push((channel, (*shape).clone()));
                }
                item.offers = offers(&mut random, usual, cost, class);
                items.push(item);
            }
        }
    }
    Ok(items)
}

/// Of ten designs, one sells much and two to three well; shifted, so that it is not one design.
fn class_of(number: usize) -> Class {
    match (number * 7) % 20 {
        0 | 9 => Class::A,
        3 | 6 | 11 | 14 | 17 => Class::B,
        _ => Class::C,
    }
}

fn offers(
    random: &mut Random,
    usual: &'static SupplierFacts,
    cost: i64,
    class: Class,
) -> Vec<OfferFacts> {
    let (minimum, multiple) = match class {
        Class::A => (240, 48),
        Class::B => (96, 24),
        Class::C => (24, 12),
    };
    let price = in_currency(cost, usual.currency);
    let mut offers = vec![OfferFacts {
        supplier: usual,
        price,
        minimum,
        multiple,
        breaks: vec![(minimum * 3, price * 96 / 100), (minimum * 6, price * 92 / 100)],
        expedite: Some((random.between(10, 16), price * random.between(14, 24) / 100)),
    }];
    // The backups make what sells, and a little of the rest.
    let covered = if class == Class::C { 15 } else { 70 };
    for backup in &DOMESTIC {
        if !random.chance(covered) {
            continue;
        }
        offers.push(OfferFacts {
            supplier: backup,
            price: cost * random.between(122, 142) / 100,
            minimum: multiple,
            multiple: multiple / 2,
            breaks: Vec::new(),
            expedite: None,
        });
    }
    offers
}

/// US cents in another currency's hundredths, at the base day's rate.
fn in_currency(cents: i64, currency: &str) -> i64 {
    let rate = brand::RATES.iter().find(|(code, _)| *code == currency);
    rate.map_or(cents, |(_, ten_thousandths)| cents * 10_000 / ten_thousandths)
}

/// Hundredths of a currency in US cents, at the base day's rate.
#[cfg(test)]
pub fn in_dollars(hundredths: i64, currency: &str) -> i64 {
    let rate = brand::RATES.iter().find(|(code, _)| *code == currency);
    rate.map_or(hundredths, |(_, ten_thousandths)| hundredths * ten_thousandths / 10_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn three_hundred_items_with_sensible_prices_and_lots() {
        let items = items(1).unwrap();
        assert_eq!(items.len(), 300);
        let codes: BTreeSet<&str> = items.iter().map(|item| item.sku.as_str()).collect();
        let names: BTreeSet<&str> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!((codes.len(), names.len()), (300, 300));
        for class in [(Class::A, 20..45), (Class::B, 60..90), (Class::C, 160..220)] {
            let count = items.iter().filter(|item| item.class == class.0).count();
            assert!(class.1.contains(&count), "{:?}: {count}", class.0);
        }
        for item in &items {
            let wholesale = item.price(&brand::CHANNELS[0]);
            for offer in &item.offers {
                let paid = in_dollars(offer.price, offer.supplier.currency);
                assert!(paid < wholesale, "{} costs {paid} and sells at {wholesale}", item.sku);
                assert_eq!(offer.lot(1) % offer.multiple, 0);
                assert!(offer.price_of(100_000) <= offer.price);
            }
        }
        let backed = items.iter().filter(|item| item.offers.len() > 1).count();
        assert!((80..200).contains(&backed), "{backed} items have a backup");
    }
}
