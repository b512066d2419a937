//! Loads of history that are larger than one commit.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use futures::executor::block_on;
use serde_json::{Value, json};
use support::{Answer, Brand, TENANT, day};
use tradewind_planning::{MAX_BLOCK_QUARTERS, MAX_HISTORY_LINES, Planning};
use tradewind_shell::memory::{Fate, MemoryStore};
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::world::World;
use tradewind_testing::{caller, request};

const ITEMS: usize = 320;
const CHANNELS: [&str; 2] = ["web", "amazon"];
const DAYS: i64 = 40;

fn brand() -> Brand {
    let brand = Brand::new();
    brand.settle();
    for item in 0..ITEMS {
        let set = json!({"sku": sku(item), "name": "X", "base_unit": "each", "weight_grams": null,
            "list_prices": {}});
        brand.tell_json::<tradewind_kernel::events::inventory::ItemSet>(&sku(item), set);
    }
    // Commits from now on are those of loads.
    brand.get("/planning/v1/policies");
    brand
}

fn sku(item: usize) -> String {
    format!("I{item:03}")
}

/// Day by day, as a shop's export is: 25,600 lines over three quarters of 640 series.
fn export(units: i64) -> Vec<String> {
    let mut lines = Vec::new();
    for back in (0..DAYS).rev() {
        let day = day("2026-10-15").plus(-4 * back);
        for item in 0..ITEMS {
            for channel in CHANNELS {
                let line = json!({"sku": sku(item), "channel": channel, "day": day,
                    "quantity": units});
                lines.push(line.to_string());
            }
        }
    }
    lines
}

/// Loads under this key.
fn load(brand: &Brand, key: &str, lines: &[String]) -> Answer {
    let mut request = request(&brand.world, "POST", "/planning/v1/history", &Value::Null);
    request.headers = vec![
        ("content-type".to_owned(), "application/x-ndjson".to_owned()),
        ("idempotency-key".to_owned(), key.to_owned()),
    ];
    request.body = lines.join("\n").into_bytes();
    block_on(serve::<Planning, _>(&brand.world, &request, Ok(caller(Role::Planner)))).into()
}

fn store(brand: &Brand) -> &MemoryStore {
    brand.world.store()
}

/// What is told of loads: one event a commit.
fn commits(brand: &Brand) -> Vec<Value> {
    brand.told("planning.history-loaded", "")
}

fn sum(told: &[Value], field: &str) -> i64 {
    told.iter().map(|told| told[field].as_i64().unwrap()).sum()
}

/// Whether a forecast rests on history of this item.
fn is_known(brand: &Brand, item: usize) -> bool {
    let path = format!("/planning/v1/forecasts/{}/amazon", sku(item));
    brand.call(Role::Viewer, "GET", &path, &Value::Null).status == 200
}

