//! `main-job.md` as far as planning has a part in it: promotion risk and the ranked options, every
//! figure, and the second cascade that undoes it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{Brand, day, id, supply, usd};
use tradewind_inventory::pegging::{ChannelView, LineView, PegInput, ProtectionView};
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::Lane;
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_kernel::events::inventory::OrderChanged;
use tradewind_kernel::events::procurement::OrderConfirmed;
use tradewind_kernel::events::suppliers::{Expedite, PriceBreak, SupplierStatus};
use tradewind_kernel::{Calendar, Instant};

const BEFORE: &str = "2026-12-15";
const LATE: &str = "2026-12-29";

fn channel(priority: u32, nodes: &[&str]) -> ChannelView {
    ChannelView { priority, nodes: nodes.iter().map(|node| (*node).to_owned()).collect() }
}

fn line(order: &str, of: &str, wanted: &str, open: i64) -> LineView {
    let (order, channel) = (order.to_owned(), of.to_owned());
    LineView {
        order,
        line: 1,
        channel,
        wanted: day(wanted),
        ordered_at: Instant::from_millis(0),
        open,
    }
}

fn pegging(po_1: &str) -> PegInput {
    let today = day("2026-12-01");
    PegInput {
        today,
        channels: BTreeMap::from([
            ("wholesale".to_owned(), channel(1, &["OWN"])),
            ("amazon".to_owned(), channel(2, &["FBA", "OWN"])),
            ("web".to_owned(), channel(3, &["OWN"])),
        ]),
        supply: vec![
            supply("stock:FBA", "FBA", today, 40),
            supply("stock:OWN", "OWN", today, 40),
            supply(&format!("PO-1/1/{po_1}"), "OWN", day(po_1), 200),
            supply("PO-2/1/2027-01-12", "OWN", day("2027-01-12"), 80),
        ],
        protections: vec![ProtectionView {
            id: "P-AMZ".to_owned(),
            channel: "amazon".to_owned(),
            from: day("2026-12-16"),
            until: day("2026-12-31"),
            remainder: 50,
        }],
        lines: vec![
            line("O1", "wholesale", "2026-12-18", 90),
            line("O2", "wholesale", "2027-01-15", 30),
            line("O3", "amazon", "2026-12-03", 25),
            line("O4", "web", "2026-12-02", 30),
            line("O5", "web", "2026-12-16", 40),
        ],
    }
}

