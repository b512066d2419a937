//! The routes of reporting.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tradewind_kernel::refusal::RefusalKind;
use tradewind_kernel::{Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::http::Method::{Get, Post};
use tradewind_shell::openapi::page;
use tradewind_shell::route::{QueryParameter, Role, Route, described};
use tradewind_shell::service::Service;
use tradewind_shell::world::World;

use crate::audit::{Entry, EntryView, Head, Verification, place};
use crate::cascade::{Cascade, MovedPromise, moved_promises};
use crate::exception::{CloseException, Exception, ExceptionView, Status, close};
use crate::keys;
use crate::queries;

/// What reporting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    Cascade,
    CascadePromises,
    Exceptions,
    Exception,
    CloseException,
    Audit,
    VerifyAudit,
}

const fn optional(
    name: &'static str,
    form: &'static str,
    description: &'static str,
) -> QueryParameter {
    QueryParameter { name, required: false, most: 1, form, description }
}

const AFTER: QueryParameter = optional("after", "string", "the `next` of the page before");
const LIMIT: QueryParameter = optional("limit", "integer", "at most so many");
const STATUS: QueryParameter = optional("status", "open|closed", "all unless given");

/// Who owns exceptions, and so may close them.
const OWNERS: &[Role] = &[Role::Buyer, Role::Planner, Role::Warehouse];

/// Every route.
pub const ROUTES: &[Route<Operation>] = &[
    Route {
        summary: "All effects of one cause",
        answers: &[(200, Some(described::<Cascade>))],
        ..Route::new(
            Get,
            "/reporting/v1/cascades/{correlation_id}",
            Operation::Cascade,
            Role::READERS,
        )
    },
    Route {
        summary: "The promises that a cascade moved, in pages, the largest revenue first",
        query: &[AFTER, LIMIT],
        answers: &[(200, Some(page::<MovedPromise>))],
        ..Route::new(
            Get,
            "/reporting/v1/cascades/{correlation_id}/promises",
            Operation::CascadePromises,
            Role::READERS,
        )
    },
    Route {
        summary: "Exceptions, the oldest first",
        query: &[STATUS, AFTER, LIMIT],
        answers: &[(200, Some(page::<ExceptionView>))],
        ..Route::new(Get, "/reporting/v1/exceptions", Operation::Exceptions, Role::READERS)
    },
    Route {
        summary: "An exception",
        answers: &[(200, Some(described::<ExceptionView>))],
        ..Route::new(Get, "/reporting/v1/exceptions/{id}", Operation::Exception, Role::READERS)
    },
    Route {
        summary: "Closes an exception whose cause a person has settled",
        body: Some(described::<CloseException>),
        answers: &[(200, Some(described::<ExceptionView>))],
        ..Route::new(Post, "/reporting/v1/exceptions/{id}/close", Operation::CloseException, OWNERS)
    },
    Route {
        summary: "The audit chain: an entry for each event, in order",
        query: &[AFTER, LIMIT],
        answers: &[(200, Some(page::<EntryView>))],
        ..Route::new(Get, "/reporting/v1/audit", Operation::Audit, Role::READERS)
    },
    Route {
        summary: "Reads every event again and checks the audit chain against it",
        answers: &[(200, Some(described::<Verification>))],
        ..Route::new(Get, "/reporting/v1/audit/verify", Operation::VerifyAudit, Role::READERS)
    },
];

/// Answers one request.
///
/// # Errors
/// Refusals and outages.
pub async fn handle<S: Service<W>, W: World>(
    operation: Operation,
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    match operation {
        Operation::Cascade => cascade(call).await,
        Operation::CascadePromises => promises(call).await,
        Operation::Exceptions => exceptions(call).await,
        Operation::Exception => exception(call).await,
        Operation::CloseException => close_exception(call).await,
        Operation::Audit => audit(call).await,
        Operation::VerifyAudit => verify(call).await,
    }
}

/// What is no id was never a correlation.
fn correlation<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Id, Refusal> {
    let text = call.text("correlation_id");
    text.parse().map_err(|_| Refusal::not_found(format!("cascade `{text}`")))
}

async fn cascade<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let correlation = correlation(call)?;
    call.answer(async |gather| {
        let cascade = queries::cascade_of(gather, correlation.as_str()).await?;
        Ok(Answer::ok(json!(cascade)))
    })
    .await
}

