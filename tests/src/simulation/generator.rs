//! The generator: chooses what happens next, knowing the domain, so that most of what is asked is
//! lawful and much of the rest nearly is.

use tradewind_kernel::event::Domain;

use super::command::{Channel, Command, Label, Names, OrderLine, Reserve, SETTINGS};
use super::model::Model;
use super::seam::Trouble;
use super::step::{Nudges, Step, Vanishes};
use crate::chance::Chance;

/// Items, nodes, channels and suppliers of every simulated tenant.
pub const SKUS: [&str; 2] = ["X", "Y"];
/// Nodes; the last has nothing at first.
pub const NODES: [&str; 4] = ["N1", "N2", "N3", "N4"];
/// Channels.
pub const CHANNELS: [&str; 3] = ["a", "b", "c"];
const SUPPLIERS: [&str; 2] = ["S1", "S2"];
const ORDERS: [&str; 5] = ["O1", "O2", "O3", "O4", "O5"];
const PROTECTIONS: [&str; 4] = ["P1", "P2", "P3", "P4"];
const STRATEGIES: [&str; 4] = ["node-order", "node-order", "fewest-splits", "most-stock"];

/// An hour, in milliseconds.
const HOUR: u64 = 3_600_000;

use setup::BOUGHT;
pub use setup::setup;

mod purchases;
mod setup;

/// Chooses steps.
#[derive(Debug)]
pub struct Generator {
    chance: Chance,
    next: Label,
    reservations: Vec<Label>,
    purchases: Vec<Label>,
    sent: Vec<Label>,
}

impl Generator {
    /// Chooses by a seed; labels begin at `next`. The purchases of the set-up are known.
    #[must_use]
    pub fn new(seed: u64, next: Label) -> Self {
        let (reservations, purchases, sent) = (Vec::new(), BOUGHT.to_vec(), Vec::new());
        Self { chance: Chance::new(seed), next, reservations, purchases, sent }
    }

    /// What happens next; the last step of a history comes to rest.
    pub fn step(&mut self, (model, names): (&Model, &Names), last: bool) -> Step {
        let mut step = Step::quiet(self.chance.draw());
        step.advance = self.advance();
        step.alone = self.one_in(6);
        let count: &[u64] = if step.alone { &[1] } else { &[1, 1, 2, 2, 3, 4] };
        for _ in 0..*self.chance.one_of(count) {
            let instance = u8::try_from(self.chance.below(3)).unwrap_or(0);
            let label = self.next;
            self.next += 1;
            let mut command = self.command(model, names, label);
            // What claims stock moves no promise: alone, it is seldom worth its rest.
            if step.alone && matches!(command, Command::Reserve(_) | Command::Leave { .. }) {
                command = self.purchase(model, names, label);
            }
            let rival = if step.alone { None } else { self.rival(&command) };
            self.sent.push(label);
            step.commands.push((label, instance, command));
            if let Some(rival) = rival {
                let (label, instance) = (self.next, (instance + 1) % 3);
                self.next += 1;
                if matches!(rival, Command::Reserve(_)) {
                    self.reservations.push(label);
                }
                step.commands.push((label, instance, rival));
            }
        }
        self.go_wrong(&mut step);
        step.settle = last || self.one_in(4);
        step.last = last;
        step
    }

    /// Now and then somebody else asks at the same time for what does not go with it.
    fn rival(&mut self, command: &Command) -> Option<Command> {
        if !self.one_in(4) {
            return None;
        }
        match command {
            Command::Reserve(reserve) => Some(Command::Reserve(reserve.clone())),
            Command::Leave { reservation, lines, .. } => {
                let (ships, reservation) = (self.one_in(2), *reservation);
                Some(Command::Leave { reservation, ships, lines: lines.clone() })
            }
            Command::Act { action: "release", .. } => {
                let supplier = self.pick(&SUPPLIERS);
                Some(Command::Standing { supplier, to: "suspend" })
            }
            Command::Confirm { .. } | Command::Receive { .. } | Command::Order { .. } => {
                Some(command.clone())
            }
            _ => None,
        }
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.chance.below(many) == 0
    }

