//! The HTTP side: connections, admission, limits, and the host's own routes.
//!
//! A request is admitted when fewer than a fixed number are in flight; some more may wait a
//! little; the rest is answered 503 at once. Its body is read as a whole before it takes up an
//! instance, except on routes that are declared to stream.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use crate::RouteLimits;
use crate::application::Application;
use crate::problem::{CORRELATION_ID, Problem, json_answer, text};
use crate::routes::HOST_PREFIX;
use crate::timer::Ticking;
use crate::{clock, redis_imports};

/// How long readiness waits for Redis: a check that hangs is of no use to who asks.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// How much of a refused body is read on, and for how long.
const DRAINED_BYTES: usize = 64 << 20;
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Bytes of the bodies that the host's own routes take.
const HOST_BODY_BYTES: usize = 4096;

/// What answers requests.
pub struct Server {
    application: Arc<Application>,
    ticking: Option<Arc<Ticking>>,
    test_clock: bool,
    admitted: Arc<Semaphore>,
    waiting: AtomicUsize,
    ordinary: RouteLimits,
}

/// An answer's body; admission ends when it has been sent.
pub struct Answer {
    body: WasiBody,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Server {
    /// A server for an application.
    pub fn new(
        application: Arc<Application>,
        ticking: Option<Arc<Ticking>>,
        test_clock: bool,
    ) -> Server {
        let limits = &application.limits;
        let ordinary = RouteLimits {
            prefix: "/".to_owned(),
            body_bytes: Some(limits.body_bytes),
            time: limits.time,
        };
        let admitted = Arc::new(Semaphore::new(limits.in_flight));
        Server {
            application,
            ticking,
            test_clock,
            admitted,
            waiting: AtomicUsize::new(0),
            ordinary,
        }
    }

    /// Answers one request; never fails.
    pub async fn answer(&self, request: Request<Incoming>, _peer: SocketAddr) -> Response<Answer> {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        let path = parts.uri.path().to_owned();
        let correlation = parts.headers.get(CORRELATION_ID).cloned();
        if path.starts_with(HOST_PREFIX) {
            let response = self.host_route(&parts, body, correlation.as_ref()).await;
            return response.map(|body| Answer { body, _permit: None });
        }
        let Some(target) = self.application.router.find(&path) else {
            let response = Problem::UnknownRoute.answer(&path, correlation.as_ref());
            return response.map(|body| Answer { body, _permit: None });
        };
        let result = self.component_route(target, parts, body).await;
        let (response, permit) = match result {
            Ok((response, permit)) => (response, Some(permit)),
            Err(problem) => (problem.answer("", correlation.as_ref()), None),
        };
        let component = &self.application.components[target].runtime;
        let elapsed = start.elapsed();
        component.metrics.answered(response.status());
        component.metrics.seconds.observe(elapsed.as_secs_f64());
        record(&method, &path, &component.id, &response, elapsed, correlation.as_ref());
        response.map(|body| Answer { body, _permit: permit })
    }

    async fn component_route(
        &self,
        target: usize,
        mut parts: Parts,
        body: Incoming,
    ) -> Result<(Response<WasiBody>, OwnedSemaphorePermit), Problem> {
        let application = &self.application;
        let limits = self.limits_of(parts.uri.path());
        make_absolute(&mut parts);
        if std::ptr::eq(limits, &self.ordinary) {
            let bytes = self.whole_body(&parts, body, limits).await?;
            let permit = self.admit().await?;
            let response = application.call(target, parts, bytes, limits.time).await?;
            return Ok((response, permit));
        }
        let permit = self.admit().await?;
        let body = match limits.body_bytes {
            None => body.map_err(HttpError::Hyper).boxed_unsync(),
            Some(most) if body.size_hint().lower() > most => return Err(Problem::BodyTooLarge),
            Some(most) => Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX))
                .map_err(move |_| HttpError::HttpRequestBodySize(Some(most)))
                .boxed_unsync(),
        };
        let request = Request::from_parts(parts, body);
        let response = application.call_streaming(target, request, limits.time).await?;
        Ok((response, permit))
    }

    fn limits_of(&self, path: &str) -> &RouteLimits {
        let special = &self.application.limits.routes;
        special.iter().find(|limits| path.starts_with(&limits.prefix)).unwrap_or(&self.ordinary)
    }

    /// Reads a body of the ordinary size.
    async fn whole_body(
        &self,
        parts: &Parts,
        body: Incoming,
        limits: &RouteLimits,
    ) -> Result<Bytes, Problem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let most = limits.body_bytes.unwrap_or(u64::MAX);
        if body.size_hint().lower() > most {
            tracing::debug!(path = parts.uri.path(), "body too large");
            drain(body).await;
            return Err(Problem::BodyTooLarge);
        }
        let read = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX)).collect();
        match tokio::time::timeout(limits.time, read).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLarge),
            Ok(Err(_)) => Err(Problem::MalformedBody),
            Err(_) => Err(Problem::BodyTooSlow),
        }
    }

    /// Waits for a place, if there is one to wait for.
    async fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = self.admitted.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let limits = &self.application.limits;
        let place = Waiting::new(&self.waiting);
        let admission = if place.ahead < limits.waiting {
            let acquired = self.admitted.clone().acquire_owned();
            tokio::time::timeout(limits.wait, acquired).await.ok().and_then(Result::ok)
        } else {
            None
        };
        admission.ok_or_else(|| {
            self.application.metrics.overloaded.inc();
            Problem::Overloaded
        })
    }

    async fn host_route(
        &self,
        parts: &Parts,
        body: Incoming,
        correlation: Option<&HeaderValue>,
    ) -> Response<WasiBody> {
        let name = &parts.uri.path()[HOST_PREFIX.len()..];
        match (&parts.method, name) {
            (&Method::GET, "health") => json_answer(&json!({ "status": "up" })),
            (&Method::GET, "ready") => self.ready(correlation).await,
            (&Method::GET, "metrics") => {
                let in_flight =
                    self.application.limits.in_flight - self.admitted.available_permits();
                let metrics = &self.application.metrics;
                metrics.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
                text(StatusCode::OK, "text/plain; version=0.0.4", metrics.text())
            }
            (&Method::GET, "clock") => clock::show(&self.application.variables),
            (&Method::POST, "clock") if self.test_clock => {
                match Limited::new(body, HOST_BODY_BYTES).collect().await {
                    Err(_) => Problem::BodyTooLarge.answer("", correlation),
                    Ok(body) => {
                        let variables = &self.application.variables;
                        let ticking = self.ticking.as_deref();
                        clock::set(variables, ticking, &body.to_bytes(), correlation).await
                    }
                }
            }
            (&Method::POST, "clock") => Problem::ClockFixed.answer("", correlation),
            (_, "health" | "ready" | "metrics" | "clock") => {
                Problem::MethodNotAllowed.answer("", correlation)
            }
            _ => Problem::UnknownRoute.answer(parts.uri.path(), correlation),
        }
    }

    async fn ready(&self, correlation: Option<&HeaderValue>) -> Response<WasiBody> {
        for address in self.application.redis_addresses() {
            let check = async {
                let mut connection = redis_imports::connect(&address).await?;
                redis::cmd("PING").query_async::<()>(&mut connection).await
            };
            match tokio::time::timeout(READY_LIMIT, check).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "not ready");
                    return Problem::NotReady.answer("Redis does not answer", correlation);
                }
                Err(_) => return Problem::NotReady.answer("Redis hangs", correlation),
            }
        }
        json_answer(&json!({ "status": "ready" }))
    }
}

