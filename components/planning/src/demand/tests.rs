//! Tables of demand by node: days, weeks that go on, and promotions.

use super::*;
use crate::backtest::forecast;
use crate::forecast::Observation;

/// Demand of so many units a day with a deviation, of a channel that nobody names.
pub fn steady(daily_mean: &str, daily_deviation: &str) -> Demand {
    let daily_mean: Ratio = daily_mean.parse().unwrap();
    Demand {
        daily_mean,
        daily_deviation: daily_deviation.parse().unwrap(),
        days: vec![daily_mean.0; 28],
        ..Demand::default()
    }
}

/// The same with a promotion that adds so many units from a day on, spread over some days.
pub fn promoted(demand: Demand, today: &str, from: &str, days: i64, units: Quantity) -> Demand {
    let promotion = promotion("P", from, days, units);
    let planned = planned(today.parse().unwrap(), &promotion, &Ordered::new(), |_, _| 0.into());
    Demand { planned: planned.into_iter().collect(), ..demand }
}

fn promotion(name: &str, from: &str, days: i64, expected_units: Quantity) -> Promotion {
    let from: Day = from.parse().unwrap();
    Promotion {
        promotion: name.parse().unwrap(),
        name: name.to_owned(),
        sku: "X".parse().unwrap(),
        channel: "web".parse().unwrap(),
        from,
        until: from.plus(days - 1),
        expected_units,
    }
}

/// Demand at OWN on 2026-12-01, a Tuesday, of a channel whose days repeat by weekday.
fn at_own(units: impl Fn(usize) -> f64, promotions: &[Promotion], ordered: &Ordered) -> Demand {
    let days: Vec<Observation> =
        (0..140).map(|day| Observation { units: units(day), counts: true }).collect();
    let day = |text: &str| text.parse::<Day>().unwrap();
    let looked = Looked {
        history_from: day("2026-07-14"),
        history_until: day("2026-11-30"),
        last_known: day("2026-11-30"),
    };
    let forecasts = BTreeMap::from([("web".parse().unwrap(), (looked, forecast(&days)))]);
    let nodes = vec!["OWN".parse().unwrap(), "FBA".parse().unwrap()];
    let channels = BTreeMap::from([("web".to_owned(), Channel { priority: 3, nodes })]);
    let found = demands(day("2026-12-01"), &forecasts, &channels, promotions, ordered);
    assert_eq!(found.len(), 1, "all falls on the first node");
    found.into_values().next().unwrap()
}

#[test]
fn a_seasonal_forecast_is_summed_day_by_day() {
    // 40 on each Sunday, 4 on other days: 140 days end with a Monday.
    let demand = at_own(|day| if day % 7 == 5 { 40.0 } else { 4.0 }, &[], &Ordered::new());
    assert_eq!(demand.channels[0].method, Method::SeasonalNaive);
    for (days, units) in [(0, 0), (5, 20), (6, 60), (7, 64), (28, 256), (33, 276), (34, 316)] {
        assert_eq!(demand.forecast_over(days), Decimal::from(units), "{days}");
    }
}

#[test]
fn a_path_goes_on_with_its_last_week() {
    let path = |days: &[i64]| days.iter().copied().map(Decimal::from).collect::<Vec<_>>();
    for (days, step, units) in [
        (&[][..], 3, 0),
        (&[5], 9, 5),
        (&[1, 2, 3], 4, 2),
        (&[9, 1, 2, 3, 4, 5, 6, 7], 7, 7),
        (&[9, 1, 2, 3, 4, 5, 6, 7], 8, 1),
        (&[9, 1, 2, 3, 4, 5, 6, 7], 21, 7),
    ] {
        assert_eq!(on(&path(days), step), Decimal::from(units), "{days:?} {step}");
    }
}

#[test]
fn a_promotion_adds_what_is_not_ordered_and_not_forecast() {
    let ordered =
        Ordered::from([(("web".parse().unwrap(), "2026-12-12".parse().unwrap()), 100 as Quantity)]);
    let none = Ordered::new();
    for (daily, from, length, expected, ordered, days, uplift) in [
        // 60 over 5 days from the 11th day on, 2 a day forecast already.
        (2.0, "2026-12-11", 5, 60, &none, 10, "0"),
        (2.0, "2026-12-11", 5, 60, &none, 12, "20"),
        (2.0, "2026-12-11", 5, 60, &none, 40, "50"),
        (2.0, "2026-12-11", 5, 160, &ordered, 40, "50"),
        (2.0, "2026-12-11", 5, 100, &ordered, 40, "0"),
        // Never less than the forecast, and of a window that is open only what is to come.
        (20.0, "2026-12-11", 5, 60, &none, 40, "0"),
        (2.0, "2026-11-28", 5, 60, &none, 40, "56"),
        (2.0, "2026-11-20", 5, 60, &none, 40, "0"),
        // Thirds sum to the whole.
        (0.0, "2026-12-11", 3, 20, &none, 40, "20"),
    ] {
        let demand = at_own(|_| daily, &[promotion("P", from, length, expected)], ordered);
        assert_eq!(demand.uplift_over(days).normalize().to_string(), uplift, "{from} {expected}");
    }
}

#[test]
fn promotions_of_the_same_days_do_not_both_use_the_forecast() {
    let both = [promotion("B", "2026-12-03", 2, 10), promotion("A", "2026-12-03", 2, 6)];
    let demand = at_own(|_| 4.0, &both, &Ordered::new());
    let told: Vec<String> = demand
        .promotions_within(14)
        .iter()
        .map(|one| format!("{} {} {}", one.promotion, one.remaining, one.uplift))
        .collect();
    // 3 and 5 a day on a forecast of 4.
    assert_eq!(told, ["A 6 0", "B 10 8"]);
    assert_eq!(demand.on(2), Decimal::from(8));
    assert!(demand.promotions_within(2).is_empty());
}

#[test]
fn a_promotion_without_history_is_all_uplift() {
    let channels = BTreeMap::from([(
        "web".to_owned(),
        Channel { priority: 3, nodes: vec!["OWN".parse().unwrap()] },
    )]);
    let all = [promotion("P", "2026-12-03", 2, 5000)];
    let today = "2026-12-01".parse().unwrap();
    let found = demands(today, &BTreeMap::new(), &channels, &all, &Ordered::new());
    let demand = &found[&"OWN".parse::<Id>().unwrap()];
    assert_eq!((demand.uplift_over(3), demand.uplift_over(4)), (2500.into(), 5000.into()));
}
