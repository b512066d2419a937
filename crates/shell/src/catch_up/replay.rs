//! Replays: an event that was set aside is processed once more, because a person said so.
//!
//! It comes late. What it told of a state that later events have told anew is old, and the domain
//! says what remains of it ([`Service::remains`]); goods that arrived have arrived all the same.

use tradewind_kernel::event::{Domain, Event};
use tradewind_kernel::events::system::EventReplayed;

use super::Engine;
use crate::failure::Failure;
use crate::service::Service;
use crate::store::{Found, Outage, Read};
use crate::world::World;

/// Events read at a time when later ones of a replayed event's subject are looked for.
const LATER_PAGE: usize = 500;

/// What a batch stands for.
pub(super) enum Meant {
    /// Itself.
    Itself,
    /// An event that was set aside, as much of it as remains; the other is its id.
    Replay(Vec<Event>, String),
}

impl Meant {
    /// What to react to: the batch, or the event of a replay; nothing when none of it remains.
    pub(super) fn events<'a>(&'a self, batch: &'a [Event]) -> &'a [Event] {
        match self {
            Self::Itself => batch,
            Self::Replay(events, _) => events,
        }
    }
}

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    /// What a batch stands for. Looking again gives the same, since only what lies before the
    /// replay counts.
    pub(super) async fn meant(&self, batch: &[Event]) -> Result<Meant, Failure> {
        let Some(event) = replayed_event(S::DOMAIN, batch) else { return Ok(Meant::Itself) };
        let (id, until) = (event.id(), batch.first().map_or(0, |replay| replay.sequence));
        let remains = self.remaining(event, until).await?;
        Ok(Meant::Replay(remains.into_iter().collect(), id))
    }

    /// What remains of an event after those of its subject before `until`.
    async fn remaining(&self, event: Event, until: u64) -> Result<Option<Event>, Failure> {
        let (domain, mut after, mut event) = (event.domain, event.sequence, event);
        loop {
            let read = Read::Events { domain, after, limit: LATER_PAGE };
            let found = self.gather(0).fetch(vec![read]).await?;
            let Some(Found::Events(page)) = found.into_iter().next() else {
                return Err(Outage("later events were not answered".to_owned()).into());
            };
            let of_subject =
                |later: &&Event| later.sequence < until && later.what.subject == event.what.subject;
            let later: Vec<&Event> = page.iter().filter(of_subject).collect();
            for later in later {
                match S::remains(event, later) {
                    Some(remaining) => event = remaining,
                    None => return Ok(None),
                }
            }
            match page.last() {
                Some(last) if page.len() == LATER_PAGE && last.sequence < until => {
                    after = last.sequence;
                }
                _ => return Ok(Some(event)),
            }
        }
    }
}

/// The event that a person had replayed for this domain, when that is what the batch is. A replay
/// for another domain is an event like any other.
pub(super) fn replayed_event(domain: Domain, batch: &[Event]) -> Option<Event> {
    let [only] = batch else { return None };
    let is_replay = only.domain == domain && only.kind().ends_with(".event-replayed");
    let read = || serde_json::from_value::<EventReplayed>(only.what.data.clone()).ok();
    is_replay.then(read).flatten().map(|replayed| replayed.replayed)
}