    fn units(&mut self, low: u64, high: u64) -> i64 {
        i64::try_from(self.chance.between(low, high)).unwrap_or(1)
    }

    fn pick(&mut self, all: &[&str]) -> String {
        (*self.chance.one_of(all)).to_owned()
    }

    /// Nearly always an item that is there.
    fn sku(&mut self) -> String {
        if self.one_in(60) { "Z".to_owned() } else { self.pick(&SKUS) }
    }

    fn advance(&mut self) -> i64 {
        let millis = match self.chance.below(20) {
            0..11 => 0,
            11..16 => self.chance.between(1, 3 * HOUR),
            16..19 => self.chance.between(HOUR * 12, HOUR * 30),
            _ => self.chance.between(HOUR * 48, HOUR * 200),
        };
        i64::try_from(millis).unwrap_or(0)
    }

    fn go_wrong(&mut self, step: &mut Step) {
        step.ticks = self.one_in(4);
        step.nudges = match self.chance.below(5) {
            0 => Nudges::Late,
            1 => Nudges::Lost,
            _ => Nudges::Delivered,
        };
        if self.one_in(3) {
            let instance = u8::try_from(self.chance.below(3)).unwrap_or(0);
            let when = if self.one_in(2) {
                Vanishes::Turn(self.chance.between(1, 60))
            } else {
                Vanishes::Commit(self.chance.between(1, 6))
            };
            step.crash = Some((instance, when));
        }
        if self.one_in(6) {
            let (fail_before, fail_after) =
                (self.chance.between(1, 30), self.chance.between(1, 30));
            step.trouble = Trouble { fail_before, fail_after };
        }
        // What is parked is replayed under a correlation of its own: two causes.
        if !step.alone && self.one_in(40) {
            step.poison = Some(*self.chance.one_of(&Domain::ALL));
        }
    }

    fn command(&mut self, model: &Model, names: &Names, label: Label) -> Command {
        match self.chance.below(100) {
            0..20 => self.reserve(model, label),
            20..32 => self.leave(model, names),
            32..42 => self.order(model),
            42..44 => Command::CancelOrder { order: self.pick(&ORDERS) },
            44..52 => self.movement(model),
            52..59 => self.protect(model),
            59..61 => self.unprotect(model),
            61..81 => self.purchase(model, names, label),
            81..84 => self.repeat(),
            84..90 => self.look(model),
            90..93 => self.network(),
            _ => self.rare(model),
        }
    }

    fn reserve(&mut self, model: &Model, label: Label) -> Command {
        let channel = if self.one_in(50) { "nobody".to_owned() } else { self.pick(&CHANNELS) };
        let mut lines = Vec::new();
        for _ in 0..=u64::from(self.one_in(4)) {
            let sku = self.sku();
            let available = u64::try_from(model.available(&sku, &channel)).unwrap_or(0);
            let quantity = match self.chance.below(5) {
                0 => available + 1,
                1 => available.max(1),
                _ => self.chance.between(1, (available / 2).max(2)),
            };
            lines.push((sku, i64::try_from(quantity).unwrap_or(1)));
        }
        let ordered: Vec<&str> = ORDERS
            .into_iter()
            .filter(|id| model.orders.get(*id).is_none_or(|order| order.channel == channel))
            .collect();
        let order = match self.chance.below(4) {
            0 => None,
            1 => Some(self.pick(&ORDERS)),
            _ if ordered.is_empty() => None,
            _ => Some(self.pick(&ordered)),
        };
        self.reservations.push(label);
        let partial = self.one_in(3);
        let expires = if self.one_in(3) { Some(self.units(60, 40_000)) } else { None };
        let strategy = *self.chance.one_of(&STRATEGIES);
        Command::Reserve(Reserve { channel, order, partial, lines, expires, strategy })
    }

