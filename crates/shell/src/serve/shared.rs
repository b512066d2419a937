//! What every domain answers alike: events, its document, parked events, ticks.

use serde_json::{Value, json};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::{Event, NewEvent, reacted_by, sequence_of};
use tradewind_kernel::events::system::{EventDismissed, EventReplayed};
use tradewind_kernel::refusal::{Refusal, RefusalKind};

use super::{Asked, call_of, check_headers, check_query, forbidden, no_route};
use crate::call::{Answer, Call};
use crate::catch_up::catch_up;
use crate::failure::Failure;
use crate::http::{Method, query_pairs};
use crate::route::{QueryParameter, Role};
use crate::service::Service;
use crate::store::{Found, Read, Store, keys};
use crate::world::World;

/// What the shell itself answers for every domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    Events,
    OpenApi,
    Parked,
    Replay,
    Dismiss,
    Tick,
}

const EVENT_QUERY: &[QueryParameter] = &[
    QueryParameter {
        name: "after",
        required: false,
        most: 1,
        form: "string",
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

/// Paths below `/{domain}/v1/`.
const ROUTES: [(Common, Method, &str); 6] = [
    (Common::Events, Method::Get, "events"),
    (Common::OpenApi, Method::Get, "openapi.json"),
    (Common::Parked, Method::Get, "parked"),
    (Common::Replay, Method::Post, "parked/{event}/replay"),
    (Common::Dismiss, Method::Post, "parked/{event}/dismiss"),
    (Common::Tick, Method::Post, "tick"),
];

/// Answers without a token.
pub(super) const HEALTH: &str = "health";

pub(super) type Matched = Option<(Common, Vec<(&'static str, String)>)>;

/// What of a path of ours comes after `/{domain}/v1/`.
pub(super) fn below<'a>(domain: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix('/')?.strip_prefix(domain)?.strip_prefix("/v1/")
}

pub(super) fn find(domain: &str, path: &str, method: Option<Method>) -> Result<Matched, Refusal> {
    let Some(path) = below(domain, path) else { return Ok(None) };
    // Asked with GET, it was answered before anything else.
    if path == HEALTH {
        return Err(no_route(true));
    }
    for (operation, wanted, pattern) in ROUTES {
        if let Some(parameters) = matched(pattern, path) {
            if Some(wanted) != method {
                return Err(no_route(true));
            }
            return Ok(Some((operation, parameters)));
        }
    }
    Ok(None)
}

/// The parameters of a path below `/{domain}/v1/`, if this pattern is meant.
fn matched(pattern: &str, path: &str) -> Option<Vec<(&'static str, String)>> {
    match pattern.split_once('{') {
        None => (pattern == path).then(Vec::new),
        Some((before, rest)) => path
            .strip_prefix(before)
            .and_then(|path| path.strip_suffix(rest.strip_prefix("event}")?))
            .filter(|event| !event.is_empty() && !event.contains('/'))
            .map(|event| vec![("event", event.to_owned())]),
    }
}

/// The method that the shell answers on a path.
pub(super) fn method(domain: &str, path: &str) -> Option<Method> {
    let path = below(domain, path)?;
    if path == HEALTH {
        return Some(Method::Get);
    }
    let mut routes = ROUTES.iter();
    routes.find(|(_, _, pattern)| matched(pattern, path).is_some()).map(|(_, method, _)| *method)
}

/// What every domain answers alike.
pub(super) async fn answer<S: Service<W>, W: World>(
    asked: &Asked<'_, W>,
    operation: Common,
    parameters: Vec<(&'static str, String)>,
) -> Result<Answer, Failure> {
    let query = query_pairs(&asked.request.query)?;
    let call = call_of::<S, W>(asked, parameters, query);
    let roles: &[Role] = match operation {
        Common::Tick => &[Role::System],
        Common::Replay | Common::Dismiss => &[],
        Common::OpenApi => &Role::ALL,
        Common::Events | Common::Parked => Role::READERS,
    };
    let allowed = match operation {
        Common::Tick => asked.caller.is(Role::System) || asked.caller.is(Role::Admin),
        _ => asked.caller.may(roles),
    };
    if !allowed {
        return Err(forbidden(&call, roles).await);
    }
    check_query(&call.query, if operation == Common::Events { EVENT_QUERY } else { &[] })?;
    match operation {
        Common::Events => events(&call).await,
        Common::OpenApi => Ok(Answer { document: Some(S::openapi()), ..Answer::ok(Value::Null) }),
        Common::Parked => parked(&call).await,
        Common::Replay | Common::Dismiss => {
            check_headers(asked.request, Method::Post, false, false)?;
            end_parked(&call, operation == Common::Replay).await
        }
        Common::Tick => tick(&call).await,
    }
}

/// `GET /{domain}/v1/events`: the domain's stream in CloudEvents form.
async fn events<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let limit = call.limit()?;
    let after = match call.query::<String>("after")?.as_deref() {
        None | Some("") => 0,
        Some(text) => sequence_of(text).ok_or_else(|| {
            let detail = "`after` is the id of an event";
            Refusal::new(RefusalKind::Malformed, "cursor-unknown", detail)
        })?,
    };
    call.answer(async |gather| {
        let read = Read::Events { domain: S::DOMAIN, after, limit };
        let found = gather.fetch(vec![read]).await?;
        if after > gather.sequence() {
            let detail = "`after` is later than everything here: the store may have been restored";
            return Err(Refusal::new(RefusalKind::Malformed, "cursor-unknown", detail).into());
        }
        let Some(Found::Events(events)) = found.into_iter().next() else {
            return Ok(Call::<S, W>::page(Vec::new(), &[], limit));
        };
        let ids: Vec<String> = events.iter().map(Event::id).collect();
        let items = events.iter().map(|event| cloud_event(call.tenant(), event)).collect();
        Ok(Call::<S, W>::page(items, &ids, limit))
    })
    .await
}

/// An event in the form of CloudEvents 1.0, with our extensions.
#[must_use]
pub fn cloud_event(tenant: &str, event: &Event) -> Value {
    let mut value = json!({
        "specversion": "1.0",
        "id": event.id(),
        "source": format!("/{tenant}/{}", event.domain),
        "type": event.kind(),
        "subject": event.what.subject,
        "time": event.origin.at,
        "datacontenttype": "application/json",
        "data": event.what.data,
        "correlationid": event.origin.correlation,
        "sequence": format!("{:016}", event.sequence),
        "by": event.origin.by,
    });
    let optional = [
        ("causationid", &event.origin.causation),
        ("parentcorrelationid", &event.origin.parent),
        ("reason", &event.origin.reason),
    ];
    if let Some(object) = value.as_object_mut() {
        for (name, text) in optional {
            if let Some(text) = text {
                object.insert(name.to_owned(), Value::String(text.clone()));
            }
        }
    }
    value
}

async fn parked<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    call.answer(async |gather| {
        let parked = gather.set::<Value>(keys::parked(S::DOMAIN)).await?;
        let items: Vec<Value> = parked
            .into_iter()
            .map(|(id, record)| {
                json!({
                    "id": id,
                    "type": record.pointer("/event/type"),
                    "correlation_id": record.pointer("/event/correlation"),
                    "why": record.get("why"),
                    "faults": record.get("faults"),
                })
            })
            .collect();
        Ok(Answer::ok(json!({ "items": items, "next": null })))
    })
    .await
}

async fn end_parked<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
    replay: bool,
) -> Result<Answer, Failure> {
    let id = call.text("event").to_owned();
    call.command(async |gather| {
        let set = keys::parked(S::DOMAIN);
        let kept = gather.members::<Value>(set.clone(), vec![id.clone()]).await?;
        let record = kept.into_iter().flatten().next();
        let record = record.ok_or_else(|| Refusal::not_found(format!("parked event `{id}`")))?;
        let mut decision = Decision::default();
        let kind = |what: &str| format!("{}.{what}", S::DOMAIN);
        let told = if replay {
            if !reacted_by(S::DOMAIN).any(|known| known == kind("event-replayed")) {
                let detail = format!("{} does not take events again; dismiss it", S::DOMAIN);
                return Err(Refusal::conflict("not-replayable", detail).into());
            }
            let replayed: Event = serde_json::from_value(record["event"].clone())
                .map_err(|fault| crate::store::Outage(fault.to_string()))?;
            let data = EventReplayed { event: id.clone(), replayed };
            NewEvent::named(kind("event-replayed"), id.clone(), &data)
        } else {
            decision.delete_member(set, id.clone());
            let data = EventDismissed { event: id.clone() };
            NewEvent::named(kind("event-dismissed"), id.clone(), &data)
        };
        decision.event(told);
        Ok(decision.reply(200, json!({ "event": id })))
    })
    .await
}

/// `POST /{domain}/v1/tick`: catches up and does what time demands, for one tenant or for all.
async fn tick<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let tenants = if call.tenant() == "*" {
        call.world().store().tenants().await?
    } else {
        vec![call.tenant().to_owned()]
    };
    let mut failed = Vec::new();
    for tenant in &tenants {
        if let Err(failure) = tick_tenant::<S, W>(call.world(), tenant).await {
            call.world().log(&format!("tick of {} for {tenant}: {failure}", S::DOMAIN));
            failed.push(tenant.clone());
        }
    }
    let done = tenants.len().saturating_sub(failed.len());
    Ok(Answer::ok(json!({ "tenants": tenants.len(), "done": done, "failed": failed })))
}

async fn tick_tenant<S: Service<W>, W: World>(world: &W, tenant: &str) -> Result<(), Failure> {
    catch_up::<S, W>(world, tenant).await?;
    if S::TICKS {
        S::tick(world, tenant).await?;
        catch_up::<S, W>(world, tenant).await?;
    }
    Ok(())
}
