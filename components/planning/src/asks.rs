//! What planning asks other domains.

use tradewind_kernel::Id;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_shell::failure::Failure;
use tradewind_shell::store::Outage;
use tradewind_shell::world::{Answered, AskError, World};

/// The questions; `component/` asks them through `wit/`, tests answer them natively.
///
/// `up_to` is the sequence of the event that is being reacted to: the answer includes every event
/// up to there. What came later may be in it or not, so that a provider that is never quite caught
/// up, because it is always busy, can still be asked.
pub trait Asks {
    /// Every offer of an item (`suppliers.offers`).
    async fn offers(&self, tenant: &str, sku: &str) -> Result<Answered<Vec<Offer>>, AskError>;

    /// What may be spent with a supplier (`suppliers.commitment`).
    async fn commitment(
        &self,
        tenant: &str,
        supplier: &str,
    ) -> Result<Answered<Commitment>, AskError>;

    /// The pegging of an item as if `changes` were so (`stock.trial`).
    async fn trial(
        &self,
        tenant: &str,
        sku: &str,
        changes: &[TrialChange],
        up_to: u64,
    ) -> Result<Answered<Trial>, AskError>;

    /// Lanes and channels (`stock.network`).
    async fn network(&self, tenant: &str) -> Result<Answered<Network>, AskError>;

    /// Stock, supply and demand of at most 64 items, node by node (`stock.positions`).
    async fn positions(
        &self,
        tenant: &str,
        skus: &[Id],
        up_to: u64,
    ) -> Result<Answered<Vec<Position>>, AskError>;

    /// The cash forecast over so many weeks (`cash.outlook`).
    async fn outlook(
        &self,
        tenant: &str,
        weeks: u32,
        up_to: u64,
    ) -> Result<Answered<Outlook>, AskError>;
}

/// Tries of one ask while its provider is behind: a provider reacts to the same events as planning
/// and is usually done within a few milliseconds; together half a second.
const PATIENCE: u32 = 25;

/// How long one wait is.
const PAUSE_MILLIS: u64 = 20;

/// Asks, and takes the answer as it comes: in a reaction it is advice as of the sequence it names,
/// so its witnesses are not checked. A provider that is behind is waited for a little. `None` when
/// the question makes no sense any more.
///
/// # Errors
/// `Behind` when the provider stays behind; an outage when it is away.
pub async fn advice<W: World, T>(
    world: &W,
    ask: impl AsyncFn(&W::Asks) -> Result<Answered<T>, AskError>,
) -> Result<Option<Answered<T>>, Failure> {
    for _ in 0..PATIENCE {
        match ask(world.asks()).await {
            Ok(answered) => return Ok(Some(answered)),
            Err(AskError::Refused(..)) => return Ok(None),
            Err(AskError::Unavailable(why)) => return Err(Outage(why).into()),
            Err(AskError::Behind) => world.pause(PAUSE_MILLIS).await,
        }
    }
    Err(Failure::Behind)
}
