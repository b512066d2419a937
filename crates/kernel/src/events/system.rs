//! Events that every domain can say: what the shell itself appends.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Form};
use crate::id::Id;
use crate::published::{Code, EventId, EventType};
use crate::refusal::Fault;
use crate::role::Role;

/// A role tried what it may not, or an approval was refused: `{domain}.access-refused`. The type
/// has the domain in it, so this payload has no fixed type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccessRefused {
    /// The method and path that were tried.
    #[schema(pattern = "^(GET|PUT|POST|DELETE) /")]
    pub attempt: String,
    /// The refusal's code.
    #[schema(value_type = Code)]
    pub code: String,
    /// The roles of the token.
    #[schema(value_type = Vec<Role>)]
    pub roles: Vec<String>,
    /// How many further refusals of the same subject this one stands for.
    #[serde(default)]
    pub further: u64,
}

/// An event could not be processed and was set aside: `{domain}.event-parked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventParked {
    /// The id of the parked event.
    #[schema(value_type = EventId)]
    pub event: String,
    /// Its type.
    #[schema(value_type = EventType)]
    pub kind: String,
    /// Its correlation.
    #[schema(value_type = Id)]
    pub correlation: String,
    /// Why: the refusal's code and words, or that it was tried in vain.
    #[schema(format = "free-text")]
    pub why: String,
    /// The faults, if there are any.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A parked event was dismissed by a person: `{domain}.event-dismissed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventDismissed {
    /// The id of the parked event.
    #[schema(value_type = EventId)]
    pub event: String,
}

/// A person had a parked event processed once more: `{domain}.event-replayed`. The domain reacts
/// to it as it would have to the event inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventReplayed {
    /// The id of the parked event.
    #[schema(value_type = EventId)]
    pub event: String,
    /// The parked event itself.
    pub replayed: Event,
}

/// What every domain can say, and the form of its data; the type begins with the domain.
pub const FORMS: &[Form] = &[
    Form::of::<AccessRefused>("access-refused"),
    Form::of::<EventParked>("event-parked"),
    Form::of::<EventDismissed>("event-dismissed"),
    Form::of::<EventReplayed>("event-replayed"),
];
