//! The generator's choices around purchase orders.

use super::{Generator, NODES, SUPPLIERS};
use crate::simulation::command::{Bought, Command, Label, Names};
use crate::simulation::model::Model;

impl Generator {
    fn raise(&mut self, model: &Model, label: Label) -> Command {
        let mut lines = Vec::new();
        for _ in 0..=u64::from(self.one_in(3)) {
            let node = if self.one_in(60) { "N9".to_owned() } else { self.pick(&NODES) };
            let (sku, quantity, due) = (self.sku(), self.units(1, 15), self.day(model, 1, 14));
            lines.push(Bought { sku, node, quantity, due });
        }
        self.purchases.push(label);
        let supplier = if self.one_in(40) { "S9".to_owned() } else { self.pick(&SUPPLIERS) };
        Command::Raise { supplier, lines }
    }

    /// Nearly always what can be done next with a purchase order.
    pub(super) fn purchase(&mut self, model: &Model, names: &Names, label: Label) -> Command {
        if self.one_in(8) {
            return self.raise(model, label);
        }
        let status = |label: &Label| {
            let known = names.get(label).and_then(|id| model.purchases.get(id));
            known.map_or("none", |one| one.status)
        };
        let under_way =
            |label: &Label| !matches!(status(label), "closed" | "cancelled" | "rejected");
        let some: Vec<Label> = self.purchases.iter().copied().filter(under_way).collect();
        if some.is_empty() {
            return self.raise(model, label);
        }
        let purchase = *self.chance.one_of(&some);
        let act = |action, by| Command::Act { purchase, action, by };
        let any = self.one_in(10);
        match (status(&purchase), self.chance.below(12)) {
            ("draft", 0..11) if !any => act("submit", "clerk"),
            ("submitted", 0..2) if !any => act("approve", "clerk"),
            ("submitted", 2..11) if !any => act("approve", "boss"),
            ("submitted", 11) if !any => act("reject", "boss"),
            ("approved", 0..11) if !any => act("release", "clerk"),
            (_, 0..5) => self.confirm(model, purchase),
            (_, 5..10) => self.receive(purchase),
            (_, 10) => act("close", "clerk"),
            _ if self.one_in(4) => act("accept", "boss"),
            _ => act("cancel", "clerk"),
        }
    }

    fn confirm(&mut self, model: &Model, purchase: Label) -> Command {
        let mut lines = Vec::new();
        for _ in 0..=u64::from(self.one_in(3)) {
            let line = match self.chance.below(10) {
                0..7 => 1,
                7..9 => 2,
                _ => 3,
            };
            let quantity = if self.one_in(2) { Some(self.units(1, 9)) } else { None };
            let back = i64::from(self.one_in(10));
            lines.push((line, self.day(model, back, 20), quantity));
        }
        Command::Confirm { purchase, lines }
    }

    fn receive(&mut self, purchase: Label) -> Command {
        let line = if self.one_in(5) { 2 } else { 1 };
        let rejected = if self.one_in(4) { self.units(1, 3) } else { 0 };
        Command::Receive { purchase, lines: vec![(line, self.units(1, 6), rejected)] }
    }
}