    /// Nearly always a reservation that is open.
    fn leave(&mut self, model: &Model, names: &Names) -> Command {
        let open = |label: &Label| {
            let known = names.get(label).and_then(|id| model.reservations.get(id));
            known.is_some_and(|one| one.status == "open")
        };
        let lawful: Vec<Label> = self.reservations.iter().copied().filter(open).collect();
        let some = if lawful.is_empty() || self.one_in(8) { &self.reservations } else { &lawful };
        let last = some.len().saturating_sub(1) as u64;
        let place = usize::try_from(self.chance.below(last + 1)).unwrap_or(0);
        let reservation = some.get(place).copied().unwrap_or(0);
        let lines = if self.one_in(3) {
            let known = names.get(&reservation).and_then(|id| model.reservations.get(id));
            let line = known.and_then(|one| one.lines.first());
            let sku = line.map_or_else(|| self.pick(&SKUS), |line| line.sku.clone());
            let quantity = self.units(1, 4);
            Some(vec![(sku, quantity)])
        } else {
            None
        };
        Command::Leave { reservation, ships: self.one_in(2), lines }
    }

    fn unprotect(&mut self, model: &Model) -> Command {
        let live: Vec<&str> = model.protections.keys().map(String::as_str).collect();
        let some = if live.is_empty() || self.one_in(5) { &PROTECTIONS[..] } else { &live };
        Command::Unprotect { id: self.pick(some) }
    }

    fn day(&mut self, model: &Model, back: i64, ahead: u64) -> i64 {
        let today = model.today().since(super::command::day(0));
        today - back + self.units(0, ahead.saturating_add(u64::try_from(back).unwrap_or(0)))
    }

    fn order(&mut self, model: &Model) -> Command {
        let order = self.pick(&ORDERS);
        let known = model.orders.get(&order);
        let channel = match known {
            Some(known) if !self.one_in(10) => known.channel.clone(),
            _ => self.pick(&CHANNELS),
        };
        let mut lines = Vec::new();
        for line in 1..=u32::try_from(self.chance.between(1, 3)).unwrap_or(1) {
            if let Some(old) = known.and_then(|order| order.lines.iter().find(|o| o.line == line))
                && self.one_in(2)
            {
                let (sku, quantity, price) = (old.sku.clone(), old.quantity, old.price);
                lines.push(OrderLine { line, sku, quantity, wanted: None, price });
                continue;
            }
            let (sku, quantity, price) = (self.sku(), self.units(1, 9), self.units(1, 30));
            let wanted = if self.one_in(5) { None } else { Some(self.day(model, 2, 14)) };
            let line = if self.one_in(50) { 1 } else { line };
            lines.push(OrderLine { line, sku, quantity, wanted, price });
        }
        Command::Order { order, channel, lines }
    }

    fn movement(&mut self, model: &Model) -> Command {
        let (sku, node) = (self.sku(), self.pick(&NODES));
        let here = format!("{node}/sellable");
        let free = u64::try_from(model.free(&sku, &node)).unwrap_or(0);
        let quantity = match self.chance.below(6) {
            0 => i64::try_from(free + 1).unwrap_or(1),
            _ => self.units(1, free.clamp(1, 9)),
        };
        let elsewhere = ["supplier", "found", "customer", "transit"];
        let (from, to) = match self.chance.below(8) {
            0..3 => (self.pick(&elsewhere), here),
            3 => (here, format!("{}/sellable", self.pick(&NODES))),
            4 => (here, format!("{node}/{}", self.pick(&["hold", "damaged"]))),
            5 => (format!("{node}/{}", self.pick(&["hold", "damaged"])), here),
            6 => (here, self.pick(&["loss", "transit"])),
            _ => (format!("{}/sellable", self.pick(&["N1", "N9"])), here),
        };
        Command::Move { sku, quantity, from, to }
    }

