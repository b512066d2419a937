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

/// How the type of a problem begins, as in the components' own; its code follows.
const PROBLEM_TYPE: &str = "urn:tradewind:problem:";

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
    /// The body is larger than the route takes: at most so many bytes.
    BodyTooLarge(u64),
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
    fn status_and_code(self) -> (StatusCode, &'static str) {
        match self {
            Problem::UnknownRoute => (StatusCode::NOT_FOUND, "route-unknown"),
            Problem::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Problem::MalformedBody => (StatusCode::BAD_REQUEST, "body-malformed"),
            Problem::ClockFixed => (StatusCode::FORBIDDEN, "clock-fixed"),
            Problem::BodyTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
            Problem::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body-too-slow"),
            Problem::ComponentFailed => (StatusCode::INTERNAL_SERVER_ERROR, "component-failed"),
            Problem::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Problem::TimeLimit => (StatusCode::SERVICE_UNAVAILABLE, "time-limit"),
            Problem::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
        }
    }

    /// The kind of problem: one for each status, as in the components' own.
    fn title(self) -> &'static str {
        match self {
            Problem::UnknownRoute => "Not found",
            Problem::MethodNotAllowed => "Method not allowed",
            Problem::MalformedBody => "Bad request",
            Problem::ClockFixed => "Not allowed",
            Problem::BodyTooLarge(_) => "Too large",
            Problem::BodyTooSlow => "Too slow",
            Problem::ComponentFailed => "Internal error",
            Problem::Overloaded | Problem::TimeLimit | Problem::NotReady => "Unavailable",
        }
    }

    /// What happened and what helps, as far as it is the same each time.
    fn sentence(self) -> String {
        let sentence = match self {
            Problem::UnknownRoute => "no route leads to this path",
            Problem::MethodNotAllowed => "this path has no such method",
            Problem::MalformedBody => "the body broke off or is not framed as HTTP has it",
            Problem::ClockFixed => {
                "the clock moves only when the host is started with --test-clock"
            }
            Problem::BodyTooLarge(most) => {
                return format!("a body has at most {most} bytes on this path");
            }
            Problem::BodyTooSlow => "the body did not arrive within the time of its path",
            Problem::ComponentFailed => {
                "the component failed before it answered; a write can be repeated under its \
                 Idempotency-Key"
            }
            Problem::Overloaded => {
                "too many requests are in flight; the same request can be repeated"
            }
            Problem::TimeLimit => {
                "the request took too long and was given up; a write can be repeated under its \
                 Idempotency-Key"
            }
            Problem::NotReady => "a Redis of the application does not answer",
        };
        sentence.to_owned()
    }

    /// The answer, under a correlation made by [`correlation`].
    pub fn answer(self, correlation: &HeaderValue) -> Response<WasiBody> {
        self.explained(&self.sentence(), correlation)
    }

    /// The answer with a sentence that knows more of this case.
    pub fn explained(self, detail: &str, correlation: &HeaderValue) -> Response<WasiBody> {
        let (status, _) = self.status_and_code();
        let body = self.body(detail, correlation.to_str().unwrap_or_default());
        let mut response = text(status, "application/problem+json", body.to_string());
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        headers.insert(CORRELATION_ID, correlation.clone());
        response
    }

    fn body(self, detail: &str, correlation: &str) -> Value {
        let (status, code) = self.status_and_code();
        json!({
            "type": format!("{PROBLEM_TYPE}{code}"),
            "title": self.title(),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
            "correlation_id": correlation,
            "errors": [],
        })
    }
}

/// Most characters of a caller's correlation that is taken over.
const MOST_CORRELATION: usize = 64;

/// The correlation of an answer that has none of its component's: the caller's when it is a plain
/// word (64 letters, digits, `.`, `_`, `~` and `-` at most, the first a letter or digit), else a
/// fresh one.
pub fn correlation(asked: Option<&HeaderValue>) -> HeaderValue {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._~-".contains(byte);
    let usable = |value: &&HeaderValue| {
        let word = value.as_bytes();
        word.first().is_some_and(u8::is_ascii_alphanumeric)
            && word.len() <= MOST_CORRELATION
            && word.iter().all(inner)
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_the_form_of_the_components_own() {
        for (problem, status, code) in [
            (Problem::UnknownRoute, 404, "route-unknown"),
            (Problem::MethodNotAllowed, 405, "method-not-allowed"),
            (Problem::MalformedBody, 400, "body-malformed"),
            (Problem::ClockFixed, 403, "clock-fixed"),
            (Problem::BodyTooLarge(4096), 413, "body-too-large"),
            (Problem::BodyTooSlow, 408, "body-too-slow"),
            (Problem::ComponentFailed, 500, "component-failed"),
            (Problem::Overloaded, 503, "overloaded"),
            (Problem::TimeLimit, 503, "time-limit"),
            (Problem::NotReady, 503, "not-ready"),
        ] {
            let detail = problem.sentence();
            assert!(detail.contains(' ') && !detail.contains("  "), "{code}: {detail}");
            let wanted = json!({
                "type": format!("urn:tradewind:problem:{code}"),
                "title": problem.title(),
                "status": status,
                "code": code,
                "detail": detail,
                "correlation_id": "cor_1",
                "errors": [],
            });
            assert_eq!(problem.body(&detail, "cor_1"), wanted);
        }
        let large = Problem::BodyTooLarge(4096).sentence();
        assert_eq!(large, "a body has at most 4096 bytes on this path");
    }
}
