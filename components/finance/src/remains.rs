//! What remains of a replayed event when later ones of its subject have been told since.

use std::collections::BTreeSet;

use tradewind_kernel::event::{Payload, unless_told_anew};
use tradewind_kernel::events::finance::{SettingsChanged, rate_remains};
use tradewind_kernel::events::inventory::{ChannelSet, ItemPegged, NodeSet, OrderChanged};
use tradewind_kernel::events::procurement;
use tradewind_kernel::{Event, Id, NewEvent};

/// What remains of an event once a later one of the same subject is known: nothing of a state that
/// was told anew, of a receipt its goods, of a pegging the lines that were not promised anew.
#[must_use]
pub fn remains(event: Event, later: &Event) -> Option<Event> {
    const STATES: [&str; 4] =
        [SettingsChanged::TYPE, NodeSet::TYPE, ChannelSet::TYPE, OrderChanged::TYPE];
    let event = rate_remains(procurement::remains(event, later)?, later)?;
    unless_told_anew(&STATES, without_moved(event, later), later)
}

/// A pegging without the lines that the later one of the same item moved again. One that does not
/// read stays as it is.
fn without_moved(mut event: Event, later: &Event) -> Event {
    if !event.is::<ItemPegged>() || !later.is::<ItemPegged>() {
        return event;
    }
    if let (Ok(mut pegged), Ok(again)) = (event.read::<ItemPegged>(), later.read::<ItemPegged>()) {
        let named: BTreeSet<(&Id, u32)> =
            again.moved.iter().map(|moved| (&moved.order, moved.line)).collect();
        pegged.moved.retain(|moved| !named.contains(&(&moved.order, moved.line)));
        event.what = NewEvent::of(&event.what.subject, &pegged);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pegged(sequence: u64, moved: &[(&str, &str)]) -> Event {
        let one = |(order, day): &(&str, &str)| {
            json!({
                "order": order, "line": 1, "channel": "web", "sku": "X", "quantity": 1,
                "wanted": "2026-12-01", "old_day": null, "new_day": day, "price": null,
            })
        };
        let moved: Vec<Value> = moved.iter().map(one).collect();
        serde_json::from_value(json!({
            "sequence": sequence, "domain": "inventory", "type": ItemPegged::TYPE, "subject": "X",
            "data": {
                "sku": "X", "today": "2026-12-01", "part": 1, "parts": 1, "moved": moved,
                "left_over": [], "held": [],
            },
            "at": "2026-12-01T09:00:00.000Z", "by": "ann", "correlation": "c",
        }))
        .unwrap()
    }

    #[test]
    fn lines_that_were_not_promised_anew_remain() {
        let event = pegged(1, &[("O1", "2026-12-05"), ("O2", "2026-12-05")]);
        let later = pegged(2, &[("O1", "2026-12-09")]);
        let read = |event: &Event| event.read::<ItemPegged>().unwrap();
        let wanted = read(&pegged(1, &[("O2", "2026-12-05")]));
        assert_eq!(remains(event, &later).as_ref().map(read), Some(wanted));
    }
}
