//! Audit: the chain that makes it evident when an event was altered, removed or slipped in.
//!
//! Each event of every domain has an entry, in sequence order; its hash is the SHA-256 of the hash
//! before and the event in canonical JSON (names sorted, no spaces). Reporting's own events take
//! their place as soon as a later event of another domain arrives. Entries are packed: one set
//! holds [`PACK`] of them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tradewind_kernel::canonical::canonical;
use tradewind_kernel::event::{Domain, Event, event_id};
use tradewind_kernel::published::{EventId, HashText};
use utoipa::ToSchema;

/// Entries in one set: few keys, and a page of the list reads one or two of them.
pub const PACK: u64 = 256;

/// What stands before the first entry's event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The newest entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries there are.
    pub entries: u64,
    /// The sequence of the newest one's event.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { entries: 0, sequence: 0, hash: GENESIS.to_owned() }
    }
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The event's sequence.
    pub sequence: u64,
    /// The event's domain.
    pub domain: Domain,
    /// The chain up to here.
    pub hash: String,
}

/// An entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// Its number, from 1.
    pub entry: u64,
    /// The event.
    #[schema(value_type = EventId)]
    pub id: String,
    /// The domain whose stream holds the event.
    pub domain: Domain,
    /// The chain up to here: SHA-256 in hexadecimal.
    #[schema(value_type = HashText)]
    pub hash: String,
}

impl EntryView {
    /// The view of an entry.
    #[must_use]
    pub fn of(number: u64, entry: &Entry) -> Self {
        let (id, domain) = (event_id(entry.sequence), entry.domain);
        Self { entry: number, id, domain, hash: entry.hash.clone() }
    }
}

/// The pack that holds an entry, and its name in there; numbers start at 1.
#[must_use]
pub fn place(number: u64) -> (u64, String) {
    let before = number.saturating_sub(1);
    (before.checked_div(PACK).unwrap_or(0), format!("{:03}", before.checked_rem(PACK).unwrap_or(0)))
}

impl Head {
    /// Appends an event's entry; gives back its number and the entry.
    pub fn append(&mut self, event: &Event) -> (u64, Entry) {
        assert!(event.sequence > self.sequence, "entries go in sequence order");
        self.hash = link(&self.hash, event);
        (self.entries, self.sequence) = (self.entries.saturating_add(1), event.sequence);
        let hash = self.hash.clone();
        (self.entries, Entry { sequence: event.sequence, domain: event.domain, hash })
    }
}

/// The hash of an event's entry after `previous`.
#[must_use]
pub fn link(previous: &str, event: &Event) -> String {
    let mut hash = Sha256::new();
    hash.update(previous.as_bytes());
    hash.update(canonical(event).as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How the chain and the streams part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Parting {
    /// The event is not what it was.
    Altered,
    /// The event is gone.
    Missing,
    /// The event has no entry.
    Unexpected,
    /// The chain does not end where it says.
    Head,
}

/// Where the chain and the streams part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The number of the entry.
    pub entry: u64,
    /// The event.
    #[schema(value_type = EventId)]
    pub id: String,
    /// How they part.
    pub what: Parting,
}

/// What checking the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// How many entries the chain has.
    pub entries: u64,
    /// Whether every event is what it was when its entry was made.
    pub valid: bool,
    /// The first difference, if there is one.
    pub first_difference: Option<Difference>,
}

/// Checks a chain entry by entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    hash: String,
    checked: u64,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { hash: GENESIS.to_owned(), checked: 0 }
    }
}

