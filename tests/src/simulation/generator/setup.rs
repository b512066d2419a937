//! What a simulated tenant has before chance takes over.

use super::{NODES, SKUS, SUPPLIERS};
use crate::simulation::command::{Bought, Channel, Command, Label, OrderLine};
use crate::simulation::step::Step;

/// Labels of purchase orders that are there before chance takes over.
pub(super) const BOUGHT: [Label; 3] = [50, 51, 52];

/// What a tenant is set up with, before chance takes over.
#[must_use]
pub fn setup() -> Step {
    let mut commands = Vec::new();
    let mut say = |command| {
        let label = Label::try_from(commands.len()).unwrap_or(0);
        commands.push((label, 0, command));
    };
    for sku in SKUS {
        say(Command::Item { sku: sku.to_owned(), name: 0 });
    }
    for (node, receiving, weekends) in
        [("N1", 0, true), ("N2", 1, false), ("N3", 0, true), ("N4", 0, true)]
    {
        say(Command::Node { node: node.to_owned(), receiving, weekends });
    }
    for (id, priority, nodes) in [
        ("a", 1, vec!["N1", "N2"]),
        ("b", 2, vec!["N2", "N3"]),
        ("c", 3, vec!["N3", "N1", "N2", "N4"]),
    ] {
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        let (cap, buffer, threshold) = (None, 0, 0);
        let id = id.to_owned();
        let backorder = true;
        say(Command::Channel(Channel { id, priority, nodes, cap, buffer, threshold, backorder }));
    }
    for supplier in SUPPLIERS {
        say(Command::Supplier { supplier: supplier.to_owned() });
        say(Command::Standing { supplier: supplier.to_owned(), to: "approve" });
        let (sku, price, days) = ("X".to_owned(), 5, 9);
        say(Command::Offer { supplier: supplier.to_owned(), sku, price, days });
    }
    for (order, channel, asked) in
        [("O1", "c", [("X", 26, 2), ("Y", 25, 4)]), ("O2", "b", [("X", 5, 5), ("Y", 4, 1)])]
    {
        let line = |(line, (sku, quantity, wanted)): (u32, (&str, i64, i64))| {
            let (sku, wanted) = (sku.to_owned(), Some(wanted));
            OrderLine { line, sku, quantity, wanted, price: 7 }
        };
        let lines = (1..).zip(asked).map(line).collect();
        say(Command::Order { order: order.to_owned(), channel: channel.to_owned(), lines });
    }
    let (id, sku, channel) = ("D1".to_owned(), "X".to_owned(), "a".to_owned());
    say(Command::Promotion { id, sku, channel, from: 2, until: 8, units: 18 });
    for (purchase, supplier) in BOUGHT.into_iter().zip(["S1", "S1", "S2"]) {
        let sku = if purchase % 2 == 0 { "X" } else { "Y" };
        let line = |node: &str, quantity, due| Bought {
            sku: sku.to_owned(),
            node: node.to_owned(),
            quantity,
            due,
        };
        let lines = vec![line("N1", 12, 6), line("N3", 7, 3)];
        commands.push((purchase, 0, Command::Raise { supplier: supplier.to_owned(), lines }));
        for (label, (action, by)) in
            (1..).zip([("submit", "clerk"), ("approve", "boss"), ("release", "clerk")])
        {
            // The last one waits for its release.
            if action != "release" || purchase != BOUGHT[2] {
                let act = Command::Act { purchase, action, by };
                commands.push((purchase + 10 * label, 0, act));
            }
        }
    }
    let mut say = |command| {
        let label = Label::try_from(commands.len()).unwrap_or(0);
        commands.push((label, 0, command));
    };
    for sku in SKUS {
        for node in &NODES[..3] {
            let (from, to) = ("supplier".to_owned(), format!("{node}/sellable"));
            say(Command::Move { sku: sku.to_owned(), quantity: 8, from, to });
        }
    }
    Step { commands, serial: true, ticks: true, settle: true, ..Step::quiet(1) }
}
