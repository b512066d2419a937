//! Events as they lie in a stream: the JSON of [`Event`] without its sequence, which is the id.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradewind_kernel::decision::json;
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin};
use tradewind_kernel::time::Instant;

use super::reply::{parse, senseless};
use crate::store::Outage;

#[derive(Serialize)]
struct Told<'a> {
    domain: Domain,
    #[serde(flatten)]
    what: &'a NewEvent,
    #[serde(flatten)]
    origin: &'a Origin,
}

/// All fields side by side: reading them flattened costs thrice the time.
#[derive(Deserialize)]
struct Kept {
    domain: Domain,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    data: Value,
    at: Instant,
    by: String,
    #[serde(default)]
    reason: Option<String>,
    correlation: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    causation: Option<String>,
}

/// The JSON of an event that gets its sequence from the commit.
pub(super) fn encode(domain: Domain, what: &NewEvent, origin: &Origin) -> String {
    json(&Told { domain, what, origin })
}

/// The event with this id (`<sequence>-0`, or the sequence alone).
pub(super) fn decode(id: &str, text: &str) -> Result<Event, Outage> {
    let sequence = parse(id.split('-').next().unwrap_or_default())?;
    let kept: Kept =
        serde_json::from_str(text).map_err(|error| senseless(&format!("event {id}: {error}")))?;
    let Kept { domain, kind, subject, data, at, by, reason, correlation, parent, causation } = kept;
    let what = NewEvent { kind, subject, data };
    let origin = Origin { at, by, reason, correlation, parent, causation };
    Ok(Event { sequence, domain, what, origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_told() {
        let what = NewEvent {
            kind: "finance.rate-set".to_owned(),
            subject: "EUR".to_owned(),
            data: serde_json::json!({"rate": "1.1", "lines": [{"n": 1}]}),
        };
        let origin = Origin {
            at: serde_json::from_str("\"2026-12-01T08:00:00.000Z\"").unwrap(),
            by: "someone \"odd\"".to_owned(),
            reason: Some("because".to_owned()),
            correlation: "c1".to_owned(),
            parent: None,
            causation: Some("ev_3".to_owned()),
        };
        let text = encode(Domain::Finance, &what, &origin);
        let event = Event { sequence: 12, domain: Domain::Finance, what, origin };
        assert_eq!(decode("12-0", &text).unwrap(), event);
        assert_eq!(decode("12", &text).unwrap(), event);
        let whole: Value = serde_json::to_value(&event).unwrap();
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        kept["sequence"] = 12.into();
        assert_eq!(kept, whole);
    }
}