/// The `after` of a list whose cursors are places: how many items come before.
fn place_after<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<u64, Refusal> {
    let after = call.query::<String>("after")?.unwrap_or_default();
    if after.is_empty() {
        return Ok(0);
    }
    let number = after.bytes().all(|byte| byte.is_ascii_digit()).then(|| after.parse().ok());
    number.flatten().ok_or_else(|| {
        let detail = "`after` is no cursor of ours";
        Refusal::new(RefusalKind::Malformed, "cursor-unknown", detail)
    })
}

async fn promises<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let correlation = correlation(call)?;
    let (after, limit) = (place_after(call)?, call.limit()?);
    call.answer(async |gather| {
        let told = queries::told(gather, correlation.as_str()).await?;
        let moved = moved_promises(&told.events);
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        let items: Vec<Value> =
            moved.iter().skip(first).take(limit).map(|promise| json!(promise)).collect();
        let last = first.saturating_add(items.len());
        let more = last < moved.len();
        let next = more.then(|| last.to_string());
        Ok(Answer::ok(json!({ "items": items, "next": next })))
    })
    .await
}

async fn exceptions<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let index = match call.query::<String>("status")?.as_deref() {
        None => keys::EXCEPTIONS,
        Some("open") => keys::OPEN_EXCEPTIONS,
        Some("closed") => keys::CLOSED_EXCEPTIONS,
        Some(_) => {
            let detail = "`status` is open or closed";
            return Err(Refusal::new(RefusalKind::Malformed, "query-malformed", detail).into());
        }
    };
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather| {
        let names = gather.page(index, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let kept = gather.records::<Exception>(ids.iter().map(keys::exception).collect()).await?;
        let now = gather.now();
        let items = kept.into_iter().flatten().map(|kept| kept.value.view(now)).collect();
        Ok(Call::<S, W>::page(items, &names, limit))
    })
    .await
}

async fn exception<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    call.answer(async |gather| {
        let kept = gather.record::<Exception>(keys::exception(&id)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("exception `{id}`")))?;
        Ok(Answer::versioned(kept.view(gather.now()), kept.version))
    })
    .await
}

async fn close_exception<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    let command: CloseException = call.body()?;
    let mut task = call.task();
    task.origin.reason = Some(command.reason.trim().to_owned());
    let by = call.caller().subject.clone();
    call.run(task, async |gather| {
        let kept = gather.record::<Exception>(keys::exception(&id)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("exception `{id}`")))?;
        call.if_match(kept.version)?;
        let owner = kept.kind.owner();
        let mut roles = call.caller().roles.iter();
        if !roles.any(|role| [Role::Admin, owner].contains(role)) {
            let detail = format!("this exception is closed by the role {owner} or admin");
            return Err(Refusal::forbidden("role-insufficient", detail).into());
        }
        if kept.status == Status::Open {
            gather.members::<Id>(keys::WATCHES, vec![kept.cause.clone()]).await?;
        }
        Ok(close(&kept, &command, &by, gather.now())?)
    })
    .await
}

async fn audit<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let (after, limit) = (place_after(call)?, call.limit()?);
    call.answer(async |gather| {
        let head = gather.record::<Head>(keys::AUDIT_HEAD).await?;
        let entries = head.map_or(0, |head| head.entries);
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let last = after.saturating_add(limit).min(entries);
        let mut packs: BTreeMap<u64, Vec<(u64, String)>> = BTreeMap::new();
        for number in after.saturating_add(1)..=last {
            let (pack, name) = place(number);
            packs.entry(pack).or_default().push((number, name));
        }
        let mut items = Vec::new();
        for (pack, places) in packs {
            let names = places.iter().map(|(_, name)| name.clone()).collect();
            let entries = gather.members::<Entry>(keys::audit(pack), names).await?;
            let found = places.iter().zip(entries).filter_map(|((number, _), entry)| {
                entry.map(|entry| json!(EntryView::of(*number, &entry)))
            });
            items.extend(found);
        }
        let next = (last < entries).then(|| last.to_string());
        Ok(Answer::ok(json!({ "items": items, "next": next })))
    })
    .await
}

async fn verify<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    call.answer(async |gather| Ok(Answer::ok(json!(queries::verify(gather).await?)))).await
}