fn offer(supplier: &str, price: &str, lead_time_days: u32, minimum: i64, multiple: i64) -> Offer {
    Offer {
        supplier: id(supplier),
        status: SupplierStatus::Approved,
        calendar: Calendar::default(),
        terms_days: 30,
        score: None,
        lead_time_deviation: None,
        sku: id("X"),
        price: usd(price),
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

fn confirmed(from: &str, to: &str) -> OrderConfirmed {
    support::confirmed("PO-1", "S1", "OWN", (200, "7.50"), [from, to])
}

/// The brand of main-job.md, everything promised.
fn before() -> Brand {
    let brand = Brand::new();
    brand.settle();
    let others = brand.others();
    let prices =
        [("O1", "12.00"), ("O2", "12.00"), ("O3", "20.00"), ("O4", "24.00"), ("O5", "24.00")];
    *others.prices.lock().unwrap() =
        prices.iter().map(|(order, price)| ((*order).to_owned(), usd(price))).collect();
    let mut s1 = offer("S1", "7.50", 21, 1, 1);
    s1.expedite = Some(Expedite { days: 14, cost_per_unit: usd("1.80") });
    *others.offers.lock().unwrap() = vec![s1, offer("S2", "9.20", 5, 50, 10)];
    *others.pegging.lock().unwrap() = Some(pegging(BEFORE));
    let order = json!({"order": "O3", "channel": "amazon", "ordered_at": "2026-11-30T00:00:00Z",
        "cancelled": false, "dropped": [],
        "lines": [{"line": 1, "sku": "X", "quantity": 25, "wanted": "2026-12-03", "price": null}]});
    brand.tell_json::<OrderChanged>("O3", order);
    brand.peg("setup", None);
    let promotion = json!({"name": "Advent", "sku": "X", "channel": "amazon",
        "from": "2026-12-16", "until": "2026-12-20", "expected_units": 60});
    let made = brand.send("PUT", "/planning/v1/promotions/PROMO", &promotion);
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(brand.told("planning.promotion-risk-changed", "").is_empty(), "PROMO is covered");
    brand
}

fn confirm(brand: &Brand, correlation: &str, from: &str, to: &str) {
    brand.tell(correlation, "PO-1", &confirmed(from, to));
    *brand.others().pegging.lock().unwrap() = Some(pegging(to));
    brand.peg(correlation, Some(&pegging(from)));
}

fn rows(options: &Value) -> Vec<String> {
    let row = |option: &Value| {
        let amount = |field: &str| option[field]["amount"].as_str().unwrap().to_owned();
        if option["feasible"] == false {
            return format!("{}: {}", option["kind"], option["reason"]);
        }
        let amounts = ["revenue", "lost", "cost", "cash", "net"].map(amount).join(" ");
        format!("{} {} {} {amounts}", option["kind"], option["day"], option["units"])
    };
    let rows = options["options"].as_array().unwrap().iter().map(row);
    rows.map(|row| row.replace('"', "")).collect()
}

const TABLE: [&str; 5] = [
    "alternate-supplier 2026-12-06 165 2860.00 0.00 289.00 1564.00 2571.00",
    "expedite 2026-12-15 165 2860.00 0.00 360.00 360.00 2500.00",
    "re-allocate 2026-12-01 30 720.00 600.00 0.00 0.00 120.00",
    "postpone-promotion 2026-12-25 5 100.00 0.00 0.00 0.00 100.00",
    "transfer: no lane leads to OWN",
];

#[test]
fn a_late_supplier_puts_the_promotion_at_risk_and_options_are_ranked() {
    let brand = before();
    confirm(&brand, "late", BEFORE, LATE);

    let risks = brand.told("planning.promotion-risk-changed", "late");
    let expected = json!([{"promotion": "PROMO", "sku": "X", "channel": "amazon",
        "units_short_before": 0, "units_short": 5, "first_day": "2026-12-20",
        "revenue": {"amount": "100.00", "currency": "USD"}}]);
    assert_eq!(json!(risks), expected);

    let told = brand.told("planning.options-ranked", "late");
    assert_eq!(told.len(), 1);
    assert_eq!(rows(&told[0]), TABLE);
    let words: Vec<&str> = told[0]["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|option| option["description"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "Buy 170 from S2 at 9.20 USD a unit, arriving at OWN on 2026-12-06",
            "Have S1 bring 200 of PO-1 line 1 14 days earlier, on 2026-12-15 instead of \
             2026-12-29, for 1.80 USD a unit",
            "Release 25 of P-AMZ: O4 back to 2026-12-02; PROMO 30 units shorter",
            "Run PROMO from 2026-12-25 to 2026-12-29 instead of from 2026-12-16",
            "Transfer left-over units to OWN",
        ]
    );
    let alternate = &told[0]["options"][0];
    assert_eq!((&alternate["quantity"], &alternate["supplier"]), (&json!(170), &json!("S2")));
    let view = brand.get("/planning/v1/promotions/PROMO");
    assert_eq!((&view["units_short"], &view["first_day"]), (&json!(5), &json!("2026-12-20")));
}

#[test]
fn confirming_the_old_day_again_undoes_it() {
    let brand = before();
    confirm(&brand, "late", BEFORE, LATE);
    confirm(&brand, "again", LATE, BEFORE);
    let risks = brand.told("planning.promotion-risk-changed", "again");
    assert_eq!((&risks[0]["units_short_before"], &risks[0]["units_short"]), (&json!(5), &json!(0)));
    assert!(brand.told("planning.options-ranked", "again").is_empty());
}

#[test]
fn a_provider_that_is_behind_is_waited_for() {
    let brand = before();
    *brand.others().behind.lock().unwrap() = 10;
    confirm(&brand, "late", BEFORE, LATE);
    assert_eq!(rows(&brand.told("planning.options-ranked", "late")[0]), TABLE);
}

#[test]
fn what_has_been_undone_meanwhile_needs_no_options() {
    let brand = before();
    brand.tell("late", "PO-1", &confirmed(BEFORE, LATE));
    *brand.others().pegging.lock().unwrap() = Some(pegging(LATE));
    brand.peg("late", Some(&pegging(BEFORE)));
    *brand.others().pegging.lock().unwrap() = Some(pegging(BEFORE));
    assert!(brand.told("planning.options-ranked", "late").is_empty(), "nothing is worse any more");
}

#[test]
fn the_cash_floor_forbids_what_cannot_be_paid() {
    let brand = before();
    let weeks = (0..13).map(|week| day("2026-11-30").plus(week * 7));
    *brand.others().outlook.lock().unwrap() = Outlook {
        floor: Some("1000".parse().unwrap()),
        balances: weeks.map(|week| (week, "1500".parse().unwrap())).collect(),
        ..Outlook::default()
    };
    confirm(&brand, "late", BEFORE, LATE);
    let rows = rows(&brand.told("planning.options-ranked", "late")[0]);
    assert_eq!(
        rows[3],
        "alternate-supplier: S2: cash would fall below the floor of 1000.00 USD in the week of \
         2027-01-04"
    );
    assert_eq!(rows[0], TABLE[1]);
}

#[test]
fn a_lane_makes_a_transfer() {
    let brand = before();
    let mut input = pegging(BEFORE);
    input.supply.push(supply("stock:FAR", "FAR", day("2026-12-01"), 100));
    *brand.others().pegging.lock().unwrap() = Some(input);
    *brand.others().lanes.lock().unwrap() =
        vec![Lane { from: id("FAR"), to: id("OWN"), days: 3, cost_per_unit: Some(usd("0.50")) }];
    brand.tell("late", "PO-1", &confirmed(BEFORE, LATE));
    let mut after = pegging(LATE);
    after.supply.push(supply("stock:FAR", "FAR", day("2026-12-01"), 100));
    *brand.others().pegging.lock().unwrap() = Some(after);
    brand.peg("late", Some(&pegging(BEFORE)));
    let told = brand.told("planning.options-ranked", "late");
    let rows = rows(&told[0]);
    // O1 takes 85 of FAR with the 5 left at OWN; 40 would help O5, but O1 is first.
    let transfer = rows.iter().find(|row| row.starts_with("transfer")).unwrap();
    assert!(transfer.starts_with("transfer 2026-12-04"), "{rows:?}");
}

/// The row of the alternate supplier when these offer X and PO-1 is late.
fn alternate(offers: Vec<Offer>) -> String {
    let brand = before();
    *brand.others().offers.lock().unwrap() = offers;
    confirm(&brand, "late", BEFORE, LATE);
    let rows = rows(&brand.told("planning.options-ranked", "late")[0]);
    rows.into_iter().find(|row| row.starts_with("alternate-supplier")).unwrap()
}

/// The alternate row when S2, conditionally approved, has this much open of a limit of 5000.
fn limited_alternate(open: &str, others: &[Offer]) -> String {
    let mut s2 = offer("S2", "9.20", 5, 50, 10);
    s2.status = SupplierStatus::Conditional;
    let brand = before();
    *brand.others().offers.lock().unwrap() = others.iter().cloned().chain([s2]).collect();
    let commitment = Commitment { limit: Some(usd("5000")), open: vec![usd(open)] };
    brand.others().commitments.lock().unwrap().insert("S2".to_owned(), commitment);
    confirm(&brand, "late", BEFORE, LATE);
    let rows = rows(&brand.told("planning.options-ranked", "late")[0]);
    rows.into_iter().find(|row| row.starts_with("alternate-supplier")).unwrap()
}

#[test]
fn a_conditional_alternate_is_held_to_its_limit() {
    // 170 at 9.20 are 1564.00.
    assert_eq!(limited_alternate("3436.00", &[]), TABLE[0]);
    let beyond = "alternate-supplier: S2: of its limit of 5000 USD only 1563.99 USD is free, and \
                  this costs 1564.00 USD";
    assert_eq!(limited_alternate("3436.01", &[]), beyond);
    let mut s3 = offer("S3", "9.20", 6, 50, 10);
    s3.maximum = Some(40);
    let both = format!("{beyond}; S3: its maximum is below its minimum");
    assert_eq!(limited_alternate("3436.01", &[s3.clone()]), both);
    s3.maximum = None;
    let later = limited_alternate("3436.01", &[s3]);
    assert!(later.starts_with("alternate-supplier 2026-12-07"), "{later}");
}

#[test]
fn premium_and_cash_of_an_alternate_are_at_the_price_break_it_reaches() {
    let mut s2 = offer("S2", "9.20", 5, 50, 10);
    s2.breaks = vec![PriceBreak { from: 170, price: usd("8.50") }];
    // 170 × (8.50 − 7.50) and 170 × 8.50.
    let row = "alternate-supplier 2026-12-06 165 2860.00 0.00 170.00 1445.00 2690.00";
    assert_eq!(alternate(vec![s2]), row);
}

#[test]
fn of_several_late_orders_no_supplier_is_an_alternate() {
    let brand = before();
    // PO-2 of S3 is late too, for more and to FBA, and S3 would be the cheapest.
    let mut input = pegging(BEFORE);
    input.supply.push(supply("PO-3/1/2026-12-15", "FBA", day("2026-12-15"), 10));
    *brand.others().pegging.lock().unwrap() = Some(input.clone());
    let s1 = offer("S1", "7.50", 21, 1, 1);
    let s3 = offer("S3", "8.00", 3, 1, 1);
    *brand.others().offers.lock().unwrap() =
        vec![s1.clone(), s3.clone(), offer("S2", "9.20", 5, 50, 10)];
    brand.tell("late", "PO-3", &support::confirmed("PO-3", "S3", "FBA", (10, "6"), [BEFORE, LATE]));
    brand.tell("late", "PO-1", &confirmed(BEFORE, LATE));
    let mut after = pegging(LATE);
    after.supply.push(supply("PO-3/1/2026-12-29", "FBA", day("2026-12-29"), 10));
    *brand.others().pegging.lock().unwrap() = Some(after);
    brand.peg("late", Some(&input));
    let told = brand.told("planning.options-ranked", "late");
    let alternate = |told: &Value| {
        let options = told["options"].as_array().unwrap();
        options.iter().find(|option| option["kind"] == "alternate-supplier").unwrap().clone()
    };
    let found = alternate(&told[0]);
    let acts = ["supplier", "to_node", "order"].map(|field| found[field].clone());
    // To OWN, in place of the larger part, at the price that was planned there.
    assert_eq!(json!(acts), json!(["S2", "OWN", "PO-1"]), "{found}");
    let units: rust_decimal::Decimal = found["quantity"].as_i64().unwrap().into();
    let premium = units * "1.70".parse::<rust_decimal::Decimal>().unwrap();
    assert_eq!(found["cost"]["amount"], premium.to_string(), "{found}");
}
