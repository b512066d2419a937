//! Re-pegging: the promises of an item as pegging gives them now, and what of them moved.
//!
//! A line whose quantity is wholly claimed keeps the promise it has; one that had none shows the
//! wanted day, or today, which is told to nobody. A line that could have shipped by its promised day
//! and has not keeps that day too, and is overdue: it was promised a day that has passed, out of
//! present stock, and present stock could still serve it. A delivery that is due today, or was and
//! slid, is no reason to move it: where pegging gives it such supply, it has present stock that
//! nobody holds instead. Everything else is promised what pegging gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::MAX_PART_LINES;
use tradewind_kernel::events::inventory::{Holding, ItemPegged, LineOverdue, PromiseMove, Usable};
use tradewind_kernel::published::SupplyName;
use tradewind_kernel::{Day, Decision, Id, NewEvent, Quantity};
use utoipa::ToSchema;

use crate::demand::OpenLine;
use crate::keys;
use crate::pegging::{LineOutcome, Peg, PegInput, PegOutcome, Reason, peg, units};
use crate::situation::Situation;

/// A part of a supply that stands behind a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromisePeg {
    /// The supply.
    #[schema(value_type = SupplyName)]
    pub supply: String,
    /// Its node.
    #[schema(value_type = Id)]
    pub node: String,
    /// The first day of use.
    pub day: Day,
    /// Base units.
    pub quantity: Quantity,
    /// The protection out of which it comes, if one held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Id>)]
    pub protection: Option<String>,
}

impl From<&Peg> for PromisePeg {
    fn from(peg: &Peg) -> Self {
        Self {
            supply: peg.supply.clone(),
            node: peg.node.clone(),
            day: peg.day,
            quantity: peg.quantity,
            protection: peg.protection.clone(),
        }
    }
}

impl PromisePeg {
    fn is_present(&self) -> bool {
        is_present(&self.supply)
    }
}

fn is_present(supply: &str) -> bool {
    supply.starts_with("stock:")
}

/// The promise of a line, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The day; none: unpromised.
    pub promised: Option<Day>,
    /// Why.
    pub reason: Reason,
    /// The supply behind it, summing to `open`; none for an unpromised line.
    pub pegs: Vec<PromisePeg>,
    /// The unclaimed quantity that it is about.
    pub open: Quantity,
    /// It could have shipped by the promised day, which has passed.
    #[serde(default)]
    pub overdue: bool,
}

impl Promise {
    fn could_ship(&self) -> bool {
        !self.pegs.is_empty() && self.pegs.iter().all(PromisePeg::is_present)
    }

    /// Whether it was promised a day before this one, out of present stock.
    fn could_have_shipped_before(&self, today: Day) -> bool {
        self.promised.is_some_and(|day| day < today) && self.could_ship()
    }

    /// Whether they say the same; present stock is usable every day, so its day says nothing.
    fn agrees(&self, other: &Self) -> bool {
        let bare = |promise: &Self| {
            let mut promise = promise.clone();
            for peg in promise.pegs.iter_mut().filter(|peg| peg.is_present()) {
                peg.day = Day::from(chrono::NaiveDate::default());
            }
            promise
        };
        bare(self) == bare(other)
    }
}

/// An item pegged anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repegged {
    sku: Id,
    today: Day,
    /// Every line's promise, by its name in the item's sets.
    pub promises: BTreeMap<String, Promise>,
    /// Names of promises that are not kept as they are now; those of lines that are gone too.
    pub changed: Vec<String>,
    /// Promises that moved, or were given for the first time.
    pub moved: Vec<PromiseMove>,
    /// Lines that have become overdue.
    pub overdue: Vec<LineOverdue>,
    /// Supply that nobody holds.
    pub left_over: Vec<Usable>,
    /// What protections hold.
    pub held: Vec<Holding>,
}

/// Pegs the item and compares with the promises that are kept.
#[must_use]
pub fn repeg(situation: &Situation, kept: &BTreeMap<String, Promise>) -> Repegged {
    let input = situation.input();
    let mut outcome = peg(&input);
    ship_missed(situation, &input, kept, &mut outcome);
    let given: BTreeMap<(&str, u32), &LineOutcome> =
        outcome.lines.iter().map(|line| ((line.order.as_str(), line.line), line)).collect();
    let mut repegged = Repegged {
        sku: situation.sku().clone(),
        today: situation.shelf.today,
        promises: BTreeMap::new(),
        changed: kept
            .keys()
            .filter(|name| !situation.demand.contains_key(*name))
            .cloned()
            .collect(),
        moved: Vec::new(),
        overdue: Vec::new(),
        left_over: outcome.left_over.iter().filter_map(usable).collect(),
        held: holdings(&outcome),
    };
    for line in situation.lines() {
        let place = (line.demand.order.as_str(), line.demand.line);
        let old = kept.get(&line.demand.member());
        repegged.take(&line, given.get(&place).copied(), old);
    }
    assert!(repegged.promises.len() == situation.demand.len(), "every line has a promise");
    repegged
}

