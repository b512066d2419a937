//! What every domain has alike: the shell's own operations, problems, and headers.

use tradewind_kernel::event::Domain;
use tradewind_kernel::id::Id;
use tradewind_kernel::published::{Code, EventType};
use tradewind_kernel::refusal::Fault;
use utoipa::ToSchema;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};

use super::{Entry, events, page};
use crate::http::Method;
use crate::route::{Described, QueryParameter, Role, described};

pub(super) const DESCRIPTION: &str = "Quantities are whole numbers of at most 10^15 in size, \
    amounts and ratios decimal strings, days `YYYY-MM-DD`, instants RFC 3339 in UTC. A text of the \
    format `free-text` is for people and promises no form; one of `cursor` is only to be given \
    back. Unknown fields are refused. A refusal changes nothing and names every fault.";

pub(super) const TOKEN_DESCRIPTION: &str = "A JWT signed with EdDSA or ES256 by a known key \
    (`kid`), with the claims `sub`, `tenant`, `roles`, `exp` and `aud`, for partners `supplier` or \
    `channel`. `x-roles` of an operation lists who may; one of them is enough.";

pub(super) const KEY_DESCRIPTION: &str = "the same key and the same request give the same answer, \
    for 7 days; the same key with another request is refused with 409";

/// The problem body (RFC 9457).
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; http.rs writes it")]
pub(super) struct Problem {
    /// `urn:tradewind:problem:` and the code.
    #[schema(rename = "type", pattern = "^urn:tradewind:problem:[a-z0-9]+(-[a-z0-9]+)*$")]
    kind: String,
    /// What sort of problem.
    #[schema(format = "free-text")]
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong.
    #[schema(value_type = Code)]
    code: String,
    /// A sentence for a person.
    #[schema(format = "free-text")]
    detail: String,
    /// The correlation of the request.
    #[schema(value_type = Id)]
    correlation_id: String,
    /// Every fault found; may be empty when `code` says it all.
    errors: Vec<Fault>,
}

/// An event that could not be processed and was set aside.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
struct ParkedEvent {
    /// The event's id.
    id: Id,
    /// Its type.
    #[schema(rename = "type", value_type = EventType)]
    kind: String,
    /// Its correlation.
    #[schema(value_type = Id)]
    correlation_id: String,
    /// Why it was set aside.
    #[schema(format = "free-text")]
    why: String,
    /// The faults, if there are any.
    faults: Vec<Fault>,
}

/// A parked event was replayed or dismissed.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
struct ParkedEnd {
    /// The event's id.
    event: Id,
}

/// What a tick did.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
struct TickReport {
    /// How many tenants were to be done.
    #[schema(minimum = 0)]
    tenants: i64,
    /// How many were.
    #[schema(minimum = 0)]
    done: i64,
    /// Those that were not; the next tick does them.
    failed: Vec<Id>,
}

/// Whether the domain and its store answer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
struct Health {
    /// `down` comes with 503.
    status: HealthStatus,
}

/// Whether a domain and its store answer.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only described; serve.rs writes it")]
enum HealthStatus {
    Up,
    Down,
}

const EVENT_QUERY: &[QueryParameter] = &[
    QueryParameter {
        name: "after",
        required: false,
        most: 1,
        form: "id",
        description: "the id of the last event seen",
    },
    QueryParameter {
        name: "limit",
        required: false,
        most: 1,
        form: "integer",
        description: "at most so many",
    },
];

