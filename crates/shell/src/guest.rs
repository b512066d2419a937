//! The wasm edge that all components share: from Spin's types to the shell's and back.
//!
//! An instance is reused by many requests, sixteen at a time, and may vanish at any moment: what it
//! keeps (configuration, verified tokens, one Redis connection) is worth keeping and never trusted
//! to survive. Nothing borrowed is held across an await.

mod config;

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, Request as HttpRequest, Response as SpinResponse};
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::time::Instant;

use self::config::{Config, config, offset_seconds};
use crate::allocator::Classes;
use crate::cache::Cache;
use crate::failure::Failure;
use crate::http::{Request, Response};
use crate::serve::{nudged, serve};
use crate::service::Service;
use crate::spin::SpinStore;
use crate::store::Outage;
use crate::world::{AskError, World};

#[global_allocator]
static ALLOCATOR: Classes = Classes::new();

/// A whole response in the form that Spin takes.
pub type HttpResponse = SpinResponse<FullBody<bytes::Bytes>>;

/// The longest body that is read at all; the host and `serve` have lower limits for most paths.
const MAX_BULK_BODY: usize = 256 << 20;

thread_local! {
    static CACHE: Rc<Cache> = Rc::default();
}

/// The world of a component on Spin or the embedded host.
pub struct GuestWorld<A> {
    store: SpinStore,
    asks: A,
    cache: Rc<Cache>,
    config: Rc<Config>,
    offset_seconds: i64,
}

impl<A> GuestWorld<A> {
    /// The world for one request. The business clock's offset is read anew each time, unless the
    /// host says by the `number` of its variables' state that nothing has changed.
    ///
    /// # Errors
    /// A variable that is missing or wrong.
    pub async fn open(asks: A, number: Option<u64>) -> Result<Self, Outage> {
        let config = config(number).await?;
        let offset_seconds = match number {
            Some(_) => config.offset_seconds,
            None => offset_seconds().await?,
        };
        Ok(Self {
            store: crate::spin::open(&config.redis_url, config.wait_replicas),
            asks,
            cache: CACHE.with(Rc::clone),
            config,
            offset_seconds,
        })
    }
}

fn real_millis() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "this is the edge where clocks are read")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl<A> World for GuestWorld<A> {
    type Store = SpinStore;
    type Asks = A;

    fn store(&self) -> &SpinStore {
        &self.store
    }

    fn asks(&self) -> &A {
        &self.asks
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    fn now(&self) -> Instant {
        Instant::from_millis(real_millis()).plus_seconds(self.offset_seconds)
    }

    fn real_seconds(&self) -> i64 {
        real_millis().div_euclid(1000)
    }

    fn random(&self) -> u128 {
        let mut bytes = [0u8; 16];
        #[allow(clippy::expect_used, reason = "wasi:random never fails")]
        getrandom::fill(&mut bytes).expect("wasi:random never fails");
        u128::from_le_bytes(bytes)
    }

    fn idempotency_seconds(&self) -> u64 {
        self.config.idempotency_seconds
    }

    async fn pause(&self, millis: u64) {
        spin_sdk::time::sleep(Duration::from_millis(millis)).await;
    }

    fn log(&self, line: &str) {
        if !self.config.quiet {
            #[allow(clippy::print_stderr, reason = "standard error is a component's log")]
            {
                eprintln!("{line}");
            }
        }
    }
}

/// Answers one HTTP request of a domain that came through `wasi:http`.
pub async fn handle<S, A>(asks: A, request: HttpRequest) -> HttpResponse
where
    S: Service<GuestWorld<A>>,
{
    let response = match read(request).await {
        Ok(request) => respond::<S, A>(asks, &request, None).await,
        Err(outage) => failed(outage),
    };
    http_response(response)
}

/// Answers one request of a domain, whichever entry it came through; `number` is that of the
/// variables' state, where the entry says it.
pub async fn respond<S, A>(asks: A, request: &Request, number: Option<u64>) -> Response
where
    S: Service<GuestWorld<A>>,
{
    answer::<S, A>(asks, request, number).await.unwrap_or_else(failed)
}

/// The operator gets the words, the caller a problem body.
fn failed(outage: Outage) -> Response {
    #[allow(clippy::print_stderr, reason = "standard error is a component's log")]
    {
        eprintln!("{outage}");
    }
    Response::problem(&Failure::Outage(outage), "")
}

/// Reads a request of `wasi:http` to its end.
async fn read(request: HttpRequest) -> Result<Request, Outage> {
    let (parts, body) = request.into_parts();
    let body = body.bytes().await.map_err(|fault| Outage(format!("the body broke: {fault}")))?;
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            // What is not UTF-8 is kept, so that it is refused, and not taken for absent.
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_ascii_lowercase(), value)
        })
        .collect();
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers,
        body: body.to_vec(),
    })
}

