//! One request in the hands of a domain: who calls, with what, and how to answer.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tradewind_kernel::Id;
use tradewind_kernel::canonical::canonical_value;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::Origin;
use tradewind_kernel::refusal::{Fault, Refusal, RefusalKind};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::failure::Failure;
use crate::gather::{Gather, Trust};
use crate::http::Request;
use crate::run::{self, MAX_ATTEMPTS, Task};
use crate::schema;
use crate::service::Service;
use crate::store::Needs;
use crate::world::World;

/// How many items a page of a list has unless asked otherwise, and at most.
pub const PAGE: usize = 50;
/// The most items of one page.
pub const MAX_PAGE: usize = 500;

/// Bytes of a request's hash that are kept: nobody finds two requests alike in 128 bits.
const HASH_BYTES: usize = 16;

/// An answer, before it becomes a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// A JSON text that is answered as it is, in place of the body.
    pub document: Option<&'static str>,
    /// The version of what is answered: its `ETag`.
    pub version: Option<u64>,
    /// The path of what was made.
    pub location: Option<String>,
    /// The same request was answered before under its key.
    pub replayed: bool,
    /// The correlation under which a write ran.
    pub correlation: Option<String>,
}

impl Answer {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, ..Self::default() }
    }

    /// 200 with this record and its version.
    #[must_use]
    pub fn versioned(body: Value, version: u64) -> Self {
        Self { version: Some(version), ..Self::ok(body) }
    }
}

/// One request.
pub struct Call<'w, S, W: World> {
    pub(crate) world: &'w W,
    pub(crate) caller: &'w Caller,
    pub(crate) tenant: &'w str,
    pub(crate) request: &'w Request,
    /// The body as JSON, parsed when it is first asked for.
    pub(crate) parsed: OnceCell<serde_json::Result<Value>>,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) correlation: String,
    pub(crate) named_correlation: bool,
    pub(crate) parent: Option<String>,
    pub(crate) service: PhantomData<S>,
}

