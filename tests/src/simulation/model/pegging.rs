//! Pegging in the model: the naive one of inventory's own tests, on the model's book.

#[path = "../../../../components/inventory/tests/naive/mod.rs"]
#[allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    reason = "it belongs to inventory's tests; here it is the model's pegging"
)]
mod naive;

use std::collections::{BTreeMap, BTreeSet};

use chrono::Weekday;
use tradewind_inventory::pegging::{
    ChannelView, LineView, PegInput, ProtectionView, Supply, SupplyKind,
};
use tradewind_kernel::{Day, Instant};

pub(super) use naive::Held;

use super::{Model, Node};

/// What pegging gives one item.
pub(super) struct Pegged {
    /// By order and line: the promise and what stands behind it.
    pub(super) lines: BTreeMap<(String, u32), (Option<Day>, Held)>,
    /// By protection: what of it supply to come serves, and what is short.
    pub(super) protections: BTreeMap<String, (i64, i64)>,
}

fn clone<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

/// The first day on which a node can use what arrives on `day`.
fn usable(node: Option<&Node>, day: Day) -> Day {
    let Some(node) = node else { return day };
    let open = |on: Day| node.weekends || !matches!(on.weekday(), Weekday::Sat | Weekday::Sun);
    let first = |from: Day| {
        let mut on = from;
        while !open(on) {
            on = on.plus(1);
        }
        on
    };
    let mut on = first(day);
    for _ in 0..node.receiving {
        on = first(on.plus(1));
    }
    on
}

impl Model {
    /// What pegging looks at; `lines` says whether lines take part.
    fn input(&self, sku: &str, lines: bool) -> PegInput {
        let today = self.today();
        let present = self.free_by_node(sku).into_iter().map(|(node, quantity)| Supply {
            id: format!("stock:{node}"),
            node,
            day: today,
            quantity: quantity.max(0),
            kind: SupplyKind::Present,
        });
        let mut supply: Vec<Supply> = present.filter(|one| one.quantity > 0).collect();
        for ((order, line), inbound) in self.supply.get(sku).into_iter().flatten() {
            for (on, quantity) in &inbound.schedule {
                let usable = usable(self.nodes.get(&inbound.node), *on);
                let past = usable < today;
                supply.push(Supply {
                    id: format!("{order}/{line}/{on}"),
                    node: inbound.node.clone(),
                    day: usable.max(today),
                    quantity: *quantity,
                    kind: if past { SupplyKind::PastDue } else { SupplyKind::Inbound },
                });
            }
        }
        let protections = self.standing(sku).map(|(id, one)| ProtectionView {
            id: id.clone(),
            channel: one.channel.clone(),
            from: one.from,
            until: one.until,
            remainder: self.remainder(id, one),
        });
        let view = |channel: &crate::simulation::command::Channel| ChannelView {
            priority: channel.priority,
            nodes: channel.nodes.clone(),
        };
        PegInput {
            today,
            channels: self.channels.iter().map(|(id, one)| (id.clone(), view(one))).collect(),
            supply,
            protections: protections.collect(),
            lines: if lines { self.line_views(sku) } else { Vec::new() },
        }
    }

    fn line_views(&self, sku: &str) -> Vec<LineView> {
        let mut views = Vec::new();
        for (id, order) in &self.orders {
            for (line, filled) in self.filled(id, sku) {
                views.push(LineView {
                    order: id.clone(),
                    line: line.line,
                    channel: order.channel.clone(),
                    wanted: line.wanted,
                    ordered_at: Instant::from_millis(order.ordered_at),
                    open: line.quantity - filled.0 - filled.1,
                });
            }
        }
        views.retain(|view| view.open > 0);
        views
    }

    /// Pegs an item; `asked` is a line more that comes last among its equals.
    pub(super) fn pegged(&self, sku: &str, asked: Option<LineView>) -> Pegged {
        let mut input = self.input(sku, true);
        input.lines.extend(asked);
        Self::outcome(&input)
    }

    /// Pegs an item; of these lines, which could have shipped before today, each that is given
    /// supply due today has spare stock for it instead, unit by unit, if there is enough.
    pub(super) fn pegged_but(&self, sku: &str, missed: &BTreeSet<(String, u32)>) -> Pegged {
        let input = self.input(sku, true);
        let mut figures = naive::naive(&input);
        let mut queue: Vec<&LineView> = input.lines.iter().collect();
        queue.sort_by_key(|line| {
            let priority = input.channels[&line.channel].priority;
            (priority, line.wanted, line.ordered_at, &line.order, line.line)
        });
        for line in queue {
            let name = (line.order.clone(), line.line);
            let Some((promised, pegs)) = figures.lines.get_mut(&name) else { continue };
            if !missed.contains(&name) || *promised != Some(input.today) {
                continue;
            }
            let nodes = &input.channels[&line.channel].nodes;
            let stock: Vec<_> = nodes.iter().map(|node| (format!("stock:{node}"), None)).collect();
            let due: Held =
                pegs.iter().filter(|((id, _), _)| !id.starts_with("stock:")).map(clone).collect();
            let spare: i64 = stock.iter().filter_map(|one| figures.left_over.get(one)).sum();
            if due.keys().any(|(_, held)| held.is_some()) || spare < due.values().sum() {
                continue;
            }
            for (one, quantity) in due {
                pegs.remove(&one);
                *figures.left_over.entry(one).or_default() += quantity;
                for _ in 0..quantity {
                    let left = |one: &&(String, Option<String>)| {
                        figures.left_over.get(*one).is_some_and(|left| *left > 0)
                    };
                    let Some(from) = stock.iter().find(left) else { break };
                    *figures.left_over.entry(from.clone()).or_default() -= 1;
                    *pegs.entry(from.clone()).or_default() += 1;
                }
            }
        }
        Self::summed(&input, figures)
    }

    fn outcome(input: &PegInput) -> Pegged {
        Self::summed(input, naive::naive(input))
    }

    fn summed(input: &PegInput, figures: naive::Figures) -> Pegged {
        let protections = input.protections.iter().map(|one| {
            let chosen = figures.chosen.get(&one.id);
            let sum = |inbound: bool| -> i64 {
                let pegs = chosen.into_iter().flatten();
                let some = pegs.filter(|((id, _), _)| !inbound || !id.starts_with("stock:"));
                some.map(|(_, quantity)| quantity).sum()
            };
            (one.id.clone(), (sum(true), one.remainder - sum(false)))
        });
        Pegged { protections: protections.collect(), lines: figures.lines }
    }

    /// By protection of the item: what of it supply to come serves, and what is short.
    #[must_use]
    pub fn protected(&self, sku: &str) -> BTreeMap<String, (i64, i64)> {
        Self::outcome(&self.input(sku, false)).protections
    }

    /// Renews what supply to come serves of each protection.
    pub fn renew(&mut self, sku: &str) {
        let served = self.protected(sku);
        for (id, one) in &mut self.protections {
            if let Some((inbound, _)) = served.get(id) {
                one.inbound = *inbound;
            }
        }
        self.renewed.insert(sku.to_owned(), (self.today(), self.revision));
    }

    /// Whether an item's protections were renewed for another day or network.
    #[must_use]
    pub fn is_stale(&self, sku: &str) -> bool {
        let fresh = (self.today(), self.revision);
        self.standing(sku).next().is_some() && self.renewed.get(sku) != Some(&fresh)
    }
}
