//! What inventory asks other domains.

use tradewind_kernel::Id;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_shell::world::{Answered, AskError};

/// Questions to suppliers: who could be bought from, and how soon.
pub trait Asks {
    /// Every offer for an item, whatever the supplier's status; none is an answer.
    async fn offers(&self, tenant: &str, sku: &Id) -> Result<Answered<Vec<Offer>>, AskError>;
}
