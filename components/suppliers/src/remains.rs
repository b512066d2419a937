//! What remains of a replayed event when later ones of its subject have been told since.

use tradewind_kernel::Event;
use tradewind_kernel::event::{Payload, unless_told_anew};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::procurement::tells_state;

/// What remains of an event once a later one of the same subject is known: nothing of the settings
/// and of an order, whose later state has been followed.
#[must_use]
pub fn remains(event: Event, later: &Event) -> Option<Event> {
    if tells_state(&event) && tells_state(later) {
        return None;
    }
    unless_told_anew(&[SettingsChanged::TYPE], event, later)
}