/// Gives lines that could have shipped before today present stock that nobody holds, in place of
/// supply that is due: in the order in which lines chose, and each wholly or not at all.
fn ship_missed(
    situation: &Situation,
    input: &PegInput,
    kept: &BTreeMap<String, Promise>,
    outcome: &mut PegOutcome,
) {
    let lines = situation.lines();
    let could = |line: &&OpenLine<'_>| {
        let old = kept.get(&line.demand.member());
        old.is_some_and(|old| old.could_have_shipped_before(input.today))
    };
    let missed: BTreeMap<(&str, u32), &str> = lines
        .iter()
        .filter(could)
        .map(|line| {
            let place = (line.demand.order.as_str(), line.demand.line);
            (place, line.demand.channel.as_str())
        })
        .collect();
    for line in &mut outcome.lines {
        let channel = missed.get(&(line.order.as_str(), line.line)).copied();
        let Some(view) = channel.and_then(|channel| input.channels.get(channel)) else { continue };
        if line.promised == Some(input.today) {
            exchange(&mut line.pegs, &mut outcome.left_over, &view.nodes);
        }
    }
}

/// Puts back what is still due and takes present stock of these nodes for it, if that suffices.
/// What a protection holds stays with its channel's lines as pegging gave it.
fn exchange(pegs: &mut Vec<Peg>, left_over: &mut Vec<Peg>, nodes: &[String]) {
    let due = |peg: &&Peg| !is_present(&peg.supply);
    let mut missing = units(pegs.iter().filter(due));
    let spare = |peg: &&Peg| is_present(&peg.supply) && nodes.contains(&peg.node);
    let held = pegs.iter().filter(due).any(|peg| peg.protection.is_some());
    if missing == 0 || held || units(left_over.iter().filter(spare)) < missing {
        return;
    }
    let (mut kept, back): (Vec<Peg>, Vec<Peg>) =
        pegs.drain(..).partition(|peg| is_present(&peg.supply));
    for node in nodes {
        let here = |peg: &&mut Peg| is_present(&peg.supply) && peg.node == *node;
        for stock in left_over.iter_mut().filter(here) {
            let taken = stock.quantity.min(missing);
            (stock.quantity, missing) =
                (stock.quantity.saturating_sub(taken), missing.saturating_sub(taken));
            add(&mut kept, Peg { quantity: taken, ..stock.clone() });
        }
    }
    for peg in back {
        add(left_over, peg);
    }
    left_over.retain(|peg| peg.quantity > 0);
    left_over.sort_by(|left, right| (left.day, &left.supply).cmp(&(right.day, &right.supply)));
    *pegs = kept;
}

/// Adds to the peg of that supply, or as one more.
fn add(pegs: &mut Vec<Peg>, more: Peg) {
    let same = |peg: &&mut Peg| {
        (peg.day, &peg.supply, &peg.protection) == (more.day, &more.supply, &more.protection)
    };
    match pegs.iter_mut().find(same) {
        Some(peg) => peg.quantity = peg.quantity.saturating_add(more.quantity),
        None if more.quantity > 0 => pegs.push(more),
        None => {}
    }
}

impl Repegged {
    fn take(&mut self, line: &OpenLine<'_>, given: Option<&LineOutcome>, old: Option<&Promise>) {
        let name = line.demand.member();
        let new = self.promise(line, given, old);
        if !old.is_some_and(|old| old.agrees(&new)) {
            self.changed.push(name.clone());
        }
        let first = old.is_none_or(|old| old.reason == Reason::Filled);
        let old_day = old.filter(|_| !first).and_then(|old| old.promised);
        if line.open > 0 && (first || old_day != new.promised) {
            self.moved.push(PromiseMove {
                order: line.demand.order.clone(),
                line: line.demand.line,
                channel: line.demand.channel.clone(),
                sku: self.sku.clone(),
                quantity: line.open,
                wanted: line.demand.wanted,
                old_day,
                new_day: new.promised,
                price: line.demand.price,
                first,
            });
        }
        if let (true, false, Some(promised)) =
            (new.overdue, old.is_some_and(|old| old.overdue), new.promised)
        {
            self.overdue.push(LineOverdue {
                order: line.demand.order.clone(),
                line: line.demand.line,
                channel: line.demand.channel.clone(),
                sku: self.sku.clone(),
                quantity: line.open,
                promised,
            });
        }
        self.promises.insert(name, new);
    }

