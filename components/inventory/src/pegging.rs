//! Pegging: which supply of one item stands behind which protection and which open line.
//!
//! A pure function of supply, protections and open lines (`docs/domain.md`, Promising). What is
//! claimed is not seen here: supply is the *free* stock and what is still to come, a line's open
//! quantity its unclaimed part. Protections choose first, by (from, id): the latest supply usable
//! by the day they open, going backwards, then later supply forwards up to their last day; the
//! rest is short. Lines follow, by (channel priority, wanted day, order time, order id, line):
//! each is promised the earliest day from the wanted one on by which its whole quantity is there,
//! and takes of that the latest first, so that early supply stays for those who can use it.
//! Nothing is given twice and nothing is lost: pegs, holdings and left-overs sum to the supply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::{Day, Instant, Quantity};
use utoipa::ToSchema;

use board::Board;

mod board;

/// Where a channel stands and from where it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// 1 is the highest.
    pub priority: u32,
    /// The nodes that serve it, in the order in which it prefers them.
    pub nodes: Vec<String>,
}

/// What kind of supply it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SupplyKind {
    /// Free stock, here today whatever its day says.
    Present,
    /// Still to come. One whose day is before today counts as past due.
    Inbound,
    /// Its day has passed. It counts as usable today for lines, never for a protection.
    PastDue,
}

/// A supply of the item: present free stock of a node, an open delivery, a transfer in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// `stock:NODE`, `ORDER/LINE/DAY` or `transfer:ID`.
    pub id: String,
    /// Where it is or arrives.
    pub node: String,
    /// The day it is usable.
    pub day: Day,
    /// Base units; below zero counts as none.
    pub quantity: Quantity,
    /// Whether it is here, to come, or overdue.
    pub kind: SupplyKind,
}

/// A protection: units of the item kept for a channel in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionView {
    /// Its id.
    pub id: String,
    /// The channel it is kept for.
    pub channel: String,
    /// The first day of its window.
    pub from: Day,
    /// The last day of its window. One that has passed keeps nothing.
    pub until: Day,
    /// Base units not used yet: `max(0, quantity − used)`.
    pub remainder: Quantity,
}

/// The unclaimed part of an order's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// The order.
    pub order: String,
    /// The line's number.
    pub line: u32,
    /// The channel that sold it.
    pub channel: String,
    /// The day it is wanted; it may have passed.
    pub wanted: Day,
    /// When the order was placed.
    pub ordered_at: Instant,
    /// Base units open and unclaimed; a line with none is left out.
    pub open: Quantity,
}

/// All that pegging looks at, of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegInput {
    /// The business day.
    pub today: Day,
    /// Every channel, whether it sells the item or not: a node's rank depends on all it serves.
    pub channels: BTreeMap<String, ChannelView>,
    /// Supply, in any order.
    pub supply: Vec<Supply>,
    /// Protections, in any order.
    pub protections: Vec<ProtectionView>,
    /// Open lines, in any order.
    pub lines: Vec<LineView>,
}

/// A part of a supply that a line, a protection or nobody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peg {
    /// The supply's id.
    pub supply: String,
    /// Its node.
    pub node: String,
    /// Its usable day, today at the earliest.
    pub day: Day,
    /// Base units, more than zero.
    pub quantity: Quantity,
    /// For a line's peg: the protection out of which it came; none when nobody held it.
    pub protection: Option<String>,
}

/// Why a line has the promise it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = PromiseReason)]
pub enum Reason {
    /// Promised for the wanted day.
    AsWanted,
    /// The wanted day has passed; promised for today.
    WantedDayPassed,
    /// Promised for the later day by which supply suffices.
    LaterSupply,
    /// Unpromised: all supply it may use, of any day, is not enough.
    InsufficientSupply,
    /// Unpromised: there is no such channel.
    ChannelUnknown,
    /// Only a purchase could serve it. Pegging never says so; the caller who knows the offers does.
    Purchase,
    /// All of it is claimed or shipped. This and what follows is said of the lines of orders alone.
    Filled,
    /// Its order was cancelled.
    Cancelled,
    /// It waits to be pegged.
    Waiting,
}