impl Verifier {
    /// Checks the next entry against the next event of the streams, either of which may be absent.
    ///
    /// # Errors
    /// The difference.
    pub fn next(&mut self, entry: Option<&Entry>, event: Option<&Event>) -> Result<(), Difference> {
        let number = self.checked.saturating_add(1);
        let found = |sequence: u64, what: Parting| Difference {
            entry: number,
            id: event_id(sequence),
            what,
        };
        match (entry, event) {
            (None, None) => return Ok(()),
            (None, Some(event)) => return Err(found(event.sequence, Parting::Unexpected)),
            (Some(entry), None) => return Err(found(entry.sequence, Parting::Missing)),
            (Some(entry), Some(event)) if event.sequence < entry.sequence => {
                return Err(found(event.sequence, Parting::Unexpected));
            }
            (Some(entry), Some(event)) if event.sequence > entry.sequence => {
                return Err(found(entry.sequence, Parting::Missing));
            }
            (Some(entry), Some(event)) => {
                let hash = link(&self.hash, event);
                if hash != entry.hash || entry.domain != event.domain {
                    return Err(found(entry.sequence, Parting::Altered));
                }
                self.hash = hash;
            }
        }
        self.checked = number;
        Ok(())
    }

    /// The result when all entries and events have been checked.
    #[must_use]
    pub fn finish(self, head: &Head, difference: Option<Difference>) -> Verification {
        let ends = self.checked == head.entries && self.hash == head.hash;
        let at_head =
            || Difference { entry: head.entries, id: event_id(head.sequence), what: Parting::Head };
        let first_difference = difference.or_else(|| (!ends).then(at_head));
        let valid = first_difference.is_none();
        Verification { entries: head.entries, valid, first_difference }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(sequence: u64, note: &str) -> Event {
        serde_json::from_value(json!({
            "sequence": sequence, "domain": "inventory", "type": "inventory.stock-moved",
            "subject": "X", "data": { "z": 1, "a": [note, { "d": null, "b": true }] },
            "at": "2026-12-01T09:00:00.000Z", "by": "ann", "correlation": "c",
        }))
        .unwrap()
    }

    fn chain(events: &[Event]) -> (Head, Vec<Entry>) {
        let mut head = Head::default();
        let entries = events.iter().map(|event| head.append(event).1).collect();
        (head, entries)
    }

    fn verify(head: &Head, entries: &[Entry], events: &[Event]) -> Verification {
        let mut verifier = Verifier::default();
        let mut difference = None;
        for place in 0..entries.len().max(events.len()) {
            if let Err(found) = verifier.next(entries.get(place), events.get(place)) {
                difference = Some(found);
                break;
            }
        }
        verifier.finish(head, difference)
    }

    #[test]
    fn canonical_json_sorts_every_name() {
        let text = canonical(&event(1, "\"x\""));
        assert!(text.starts_with("{\"at\":\"2026-12-01T09:00:00.000Z\",\"by\":\"ann\""), "{text}");
        assert!(text.contains("\"data\":{\"a\":[\"\\\"x\\\"\",{\"b\":true,\"d\":null}],\"z\":1}"));
    }

    #[test]
    fn every_tampering_is_found_where_it_was_done() {
        let events = [event(2, "a"), event(5, "b"), event(6, "c")];
        let (head, entries) = chain(&events);
        let whole = verify(&head, &entries, &events);
        assert!(whole.valid && whole.entries == 3);
        let altered = [event(2, "a"), event(5, "B"), event(6, "c")];
        let removed = [event(2, "a"), event(6, "c")];
        let slipped = [event(2, "a"), event(3, "x"), event(5, "b"), event(6, "c")];
        for (events, entry, id, what) in [
            (&altered[..], 2, "ev_5", Parting::Altered),
            (&removed[..], 2, "ev_5", Parting::Missing),
            (&slipped[..], 2, "ev_3", Parting::Unexpected),
        ] {
            let found = verify(&head, &entries, events).first_difference.unwrap();
            assert_eq!((found.entry, found.id.as_str(), found.what), (entry, id, what));
        }
        // Both event and entry of the end removed: the head still knows.
        let cut = verify(&head, &entries[..2], &events[..2]);
        assert_eq!(cut.first_difference.unwrap().what, Parting::Head);
    }

    #[test]
    fn entries_are_packed() {
        assert_eq!(place(1), (0, "000".to_owned()));
        assert_eq!(place(256), (0, "255".to_owned()));
        assert_eq!(place(257), (1, "000".to_owned()));
    }
}