/// The operations that the shell answers for every domain.
pub(super) fn entries(domain: Domain) -> Vec<Entry<'static>> {
    let entry = |method, path: &str, summary, roles, answer: Option<Described>| Entry {
        method,
        path: format!("/{domain}/v1/{path}"),
        summary,
        roles,
        body: None,
        lines: false,
        query: &[],
        answers: vec![(200, answer)],
        keyed: method == Method::Post,
    };
    let (get, post) = (Method::Get, Method::Post);
    let (readers, end) = (Some(Role::READERS), || Some(described::<ParkedEnd>()));
    let events =
        entry(get, "events", "The domain's events, in order", readers, Some(events::page(domain)));
    let tick = entry(
        post,
        "tick",
        "Catches up and does what time demands; all tenants for a token of tenant `*`",
        Some(&[Role::System]),
        Some(described::<TickReport>()),
    );
    let replay = "Has a parked event processed once more";
    let dismiss = "Ends a parked event without processing it";
    vec![
        Entry { query: EVENT_QUERY, ..events },
        entry(
            get,
            "parked",
            "The events that were set aside",
            readers,
            Some(page::<ParkedEvent>()),
        ),
        entry(post, "parked/{event}/replay", replay, Some(&[]), end()),
        entry(post, "parked/{event}/dismiss", dismiss, Some(&[]), end()),
        Entry { keyed: false, ..tick },
        entry(get, "openapi.json", "This document", Some(&Role::ALL), None),
        Entry {
            answers: vec![(200, Some(described::<Health>())), (503, Some(described::<Health>()))],
            ..entry(get, "health", "Whether it answers; needs no token", None, None)
        },
    ]
}

/// The problems, by status, with the name of the response.
pub(super) const PROBLEMS: &[(u16, &str)] = &[
    (400, "Malformed"),
    (401, "Unauthenticated"),
    (403, "Forbidden"),
    (404, "NotFound"),
    (409, "Conflict"),
    (412, "Stale"),
    (413, "TooLarge"),
    (415, "MediaType"),
    (422, "Invalid"),
    (429, "TooMany"),
    (503, "Unavailable"),
];

/// Whether an operation can have a problem of this status.
pub(super) fn can_have(entry: &Entry<'_>, status: u16) -> bool {
    match status {
        // Health alone needs no token, and says in its own form that the store does not answer.
        _ if entry.roles.is_none() => false,
        503 => true,
        409 => entry.method.writes(),
        412 => matches!(entry.method, Method::Put | Method::Delete),
        413 => entry.body.is_some() && !entry.lines,
        415 => entry.body.is_some(),
        _ => true,
    }
}

/// The responses of [`PROBLEMS`].
pub(super) fn problems() -> impl Iterator<Item = (String, Response)> {
    PROBLEMS.iter().map(|(status, name)| {
        let words = match status {
            400 => "malformed body, header, query or missing key",
            401 => "no valid token",
            403 => "the role may not",
            404 => "unknown id in the path",
            409 => "state, stock or key",
            412 => "If-Match is stale",
            413 => "a body is at most 1 MiB",
            415 => "the body is not JSON",
            422 => "well-formed but wrong: unknown reference, out of range, or against a rule",
            429 => "too many requests; try again later",
            _ => "the store is away or the domain is catching up; the same request can be repeated",
        };
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new()
            .description(words)
            .content("application/problem+json", content)
            .header("Correlation-Id", correlation());
        if *status == 401 {
            response = response.header("WWW-Authenticate", header("`Bearer`"));
        }
        if [429, 503].contains(status) {
            response = response.header("Retry-After", header("seconds to wait"));
        }
        ((*name).to_owned(), response.build())
    })
}

/// The headers of a success.
pub(super) fn answer_headers(entry: &Entry<'_>, status: u16) -> Vec<(&'static str, Header)> {
    let mut headers = Vec::new();
    if entry.roles.is_some() && entry.path.split('/').next_back() != Some("openapi.json") {
        headers.push(("ETag", header("the version; absent where there is none, as of a list")));
    }
    if status == 503 {
        headers.push(("Retry-After", header("seconds to wait")));
    }
    if status == 201 {
        headers.push(("Location", header("the path of what was made")));
    }
    if entry.method.writes() {
        headers.push(("Correlation-Id", correlation()));
    }
    if entry.keyed {
        headers.push(("Idempotency-Replayed", header("`true` when this is the kept answer")));
    }
    headers
}

fn correlation() -> Header {
    let words = "what this belongs to; the cascade's id when something was changed";
    HeaderBuilder::new().schema(Ref::from_schema_name("Id")).description(Some(words)).build()
}

fn header(words: &str) -> Header {
    let text: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::String).build().into();
    HeaderBuilder::new().schema(text).description(Some(words)).build()
}
