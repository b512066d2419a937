//! Answers that the host itself gives: problem bodies (RFC 9457) and small JSON.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use wasmtime_wasi_http::WasiBody;

/// Seconds after which a refused caller may come again; load passes or an instance is renewed
/// within that.
const RETRY_AFTER: &str = "1";

/// Header that ties together everything one request caused.
pub const CORRELATION_ID: &str = "correlation-id";

/// What the host refuses or cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No route leads there.
    UnknownRoute,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The body is not what it should be.
    MalformedBody,
    /// The clock is fixed.
    ClockFixed,
    /// The body is larger than the route takes.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The component failed.
    ComponentFailed,
    /// Too much is in flight.
    Overloaded,
    /// The request took too long and was given up.
    TimeLimit,
    /// Redis does not answer.
    NotReady,
}

impl Problem {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Problem::UnknownRoute => (StatusCode::NOT_FOUND, "route-unknown", "No such route"),
            Problem::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Problem::MalformedBody => (StatusCode::BAD_REQUEST, "body-malformed", "Malformed body"),
            Problem::ClockFixed => {
                (StatusCode::FORBIDDEN, "clock-fixed", "The clock is moved with --test-clock only")
            }
            Problem::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
            }
            Problem::BodyTooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body did not arrive in time")
            }
            Problem::ComponentFailed => {
                (StatusCode::INTERNAL_SERVER_ERROR, "component-failed", "Internal error")
            }
            Problem::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many requests in flight")
            }
            Problem::TimeLimit => {
                (StatusCode::SERVICE_UNAVAILABLE, "time-limit", "The request took too long")
            }
            Problem::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready"),
        }
    }

    /// The answer, under a correlation made by [`correlation`].
    pub fn answer(self, detail: &str, correlation: &HeaderValue) -> Response<WasiBody> {
        let (status, code, title) = self.parts();
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
            "correlation_id": correlation.to_str().unwrap_or_default(),
            "errors": [],
        });
        let mut response = text(status, "application/problem+json", body.to_string());
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        headers.insert(CORRELATION_ID, correlation.clone());
        response
    }
}

/// The correlation of an answer that has none of its component's: the caller's when it is visible
/// ASCII, else a fresh one.
pub fn correlation(asked: Option<&HeaderValue>) -> HeaderValue {
    let usable = |value: &&HeaderValue| value.to_str().is_ok_and(|text| !text.is_empty());
    if let Some(asked) = asked.filter(usable) {
        return asked.clone();
    }
    let mut bits = [0; 16];
    if let Err(error) = getrandom::fill(&mut bits) {
        tracing::error!(%error, "no randomness");
    }
    let fresh = format!("host_{:032x}", u128::from_le_bytes(bits));
    HeaderValue::try_from(fresh).unwrap_or_else(|_| HeaderValue::from_static("host_"))
}

/// A small JSON answer.
pub fn json_answer(body: &Value) -> Response<WasiBody> {
    text(StatusCode::OK, "application/json", body.to_string())
}

/// An answer of any type.
pub fn text(status: StatusCode, media_type: &'static str, body: String) -> Response<WasiBody> {
    let mut response = Response::new(whole(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A body that is there already.
pub fn whole(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
