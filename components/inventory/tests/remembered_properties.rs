//! Whatever happens through whichever instance: those that remember answer as one that does not.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Answer, Driver};
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_shell::route::Role;

const CHANNELS: [&str; 3] = ["a", "b", "new"];
const NODES: [&str; 3] = ["N1", "N2", "N3"];
const ITEMS: [&str; 3] = ["X", "Y", "Z"];
const STRATEGIES: [&str; 4] = ["node-order", "node-order", "node-order", "fewest-splits"];

#[derive(Debug, Clone)]
enum Command {
    Item(usize),
    Channel { channel: usize, order: usize, cap: Option<i64> },
    Move { item: usize, node: usize, quantity: i64, away: bool },
    Reserve { channel: usize, lines: Vec<(usize, i64)>, partial: bool, strategy: usize },
    Release { which: usize },
    Order { order: u8, channel: usize, item: usize, quantity: i64 },
    Protect { item: usize, channel: usize, quantity: i64, from: i64 },
    Unprotect { item: usize },
    Hours(i64),
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    // Mostly one item and two nodes, so that what one instance does matters to the other.
    let item = prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let node = prop_oneof![3 => Just(0_usize), 3 => Just(1), 1 => Just(2)];
    let channel = prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let lines = prop::collection::vec((item.clone(), 1..9_i64), 1..3);
    prop_oneof![
        1 => item.clone().prop_map(Item),
        1 => (channel.clone(), 0..4_usize, prop::option::weighted(0.3, 5..40_i64))
            .prop_map(|(channel, order, cap)| Channel { channel, order, cap }),
        5 => (item.clone(), node, 1..15_i64, prop::bool::weighted(0.25))
            .prop_map(|(item, node, quantity, away)| Move { item, node, quantity, away }),
        12 => (channel.clone(), lines, any::<bool>(), 0..4_usize).prop_map(
            |(channel, lines, partial, strategy)| Reserve { channel, lines, partial, strategy }),
        2 => (0..9_usize).prop_map(|which| Release { which }),
        2 => (0..3_u8, channel.clone(), item.clone(), 1..9_i64)
            .prop_map(|(order, channel, item, quantity)| Order { order, channel, item, quantity }),
        2 => (item.clone(), channel, 1..12_i64, 0..3_i64)
            .prop_map(|(item, channel, quantity, from)| Protect { item, channel, quantity, from }),
        1 => item.prop_map(|item| Unprotect { item }),
        1 => (1..30_i64).prop_map(Hours),
    ]
}

/// Method, path and body of a command; none when there is nothing to do it with.
fn said(command: &Command, reservations: &[String]) -> Option<(&'static str, String, Value)> {
    Some(match command {
        Command::Item(item) => ("PUT", format!("items/{}", ITEMS[*item]), json!({})),
        Command::Channel { channel, order, cap } => {
            let orders = [&["N1", "N2"][..], &["N2", "N1", "N3"], &["N3"], &["N1", "N3", "N2"]];
            let body = json!({ "kind": "dtc", "priority": channel + 1, "cap": cap,
                "nodes": orders[*order] });
            ("PUT", format!("channels/{}", CHANNELS[*channel]), body)
        }
        Command::Move { item, node, quantity, away } => {
            let at = json!({ "node": NODES[*node] });
            let (from, to) = if *away { (at, json!("loss")) } else { (json!("found"), at) };
            let body = json!({ "sku": ITEMS[*item], "quantity": quantity, "from": from, "to": to });
            ("POST", "movements".to_owned(), body)
        }
        Command::Reserve { channel, lines, partial, strategy } => {
            let line = |(item, quantity): &(usize, i64)| json!({ "sku": ITEMS[*item], "quantity": quantity });
            let mode = if *partial { "partial" } else { "all-or-nothing" };
            let body = json!({ "channel": CHANNELS[*channel], "mode": mode,
                "strategy": STRATEGIES[*strategy],
                "lines": lines.iter().map(line).collect::<Vec<_>>() });
            ("POST", "reservations".to_owned(), body)
        }
        Command::Release { which } => {
            let name = reservations.get(which % reservations.len().max(1))?;
            ("POST", format!("reservations/{name}/release"), json!({}))
        }
        Command::Order { order, channel, item, quantity } => {
            let line = json!({ "sku": ITEMS[*item], "quantity": quantity });
            let body = json!({ "channel": CHANNELS[*channel], "lines": [line] });
            ("PUT", format!("orders/O{order}"), body)
        }
        Command::Protect { item, channel, quantity, from } => {
            let day = |offset: i64| format!("2026-12-{:02}", 1 + offset);
            let body = json!({ "sku": ITEMS[*item], "channel": CHANNELS[*channel],
                "quantity": quantity, "from": day(*from), "until": day(from + 4) });
            ("PUT", format!("protections/P{item}"), body)
        }
        Command::Unprotect { item } => ("DELETE", format!("protections/P{item}"), Value::Null),
        Command::Hours(_) => ("POST", "tick".to_owned(), Value::Null),
    })
}

/// An answer without what is different in every run: ids and versions.
fn essence(said: &Answer) -> (u16, Value) {
    let body = &said.body;
    let fields = ["code", "detail", "errors", "lines", "status", "channel", "nodes", "available"];
    (said.status, fields.iter().map(|field| body[field].clone()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn instances_that_remember_answer_as_one_that_does_not(
        commands in prop::collection::vec((0..2_usize, command()), 1..50),
    ) {
        let first = Driver::new("2026-12-01T09:00:00Z");
        for item in &ITEMS[..2] {
            first.put(&format!("items/{item}"), json!({}));
        }
        for node in NODES {
            first.put(&format!("nodes/{node}"), json!({}));
        }
        for (place, channel) in CHANNELS[..2].iter().enumerate() {
            let body = json!({ "kind": "dtc", "priority": place + 1, "nodes": ["N1", "N2"] });
            first.put(&format!("channels/{channel}"), body);
        }
        first.stock("X", "N1", 4);
        first.stock("X", "N2", 40);
        let instances = [first.beside(), first];
        let mut reservations = Vec::new();
        let mut hours = 0;
        for (by, command) in &commands {
            if let Command::Hours(more) = command {
                hours += more;
                let now = driver::instant("2026-12-01T09:00:00Z").plus_seconds(hours * 3600);
                instances.iter().for_each(|one| one.world.set_now(now));
            }
            let Some((method, path, body)) = said(command, &reservations) else { continue };
            let instance = &instances[*by];
            let request = instance.request(method, &path, &body);
            let caller = || Driver::caller(&[Role::Admin], None);
            let forgetful = block_on(instance.copy().send(&request, caller()));
            let answer = block_on(instance.send(&request, caller()));
            assert_eq!(essence(&answer), essence(&forgetful), "{command:?}");
            if answer.status == 201 && path == "reservations" {
                reservations.push(answer.body["id"].as_str().unwrap().to_owned());
            }
        }
        instances[0].settle();
        instances[1].verify();
    }
}
