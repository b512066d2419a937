//! Table tests of replenishment: levels, minimums and multiples, and the cases by number.

use super::*;
use crate::demand::tests::{promoted, steady};
use proptest::prelude::*;
use tradewind_kernel::asks::inventory::OnOrder;
use tradewind_kernel::events::suppliers::{PriceBreak, SupplierStatus};
use tradewind_kernel::{Calendar, Currency, Money};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn offer(supplier: &str, lead_time_days: u32, minimum: Quantity, multiple: Quantity) -> Offer {
    Offer {
        supplier: supplier.parse().unwrap(),
        status: SupplierStatus::Approved,
        calendar: Calendar::default(),
        terms_days: 30,
        score: None,
        lead_time_deviation: None,
        sku: "X".parse().unwrap(),
        price: Money::new(Decimal::ONE, Currency::USD),
        lead_time_days,
        minimum,
        multiple,
        maximum: None,
        breaks: Vec::new(),
        expedite: None,
        from: None,
        until: None,
    }
}

fn position(free: Quantity, on_order: &[(&str, Quantity)], open_demand: Quantity) -> Position {
    let part = |(usable, quantity): &(&str, Quantity)| OnOrder {
        order: "PO-1".parse().unwrap(),
        line: 1,
        supplier: "S1".parse().unwrap(),
        day: day(usable),
        usable: day(usable),
        quantity: *quantity,
    };
    Position {
        sku: "X".parse().unwrap(),
        node: "OWN".parse().unwrap(),
        free,
        on_order: on_order.iter().map(part).collect(),
        open_demand,
    }
}

