//! What procurement asks other domains.

use tradewind_kernel::asks::suppliers::Standing;
use tradewind_shell::world::{Answered, AskError};

/// Questions to suppliers.
pub trait Asks {
    /// Where a supplier stands now; an unknown one is refused with `supplier-unknown`.
    async fn standing(&self, tenant: &str, supplier: &str) -> Result<Answered<Standing>, AskError>;
}
