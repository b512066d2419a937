//! What the tests of every domain share: requests as callers send them, and what other domains tell.
//!
//! A domain's tests drive it natively, over any store and with any asks. What is particular to them
//! (what the asks answer, what stands in the store before) is their own; who calls, what a request
//! looks like and how an event gets into another domain's stream is the same for all, and here.
//!
//! Nothing here answers an error: a test that cannot be set up has failed.

#![allow(clippy::unwrap_used, reason = "it is used by tests alone")]

use futures::executor::block_on;
use serde_json::Value;
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin, Payload};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::service::Service;
use tradewind_shell::store::{Commit, Found, Needs, Outcome, Read, ReadRequest, Store};
use tradewind_shell::world::World;

/// The tenant of whoever calls and tells here.
pub const TENANT: &str = "acme";

/// Events that are read at once.
const PAGE: usize = 500;

/// A caller of [`TENANT`] with this role, called as the role is, bound to nothing.
#[must_use]
pub fn caller(role: Role) -> Caller {
    Caller {
        subject: role.name().to_owned(),
        tenant: TENANT.to_owned(),
        roles: vec![role],
        supplier: None,
        channel: None,
        expires: i64::MAX,
    }
}

/// A caller by a word: `role`, `role:subject`, or for a partner `role@supplier`.
///
/// # Panics
/// There is no such role.
#[must_use]
pub fn called(who: &str) -> Caller {
    let (who, supplier) = who.split_once('@').map_or((who, None), |(who, it)| (who, Some(it)));
    let (role, subject) = who.split_once(':').unwrap_or((who, who));
    Caller {
        subject: subject.to_owned(),
        supplier: supplier.map(str::to_owned),
        ..caller(role.parse().unwrap())
    }
}

/// A request of JSON; a POST has a fresh `Idempotency-Key`. A null body is none.
pub fn request(world: &impl World, method: &str, target: &str, body: &Value) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), format!("{:x}", world.random())));
    }
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    }
}

/// Sends [`request`] and waits for the answer.
pub fn ask<S: Service<W>, W: World>(
    world: &W,
    caller: Caller,
    method: &str,
    target: &str,
    body: &Value,
) -> Answer {
    let request = request(world, method, target, body);
    block_on(serve::<S, W>(world, &request, Ok(caller))).into()
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Self { status: response.status, body, headers: response.headers }
    }
}

impl Answer {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The code of a refusal; empty for anything else.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// The `id` of what was made.
    ///
    /// # Panics
    /// The body has none.
    #[must_use]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// Pointers and codes of all faults.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        errors.iter().map(|it| (text(&it["pointer"]), text(&it["code"]))).collect()
    }

    /// Insists on a status.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }

    /// Insists on a refusal of this status and code.
    ///
    /// # Panics
    /// It is another answer.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{:#}", self.body);
        self
    }
}

/// Commits an event into the stream of the domain that its type names, as that domain would.
///
/// # Panics
/// The type names no domain, or the store does not take it.
pub fn tell<P: Payload>(world: &impl World, correlation: &str, subject: &str, payload: &P) {
    let domain: Domain = P::TYPE.split('.').next().unwrap().parse().unwrap();
    append(world, domain, correlation, NewEvent::of(subject, payload));
}

/// The same under a correlation of its own.
///
/// # Panics
/// As [`tell`].
pub fn tell_alone<P: Payload>(world: &impl World, subject: &str, payload: &P) {
    tell(world, &format!("cor-{:x}", world.random()), subject, payload);
}

/// Commits an event into a domain's stream.
///
/// # Panics
/// The store does not take it.
pub fn append(world: &impl World, domain: Domain, correlation: &str, event: NewEvent) {
    let origin = Origin {
        at: world.now(),
        by: "test".to_owned(),
        reason: None,
        correlation: correlation.to_owned(),
        parent: None,
        causation: None,
    };
    let commit = Commit { events: vec![event], ..commit(domain, origin) };
    let outcome = block_on(world.store().commit(&commit)).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

/// A commit of a domain that checks and changes nothing yet.
#[must_use]
pub fn commit(domain: Domain, origin: Origin) -> Commit {
    Commit {
        tenant: TENANT.to_owned(),
        domain,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: Vec::new(),
        origin,
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    }
}

/// A domain's events, oldest first.
///
/// # Panics
/// The store does not answer.
pub fn events(world: &impl World, domain: Domain) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.sequence);
        let request = ReadRequest {
            tenant: TENANT.to_owned(),
            domain,
            needs: Needs::Nothing,
            reads: vec![Read::Events { domain, after, limit: PAGE }],
        };
        let snapshot = block_on(world.store().read(&request)).unwrap();
        match snapshot.found.into_iter().next() {
            Some(Found::Events(page)) if !page.is_empty() => all.extend(page),
            _ => return all,
        }
    }
}
