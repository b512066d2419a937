//! What other domains are told when they ask.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::purchases::{day, purchase, release};
use driver::{Driver, TENANT, id};
use futures::executor::block_on;
use serde_json::json;
use tradewind_inventory::queries;
use tradewind_kernel::asks::inventory::TrialChange;
use tradewind_kernel::events::procurement::OrderReleased;
use tradewind_shell::world::AskError;

fn shop() -> Driver {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    driver.shop(&[("L1", 5), ("L2", 1)]);
    release(&driver, &purchase("PO", &[("X", 10, "2026-12-20")]));
    let line = json!({ "sku": "X", "quantity": 12, "wanted": "2026-12-03" });
    driver.put("orders/A", json!({ "channel": "web", "lines": [line] }));
    driver.put(
        "protections/P",
        json!({ "sku": "X", "channel": "web", "quantity": 3, "from": "2026-12-22",
                "until": "2026-12-31" }),
    );
    driver.settle();
    driver
}

fn days(driver: &Driver, changes: &[TrialChange]) -> (Option<String>, Option<String>) {
    let answer = block_on(queries::trial(&driver.world, TENANT, &id("X"), changes, None)).unwrap();
    let [line] = answer.value.lines.as_slice() else { panic!("{:?}", answer.value) };
    let text = |day: Option<tradewind_kernel::Day>| day.map(|day| day.to_string());
    (text(line.old_day), text(line.new_day))
}

#[test]
fn trials_lay_changes_over_what_is() {
    let driver = shop();
    let is = |day: &str| Some(day.to_owned());
    assert_eq!(days(&driver, &[]), (is("2026-12-20"), is("2026-12-20")));
    let moved = TrialChange::MoveSupply {
        order: id("PO"),
        line: 1,
        from: day("2026-12-20"),
        to: day("2026-12-08"),
    };
    assert_eq!(days(&driver, &[moved]), (is("2026-12-20"), is("2026-12-08")));
    let added = TrialChange::AddSupply { node: id("L1"), day: day("2026-12-05"), quantity: 10 };
    assert_eq!(days(&driver, &[added]).1, is("2026-12-05"));
    let transfer = TrialChange::Transfer {
        supply: "stock:L1".to_owned(),
        from_node: id("L1"),
        to_node: id("L2"),
        day: day("2026-12-24"),
        quantity: 5,
    };
    assert_eq!(days(&driver, std::slice::from_ref(&transfer)).1, is("2026-12-24"));
    let released = TrialChange::ReleaseProtection { protection: id("P"), quantity: 3 };
    assert_eq!(days(&driver, &[released]).1, is("2026-12-20"));
    let answer = block_on(queries::trial(&driver.world, TENANT, &id("X"), &[], None)).unwrap();
    assert_eq!(answer.value.held[0].pieces.iter().map(|one| one.quantity).sum::<i64>(), 3);

    for (changes, code) in [
        (vec![transfer.clone(), transfer.clone()], "change-unknown"),
        (
            vec![TrialChange::ReleaseProtection { protection: id("Q"), quantity: 1 }],
            "change-unknown",
        ),
        (vec![transfer; 17], "too-many-changes"),
    ] {
        let refused = block_on(queries::trial(&driver.world, TENANT, &id("X"), &changes, None));
        assert!(matches!(refused, Err(AskError::Refused(given, _)) if given == code));
    }
    let refused = block_on(queries::trial(&driver.world, TENANT, &id("Z"), &[], None));
    assert!(matches!(refused, Err(AskError::Refused(given, _)) if given == "sku-unknown"));
}

#[test]
fn positions_and_network_are_as_they_are() {
    let driver = shop();
    driver.put("lanes/L1/L2", json!({ "days": 2 }));
    let positions = block_on(queries::positions(&driver.world, TENANT, &[id("X"), id("Z")], None))
        .unwrap()
        .value;
    let text: Vec<_> = positions
        .iter()
        .map(|one| {
            let on_order: i64 = one.on_order.iter().map(|order| order.quantity).sum();
            format!("{} {} {} {} {on_order}", one.sku, one.node, one.free, one.open_demand)
        })
        .collect();
    assert_eq!(text, ["X L1 5 12 10", "X L2 1 0 0"]);
    let network = block_on(queries::network(&driver.world, TENANT)).unwrap();
    assert_eq!(network.value.lanes[0].days, 2);
    assert_eq!(network.value.channels[0].nodes, [id("L1"), id("L2")]);
    assert!(!network.witnesses.is_empty());
}

#[test]
fn who_is_behind_says_so() {
    let driver = shop();
    let order = purchase("PO2", &[("X", 10, "2026-12-20")]);
    driver.tell("PO2", &OrderReleased { order });
    let answer = block_on(queries::trial(&driver.world, TENANT, &id("X"), &[], None));
    assert!(matches!(answer, Err(AskError::Behind)));
    driver.settle();
    assert!(block_on(queries::trial(&driver.world, TENANT, &id("X"), &[], None)).is_ok());
}