fn planned<'a>(position: &Position, demand: &Demand, offers: &[(&'a Offer, u32)]) -> Option<Need> {
    let source =
        |(offer, cost): &(&'a Offer, u32)| Source { offer, rate: (*cost).into(), room: None };
    let sources: Vec<Source<'_>> = offers.iter().map(source).collect();
    planned_from(position, demand, &sources)
}

fn planned_from(position: &Position, demand: &Demand, sources: &[Source<'_>]) -> Option<Need> {
    let (policy, node) = (Policy::standard(), Node::default());
    let today = day("2026-12-01");
    plan(&Situation { today, position, demand, policy: &policy, node: &node, sources })
}

#[test]
fn c25_reorder_level() {
    let level = Decimal::from(120);
    for (projected, quantity) in [(0, 120), (50, 100), (120, 100), (121, 0)] {
        assert_eq!(reorder(projected.into(), level, level, 100), quantity, "{projected}");
    }
}

/// Nets needs one after the other, each against what the orders before it left over.
fn netted(needs: &[Quantity], minimum: Quantity, multiple: Quantity) -> Vec<Quantity> {
    let mut projected = 0;
    let buy = |need: &Quantity| {
        projected -= need;
        let deficit = reorder(projected.into(), (-1).into(), 0.into(), 0);
        let bought = if deficit > 0 { lot(deficit, minimum, multiple, None) } else { 0 };
        projected += bought;
        bought
    };
    needs.iter().map(buy).collect()
}

#[test]
fn c27_a_minimum_is_met_once() {
    for (needs, minimum, bought) in [
        (&[20, 20, 20][..], 100, &[100, 0, 0][..]),
        (&[250, 500], 1234, &[1234, 0]),
        (&[250, 1000], 1234, &[1234, 1234]),
    ] {
        assert_eq!(netted(needs, minimum, 1), bought, "{needs:?}");
    }
    // Three orders wait at one node: one proposal.
    let s1 = offer("S1", 5, 100, 1);
    let need = planned(&position(0, &[], 60), &steady("0", "0"), &[(&s1, 1)]).unwrap();
    assert_eq!((need.quantity, need.explanation.need), (100, 60));
    assert_eq!(need.explanation.rounding, "raised to the minimum of 100");
}

#[test]
fn c28_safety_stock_is_kept_once() {
    let stock = |free: Quantity, coming: Quantity, wanted: Quantity, safety: Quantity| {
        let projected = Decimal::from(free + coming - wanted);
        reorder(projected, safety.into(), safety.into(), 0)
    };
    for (free, coming, wanted, safety, quantity) in
        [(0, 0, 250 + 1000, 100, 1350), (12, 3, 5, 10, 0), (0, 10, 0, 5, 0)]
    {
        assert_eq!(stock(free, coming, wanted, safety), quantity);
    }
}

#[test]
fn c29_minimum_and_multiple() {
    assert_eq!(netted(&[90, 100], 125, 100), [200, 0]);
    for (need, minimum, multiple, maximum, quantity) in [
        (190, 125, 100, None, 200),
        (20, 50, 3, None, 51),
        (165, 50, 10, None, 170),
        (170, 50, 10, Some(165), 160),
        (10, 50, 10, Some(40), 0),
        (7, 0, 0, None, 7),
    ] {
        assert_eq!(lot(need, minimum, multiple, maximum), quantity, "{need}");
    }
}

#[test]
fn every_figure_of_a_proposal_is_there() {
    let s1 = offer("S1", 9, 50, 10);
    let need = planned(&position(100, &[("2026-12-05", 40)], 10), &steady("20", "6"), &[(&s1, 3)])
        .unwrap();
    let told = &need.explanation;
    // C65: L 9, R 7 at 95 % instead of 98 %.
    assert_eq!(told.safety_stock.to_string(), "39.476487");
    assert_eq!(
        (told.reorder_point.to_string(), told.level.to_string()),
        ("219.476487".into(), "359.476487".into())
    );
    assert_eq!((told.forecast.to_string(), told.uplift.to_string()), ("320".into(), "0".into()));
    assert_eq!((told.projected, told.need, need.quantity), (130, 230, 230));
    assert_eq!(told.rounding, "as needed");
    // 90 − 60 on the 4th is below 39.5; with 40 from the 5th the rest lasts until the 8th.
    assert_eq!((need.need_day, told.stock_out_day), (day("2026-12-04"), Some(day("2026-12-08"))));
    assert_eq!(need.order_day, day("2026-12-01"));
    assert!(planned(&position(500, &[], 0), &steady("20", "6"), &[(&s1, 3)]).is_none());
    assert!(planned(&position(0, &[], 0), &steady("0", "0"), &[(&s1, 3)]).is_none());
    assert!(planned(&position(0, &[], 50), &steady("20", "6"), &[]).is_none());
}

#[test]
fn planned_promotions_raise_what_is_needed() {
    let s1 = offer("S1", 9, 1, 1);
    let planned_with = |free: Quantity, from: &str, days: i64, units: Quantity| {
        let demand = promoted(steady("10", "0"), "2026-12-01", from, days, units);
        planned(&position(free, &[], 0), &demand, &[(&s1, 1)])
    };
    // L 9, R 7: 160 without a promotion; free stock of 90 is the reorder point.
    for (free, from, days, units, quantity) in [
        (0, "2026-12-20", 5, 5000, Some(160)),
        (0, "2026-12-05", 5, 5000, Some(5160)),
        // Three of five days lie within L+R.
        (0, "2026-12-14", 5, 5000, Some(3160)),
        (91, "2026-12-14", 5, 5000, None),
        // One within L raises the reorder point.
        (91, "2026-12-05", 5, 50, Some(119)),
    ] {
        let found = planned_with(free, from, days, units).map(|need| need.quantity);
        assert_eq!(found, quantity, "{free} {from} {units}");
    }
    let need = planned_with(91, "2026-12-05", 5, 5000).unwrap();
    let told = &need.explanation;
    assert_eq!((told.forecast.to_string(), told.uplift.to_string()), ("160".into(), "5000".into()));
    assert_eq!((told.promotions.len(), told.promotions[0].remaining), (1, 5000));
    // 91 − 40 last until the promotion opens; its first day takes the rest.
    assert_eq!((need.need_day, told.stock_out_day), (day("2026-12-06"), Some(day("2026-12-06"))));
}

#[test]
fn the_cheapest_in_time_is_chosen_else_the_first() {
    let (overseas, domestic) = (offer("S1", 35, 1, 1), offer("S2", 5, 1, 1));
    let both = [(&overseas, 7), (&domestic, 9)];
    for (free, supplier) in [(800, "S1"), (300, "S2"), (0, "S2")] {
        let need = planned(&position(free, &[], 0), &steady("20", "30"), &both);
        let chosen = need.map(|need| need.supplier.to_string());
        let expected = if free == 300 { None } else { Some(supplier.to_owned()) };
        assert_eq!(chosen, expected, "{free}");
    }
}

#[test]
fn the_price_is_that_of_the_break_which_the_final_quantity_reaches() {
    let usd = |amount: u32| Money::new(amount.into(), Currency::USD);
    let mut s1 = offer("S1", 5, 125, 100);
    (s1.price, s1.breaks) = (usd(7), vec![PriceBreak { from: 200, price: usd(6) }]);
    let flat = Offer { price: usd(7), ..offer("S0", 5, 1, 1) };
    let bought = |open: Quantity| {
        let both = [(&flat, 1), (&s1, 1)];
        let need = planned(&position(0, &[], open), &steady("0", "0"), &both).unwrap();
        (need.supplier.to_string(), need.quantity, need.explanation.unit_cost.to_string())
    };
    // 400 reach the break, and so do 130 once rounded up to 200.
    assert_eq!(bought(400), ("S1".into(), 400, "6".into()));
    assert_eq!(bought(130), ("S1".into(), 200, "6".into()));
    s1.breaks[0].from = 500;
    let need = planned(&position(0, &[], 400), &steady("0", "0"), &[(&s1, 1)]).unwrap();
    assert_eq!(need.explanation.unit_cost.to_string(), "7");
}

#[test]
fn a_supplier_beyond_its_limit_is_chosen_only_when_nobody_else_can_be() {
    let (limited, other) = (offer("S1", 5, 1, 1), offer("S2", 35, 1, 1));
    let (stock, wanted) = (position(0, &[], 60), steady("0", "0"));
    // 60 units at 1 each.
    let chosen = |room: i64, others: &[Source<'_>]| {
        let first = Source { offer: &limited, rate: Decimal::ONE, room: Some(room.into()) };
        let sources: Vec<Source<'_>> = others.iter().cloned().chain([first]).collect();
        planned_from(&stock, &wanted, &sources).unwrap()
    };
    let dearer = [Source { offer: &other, rate: 9.into(), room: None }];
    assert_eq!(
        chosen(60, &dearer).supplier.as_str(),
        "S1",
        "within its limit it is like any other"
    );
    assert_eq!(chosen(59, &dearer).supplier.as_str(), "S2", "dearer and later, but lawful");
    assert!(!chosen(60, &[]).explanation.choice.contains("limit"));
    let need = chosen(59, &[]);
    assert_eq!(need.supplier.as_str(), "S1");
    assert!(need.explanation.choice.ends_with(
        "S1 is conditionally approved and only 59 of its spend limit is free (in the base \
         currency), but no other supplier can be chosen"
    ));
}

#[test]
fn no_quantity_is_beyond_the_limit_of_quantities() {
    let s1 = offer("S1", 5, 1, 7);
    let need = planned(&position(0, &[], 60), &steady("900000000000000", "0"), &[(&s1, 1)]);
    let need = need.unwrap();
    assert_eq!((need.quantity, need.explanation.need), (LIMIT - LIMIT % 7, LIMIT));
    assert!(need.explanation.rounding.starts_with("cut to 9999"));
}

#[test]
fn the_order_day_goes_back_through_the_calendars() {
    use tradewind_kernel::calendar::WeekDay;
    let mut s1 = offer("S1", 3, 1, 1);
    s1.calendar.open = WeekDay::ALL[..5].iter().copied().collect();
    let need = planned(&position(110, &[], 0), &steady("10", "0"), &[(&s1, 1)]);
    assert!(need.is_none(), "above the reorder point");
    let need = planned(&position(30, &[], 0), &steady("10", "0"), &[(&s1, 1)]).unwrap();
    // Tuesday + 3 open days = Friday; 30 units last until then, so it is ordered today.
    assert_eq!((need.need_day, need.order_day), (day("2026-12-05"), day("2026-12-01")));
}

proptest! {
    #[test]
    fn a_lot_is_lawful(
        need in 1i64..5000, minimum in 0i64..500, multiple in 0i64..60,
        maximum in prop::option::of(1i64..5000),
    ) {
        let quantity = lot(need, minimum, multiple, maximum);
        if quantity > 0 {
            prop_assert!(quantity >= minimum && quantity % multiple.max(1) == 0);
            prop_assert!(maximum.is_none_or(|maximum| quantity <= maximum));
            prop_assert!(quantity >= need || maximum.is_some());
            prop_assert!(quantity < need.max(minimum) + multiple.max(1));
        }
    }
}
