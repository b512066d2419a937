//! What remains of a replayed event when later ones of its subject have been told since.

use tradewind_kernel::Event;
use tradewind_kernel::event::{Payload, unless_told_anew};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::inventory::{ChannelSet, ItemPegged, ItemSet, NodeSet, OrderChanged};

/// What remains of an event once a later one of the same subject is known: nothing of a state that
/// was told anew. A pegging may be told in parts; its first part begins another.
#[must_use]
pub fn remains(event: Event, later: &Event) -> Option<Event> {
    const STATES: [&str; 5] =
        [SettingsChanged::TYPE, ItemSet::TYPE, NodeSet::TYPE, ChannelSet::TYPE, OrderChanged::TYPE];
    if event.is::<ItemPegged>() && later.is::<ItemPegged>() {
        let begins = later.read::<ItemPegged>().is_ok_and(|pegging| pegging.part == 1);
        return (!begins).then_some(event);
    }
    unless_told_anew(&STATES, event, later)
}
