//! The public API from the brand's side: one connection, and a token for each person who acts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::http::Request;

use super::brand;
use super::plan::Actor;
use crate::keys::{Bearer, Keys};
use crate::up::DEMO_TENANT;

/// How long one call may take; a bulk request takes seconds, nothing takes this long.
const CALL_WITHIN: Duration = Duration::from_secs(90);

/// How often a call is made when the system asks for patience or a connection breaks. Every write
/// carries its key, so that a repeat has one effect.
const ATTEMPTS: u32 = 6;

/// How long to wait before the first repeat; it doubles.
const PATIENCE: Duration = Duration::from_millis(250);

/// How much of an answer is read: the largest page is far smaller.
const MOST_BYTES: u64 = 64 << 20;

/// The tokens of everyone who acts, made once and shared by all connections.
pub struct People {
    tokens: BTreeMap<Option<Actor>, String>,
}

impl People {
    /// Everyone of the brand, and a viewer for whom it is told.
    pub fn of(keys: &Keys) -> Result<Self> {
        use Actor::{Approver, Buyer, Finance, Owner, Planner, Sales, Supplier, Warehouse};
        let staff = [Buyer, Approver, Planner, Warehouse, Finance, Sales, Owner];
        let partners = brand::suppliers().map(|facts| Supplier(facts.id));
        let actors = staff.into_iter().chain(partners).map(Some).chain([None]);
        let tokens = actors.map(|actor| Ok((actor, keys.token(&bearer(actor))?)));
        Ok(Self { tokens: tokens.collect::<Result<_>>()? })
    }
}

/// Who acts, as the system knows them.
fn bearer(actor: Option<Actor>) -> Bearer {
    let (role, subject, supplier) = match actor {
        None => ("viewer", "vera", None),
        Some(Actor::Buyer) => ("buyer", "maya", None),
        Some(Actor::Approver) => ("approver", "omar", None),
        Some(Actor::Planner) => ("planner", "lin", None),
        Some(Actor::Warehouse) => ("warehouse", "sam", None),
        Some(Actor::Finance) => ("finance", "ida", None),
        Some(Actor::Sales) => ("channel", "storefront", None),
        Some(Actor::Owner) => ("admin", "harper", None),
        Some(Actor::Supplier(id)) => ("partner", id, Some(id.to_owned())),
    };
    Bearer { subject: Some(subject.to_owned()), supplier, ..Bearer::new(DEMO_TENANT, role) }
}

/// A write as it is sent.
pub struct Write<'a> {
    /// Who makes it.
    pub actor: Actor,
    /// PUT or POST.
    pub method: &'a str,
    /// Its path.
    pub path: &'a str,
    /// Its body.
    pub body: &'a str,
    /// The media type of the body.
    pub media: &'a str,
    /// Under which a repeat has one effect.
    pub key: &'a str,
}

/// What a write was answered.
pub struct Written {
    /// The body.
    pub body: Value,
    /// The correlation under which everything that follows from it is told.
    pub correlation: String,
}

/// One keep-alive connection.
pub struct Client<'a> {
    agent: ureq::Agent,
    base_url: &'a str,
    people: &'a People,
}

impl<'a> Client<'a> {
    /// A connection of its own.
    pub fn new(base_url: &'a str, people: &'a People) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(CALL_WITHIN))
            .max_idle_connections(1)
            .build()
            .into();
        Self { agent, base_url, people }
    }

    /// A further connection for the same people.
    pub fn another(&self) -> Self {
        Self::new(self.base_url, self.people)
    }

    /// Makes a write; whatever is not done or made is an error with the problem in it.
    pub fn write(&self, write: &Write<'_>) -> Result<Written> {
        let named = || format!("{} {}", write.method, write.path);
        let request = || {
            let builder = self.request(Some(write.actor), write.method, write.path)?;
            let builder = builder.header("content-type", write.media);
            Ok(builder.header("idempotency-key", write.key).body(write.body.to_owned())?)
        };
        let (status, correlation, body) = self.patiently(request).with_context(named)?;
        if !(200..300).contains(&status) {
            let body: String = body.chars().take(2_000).collect();
            bail!("{} answered {status}: {body}", named());
        }
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? };
        Ok(Written { body, correlation })
    }

    /// Reads as the viewer; None when it is not there.
    pub fn find(&self, path: &str) -> Result<Option<Value>> {
        let request = || Ok(self.request(None, "GET", path)?.body(String::new())?);
        let (status, _, body) = self.patiently(request).with_context(|| format!("GET {path}"))?;
        match status {
            200 => Ok(Some(serde_json::from_str(&body)?)),
            404 => Ok(None),
            _ => bail!("GET {path} answered {status}: {body:.2000}"),
        }
    }

    /// Reads what must be there.
    pub fn read(&self, path: &str) -> Result<Value> {
        self.find(path)?.with_context(|| format!("GET {path} answered 404"))
    }

    /// Every item of a list, page by page.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let mut page = self.read(&format!("{path}{joint}limit=100{after}"))?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Moves the business clock: to an instant, or back to real time.
    pub fn set_clock(&self, now: Option<&str>) -> Result<()> {
        let body = serde_json::json!({ "now": now }).to_string();
        let request = || {
            let builder = Request::builder().method("POST");
            let builder = builder.uri(format!("{}/host/v1/clock", self.base_url));
            Ok(builder.header("content-type", "application/json").body(body.clone())?)
        };
        match self.patiently(request)? {
            (200, ..) => Ok(()),
            (status, _, body) => bail!("POST /host/v1/clock answered {status}: {body}"),
        }
    }

    fn request(
        &self,
        actor: Option<Actor>,
        method: &str,
        path: &str,
    ) -> Result<ureq::http::request::Builder> {
        let token = self.people.tokens.get(&actor).context("nobody acts for this call")?;
        let builder = Request::builder().method(method).uri(format!("{}{path}", self.base_url));
        Ok(builder.header("authorization", format!("Bearer {token}")))
    }

    /// Sends until the answer is neither a request for patience nor a broken connection.
    fn patiently(
        &self,
        request: impl Fn() -> Result<Request<String>>,
    ) -> Result<(u16, String, String)> {
        let mut wait = PATIENCE;
        for attempt in 1.. {
            let last = attempt == ATTEMPTS;
            match self.agent.run(request()?) {
                Ok(mut answer) => {
                    let status = answer.status().as_u16();
                    if !matches!(status, 429 | 503) || last {
                        let correlation = answer.headers().get("correlation-id");
                        let correlation = correlation.and_then(|value| value.to_str().ok());
                        let correlation = correlation.unwrap_or_default().to_owned();
                        let body = answer.body_mut().with_config().limit(MOST_BYTES);
                        return Ok((status, correlation, body.read_to_string()?));
                    }
                }
                Err(error) if last => return Err(error.into()),
                Err(_) => {}
            }
            std::thread::sleep(wait);
            wait *= 2;
        }
        bail!("no attempt was made")
    }
}
