//! What remains of a replayed event when later ones of its subject have been told since.

use tradewind_kernel::Event;
use tradewind_kernel::event::{Payload, unless_told_anew};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::procurement;

/// What remains of an event once a later one of the same subject is known: nothing of the settings
/// and of a purchase order's state; of a receipt, its goods. Another day or network has plans made
/// anew, whichever event says so.
#[must_use]
pub fn remains(event: Event, later: &Event) -> Option<Event> {
    unless_told_anew(&[SettingsChanged::TYPE], procurement::remains(event, later)?, later)
}
