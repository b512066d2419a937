//! From a request to a response: token, route, role, headers, domain, problem body.

mod shared;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde_json::json;
use tradewind_kernel::event::Origin;
use tradewind_kernel::refusal::{Fault, Refusal, RefusalKind};
use tradewind_kernel::{Id, id};

use crate::auth::Caller;
use crate::call::{Answer, Call};
use crate::catch_up::{Pace, pursue};
use crate::failure::Failure;
use crate::http::{Method, Request, Response, query_pairs};
use crate::route::{QueryParameter, Role};
use crate::run::{Task, is_our_correlation};
use crate::service::Service;
use crate::store::{Needs, Store};
use crate::world::World;

/// The longest idempotency key.
const MAX_KEY_LENGTH: usize = 255;

/// Characters of a wrong value that its fault shows.
const MOST_SHOWN: usize = 40;

/// The largest body of a request that is not a bulk load: 1 MiB (contract.md).
pub const MAX_BODY: usize = 1 << 20;

/// Answers one request of a domain. `caller` is what the token says, or why there is none.
pub async fn serve<S: Service<W>, W: World>(
    world: &W,
    request: &Request,
    caller: Result<Caller, Refusal>,
) -> Response {
    let (correlation, named, parent) = correlation_of(world, request);
    let asks_health = shared::below(S::DOMAIN.name(), &request.path) == Some(shared::HEALTH);
    if asks_health && request.method == "GET" {
        return health(world).await;
    }
    let writes = request.method != "GET";
    let answered = match caller {
        Ok(caller) => {
            let call = Asked { world, request, caller: &caller, correlation, named, parent };
            answer::<S, W>(&call).await.map_err(|failure| (failure, call.correlation.clone()))
        }
        Err(refusal) => Err((refusal.into(), correlation)),
    };
    match answered {
        Ok(answer) => response(answer, writes),
        Err((failure, correlation)) => {
            if !matches!(failure, Failure::Refused(_)) {
                world.log(&format!("{} {}: {failure}", request.method, request.path));
            }
            let response = Response::problem(&failure, &correlation);
            let response = response.with("correlation-id", correlation);
            match response.status {
                405 => response.with("allow", allowed::<S, W>(&request.path)),
                _ => response,
            }
        }
    }
}

struct Asked<'a, W> {
    world: &'a W,
    request: &'a Request,
    caller: &'a Caller,
    correlation: String,
    named: bool,
    parent: Option<String>,
}

/// The correlation of a request: the caller's when it is lawful and cannot be one of ours, else a
/// fresh one with the caller's as parent.
fn correlation_of<W: World>(world: &W, request: &Request) -> (String, bool, Option<String>) {
    let ours = || Id::unique("cor", world.now(), world.random()).to_string();
    match request.header("correlation-id") {
        Some(named) if named.parse::<Id>().is_ok() && !is_our_correlation(named) => {
            (named.to_owned(), true, None)
        }
        Some(named) => {
            let parent = Some(named.chars().take(id::MAX_LENGTH).collect());
            (ours(), false, parent)
        }
        None => (ours(), false, None),
    }
}

async fn health<W: World>(world: &W) -> Response {
    match world.store().ping().await {
        Ok(()) => Response::json(200, &json!({ "status": "up" })),
        Err(outage) => {
            world.log(&format!("health: {outage}"));
            Response::json(503, &json!({ "status": "down" })).with("retry-after", "1")
        }
    }
}

fn response(answer: Answer, writes: bool) -> Response {
    let mut response = match answer.document {
        Some(document) => Response::json_text(answer.status, document),
        None => Response::json(answer.status, &answer.body),
    };
    if let Some(version) = answer.version {
        response = response.with("etag", format!("\"{version}\""));
    }
    if let Some(location) = answer.location {
        response = response.with("location", location);
    }
    if answer.replayed {
        response = response.with("idempotency-replayed", "true");
    }
    if let (true, Some(correlation)) = (writes, answer.correlation) {
        response = response.with("correlation-id", correlation);
    }
    response
}

