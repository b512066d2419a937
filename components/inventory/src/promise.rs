//! Promises: what a channel could still be promised, without promising it.
//!
//! Two questions over one pegging (`docs/domain.md`, Promising): how much is available to promise
//! by a day, and when a quantity could be there if it were ordered now. Both only read.

use tradewind_kernel::{Day, Instant, Quantity};

use crate::pegging::{LineView, Peg, PegInput, PegOutcome, Reason, peg_with, units};

/// A quantity for which someone asks the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The channel that would sell it.
    pub channel: String,
    /// Base units, more than zero.
    pub quantity: Quantity,
    /// The day it is wanted.
    pub wanted: Day,
    /// Now: the order time it would have.
    pub at: Instant,
}

/// What a line of that quantity would be promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The day; none when supply does not suffice.
    pub day: Option<Day>,
    /// Why.
    pub reason: Reason,
    /// The supply behind it.
    pub supply: Vec<Peg>,
    /// How many promises of other lines it would move, to another day or to none.
    pub would_move: usize,
}

/// ATP(c, d): what neither a line nor a protection that `channel` may not use on `day` holds, of
/// supply usable by `day` at the channel's nodes. Zero for an unknown channel, and for a day before
/// today.
///
/// `outcome` is the pegging of `input`.
#[must_use]
pub fn available_to_promise(
    input: &PegInput,
    outcome: &PegOutcome,
    channel: &str,
    day: Day,
) -> Quantity {
    let Some(view) = input.channels.get(channel) else { return 0 };
    let may_use = outcome.protections.iter().filter(|protection| {
        let window = protection.from..=protection.until;
        protection.channel == channel && window.contains(&day)
    });
    let held = may_use.flat_map(|protection| &protection.kept);
    let usable = |peg: &&Peg| peg.day <= day && view.nodes.contains(&peg.node);
    units(outcome.left_over.iter().chain(held).filter(usable))
}

/// The dry run: pegging with one line more, ordered now, behind its equals.
///
/// A quantity that is not more than zero asks for nothing, which is there as soon as wanted.
#[must_use]
pub fn promise(input: &PegInput, asked: &Asked) -> Promise {
    let line = LineView {
        order: String::new(),
        line: 0,
        channel: asked.channel.clone(),
        wanted: asked.wanted,
        ordered_at: asked.at,
        open: asked.quantity,
    };
    let (after, Some(outcome)) = peg_with(input, Some(&line)) else {
        let day = Some(asked.wanted.max(input.today));
        return Promise { day, reason: Reason::AsWanted, supply: Vec::new(), would_move: 0 };
    };
    let (before, _) = peg_with(input, None);
    assert_eq!(before.lines.len(), after.lines.len(), "a dry run must not lose a line");
    let pairs = before.lines.iter().zip(&after.lines);
    let would_move = pairs.filter(|(old, new)| old.promised != new.promised).count();
    Promise { day: outcome.promised, reason: outcome.reason, supply: outcome.pegs, would_move }
}