    fn protect(&mut self, model: &Model) -> Command {
        let id = self.pick(&PROTECTIONS);
        let (mut sku, mut channel) = (self.sku(), self.pick(&CHANNELS));
        if let Some(live) = model.protections.get(&id)
            && !self.one_in(6)
        {
            (sku, channel) = (live.sku.clone(), live.channel.clone());
        }
        let from = self.day(model, 3, 6);
        let until = from + self.units(0, 7) - i64::from(self.one_in(30));
        let quantity = self.units(1, 14);
        Command::Protect { id, sku, channel, quantity, from, until }
    }

    fn repeat(&mut self) -> Command {
        let count = self.sent.len() as u64;
        let Some(back) = count.checked_sub(1) else { return Command::Run };
        let back = self.chance.below(8).min(back);
        let place = usize::try_from(count - 1 - back).unwrap_or(0);
        let label = self.sent[place];
        if self.one_in(6) {
            return Command::Reuse { label, sku: self.pick(&SKUS) };
        }
        Command::Again { label }
    }

    fn look(&mut self, model: &Model) -> Command {
        let (sku, channel) = (self.sku(), self.pick(&CHANNELS));
        match self.chance.below(3) {
            0 => Command::Availability { sku, channel },
            1 => {
                let (quantity, wanted) = (self.units(1, 20), self.day(model, 1, 12));
                Command::Promise { sku, channel, quantity, wanted }
            }
            _ => Command::OrderView { order: self.pick(&ORDERS) },
        }
    }

    fn network(&mut self) -> Command {
        if self.one_in(4) {
            let node = self.pick(&NODES);
            let receiving = u32::try_from(self.chance.below(3)).unwrap_or(0);
            return Command::Node { node, receiving, weekends: self.one_in(2) };
        }
        let id = self.pick(&CHANNELS);
        let mut nodes: Vec<String> = Vec::new();
        for _ in 0..self.chance.below(4) {
            let node = self.pick(&NODES);
            if !nodes.contains(&node) || self.one_in(40) {
                nodes.push(node);
            }
        }
        let priority = u32::try_from(self.chance.between(1, 3)).unwrap_or(1);
        let cap = if self.one_in(4) { Some(self.units(0, 12)) } else { None };
        let (buffer, threshold) = (self.units(0, 3), self.units(0, 3));
        let backorder = !self.one_in(4);
        Command::Channel(Channel { id, priority, nodes, cap, buffer, threshold, backorder })
    }

    fn rare(&mut self, model: &Model) -> Command {
        let (sku, channel) = (self.pick(&SKUS), self.pick(&CHANNELS));
        match self.chance.below(10) {
            0 => Command::Trespass { sku },
            1 | 2 => {
                let moves = ["approve", "approve", "approve", "suspend", "conditional", "block"];
                let to = *self.chance.one_of(&moves);
                Command::Standing { supplier: self.pick(&SUPPLIERS), to }
            }
            3 => Command::Supplier { supplier: self.pick(&SUPPLIERS) },
            4 => {
                let (price, days) = (self.units(3, 9), self.units(1, 20));
                Command::Offer { supplier: self.pick(&SUPPLIERS), sku, price, days }
            }
            5 => {
                let from = self.day(model, 0, 8);
                let (until, units) = (from + self.units(0, 5), self.units(1, 30));
                Command::Promotion {
                    id: self.pick(&["D1", "D2"]),
                    sku,
                    channel,
                    from,
                    until,
                    units,
                }
            }
            6 => Command::Policy { sku, node: self.pick(&NODES), review: self.units(1, 14) },
            7 => {
                let (day, quantity) = (-self.units(1, 40), self.units(0, 9));
                Command::History { sku, channel, day, quantity }
            }
            8 => {
                let what: &&str = self.chance.one_of(&SETTINGS);
                Command::Set { what, value: self.units(1, 9) }
            }
            _ => Command::Run,
        }
    }
}