async fn answer<S: Service<W>, W: World>(asked: &Asked<'_, W>) -> Result<Answer, Failure> {
    let method = Method::parse(&asked.request.method);
    let common = shared::find(S::DOMAIN.name(), &asked.request.path, method)?;
    if let Some((operation, parameters)) = common {
        return shared::answer::<S, W>(asked, operation, parameters).await;
    }
    let mut found = None;
    let mut path_known = false;
    for route in S::routes() {
        if let Some(parameters) = route.matches(&asked.request.path) {
            path_known = true;
            if Some(route.method) == method {
                found = Some((route, parameters));
                break;
            }
        }
    }
    let Some((route, parameters)) = found else { return Err(no_route(path_known).into()) };
    let query = query_pairs(&asked.request.query)?;
    let call = call_of::<S, W>(asked, parameters, query);
    if !asked.caller.may(route.roles) {
        return Err(forbidden(&call, route.roles).await);
    }
    check_headers(asked.request, route.method, route.body.is_some(), route.lines)?;
    check_query(&call.query, route.query)?;
    S::handle(route.op, &call).await
}

fn call_of<'a, S: Service<W>, W: World>(
    asked: &'a Asked<'a, W>,
    parameters: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
) -> Call<'a, S, W> {
    Call {
        world: asked.world,
        caller: asked.caller,
        tenant: &asked.caller.tenant,
        request: asked.request,
        parameters,
        query,
        correlation: asked.correlation.clone(),
        named_correlation: asked.named,
        parent: asked.parent.clone(),
        parsed: OnceCell::new(),
        service: PhantomData,
    }
}

/// The methods that a path has, as the header `Allow` names them (RFC 9110, 15.5.6).
fn allowed<S: Service<W>, W: World>(path: &str) -> String {
    let of_domain = S::routes().iter().filter(|route| route.matches(path).is_some());
    let methods = of_domain.map(|route| route.method);
    let methods = methods.chain(shared::method(S::DOMAIN.name(), path));
    let names: BTreeSet<&str> = methods.map(Method::name).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn no_route(path_known: bool) -> Refusal {
    if path_known {
        let detail = "this path has no such method";
        Refusal::new(RefusalKind::MethodNotAllowed, "method-not-allowed", detail)
    } else {
        Refusal::not_found("such path")
    }
}

async fn forbidden<S: Service<W>, W: World>(call: &Call<'_, S, W>, roles: &[Role]) -> Failure {
    let others = roles.iter().filter(|role| **role != Role::Admin).map(|role| role.name());
    let names: Vec<&str> = std::iter::once(Role::Admin.name()).chain(others).collect();
    let refusal = Refusal::forbidden(
        "role-insufficient",
        format!("this needs one of the roles: {}", names.join(", ")),
    );
    if call.tenant() != "*" {
        crate::audit::refused::<S, W>(call.world(), &call.task(), &refusal).await;
    }
    refusal.into()
}

/// The headers of a write: `Idempotency-Key` on POST, the body's type, its size.
fn check_headers(
    request: &Request,
    method: Method,
    has_body: bool,
    lines: bool,
) -> Result<(), Refusal> {
    if !method.writes() {
        return Ok(());
    }
    match request.header("idempotency-key") {
        None if method == Method::Post => {
            let detail = "a POST needs the header Idempotency-Key";
            let kind = RefusalKind::Malformed;
            return Err(Refusal::new(kind, "idempotency-key-missing", detail));
        }
        Some(key) if !lawful_key(key) => {
            let detail = "an Idempotency-Key is 1 to 255 visible ASCII characters";
            let kind = RefusalKind::Malformed;
            return Err(Refusal::new(kind, "idempotency-key-malformed", detail));
        }
        _ => {}
    }
    if !lines && request.body.len() > MAX_BODY {
        let detail = "a body is at most 1 MiB";
        return Err(Refusal::new(RefusalKind::TooLarge, "body-too-large", detail));
    }
    if has_body && !request.body.is_empty() {
        let wanted: &[&str] = if lines {
            &["application/x-ndjson", "application/jsonl", "application/json"]
        } else {
            &["application/json"]
        };
        let given = request.header("content-type").unwrap_or("");
        let essence = given.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if !wanted.contains(&essence.as_str()) {
            let detail = format!("the body must be {}", wanted[0]);
            return Err(Refusal::new(RefusalKind::MediaType, "media-type-unsupported", detail));
        }
    }
    Ok(())
}

fn lawful_key(key: &str) -> bool {
    (1..=MAX_KEY_LENGTH).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Every fault of the query: what is unknown, given too often, missing, not of its form, or out of
/// its range.
fn check_query(query: &[(String, String)], known: &[QueryParameter]) -> Result<(), Refusal> {
    let malformed = |detail| Fault::new("", "query-malformed", detail);
    let mut faults = Vec::new();
    for (position, (name, value)) in query.iter().enumerate() {
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            faults.push(malformed(format!("the query has an unknown parameter `{name}`")));
            continue;
        };
        let earlier = query.iter().take(position).filter(|(other, _)| other == name).count();
        if earlier == parameter.most {
            faults.push(malformed(match earlier {
                1 => format!("`{name}` is given twice"),
                most => format!("`{name}` is given more than {most} times"),
            }));
        }
        // A cursor that is none has a code of its own.
        if let Some(form) = parameter.misses(value).filter(|_| name != "after") {
            let shown: String = value.chars().take(MOST_SHOWN).collect();
            faults.push(malformed(format!("`{name}` is {form}, and not `{shown}`")));
        } else if let (Some((least, most)), Ok(number)) = (parameter.range(), value.parse::<i64>())
            && !(least..=most).contains(&number)
        {
            faults.push(Fault::new("", "out-of-range", format!("`{name}` is {least} to {most}")));
        }
    }
    for parameter in known.iter().filter(|parameter| parameter.required) {
        if !query.iter().any(|(name, _)| name == parameter.name) {
            faults.push(malformed(format!("the query needs `{}`", parameter.name)));
        }
    }
    if faults.iter().any(|fault| fault.code == "query-malformed") {
        let details: Vec<&str> = faults.iter().map(|fault| fault.detail.as_str()).collect();
        let refusal = Refusal::new(RefusalKind::Malformed, "query-malformed", details.join("; "));
        return Err(refusal.with_faults(faults));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(faults)) }
}