impl<'w, S: Service<W>, W: World> Call<'w, S, W> {
    /// The world.
    #[must_use]
    pub fn world(&self) -> &'w W {
        self.world
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &'w Caller {
        self.caller
    }

    /// The tenant of the token.
    #[must_use]
    pub fn tenant(&self) -> &'w str {
        self.tenant
    }

    /// The raw body, for JSON lines.
    #[must_use]
    pub fn raw_body(&self) -> &'w [u8] {
        &self.request.body
    }

    fn parsed(&self) -> &serde_json::Result<Value> {
        self.parsed.get_or_init(|| schema::parse(&self.request.body))
    }

    /// A parameter of the path as text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A parameter of the path that names an existing thing: what is no id cannot exist (404).
    ///
    /// # Errors
    /// A 404 refusal.
    pub fn id(&self, name: &str) -> Result<Id, Refusal> {
        let text = self.text(name);
        text.parse().map_err(|_| Refusal::not_found(format!("{name} `{text}`")))
    }

    /// A parameter of the path that names a thing to be made: what is no id is refused (422).
    ///
    /// # Errors
    /// A 422 refusal.
    pub fn new_id(&self, name: &str) -> Result<Id, Refusal> {
        self.text(name).parse().map_err(|fault: tradewind_kernel::id::NotAnId| {
            Refusal::invalid(vec![Fault::new("", "id-malformed", format!("{name}: {fault}"))])
        })
    }

    /// The body as `T`; every fault of it at once.
    ///
    /// # Errors
    /// A 400 or 422 refusal naming every fault.
    pub fn body<T: DeserializeOwned + ToSchema + 'static>(&self) -> Result<T, Refusal> {
        if self.request.method == "PUT" && self.request.body.trim_ascii().is_empty() {
            return Err(schema::empty_put());
        }
        schema::read_parsed(self.parsed())
    }

    /// A parameter of the query, if given, read as `T`.
    ///
    /// # Errors
    /// A 400 refusal when it does not read.
    pub fn query<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some((_, text)) = self.query.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let detail = format!("`{name}` does not read: `{}`", shortened(text));
            Refusal::new(RefusalKind::Malformed, "query-malformed", detail)
        })
    }

    /// A parameter of the query that must be there, read as `T`.
    ///
    /// # Errors
    /// A 400 refusal.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        self.query(name)?.ok_or_else(|| {
            let detail = format!("the query needs `{name}`");
            Refusal::new(RefusalKind::Malformed, "query-malformed", detail)
        })
    }

    /// All values of a parameter of the query.
    ///
    /// # Errors
    /// A 400 refusal when one does not read.
    pub fn repeated<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        values
            .map(|(_, text)| {
                text.parse().map_err(|_| {
                    let detail = format!("`{name}` does not read: `{}`", shortened(text));
                    Refusal::new(RefusalKind::Malformed, "query-malformed", detail)
                })
            })
            .collect()
    }

    /// The `limit` of a list.
    ///
    /// # Errors
    /// A 400 refusal outside 1 to [`MAX_PAGE`].
    pub fn limit(&self) -> Result<usize, Refusal> {
        let limit = self.query::<usize>("limit")?.unwrap_or(PAGE);
        if (1..=MAX_PAGE).contains(&limit) {
            return Ok(limit);
        }
        let detail = format!("`limit` is 1 to {MAX_PAGE}");
        Err(Refusal::new(RefusalKind::Malformed, "query-malformed", detail))
    }

    /// The `after` of a list whose cursors are the ids of its items; empty for the start.
    ///
    /// # Errors
    /// A 400 refusal for what cannot be a cursor.
    pub fn after(&self) -> Result<String, Refusal> {
        let after = self.query::<String>("after")?.unwrap_or_default();
        if after.is_empty() || after.parse::<Id>().is_ok() {
            return Ok(after);
        }
        Err(Refusal::new(RefusalKind::Malformed, "cursor-unknown", "`after` is no cursor of ours"))
    }

    /// Checks `If-Match` against the version of what exists (0: nothing).
    ///
    /// # Errors
    /// A 412 refusal when it is stale.
    pub fn if_match(&self, version: u64) -> Result<(), Refusal> {
        let Some(wanted) = self.request.header("if-match") else { return Ok(()) };
        let current = format!("\"{version}\"");
        let matches = match wanted.trim() {
            "*" => version != 0,
            list => list.split(',').any(|tag| tag.trim() == current),
        };
        if matches {
            return Ok(());
        }
        let detail = "it has changed since it was read; read it again";
        Err(Refusal::new(RefusalKind::Stale, "precondition-failed", detail))
    }

    /// A page of a list: `{items, next}`; `next` is the last of the names that were read when they
    /// fill the page, else null. Not each of them need be shown.
    #[must_use]
    pub fn page(items: Vec<Value>, names: &[String], limit: usize) -> Answer {
        let next = names.last().filter(|_| names.len() >= limit);
        Answer::ok(serde_json::json!({ "items": items, "next": next }))
    }

    /// Answers a question: reads at one moment, caught up with everything it reacts to.
    ///
    /// # Errors
    /// What `read` refuses; an outage when the domain stays behind.
    pub async fn answer(
        &self,
        read: impl AsyncFn(&Gather<'_, W>) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        query::<S, W, Answer>(self.world, self.tenant, Needs::Everything, read).await
    }

    /// Changes state: gathers, decides, commits, and again when something moved meanwhile. What
    /// the decision rests on is everything that the domain reacts to.
    ///
    /// # Errors
    /// What `decide` refuses; outages.
    pub async fn command(
        &self,
        decide: impl AsyncFn(&Gather<'_, W>) -> Result<Decision, Failure>,
    ) -> Result<Answer, Failure> {
        self.run(self.task(), decide).await
    }

    /// The task of this request; adjust it and give it to [`Call::run`] for a command that rests
    /// on less, frees memory, or carries a reason.
    #[must_use]
    pub fn task(&self) -> Task {
        let key = self.request.header("idempotency-key").map(str::to_owned);
        Task {
            tenant: self.tenant.to_owned(),
            origin: Origin {
                at: self.world.now(),
                by: self.caller.subject.clone(),
                reason: None,
                correlation: self.correlation.clone(),
                parent: self.parent.clone(),
                causation: None,
            },
            named_correlation: self.named_correlation,
            idempotency: key.map(|key| (key, request_hash(self.request, self.parsed()))),
            needs: Needs::Everything,
            frees: false,
            attempt: Some((
                format!("{} {}", self.request.method, self.request.path),
                self.caller.roles.iter().map(|role| role.name().to_owned()).collect(),
            )),
        }
    }

    /// Runs a task of this request.
    ///
    /// # Errors
    /// What `decide` refuses; outages.
    pub async fn run(
        &self,
        mut task: Task,
        decide: impl AsyncFn(&Gather<'_, W>) -> Result<Decision, Failure>,
    ) -> Result<Answer, Failure> {
        let ran = run::command::<S, W>(self.world, &mut task, decide).await?;
        Ok(ran.answer(task))
    }
}

/// Answers a question of a domain outside a request (for asks and reactions see `queries.rs`):
/// catches up and tries again while the domain is behind.
///
/// # Errors
/// What `read` refuses; an outage when the domain stays behind.
pub async fn query<S: Service<W>, W: World, T>(
    world: &W,
    tenant: &str,
    needs: Needs,
    read: impl AsyncFn(&Gather<'_, W>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begun = world.real_seconds();
    for attempt in 0..MAX_ATTEMPTS {
        let gather =
            Gather::new(world, tenant, S::DOMAIN, needs.clone(), attempt).trusting(Trust::Fresh);
        match read(&gather).await {
            Err(Failure::Behind) => {
                run::come_up::<S, W>(world, tenant, attempt, begun).await?;
            }
            other => return other,
        }
    }
    Err(Failure::Behind)
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What makes two requests under one key the same: method, path, query and what the body says. A
/// body of JSON is taken by its meaning: order of fields and white space make no other request.
fn request_hash(request: &Request, parsed: &serde_json::Result<Value>) -> String {
    let mut hash = Sha256::new();
    for part in [&request.method, &request.path, &request.query] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    match parsed {
        Ok(value) => hash.update(canonical_value(value)),
        Err(_) => hash.update(&request.body),
    }
    hexadecimal(hash.finalize().get(..HASH_BYTES).unwrap_or_default())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(path: &str, body: &[u8]) -> String {
        let (method, path, body) = ("POST".to_owned(), path.to_owned(), body.to_vec());
        let parsed = schema::parse(&body);
        request_hash(&Request { method, path, body, ..Request::default() }, &parsed)
    }

    #[test]
    fn the_same_request_is_the_one_that_says_the_same() {
        let first = hash("/x/v1/y", br#"{"a":1,"b":[{"c":"x","d":2}]}"#);
        let same: [&[u8]; 2] = [
            br#"{"b":[{"d":2,"c":"x"}],"a":1}"#,
            b"\r\n{ \"a\" : 1, \"b\" : [ { \"c\": \"\\u0078\", \"d\": 2 } ] }\n",
        ];
        for body in same {
            assert_eq!(hash("/x/v1/y", body), first);
        }
        let others: [&[u8]; 6] = [
            br#"{"a":2,"b":[{"c":"x","d":2}]}"#,
            br#"{"a":"1","b":[{"c":"x","d":2}]}"#,
            br#"{"a":1,"b":[{"c":"x","d":2},{}]}"#,
            br#"{"a":1,"a":1,"b":[{"c":"x","d":2}]}"#,
            br#"{"a":1,"b":[{"c":"x","d":2}]"#,
            b"",
        ];
        for body in others {
            assert_ne!(hash("/x/v1/y", body), first);
        }
        assert_ne!(hash("/x/v1/z", br#"{"a":1,"b":[{"c":"x","d":2}]}"#), first);
        assert_eq!(hash("/x/v1/y", b""), hash("/x/v1/y", b" "), "no body is no body");
    }
}