/// The request of a lean entry: `target` is path and query, `headers` those that it has room for.
#[must_use]
pub fn plain(
    method: String,
    target: String,
    headers: [(&str, Option<String>); 5],
    body: Vec<u8>,
) -> Request {
    let mut path = target;
    let query = match path.find('?') {
        Some(place) => {
            let query = path.split_off(place);
            query.strip_prefix('?').unwrap_or_default().to_owned()
        }
        None => String::new(),
    };
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Request { method, path, query, headers, body }
}

/// What every provider of asks needs at its edge: `witness` and `error`, which turn the shell's
/// witnesses and ask errors into those of `wit/types.wit`. `$types` is the module of its bindings.
#[macro_export]
macro_rules! ask_edge {
    ($types:ident) => {
        fn witness(check: $crate::store::Check) -> Option<$types::Witness> {
            use $crate::store::Check;
            match check {
                Check::Record { key, version } => {
                    Some($types::Witness { of_set: false, key, version })
                }
                Check::Set { key, version } => Some($types::Witness { of_set: true, key, version }),
                Check::Unmarked { .. } | Check::Life { .. } => None,
            }
        }

        fn error(error: $crate::world::AskError) -> $types::AskError {
            use $crate::world::AskError;
            match error {
                AskError::Behind => $types::AskError::Behind,
                AskError::Unavailable(why) => $types::AskError::Unavailable(why),
                AskError::Refused(code, detail) => {
                    $types::AskError::Refused($types::Refusal { code, detail })
                }
            }
        }
    };
}

/// Exports the lean entry of `wit/host.wit` for a service: its type, and its asks as an expression.
///
/// It is a macro because bindings belong into the component's own crate, beside its other exports.
#[macro_export]
macro_rules! lean_entry {
    ($service:ident, $asks:expr) => {
        mod lean_entry {
            mod generated {
                #![allow(missing_docs, reason = "the WIT files are the manual")]
                spin_sdk::wit_bindgen::generate!({
                    world: "lean-entry",
                    path: "../../../../wit",
                    runtime_path: "spin_sdk::wit_bindgen::rt",
                    generate_all,
                });
                export!(Entry);
                pub struct Entry;
            }

            use self::generated::exports::tradewind::host::entry as wit;
            use super::*;

            impl wit::Guest for generated::Entry {
                async fn handle(request: wit::Request) -> wit::Response {
                    let headers = [
                        ("authorization", request.authorization),
                        ("content-type", request.content_type),
                        ("correlation-id", request.correlation_id),
                        ("idempotency-key", request.idempotency_key),
                        ("if-match", request.if_match),
                    ];
                    let variables = Some(request.variables);
                    let request = $crate::guest::plain(
                        request.method,
                        request.target,
                        headers,
                        request.body,
                    );
                    let answer =
                        $crate::guest::respond::<$service, _>($asks, &request, variables).await;
                    wit::Response {
                        status: answer.status,
                        headers: answer.headers,
                        body: answer.body,
                    }
                }
            }
        }
    };
}

async fn answer<S, A>(asks: A, request: &Request, number: Option<u64>) -> Result<Response, Outage>
where
    S: Service<GuestWorld<A>>,
{
    if request.body.len() > MAX_BULK_BODY {
        let detail = "the body is too large";
        let refusal = Refusal::new(RefusalKind::TooLarge, "body-too-large", detail);
        return Ok(Response::problem(&refusal.into(), ""));
    }
    let world = GuestWorld::open(asks, number).await?;
    let caller = world.config.caller(request, world.real_seconds())?;
    Ok(serve::<S, _>(&world, request, caller).await)
}

fn http_response(response: Response) -> HttpResponse {
    // The length is known: without it the body would go out in chunks.
    let mut builder = SpinResponse::builder()
        .status(response.status)
        .header("content-length", response.body.len());
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let body = FullBody::new(bytes::Bytes::from(response.body));
    builder.body(body).unwrap_or_else(|_| SpinResponse::new(FullBody::new(bytes::Bytes::new())))
}

/// The world in which a provider answers asks: it asks nobody itself.
///
/// # Errors
/// A variable that is missing or wrong.
pub async fn provider() -> Result<GuestWorld<()>, AskError> {
    GuestWorld::open((), None).await.map_err(|outage| AskError::Unavailable(outage.to_string()))
}

/// Reacts to a nudge.
///
/// # Errors
/// A line for the log; nothing is lost, the next nudge or tick does the same.
pub async fn nudge<S, A>(asks: A, payload: &[u8]) -> Result<(), Outage>
where
    S: Service<GuestWorld<A>>,
{
    let world = GuestWorld::open(asks, None).await?;
    nudged::<S, _>(&world, payload).await.map_err(|failure| Outage(failure.to_string()))
}
