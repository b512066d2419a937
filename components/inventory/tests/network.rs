//! Changes of the network that follow each other closely: each tells what it did itself.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Answer, Driver};
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};
use tradewind_kernel::events::inventory::AvailabilityChanged;
use tradewind_shell::route::Role;

fn shop() -> Driver {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    driver.shop(&[("L1", 5), ("L2", 7)]);
    driver.settle();
    driver
}

fn channel(buffer: i64, nodes: &[&str]) -> Value {
    json!({ "kind": "dtc", "priority": 1, "nodes": nodes, "buffer": buffer })
}

/// What a change did to what `web` can take and shows: before and after.
fn moves(driver: &Driver, said: &Answer) -> Vec<[i64; 4]> {
    let told: Vec<AvailabilityChanged> = driver.told(said.header("correlation-id").unwrap());
    let channels = told.into_iter().flat_map(|one| one.channels);
    let all = channels.map(|one| {
        let available = [one.available_before, one.available_after];
        [available[0], available[1], one.published_before, one.published_after]
    });
    all.collect()
}

#[test]
fn two_changes_before_anybody_has_reacted_are_told_apart() {
    let driver = shop();
    let first = driver.call("PUT", "channels/web", channel(0, &["L1"])).is(200);
    let lane = driver.call("PUT", "lanes/L1/L2", json!({ "days": 1 })).is(201);
    let node = driver.call("PUT", "nodes/L2", json!({ "receiving_days": 2 })).is(200);
    let second = driver.call("PUT", "channels/web", channel(2, &["L1"])).is(200);
    driver.settle();
    assert_eq!(moves(&driver, &first), [[12, 5, 12, 5]]);
    assert_eq!(moves(&driver, &second), [[5, 5, 5, 3]]);
    assert_eq!((moves(&driver, &lane).len(), moves(&driver, &node).len()), (0, 0));
    driver.verify();
}

#[test]
fn two_changes_at_once_are_told_apart() {
    let driver = shop();
    let requests = [
        driver.request("PUT", "channels/web", &channel(0, &["L1"])),
        driver.request("PUT", "channels/shop", &channel(0, &["L2"])),
    ];
    let sent = requests.iter().map(|one| driver.send(one, Driver::caller(&[Role::Admin], None)));
    let said = block_on(join_all(sent));
    driver.settle();
    assert_eq!(moves(&driver, &said[0]), [[12, 5, 12, 5]]);
    assert_eq!(moves(&driver, &said[1]), [[0, 7, 0, 7]]);
    driver.verify();
}

#[test]
fn a_tick_of_a_tenant_with_nothing_to_do_is_a_handful_of_calls() {
    let driver = shop();
    driver.tick();
    let before = driver.store.calls();
    driver.tick();
    let calls = driver.store.calls() - before;
    // Is it behind, the day, what expires, is it behind.
    assert_eq!(calls, 4);
}
