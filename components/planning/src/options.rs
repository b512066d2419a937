//! Options: for an item that a cause made worse, the best of each kind of mitigation.
//!
//! Candidates are built from offers, lanes, protections and promotions, each is tried on the same
//! pegging (`inventory.trial`), and the best of each kind is listed. A kind that applies but
//! cannot be taken is listed as infeasible with the reason; a kind that does not apply (no late
//! purchase line, no protection, no promotion that got worse) is left out. Everything here reads;
//! it is advice as of the sequence that the trials name.

mod demand_side;
mod smallest;
mod supply_side;
mod transfer;

use std::cell::Cell;
use std::collections::BTreeMap;

use tradewind_kernel::asks::inventory::{Network, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_kernel::event::event_id;
use tradewind_kernel::events::inventory::PromiseMove;
use tradewind_kernel::events::planning::{MitigationOption, OptionsRanked};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::{Day, Id, Money, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::world::World;

use crate::HORIZON_WEEKS;
use crate::asks::{Asks, advice};
use crate::facts::{Channel, Item, Node};
use crate::late::LatePart;
use crate::mitigation::{Gain, Situation, rank};
use crate::promotion::Promotion;
use crate::risk::Ordered;
use crate::spending::is_limited;
use smallest::{Tried, Worse};

/// Trials for one item at most. Enough for eight suppliers, six protections and a few lanes.
const MOST_TRIALS: usize = 160;

/// Trials for an item with very many lines: a few suppliers, and some steps of each search.
const FEWEST_TRIALS: usize = 24;

/// Lines that the trials of one item peg together, about: each trial reads and pegs the whole
/// item, and options are advice that must not hold a reaction up for more than about a second.
const PEGGED_LINES: usize = 100_000;

/// How often an item with so many lines may be tried.
fn trials_for(lines: usize) -> usize {
    let fit = PEGGED_LINES.checked_div(lines).unwrap_or(MOST_TRIALS);
    fit.clamp(FEWEST_TRIALS, MOST_TRIALS)
}

/// What planning itself knows of the item and of what happened to it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Worsened {
    pub sku: Id,
    pub today: Day,
    pub item: Option<Item>,
    pub channels: BTreeMap<String, Channel>,
    pub nodes: BTreeMap<String, Node>,
    pub promotions: Vec<Promotion>,
    pub ordered: Ordered,
    /// Promises that the cause made worse.
    pub moved: Vec<PromiseMove>,
    /// Promotion units that the cause made short.
    pub newly_short: BTreeMap<Id, Quantity>,
    /// The cause made a protection shorter.
    pub holds_shorter: bool,
    /// The late parts of the cause.
    pub late: Vec<LatePart>,
}

/// One search for options.
pub(crate) struct Search<'a, W> {
    world: &'a W,
    tenant: &'a str,
    up_to: u64,
    situation: Situation,
    nodes: BTreeMap<String, Node>,
    late: Vec<LatePart>,
    offers: Vec<Offer>,
    /// What the open orders of suppliers with a limit sum to.
    commitments: BTreeMap<Id, Commitment>,
    network: Network,
    trials_left: Cell<usize>,
}

/// What can be done, ranked, as of the sequence `up_to` or later; `None` when nothing is worse any
/// more.
///
/// # Errors
/// `Behind` when an asked domain is; an outage when one is away.
pub async fn ranked<W: World>(
    world: &W,
    tenant: &str,
    worsened: Worsened,
    up_to: u64,
) -> Result<Option<OptionsRanked>, Failure>
where
    W::Asks: Asks,
{
    let sku = worsened.sku.clone();
    let name = sku.as_str();
    let base =
        advice(world, async |asks: &W::Asks| asks.trial(tenant, name, &[], up_to).await).await?;
    let Some(base) = base else { return Ok(None) };
    let outlook =
        advice(world, async |asks: &W::Asks| asks.outlook(tenant, HORIZON_WEEKS, up_to).await)
            .await?;
    let offers = advice(world, async |asks: &W::Asks| asks.offers(tenant, name).await).await?;
    let network = advice(world, async |asks: &W::Asks| asks.network(tenant).await).await?;
    let offers = offers.map(|answered| answered.value).unwrap_or_default();
    let commitments = commitments(world, tenant, &offers).await?;
    let mut situation = Situation {
        sku: sku.clone(),
        today: worsened.today,
        item: worsened.item,
        channels: worsened.channels,
        promotions: worsened.promotions,
        ordered: worsened.ordered,
        moved: worsened.moved,
        newly_short: worsened.newly_short,
        as_of: event_id(base.sequence),
        base: base.value,
        outlook: outlook.map(|answered| answered.value).unwrap_or_default(),
    };
    situation.forget_what_is_undone();
    let worse = !situation.still_worse().is_empty() || !situation.newly_short.is_empty();
    if !worse && !worsened.holds_shorter {
        return Ok(None);
    }
    let trials_left = Cell::new(trials_for(situation.base.lines.len()));
    let search = Search {
        world,
        tenant,
        up_to,
        situation,
        nodes: worsened.nodes,
        late: worsened.late,
        offers,
        commitments,
        network: network.map(|answered| answered.value).unwrap_or_default(),
        trials_left,
    };
    let mut options: Vec<MitigationOption> = Vec::new();
    options.extend(search.expedite().await?);
    options.extend(search.alternate_supplier().await?);
    options.extend(search.transfer().await?);
    options.extend(search.re_allocate().await?);
    options.extend(search.postpone_promotion());
    rank(&mut options);
    Ok(if options.is_empty() { None } else { Some(OptionsRanked { sku, options }) })
}

