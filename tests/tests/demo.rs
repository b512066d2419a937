//! The demo brand on the real host: what a newcomer's first command loads and tells.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_tests::hosted::Hosted;

/// A delay that a buyer would call serious moves at least so many promises.
const DOZENS: usize = 24;

fn list<'a>(cascade: &'a Value, name: &str) -> &'a [Value] {
    cascade[name].as_array().unwrap_or_else(|| panic!("no list `{name}` in {cascade}"))
}

/// The order that the confirmation was about.
fn delayed(cascade: &Value) -> &str {
    cascade["cause"]["subject"].as_str().unwrap()
}

#[test]
fn a_late_shipment_moves_dozens_of_promises_of_the_brand() {
    let hosted = Hosted::start().unwrap();
    let (base, keys) = (hosted.base(), hosted.keys());
    assert!(xtask::demo::is_empty(&base, keys).unwrap(), "a new tenant is not empty");
    xtask::demo::load(&base, keys).unwrap();
    assert!(!xtask::demo::is_empty(&base, keys).unwrap(), "the brand would be loaded again");

    let cascade = xtask::demo::late_shipment(&base, keys).unwrap();
    assert_eq!(cascade["complete"], true);
    assert_eq!(cascade["cause"]["type"], "procurement.order-confirmed");
    let promises = list(&cascade, "promises");
    assert!(promises.len() >= DOZENS, "{} promises moved", promises.len());
    let channels: BTreeSet<&str> =
        promises.iter().filter_map(|promise| promise["channel"].as_str()).collect();
    assert!(channels.len() >= 3, "they are all of {channels:?}");
    for name in ["allocations", "promotions", "options", "chain"] {
        assert!(!list(&cascade, name).is_empty(), "nothing under `{name}`");
    }
    assert!(!list(&cascade["cash"], "weeks").is_empty(), "the cash forecast did not move");
    let supplier = &cascade["supplier"];
    assert_ne!(supplier["score_before"], supplier["score_after"], "{supplier}");
    let feasible = list(&cascade, "options").iter().any(|option| option["feasible"] == true);
    assert!(feasible, "nothing can be done: {}", cascade["options"]);

    let again = xtask::demo::late_shipment(&base, keys).unwrap();
    assert_ne!(delayed(&again), delayed(&cascade), "the same order was delayed twice");
}
