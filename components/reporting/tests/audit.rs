//! The audit chain over the events of all domains.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use driver::Driver;
use serde_json::json;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::Domain;
use tradewind_reporting::audit::Entry;
use tradewind_reporting::keys;
use tradewind_shell::route::Role;
use tradewind_shell::store::Store;
use tradewind_shell::world::World;

fn busy() -> Driver {
    let driver = Driver::at("2026-12-01");
    for number in 0..600 {
        let kind = ["inventory.stock-moved", "suppliers.offer-set", "planning.history-loaded"];
        driver.tell("c", kind[number % 3], json!({ "number": number }));
        if number % 100 == 50 {
            driver.react();
            // An event of reporting's own: a refused attempt.
            driver.call(Role::Viewer, "POST", "/reporting/v1/exceptions/x/close", &json!({}));
        }
    }
    driver
}

#[test]
fn every_event_has_its_entry_in_order_and_the_chain_holds() {
    let driver = busy();
    let verified = driver.get("/reporting/v1/audit/verify").body;
    assert_eq!(verified, json!({ "entries": 606, "valid": true, "first_difference": null }));
    let mut after = String::new();
    let mut ids = Vec::new();
    loop {
        let page = driver.get(&format!("/reporting/v1/audit?limit=250&after={after}")).body;
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap()[3..].parse::<u64>().unwrap()),
        );
        let Some(next) = page["next"].as_str() else { break };
        after = next.to_owned();
    }
    assert_eq!(ids.len(), 606);
    assert!(ids.is_sorted());
    assert_eq!(driver.get("/reporting/v1/audit?after=x").status, 400);
}

#[test]
fn a_forged_entry_is_found() {
    let driver = busy();
    driver.react();
    let entry = Entry { sequence: 40, domain: Domain::Planning, hash: "0".repeat(64) };
    let origin = driver.origin("c", "eve", None, None);
    let value = serde_json::to_string(&entry).unwrap();
    let write = Write::PutMember { set: keys::audit(1), member: "044".to_owned(), value };
    let commit = tradewind_shell::store::Commit {
        writes: vec![write],
        ..driver::commit(Domain::Reporting, origin)
    };
    futures::executor::block_on(driver.world.store().commit(&commit)).unwrap();
    let verified = driver.get("/reporting/v1/audit/verify").body;
    assert_eq!(
        (&verified["valid"], &verified["first_difference"]["entry"]),
        (&json!(false), &json!(301))
    );
}

#[test]
fn a_tenant_without_events_has_an_empty_chain() {
    let driver = Driver::at("2026-12-01");
    let verified = driver.get("/reporting/v1/audit/verify").body;
    assert_eq!(verified, json!({ "entries": 0, "valid": true, "first_difference": null }));
    assert_eq!(driver.get("/reporting/v1/audit").body, json!({ "items": [], "next": null }));
}
