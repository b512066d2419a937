//! What procurement asks other domains, and the plug-in for order approval.

use tradewind_kernel::asks::approval::{Opinion, Question, Unanswered};
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_shell::world::{Answered, AskError};

/// Questions to suppliers and to the plug-in.
pub trait Asks {
    /// Where a supplier stands now; an unknown one is refused with `supplier-unknown`.
    async fn standing(&self, tenant: &str, supplier: &str) -> Result<Answered<Standing>, AskError>;

    /// What the plug-in thinks of an order; asked while gathering for a command, never in a reaction.
    /// A world without one has no opinion, as the default plug-in has none.
    async fn judge(&self, _question: &Question) -> Result<Opinion, Unanswered> {
        Ok(Opinion::NoOpinion)
    }
}