    fn promise(
        &self,
        line: &OpenLine<'_>,
        given: Option<&LineOutcome>,
        old: Option<&Promise>,
    ) -> Promise {
        let Some(given) = given else {
            let (day, reason) = match old.and_then(|old| Some((old.promised?, old.reason))) {
                Some(kept) => kept,
                // Nobody is told of this day: should the line open again, that is its first promise.
                None => (line.demand.wanted.max(self.today), Reason::Filled),
            };
            let promised = Some(day);
            return Promise { promised, reason, pegs: Vec::new(), open: 0, overdue: false };
        };
        let mut new = Promise {
            promised: given.promised,
            reason: given.reason,
            pegs: given.pegs.iter().map(PromisePeg::from).collect(),
            open: line.open,
            overdue: false,
        };
        let missed = old.filter(|old| {
            let still = new.promised == Some(self.today) && new.could_ship();
            old.could_have_shipped_before(self.today) && still
        });
        if let Some(old) = missed {
            (new.promised, new.overdue) = (old.promised, true);
            new.reason = old.reason;
        }
        new
    }

    /// Whether it says nothing new about any line.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.changed.is_empty()
    }

    /// What is written and told, in parts of at most 256 lines; at least one part.
    #[must_use]
    pub fn parts(&self) -> Vec<Decision> {
        let moves: BTreeMap<String, &PromiseMove> =
            self.moved.iter().map(|one| (keys::line(&one.order, one.line), one)).collect();
        let overdue: BTreeMap<String, &LineOverdue> =
            self.overdue.iter().map(|one| (keys::line(&one.order, one.line), one)).collect();
        let mut chunks: Vec<&[String]> = self.changed.chunks(MAX_PART_LINES).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let parts = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let mut decisions = Vec::with_capacity(chunks.len());
        for (part, names) in (1_u32..).zip(chunks) {
            let mut decision = Decision::default();
            for name in names {
                match self.promises.get(name) {
                    Some(promise) => {
                        decision.put_member(keys::promises(&self.sku), name, promise);
                    }
                    None => decision.delete_member(keys::promises(&self.sku), name),
                }
            }
            let last = part == parts;
            let moved = names.iter().filter_map(|name| moves.get(name)).map(|one| (*one).clone());
            let pegged = ItemPegged {
                sku: self.sku.clone(),
                today: self.today,
                part,
                parts,
                moved: moved.collect(),
                left_over: if last { self.left_over.clone() } else { Vec::new() },
                held: if last { self.held.clone() } else { Vec::new() },
            };
            decision.event(NewEvent::of(self.sku.as_str(), &pegged));
            for overdue in names.iter().filter_map(|name| overdue.get(name)) {
                decision.event(NewEvent::of(overdue.order.as_str(), *overdue));
            }
            decisions.push(decision);
        }
        assert!(!decisions.is_empty(), "an effect has at least one part");
        decisions
    }
}

/// A peg as other domains read it; a node's name is always an id.
fn usable(peg: &Peg) -> Option<Usable> {
    let node = peg.node.parse().ok()?;
    Some(Usable { supply: peg.supply.clone(), node, day: peg.day, quantity: peg.quantity })
}

/// What protections hold after their channel's lines took of it.
#[must_use]
pub fn holdings(outcome: &PegOutcome) -> Vec<Holding> {
    let holding = |one: &crate::pegging::ProtectionOutcome| {
        Some(Holding {
            protection: one.id.parse().ok()?,
            channel: one.channel.parse().ok()?,
            from: one.from,
            until: one.until,
            pieces: one.kept.iter().filter_map(usable).collect(),
            short: one.short,
        })
    };
    outcome.protections.iter().filter_map(holding).collect()
}

/// Supply that nobody holds.
#[must_use]
pub fn left_over(outcome: &PegOutcome) -> Vec<Usable> {
    outcome.left_over.iter().filter_map(usable).collect()
}