/// What a line was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOutcome {
    /// The order.
    pub order: String,
    /// The line's number.
    pub line: u32,
    /// The promised day, today at the earliest; none: unpromised, and without pegs.
    pub promised: Option<Day>,
    /// Why.
    pub reason: Reason,
    /// The supply behind the promise, summing to the open quantity, in the order of taking.
    pub pegs: Vec<Peg>,
}

/// What a protection holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionOutcome {
    /// Its id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// The first day of its window.
    pub from: Day,
    /// The last day of its window.
    pub until: Day,
    /// What it chose, before lines took of it; `inbound`, `held` and `short` speak of this.
    pub chosen: Vec<Peg>,
    /// What it still keeps after its channel's lines took theirs.
    pub kept: Vec<Peg>,
    /// Base units chosen of supply still to come.
    pub inbound: Quantity,
    /// `remainder − inbound`: what it keeps of present stock, and what is short.
    pub held: Quantity,
    /// Base units for which it found no supply.
    pub short: Quantity,
}

/// The whole pegging of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegOutcome {
    /// In the order in which the lines chose.
    pub lines: Vec<LineOutcome>,
    /// In the order in which the protections chose.
    pub protections: Vec<ProtectionOutcome>,
    /// Supply that nobody holds, by (day, id).
    pub left_over: Vec<Peg>,
}

/// The protections' choice alone: what renews `inbound(p)`. Lines have no influence on it.
#[must_use]
pub fn protect(input: &PegInput) -> Vec<ProtectionOutcome> {
    let mut board = Board::new(input);
    board.protect();
    board.protection_outcomes()
}

/// Pegs protections, then lines.
#[must_use]
pub fn peg(input: &PegInput) -> PegOutcome {
    peg_with(input, None).0
}

/// As [`peg`], with one line more that comes last among equals of priority, wanted day and order
/// time. Its outcome is given apart; the others keep their order.
pub(crate) fn peg_with(
    input: &PegInput,
    asked: Option<&LineView>,
) -> (PegOutcome, Option<LineOutcome>) {
    let mut board = Board::new(input);
    board.protect();

    let known = input.lines.iter().map(|line| (false, line));
    let mut queue: Vec<(bool, &LineView)> =
        known.chain(asked.map(|line| (true, line))).filter(|(_, line)| line.open > 0).collect();
    queue.sort_by_key(|(asked, line)| {
        let channel = input.channels.get(&line.channel);
        let priority = channel.map_or(u32::MAX, |channel| channel.priority);
        (priority, line.wanted, line.ordered_at, *asked, line.order.as_str(), line.line)
    });
    let mut lines = Vec::with_capacity(queue.len());
    let mut answer = None;
    for (is_asked, line) in queue {
        let outcome = board.serve(line);
        if is_asked {
            answer = Some(outcome);
        } else {
            lines.push(outcome);
        }
    }

    let outcome = PegOutcome {
        lines,
        protections: board.protection_outcomes(),
        left_over: board.left_over(),
    };
    let taken = outcome.lines.iter().chain(&answer).flat_map(|line| &line.pegs);
    let kept = outcome.protections.iter().flat_map(|protection| &protection.kept);
    let given = units(taken.chain(kept).chain(&outcome.left_over));
    let supplied = input.supply.iter().map(|supply| supply.quantity.max(0));
    assert_eq!(given, supplied.fold(0, Quantity::saturating_add), "supply lost or given twice");
    (outcome, answer)
}

/// The base units of some pegs.
pub(crate) fn units<'a>(pegs: impl IntoIterator<Item = &'a Peg>) -> Quantity {
    pegs.into_iter().map(|peg| peg.quantity).fold(0, Quantity::saturating_add)
}

#[cfg(test)]
mod tests;
