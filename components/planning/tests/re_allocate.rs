//! The smallest release of a protection against every release of it, on inventory's own pegging.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::Value;
use support::{Brand, TENANT, day, id, supply};
use tradewind_inventory::pegging::{ChannelView, LineView, PegInput, ProtectionView};
use tradewind_kernel::asks::inventory::{Trial, TrialChange};
use tradewind_kernel::{Day, Instant};
use tradewind_planning::asks::Asks;

const DUE: &str = "2026-12-10";
const LATE: &str = "2026-12-29";

/// Units of the stock at FBA and OWN, of the late purchase, of the protection, and each line's
/// channel, wanted day of December and units.
#[derive(Debug, Clone)]
struct Case {
    stock: [i64; 2],
    late: i64,
    protected: i64,
    lines: Vec<(&'static str, u32, i64)>,
}

impl Case {
    fn pegging(&self, arrival: &str, unit: i64) -> PegInput {
        let today = day("2026-12-01");
        let channel = |priority, nodes: &[&str]| ChannelView {
            priority,
            nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
        };
        let lines = self.lines.iter().enumerate().map(|(place, (of, wanted, units))| LineView {
            order: format!("O{place}"),
            line: 1,
            channel: (*of).to_owned(),
            wanted: day(&format!("2026-12-{wanted:02}")),
            ordered_at: Instant::from_millis(0),
            open: units * unit,
        });
        PegInput {
            today,
            channels: BTreeMap::from([
                ("wholesale".to_owned(), channel(1, &["OWN"])),
                ("amazon".to_owned(), channel(2, &["FBA", "OWN"])),
                ("web".to_owned(), channel(3, &["OWN"])),
            ]),
            supply: vec![
                supply("stock:FBA", "FBA", today, self.stock[0] * unit),
                supply("stock:OWN", "OWN", today, self.stock[1] * unit),
                supply(&format!("PO-1/1/{arrival}"), "OWN", day(arrival), self.late * unit),
            ],
            protections: vec![ProtectionView {
                id: "P-AMZ".to_owned(),
                channel: "amazon".to_owned(),
                from: day("2026-12-16"),
                until: day("2026-12-31"),
                remainder: self.protected * unit,
            }],
            lines: lines.collect(),
        }
    }
}

/// What the release of so many units brings, on the present pegging.
fn release(brand: &Brand, quantity: i64) -> Trial {
    let change = TrialChange::ReleaseProtection { protection: id("P-AMZ"), quantity };
    block_on(brand.others().trial(TENANT, "X", &[change], 0)).unwrap().value
}

/// Whether a line is back that the delay made worse.
fn recovers(trial: &Trial, before: &Trial) -> bool {
    let is_later = |day: Option<Day>, than: Day| day.is_none_or(|day| day > than);
    trial.lines.iter().any(|line| {
        let was = before.lines.iter().find(|was| was.order == line.order).unwrap().new_day;
        was.is_some_and(|was| is_later(line.old_day, was) && !is_later(line.new_day, was))
    })
}

/// The releases that bring a line back, of all, and the quantity of the option; none of both when
/// the delay made nothing worse or nothing is kept.
fn releases_and_option(case: &Case, unit: i64) -> (Vec<i64>, Option<i64>) {
    let brand = Brand::new();
    brand.settle();
    let (due, late) = (case.pegging(DUE, unit), case.pegging(LATE, unit));
    *brand.others().pegging.lock().unwrap() = Some(due.clone());
    brand.peg("setup", None);
    let moved = support::confirmed("PO-1", "S1", "OWN", (case.late * unit, "7.50"), [DUE, LATE]);
    brand.tell("late", "PO-1", &moved);
    *brand.others().pegging.lock().unwrap() = Some(late.clone());
    brand.peg("late", Some(&due));
    let told = brand.told("planning.options-ranked", "late");
    let options = told.iter().flat_map(|told| told["options"].as_array().unwrap());
    let option = options.filter(|option| option["kind"] == "re-allocate").find_map(quantity_of);
    let before = brand.others().pegged(&due);
    let now = brand.others().pegged(&late).held;
    let kept: i64 = now[0].pieces.iter().map(|piece| piece.quantity).sum();
    let most = if kept > 0 { kept + now[0].short } else { 0 };
    let good = (1..=most).filter(|units| recovers(&release(&brand, *units), &before));
    (good.collect(), option)
}

fn quantity_of(option: &Value) -> Option<i64> {
    let quantity = option["quantity"].as_i64();
    assert_eq!(option["feasible"] == true, quantity.is_some(), "{option}");
    quantity
}

#[test]
fn a_release_that_a_larger_line_would_take_is_not_passed_over() {
    // Web lacks 6 of its 31. From 15 on wholesale, whom nobody could serve before, has its 100 with
    // the late 60, and takes them.
    let case = Case {
        stock: [0, 70],
        late: 60,
        protected: 45,
        lines: vec![("wholesale", 20, 100), ("web", 20, 31)],
    };
    let (good, option) = releases_and_option(&case, 1);
    assert_eq!((good, option), ((6..=14).collect(), Some(6)));
}

fn cases() -> impl Strategy<Value = Case> {
    let line = (prop::sample::select(vec!["wholesale", "amazon", "web"]), 1u32..=28, 1i64..=9);
    let lines = prop::collection::vec(line, 1..5);
    ([0i64..8, 0i64..12], 0i64..20, 1i64..=12, lines)
        .prop_map(|(stock, late, protected, lines)| Case { stock, late, protected, lines })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn of_few_units_the_smallest_is_exact(case in cases()) {
        let (good, option) = releases_and_option(&case, 1);
        prop_assert_eq!(option, good.first().copied());
    }

    #[test]
    fn of_many_units_what_is_offered_does_help(case in cases()) {
        let (good, option) = releases_and_option(&case, 7);
        prop_assert!(option.is_none_or(|units| good.contains(&units)), "{option:?} {good:?}");
    }
}