/// What is open with each supplier of these offers that has a limit.
///
/// # Errors
/// `Behind` when suppliers is; an outage when it is away.
pub async fn commitments<W: World>(
    world: &W,
    tenant: &str,
    offers: &[Offer],
) -> Result<BTreeMap<Id, Commitment>, Failure>
where
    W::Asks: Asks,
{
    let mut commitments = BTreeMap::new();
    for offer in offers.iter().filter(|offer| is_limited(offer)) {
        let supplier = offer.supplier.as_str();
        let ask = async |asks: &W::Asks| asks.commitment(tenant, supplier).await;
        if let Some(answered) = advice(world, ask).await? {
            commitments.insert(offer.supplier.clone(), answered.value);
        }
    }
    Ok(commitments)
}

impl<W: World> Search<'_, W>
where
    W::Asks: Asks,
{
    /// What these changes would bring; `None` when they make no sense any more, or when this item
    /// has had its trials.
    async fn gain(&self, changes: &[TrialChange]) -> Result<Option<Gain>, Failure> {
        let trial = self.trial(changes).await?;
        Ok(trial.map(|trial| self.situation.gain(&trial)))
    }

    async fn trial(&self, changes: &[TrialChange]) -> Result<Option<Trial>, Failure> {
        let Some(left) = self.trials_left.get().checked_sub(1) else { return Ok(None) };
        self.trials_left.set(left);
        let (tenant, sku) = (self.tenant, self.situation.sku.as_str());
        let ask = async |asks: &W::Asks| asks.trial(tenant, sku, changes, self.up_to).await;
        Ok(advice(self.world, ask).await?.map(|answered| answered.value))
    }

    /// The lines that are still worse, with the days that they were promised.
    fn worse_lines(&self) -> Vec<Worse> {
        let situation = &self.situation;
        let lost = |line: &PromiseMove| Some((line.clone(), situation.lost_promise(line)?));
        situation.base.lines.iter().filter_map(lost).collect()
    }

    /// What a quantity of a change says, judged by its gain.
    async fn tried(
        &self,
        change: TrialChange,
        helps: impl Fn(&Gain) -> bool,
    ) -> Result<Tried<Gain>, Failure> {
        Ok(match self.gain(&[change]).await? {
            Some(gain) if helps(&gain) => Tried::Helps(gain),
            Some(_) => Tried::Fails,
            None => Tried::Ended,
        })
    }

    /// The day on which goods that arrive at a node can be used.
    fn usable(&self, node: &Id, arrival: Day) -> Day {
        let node = self.nodes.get(node.as_str()).cloned().unwrap_or_default();
        node.calendar.usable_day(arrival, node.receiving_days)
    }

    /// The nodes from which what got worse is served: those of the moved lines' channels, else
    /// those of the promotions' channels; the highest priority first.
    fn wanting_nodes(&self) -> Vec<Id> {
        let mut lines = self.situation.still_worse();
        lines.sort_by_key(|line| {
            let priority = self.situation.channels.get(line.channel.as_str());
            (priority.map_or(u32::MAX, |channel| channel.priority), line.order.clone(), line.line)
        });
        let newly =
            |promotion: &&Promotion| self.situation.newly_short.contains_key(&promotion.promotion);
        let promoted = self.situation.promotions.iter().filter(newly);
        let mut channels: Vec<Id> = lines.into_iter().map(|line| line.channel).collect();
        if channels.is_empty() {
            channels.extend(promoted.map(|promotion| promotion.channel.clone()));
        }
        let mut nodes: Vec<Id> = Vec::new();
        for channel in channels {
            let Some(channel) = self.situation.channels.get(channel.as_str()) else { continue };
            for node in &channel.nodes {
                if !nodes.contains(node) {
                    nodes.push(node.clone());
                }
            }
        }
        nodes
    }

    /// Whether a supplier may be ordered from, by status and dates.
    fn is_usable(&self, offer: &Offer) -> bool {
        is_usable(offer, self.situation.today)
    }
}

/// Whether an offer may be ordered from today, by the supplier's status and the offer's dates.
#[must_use]
pub fn is_usable(offer: &Offer, today: Day) -> bool {
    let status = matches!(offer.status, SupplierStatus::Approved | SupplierStatus::Conditional);
    status
        && offer.from.is_none_or(|from| from <= today)
        && offer.until.is_none_or(|until| today <= until)
}

/// The unit price of an offer for a quantity: that of the last break it reaches.
#[must_use]
pub fn price_for(offer: &Offer, quantity: Quantity) -> Money {
    let reached = offer.breaks.iter().filter(|step| step.from <= quantity);
    reached.max_by_key(|step| step.from).map_or(offer.price, |step| step.price)
}

/// At most three names, and how many more there are.
fn listed(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}
