//! What remains of a replayed event when later ones of its subject have been told since.

use tradewind_kernel::Event;
use tradewind_kernel::event::{Payload, unless_told_anew};
use tradewind_kernel::events::finance::{SettingsChanged, rate_remains};

/// What remains of an event once a later one of the same subject is known: nothing of the settings,
/// and nothing of a rate that was set anew for its day.
#[must_use]
pub fn remains(event: Event, later: &Event) -> Option<Event> {
    unless_told_anew(&[SettingsChanged::TYPE], rate_remains(event, later)?, later)
}
