//! The events of a domain, as its list of events answers them: one form for each type, told apart by
//! `type`, so that a generated client knows what `data` is once it knows what happened.

use serde_json::json;
use tradewind_kernel::event::{Domain, Form};
use tradewind_kernel::events;
use tradewind_kernel::id::Id;
use tradewind_kernel::published::{Actor, EventId};
use tradewind_kernel::time::Instant;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::page_of;
use crate::route::{Described, described};

/// The name of the schema of an event of any type.
const EVENT: &str = "CloudEvent";

/// The name of the schema of what events of all types have.
const ENVELOPE: &str = "EventEnvelope";

/// What every event has, in the form of CloudEvents 1.0 with our extensions.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
struct EventEnvelope {
    /// The version of CloudEvents.
    specversion: SpecVersion,
    /// Give it as `after` to go on from here.
    #[schema(value_type = EventId)]
    id: String,
    /// `/{tenant}/{domain}`.
    #[schema(pattern = "^/[A-Za-z0-9][A-Za-z0-9._~-]{0,63}/[a-z]+$")]
    source: String,
    /// The id of what it is about.
    #[schema(format = "free-text")]
    subject: String,
    /// When, by the business clock.
    time: Instant,
    /// The form of `data`.
    datacontenttype: DataContentType,
    /// The cascade that it belongs to.
    correlationid: Id,
    /// Its place among all events of the tenant: digits of a fixed number, so that they sort.
    #[schema(pattern = "^[0-9]{16}$")]
    sequence: String,
    /// Who caused it.
    #[schema(value_type = Actor)]
    by: String,
    /// The event that caused it, if one did.
    #[schema(value_type = Option<EventId>, nullable = false)]
    causationid: Option<String>,
    /// The correlations that this one goes back to, separated by spaces; or what a caller named, when
    /// that was in use or is no id.
    #[schema(nullable = false, format = "free-text")]
    parentcorrelationid: Option<String>,
    /// Why, if somebody said so.
    #[schema(nullable = false, format = "free-text")]
    reason: Option<String>,
}

/// The version of CloudEvents.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
enum SpecVersion {
    #[schema(rename = "1.0")]
    One,
}

/// The form of an event's data.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
enum DataContentType {
    #[schema(rename = "application/json")]
    Json,
}

/// The schemas of the domain's events, which stand as they are; [`page`] brings those of their data.
pub(super) fn schemas(domain: Domain) -> Vec<(String, RefOr<Schema>)> {
    let forms: Vec<(String, Form)> = events::forms(domain).collect();
    let any = forms.iter().fold(OneOfBuilder::new(), |any, (_, form)| {
        any.item(Ref::from_schema_name(name(form, "Event")))
    });
    let any = any.description(Some("An event; what happened goes by `type`."));
    let mut schemas = vec![
        (EVENT.to_owned(), Schema::OneOf(any.build()).into()),
        (ENVELOPE.to_owned(), EventEnvelope::schema()),
    ];
    for (kind, form) in &forms {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([json!(kind)]));
        let own = ObjectBuilder::new()
            .property("type", word)
            .property("data", Ref::from_schema_name(name(form, "Data")))
            .required("type")
            .required("data");
        let whole = AllOfBuilder::new().item(Ref::from_schema_name(ENVELOPE)).item(own);
        schemas.push((name(form, "Event"), Schema::AllOf(whole.build()).into()));
    }
    schemas
}

/// A page of the domain's events.
pub(super) fn page(domain: Domain) -> Described {
    let mut parts = described::<EventEnvelope>().parts;
    for (_, form) in events::forms(domain) {
        (form.parts)(&mut parts);
        parts.push((name(&form, "Data"), (form.schema)()));
    }
    page_of(EVENT, parts)
}

/// The name of a schema of this form; its payload's own name may be that of an answer as well.
fn name(form: &Form, part: &str) -> String {
    format!("{}{part}", (form.name)())
}