/// Times that a nudge looks again while another domain, which is asked, is behind.
const NUDGE_ROUNDS: u64 = 40;

/// How long one nudge works, in seconds of the real clock: below what a host allows a call. What is
/// left is taken up by the next tick.
const NUDGE_SECONDS: i64 = 15;

/// A nudge: the payload is the tenant. Losing one loses nothing.
///
/// # Errors
/// What catching up says.
pub async fn nudged<S: Service<W>, W: World>(world: &W, payload: &[u8]) -> Result<(), Failure> {
    let Ok(tenant) = std::str::from_utf8(payload) else { return Ok(()) };
    if tenant.parse::<Id>().is_err() {
        return Ok(());
    }
    let begun = world.real_seconds();
    for round in 0..NUDGE_ROUNDS {
        let pursued = pursue::<S, W>(world, tenant, Pace::Calm).await?;
        let over = world.real_seconds().saturating_sub(begun) >= NUDGE_SECONDS;
        if over || pursued.is_up {
            break;
        }
        world.pause(round.saturating_mul(2)).await;
    }
    Ok(())
}

/// A task of the system's own, for `tick`: a fresh correlation, nobody's key.
pub fn system_task<W: World>(world: &W, tenant: &str, needs: Needs) -> Task {
    let now = world.now();
    let correlation = Id::unique("cor", now, world.random()).to_string();
    let (by, reason, parent, causation) = ("system".to_owned(), None, None, None);
    let origin = Origin { at: now, by, reason, correlation, parent, causation };
    Task {
        tenant: tenant.to_owned(),
        origin,
        named_correlation: false,
        idempotency: None,
        needs,
        frees: true,
        attempt: None,
    }
}
