//! Ranking, reasons and money of options.

use OptionKind::{AlternateSupplier, Expedite, PostponePromotion, ReAllocate, Transfer};

use super::*;
use tradewind_kernel::Currency;

fn situation() -> Situation {
    Situation {
        sku: "X".parse().unwrap(),
        today: "2026-12-01".parse().unwrap(),
        item: None,
        channels: BTreeMap::new(),
        promotions: Vec::new(),
        ordered: Ordered::new(),
        moved: Vec::new(),
        newly_short: BTreeMap::new(),
        base: Trial::default(),
        outlook: Outlook::default(),
        as_of: "ev_1".to_owned(),
    }
}

fn option(kind: OptionKind, day: &str, revenue: i64, price: i64) -> MitigationOption {
    let plan = Plan {
        kind,
        description: String::new(),
        day: day.parse().unwrap(),
        cost: Decimal::ZERO,
        price: price.into(),
        paid: day.parse().unwrap(),
    };
    let gain = Gain { units: 1, revenue: revenue.into(), ..Gain::default() };
    situation().option(plan, &gain)
}

#[test]
fn net_then_cash_then_day_then_kind() {
    let nothing = situation().infeasible(AlternateSupplier, "", "no".to_owned());
    let mut options = vec![
        nothing,
        option(Transfer, "2026-12-03", 10, 0),
        option(ReAllocate, "2026-12-03", 10, 0),
        option(Transfer, "2026-12-02", 10, 0),
        option(Expedite, "2026-12-01", 10, 5),
        option(PostponePromotion, "2026-12-09", 20, 99),
    ];
    rank(&mut options);
    let kinds: Vec<OptionKind> = options.iter().map(|option| option.kind).collect();
    let wanted = [PostponePromotion, Transfer, ReAllocate, Transfer, Expedite, AlternateSupplier];
    assert_eq!(kinds, wanted);
    assert_eq!(best(options).unwrap().kind, PostponePromotion);
}

#[test]
fn every_reason_is_named_once() {
    let no = |why: &str| situation().infeasible(AlternateSupplier, "", why.to_owned());
    let merged = best(vec![no("S2: too dear"), no("S3: too late"), no("S2: too dear")]);
    assert_eq!(merged.unwrap().reason.as_deref(), Some("S2: too dear; S3: too late"));
    let one = best(vec![no("S2: too dear"), option(Expedite, "2026-12-01", 10, 0)]).unwrap();
    assert_eq!((one.feasible, one.reason), (true, None));

    let mut situation = situation();
    situation.outlook.floor = Some("1".parse().unwrap());
    situation.outlook.balances = vec![("2026-11-30".parse().unwrap(), "5".parse().unwrap())];
    let plan = Plan {
        kind: Transfer,
        description: String::new(),
        day: situation.today,
        cost: Decimal::ZERO,
        price: Decimal::TEN,
        paid: situation.today,
    };
    let reasons = vec!["it is too far".to_owned()];
    let judged = situation.option_unless(reasons, plan, &Gain::default());
    let expected = "it is too far; it would bring no promise back and cover no promotion; cash \
                    would fall below the floor of 1.00 USD in the week of 2026-11-30";
    assert_eq!(judged.reason.as_deref(), Some(expected));
}

#[test]
fn what_is_paid_beyond_the_horizon_is_no_cash() {
    for (day, cash) in [("2027-02-28", "7.00"), ("2027-03-01", "0.00")] {
        assert_eq!(option(Expedite, day, 10, 7).cash.amount.to_string(), cash, "{day}");
    }
}

#[test]
fn other_currencies_need_a_rate() {
    let mut situation = situation();
    let euros = Money::new(Decimal::TEN, "EUR".parse().unwrap());
    assert_eq!(situation.in_base(euros), None);
    situation.outlook.rates.insert("EUR".to_owned(), "1.1".parse().unwrap());
    assert_eq!(situation.in_base(euros), Some(Decimal::from(11)));
    assert_eq!(situation.base_money(Decimal::ONE).currency, Currency::USD);
}

#[test]
fn no_promise_is_the_worst() {
    let day = |text: &str| Some(text.parse().unwrap());
    for (now, before, worse) in [
        (day("2026-12-02"), day("2026-12-01"), true),
        (day("2026-12-01"), day("2026-12-01"), false),
        (None, day("2026-12-01"), true),
        (day("2026-12-01"), None, false),
        (None, None, false),
    ] {
        assert_eq!(is_worse(now, before), worse);
    }
}
