//! Events: what happened, told to the other domains and to the outside.
//!
//! Every event is appended to its domain's stream in the commit that caused it. All streams of a
//! tenant share one sequence, so an id is `ev_` and that number. The registry [`REACTIONS`] is the
//! one place that says which domain reacts to which type.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::id::Id;
use crate::published::{Actor, EventId, EventType};
use crate::time::Instant;

/// One of the six domains.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Domain {
    Suppliers,
    Procurement,
    Inventory,
    Planning,
    Finance,
    Reporting,
}

impl Domain {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Suppliers,
        Self::Procurement,
        Self::Inventory,
        Self::Planning,
        Self::Finance,
        Self::Reporting,
    ];

    /// Its name in paths, keys and event types.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Suppliers => "suppliers",
            Self::Procurement => "procurement",
            Self::Inventory => "inventory",
            Self::Planning => "planning",
            Self::Finance => "finance",
            Self::Reporting => "reporting",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Domain {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|domain| domain.name() == text).ok_or(())
    }
}

/// The data of one type of event.
pub trait Payload: Serialize + DeserializeOwned {
    /// The type: `{domain}.{what-happened}`.
    const TYPE: &'static str;
}

/// A type of event and the form of its data, as they are published.
#[derive(Clone, Copy)]
pub struct Form {
    /// What happened: the type, without the domain where every domain can say it.
    pub kind: &'static str,
    /// The name of the data's schema.
    pub name: fn() -> Cow<'static, str>,
    /// The schema.
    pub schema: fn() -> RefOr<Schema>,
    /// Adds what the schema refers to.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Form {
    /// Data of this payload under this type.
    #[must_use]
    pub const fn of<P: ToSchema>(kind: &'static str) -> Self {
        Self { kind, name: P::name, schema: P::schema, parts: P::schemas }
    }
}

/// An event that a decision appends; the shell adds who, when, why and the sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewEvent {
    /// The type: `{domain}.{what-happened}`.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    pub kind: String,
    /// The id of what it is about.
    #[schema(format = "free-text")]
    pub subject: String,
    /// The payload.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl NewEvent {
    /// An event of this payload about `subject`.
    ///
    /// # Panics
    /// Never: our payloads serialise.
    #[must_use]
    pub fn of<P: Payload>(subject: impl Into<String>, payload: &P) -> Self {
        Self::named(P::TYPE, subject, payload)
    }

    /// An event whose type names the domain that tells it, such as `{domain}.access-refused`.
    ///
    /// # Panics
    /// Never: our payloads serialise.
    #[must_use]
    pub fn named(
        kind: impl Into<String>,
        subject: impl Into<String>,
        payload: &impl Serialize,
    ) -> Self {
        #[allow(clippy::expect_used, reason = "our payloads have text keys and always serialise")]
        let data = serde_json::to_value(payload).expect("our payloads serialise");
        Self { kind: kind.into(), subject: subject.into(), data }
    }
}

/// Who, when and why: the same for all events of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Origin {
    /// When, by the business clock.
    pub at: Instant,
    /// The subject of the token, or `system`.
    #[schema(value_type = Actor)]
    pub by: String,
    /// Why, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    /// What it all belongs to: the id of the cascade.
    #[schema(value_type = Id)]
    pub correlation: String,
    /// What a caller named as correlation, when that was in use or is no id; or the correlations
    /// that a re-pegging serves, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "free-text")]
    pub parent: Option<String>,
    /// The id of the event that caused this commit, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<EventId>)]
    pub causation: Option<String>,
}

/// A committed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Its place in the tenant's sequence.
    pub sequence: u64,
    /// The domain whose stream holds it.
    pub domain: Domain,
    /// Type, subject and payload.
    #[serde(flatten)]
    pub what: NewEvent,
    /// Who, when, why.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Event {
    /// Its id: `ev_` and the sequence.
    #[must_use]
    pub fn id(&self) -> String {
        event_id(self.sequence)
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.what.kind
    }

    /// Whether it is of this payload's type.
    #[must_use]
    pub fn is<P: Payload>(&self) -> bool {
        self.what.kind == P::TYPE
    }

    /// The payload, if the event is of its type and reads as it.
    ///
    /// # Errors
    /// What serde says when the data does not read as `P`.
    pub fn read<P: Payload>(&self) -> Result<P, serde_json::Error> {
        serde_json::from_value(self.what.data.clone())
    }
}

/// The event, unless it and the later one are both of one of these types.
#[must_use]
pub fn unless_told_anew(types: &[&str], event: Event, later: &Event) -> Option<Event> {
    let anew = event.kind() == later.kind() && types.contains(&later.kind());
    (!anew).then_some(event)
}

/// The id of the event with this sequence.
#[must_use]
pub fn event_id(sequence: u64) -> String {
    format!("ev_{sequence}")
}

/// The sequence in an event id, if it is one.
#[must_use]
pub fn sequence_of(id: &str) -> Option<u64> {
    let digits = id.strip_prefix("ev_")?;
    let plain =
        !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

use Domain::{Finance, Inventory, Planning, Procurement, Suppliers};

/// Which domains react to an event type. Reporting reacts to every type but its own, so it is not
/// listed. A type that is not listed here interests reporting alone.
pub const REACTIONS: &[(&str, &[Domain])] = &[
    ("finance.settings-changed", &[Suppliers, Procurement, Inventory, Planning, Finance]),
    ("procurement.order-released", &[Suppliers, Inventory, Finance]),
    ("procurement.order-confirmed", &[Suppliers, Inventory, Planning, Finance]),
    ("procurement.price-accepted", &[Suppliers, Finance]),
    ("procurement.order-received", &[Suppliers, Inventory, Finance]),
    ("procurement.order-past-due", &[Planning]),
    ("procurement.order-closed", &[Suppliers, Inventory, Finance]),
    ("procurement.order-cancelled", &[Suppliers, Inventory, Finance]),
    ("inventory.day-turned", &[Suppliers, Procurement, Inventory, Planning, Finance]),
    ("inventory.item-set", &[Procurement, Planning]),
    ("inventory.node-set", &[Procurement, Inventory, Planning, Finance]),
    ("inventory.channel-set", &[Inventory, Planning, Finance]),
    ("inventory.order-changed", &[Planning, Finance]),
    ("inventory.reserved", &[Finance]),
    ("inventory.reservation-shipped", &[Planning, Finance]),
    ("inventory.reservation-released", &[Finance]),
    ("inventory.item-pegged", &[Planning, Finance]),
    ("planning.promotion-set", &[Planning]),
    ("planning.run-requested", &[Planning]),
    ("finance.rate-set", &[Procurement, Finance]),
    ("suppliers.event-replayed", &[Suppliers]),
    ("procurement.event-replayed", &[Procurement]),
    ("inventory.event-replayed", &[Inventory]),
    ("planning.event-replayed", &[Planning]),
    ("finance.event-replayed", &[Finance]),
];

/// The domains that react to events of this type.
pub fn reactors(kind: &str) -> impl Iterator<Item = Domain> {
    let listed = REACTIONS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, who)| who);
    let reporting = !kind.starts_with("reporting.");
    listed.iter().copied().chain(reporting.then_some(Domain::Reporting))
}

/// The event types that `domain` reacts to; for reporting, all but its own: an empty list.
pub fn reacted_by(domain: Domain) -> impl Iterator<Item = &'static str> {
    REACTIONS.iter().filter(move |(_, who)| who.contains(&domain)).map(|(kind, _)| *kind)
}