/// Reads on for a while before a refusal: a client that is still sending would otherwise see a
/// broken connection instead of the answer.
async fn drain(mut body: Incoming) {
    let read = async {
        let mut room = DRAINED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match room.checked_sub(length) {
                Some(left) => room = left,
                None => return,
            }
        }
    };
    if tokio::time::timeout(DRAIN_LIMIT, read).await.is_err() {
        tracing::debug!("a refused body did not end");
    }
}

/// One who waits for admission; leaves the queue when dropped.
struct Waiting<'a> {
    queue: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Waiting<'a> {
    fn new(queue: &'a AtomicUsize) -> Waiting<'a> {
        Waiting { queue, ahead: queue.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Components see an absolute URI, as on Spin: the scheme, and the host that the caller named.
fn make_absolute(parts: &mut Parts) {
    let authority = parts.uri.authority().cloned().or_else(|| {
        let host = parts.headers.get(header::HOST)?;
        Authority::from_maybe_shared(Bytes::copy_from_slice(host.as_bytes())).ok()
    });
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority.unwrap_or_else(|| Authority::from_static("localhost")));
    uri.path_and_query = parts.uri.path_and_query().cloned();
    if uri.path_and_query.is_none() {
        uri.path_and_query = Some(PathAndQuery::from_static("/"));
    }
    if let Ok(absolute) = Uri::from_parts(uri) {
        parts.uri = absolute;
    }
}

fn record(
    method: &Method,
    path: &str,
    component: &str,
    response: &Response<WasiBody>,
    elapsed: Duration,
    asked: Option<&HeaderValue>,
) {
    let status = response.status().as_u16();
    let correlation_id = response.headers().get(CORRELATION_ID).or(asked);
    let correlation_id = correlation_id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    // The level is part of what is compiled in, so there are two of these.
    macro_rules! record {
        ($level:ident) => {
            tracing::$level!(
                target: "request",
                %method, path, status, component, milliseconds, correlation_id
            )
        };
    }
    if response.status().is_server_error() { record!(warn) } else { record!(info) }
}
