//! A request's way through one thread: admission, limits, the component, the record.
//!
//! Its body is read as a whole before it takes up an instance, except on routes that are declared
//! to stream. Every record names a correlation, and so does every answer of the host's own.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use crate::RouteLimits;
use crate::admission::Admission;
use crate::application::Application;
use crate::calls::Calls;
use crate::host_routes;
use crate::logging::{self, Record};
use crate::problem::{CORRELATION_ID, Problem, correlation};
use crate::routes::HOST_PREFIX;
use crate::timer::Ticking;

/// How much of what is refused is read on, and for how long.
pub const DRAINED_BYTES: usize = 64 << 20;
/// See [`DRAINED_BYTES`].
pub const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// What all threads answer with.
pub struct Shared {
    /// The application.
    pub application: Arc<Application>,
    /// The timer, which a moved clock sets off.
    pub ticking: Option<Ticking>,
    /// Whether the clock may be moved.
    pub test_clock: bool,
    /// How many are in flight.
    pub admission: Admission,
    ordinary: RouteLimits,
}

impl Shared {
    /// Nothing is in flight yet.
    pub fn new(
        application: Arc<Application>,
        ticking: Option<Ticking>,
        test_clock: bool,
    ) -> Shared {
        let limits = &application.limits;
        let ordinary = RouteLimits {
            prefix: "/".to_owned(),
            body_bytes: Some(limits.body_bytes),
            time: limits.time,
        };
        let admission = Admission::new(limits);
        Shared { application, ticking, test_clock, admission, ordinary }
    }

    fn limits_of(&self, path: &str) -> &RouteLimits {
        let special = &self.application.limits.routes;
        special.iter().find(|limits| path.starts_with(&limits.prefix)).unwrap_or(&self.ordinary)
    }
}

/// What answers requests on one thread.
pub struct Server {
    /// What it has in common with the other threads.
    pub shared: Arc<Shared>,
    /// The instances of this thread.
    pub calls: Rc<Calls>,
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
    /// Answers one request; never fails.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let asked = parts.headers.get(CORRELATION_ID).cloned();
        let application = &self.shared.application;
        let (response, permit) = if uri.path().starts_with(HOST_PREFIX) {
            (host_routes::answer(self, &parts, body).await, None)
        } else if let Some(target) = application.router.find(uri.path()) {
            let (response, permit) = match self.component_route(target, parts, body).await {
                Ok((response, permit)) => (response, Some(permit)),
                Err(problem) => (problem.answer(&correlation(asked.as_ref())), None),
            };
            let component = &application.components[target].runtime;
            component.metrics.answered(response.status(), start.elapsed());
            let record =
                Record { method: &method, path: uri.path(), component: &component.id, start };
            (recorded(response, asked.as_ref(), &record), permit)
        } else {
            (Problem::UnknownRoute.answer(&correlation(asked.as_ref())), None)
        };
        response.map(|body| Answer { body, _permit: permit })
    }

    async fn component_route(
        &self,
        target: usize,
        parts: Parts,
        body: Incoming,
    ) -> Result<(Response<WasiBody>, OwnedSemaphorePermit), Problem> {
        let limits = self.shared.limits_of(parts.uri.path());
        if std::ptr::eq(limits, &self.shared.ordinary) {
            let bytes = whole_body(&parts, body, limits).await?;
            let permit = self.admit().await?;
            let response = self.calls.whole(target, parts, bytes, limits.time).await?;
            return Ok((response, permit));
        }
        let permit = self.admit().await?;
        let body = match limits.body_bytes {
            None => body.map_err(HttpError::Hyper).boxed_unsync(),
            Some(most) if body.size_hint().lower() > most => {
                return Err(Problem::BodyTooLarge(most));
            }
            Some(most) => Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX))
                .map_err(move |_| HttpError::HttpRequestBodySize(Some(most)))
                .boxed_unsync(),
        };
        let request = Request::from_parts(parts, body);
        let response = self.calls.streaming(target, request, limits.time).await?;
        Ok((response, permit))
    }

    async fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let permit = self.shared.admission.admit().await;
        permit.ok_or_else(|| {
            self.shared.application.metrics.overloaded.inc();
            Problem::Overloaded
        })
    }
}

/// Writes an answer's record under the correlation that it names. One that names none (a component
/// names those of writes) is under the caller's, which is then named; else under a fresh one, by
/// which the log alone tells it from others.
fn recorded(
    mut response: Response<WasiBody>,
    asked: Option<&HeaderValue>,
    record: &Record<'_>,
) -> Response<WasiBody> {
    let named = response.headers().get(CORRELATION_ID).cloned();
    let named = named.unwrap_or_else(|| {
        let named = correlation(asked);
        if asked == Some(&named) {
            response.headers_mut().insert(CORRELATION_ID, named.clone());
        }
        named
    });
    logging::record(record, response.status(), named.to_str().unwrap_or_default());
    response
}

/// Reads a body of the ordinary size.
async fn whole_body(parts: &Parts, body: Incoming, limits: &RouteLimits) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let most = limits.body_bytes.unwrap_or(u64::MAX);
    if body.size_hint().lower() > most {
        tracing::debug!(path = parts.uri.path(), "body too large");
        drain(body).await;
        return Err(Problem::BodyTooLarge(most));
    }
    let read = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX)).collect();
    match tokio::time::timeout(limits.time, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLarge(most)),
        Ok(Err(_)) => Err(Problem::MalformedBody),
        Err(_) => Err(Problem::BodyTooSlow),
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