#[test]
fn a_load_of_many_lines_is_written_in_blocks_and_answered_once() {
    let (brand, lines) = (brand(), export(4));
    assert!(lines.len() > 25_000);
    let loaded = load(&brand, "k", &lines);
    assert_eq!(loaded.status, 200, "{}", loaded.body);
    assert_eq!(loaded.body, json!({"lines": lines.len(), "series": ITEMS * CHANNELS.len()}));
    let told = commits(&brand);
    let quarters = 3 * ITEMS * CHANNELS.len();
    assert_eq!(told.len(), quarters.div_ceil(MAX_BLOCK_QUARTERS));
    assert_eq!(usize::try_from(sum(&told, "lines")).unwrap(), lines.len());
    assert!(is_known(&brand, 0) && is_known(&brand, ITEMS - 1));

    let contents = store(&brand).contents(TENANT);
    let again = load(&brand, "k", &lines);
    assert_eq!((again.status, &again.body), (200, &loaded.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("correlation-id"), loaded.header("correlation-id"));
    let other = load(&brand, "k", &export(5));
    assert_eq!((other.status, other.code()), (409, "idempotency-key-reused"));
    assert!(store(&brand).contents(TENANT) == contents, "nothing was written again");
}

#[test]
fn a_faulty_line_anywhere_and_nothing_is_loaded() {
    let brand = brand();
    let mut lines = export(4);
    let last = lines.len();
    // In the order in which lines are written, these come last.
    lines.push(r#"{"sku":"ZZ","channel":"web","day":"2026-10-15","quantity":1}"#.to_owned());
    lines.push(r#"{"sku":"I319","channel":"web","day":"2027-10-15","quantity":1}"#.to_owned());
    let contents = store(&brand).contents(TENANT);
    let refused = load(&brand, "k", &lines);
    assert_eq!(refused.status, 422);
    let errors = refused.body["errors"].as_array().unwrap().iter();
    let errors: Vec<_> = errors.map(|fault| (&fault["pointer"], &fault["code"])).collect();
    let (first, second) = (format!("/{}/sku", last + 1), format!("/{}/day", last + 2));
    assert_eq!(
        errors,
        [(&json!(first), &json!("sku-unknown")), (&json!(second), &json!("day-ahead"))]
    );
    assert!(commits(&brand).is_empty() && !is_known(&brand, 0));
    assert!(store(&brand).contents(TENANT) == contents);
    // Its key is free for the corrected load.
    lines.truncate(last);
    assert_eq!(load(&brand, "k", &lines).status, 200);
}

#[test]
fn a_load_that_was_cut_short_is_completed_by_repeating_it() {
    let lines = export(4);
    let whole = brand();
    load(&whole, "k", &lines);
    let forecast = |brand: &Brand, item: usize| {
        brand.get(&format!("/planning/v1/forecasts/{}/amazon", sku(item)))
    };
    let count = u64::try_from(commits(&whole).len()).unwrap();
    for (cut, fate) in [(2, Fate::FailsBefore), (2, Fate::FailsAfter), (count, Fate::FailsBefore)] {
        let brand = brand();
        store(&brand).fail_nth_commit(cut, fate);
        assert_eq!(load(&brand, "k", &lines).status, 503);
        store(&brand).heal();
        assert!(is_known(&brand, 0) && !is_known(&brand, ITEMS - 1), "{cut} {fate:?}");
        // The key was not used up: nothing says that it was done.
        let again = load(&brand, "k", &lines);
        assert_eq!(again.status, 200, "{}", again.body);
        assert_eq!(again.header("idempotency-replayed"), None);
        assert_eq!(again.body["lines"], lines.len());
        for item in [0, ITEMS / 2, ITEMS - 1] {
            assert_eq!(forecast(&brand, item), forecast(&whole, item));
        }
    }
    // The answer to the last block was lost: it was done, and is not done again.
    let brand = brand();
    store(&brand).fail_nth_commit(count, Fate::FailsAfter);
    assert_eq!(load(&brand, "k", &lines).status, 503);
    store(&brand).heal();
    let again = load(&brand, "k", &lines);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(commits(&brand).len(), usize::try_from(count).unwrap());
}

#[test]
fn of_two_lines_with_one_identity_the_later_one_counts_wherever_they_are() {
    let brand = brand();
    let mut lines = export(4);
    lines.extend(export(9));
    assert_eq!(load(&brand, "k", &lines).status, 200);
    let other = self::brand();
    assert_eq!(load(&other, "k", &export(9)).status, 200);
    for item in [0, ITEMS - 1] {
        let path = format!("/planning/v1/forecasts/{}/web", sku(item));
        assert_eq!(brand.get(&path), other.get(&path));
    }
}

#[test]
fn a_load_has_a_bound() {
    let brand = brand();
    let line = r#"{"sku":"X","channel":"web","day":"2026-10-15","quantity":1}"#.to_owned();
    let refused = load(&brand, "k", &vec![line; MAX_HISTORY_LINES + 1]);
    assert_eq!((refused.status, refused.code()), (413, "too-many-lines"));
}
