//! A plain request and response, and the problem body.
//!
//! The shell knows no HTTP library: a component turns what its host gives it into a [`Request`]
//! and a [`Response`] back. Problem bodies are those of RFC 9457 with the fields of contract.md.

use serde_json::{Value, json};
use tradewind_kernel::refusal::{Fault, Refusal, RefusalKind};

use crate::failure::Failure;

/// A method that the product uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    /// The method of this name, if the product uses it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Get, Self::Put, Self::Post, Self::Delete]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it changes state.
    #[must_use]
    pub fn writes(self) -> bool {
        self != Self::Get
    }
}

/// A request as a component gets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The method's name.
    pub method: String,
    /// The path, without the query, still percent-encoded.
    pub path: String,
    /// The query, without `?`, still percent-encoded.
    pub query: String,
    /// Headers; the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A response as a component gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers; the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON response.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// A response that is this JSON text.
    #[must_use]
    pub fn json_text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The problem body of a failure.
    #[must_use]
    pub fn problem(failure: &Failure, correlation: &str) -> Self {
        match failure {
            Failure::Refused(refusal) => refused(refusal, correlation),
            Failure::Outage(_) | Failure::Behind => unavailable(correlation),
        }
    }
}

fn title(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Malformed => "Bad request",
        RefusalKind::Unauthenticated => "No valid token",
        RefusalKind::Forbidden => "Not allowed",
        RefusalKind::NotFound => "Not found",
        RefusalKind::MethodNotAllowed => "Method not allowed",
        RefusalKind::Conflict => "Conflict",
        RefusalKind::Stale => "Precondition failed",
        RefusalKind::TooLarge => "Too large",
        RefusalKind::MediaType => "Not JSON",
        RefusalKind::Invalid => "Unprocessable",
        RefusalKind::Unavailable => "Unavailable",
    }
}

fn problem(status: u16, title: &str, code: &str, detail: &str, correlation: &str) -> Value {
    json!({
        "type": format!("urn:tradewind:problem:{code}"),
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "correlation_id": correlation,
        "errors": [],
    })
}

fn refused(refusal: &Refusal, correlation: &str) -> Response {
    let status = refusal.kind.status();
    let mut body =
        problem(status, title(refusal.kind), &refusal.code, &refusal.detail, correlation);
    if let Some(errors) = body.get_mut("errors") {
        *errors = match refusal.kind {
            // The one fault of a path or a query.
            RefusalKind::Malformed | RefusalKind::Invalid if refusal.faults.is_empty() => {
                json!([Fault::new("", &refusal.code, &refusal.detail)])
            }
            _ => json!(refusal.faults),
        };
    }
    let mut response = Response::json(status, &body);
    response.headers = problem_headers();
    if refusal.kind == RefusalKind::Unauthenticated {
        response = response.with("www-authenticate", "Bearer realm=\"tradewind\"");
    }
    if refusal.kind == RefusalKind::Unavailable {
        response = response.with("retry-after", "1");
    }
    response
}

fn unavailable(correlation: &str) -> Response {
    let detail =
        "the store is away or this domain is catching up; the same request can be repeated";
    let body = problem(503, "Unavailable", "unavailable", detail, correlation);
    let mut response = Response::json(503, &body);
    response.headers = problem_headers();
    response.with("retry-after", "1")
}

fn problem_headers() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/problem+json".to_owned())]
}

/// Decodes percent-encoding; `None` when it is broken or not UTF-8. In a query, `+` is a space.
#[must_use]
pub fn percent_decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&pair).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'+' if plus_is_space => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The pairs of a query, decoded, in order.
///
/// # Errors
/// A 400 refusal when the encoding is broken.
pub fn query_pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let broken =
        || Refusal::new(RefusalKind::Malformed, "query-malformed", "the query is not well encoded");
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decode(name, true).ok_or_else(broken)?;
            let value = percent_decode(value, true).ok_or_else(broken)?;
            Ok((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding() {
        for (text, want) in [
            ("a%2Fb", Some("a/b")),
            ("a+b", Some("a b")),
            ("%zz", None),
            ("%4", None),
            ("%ff", None),
            ("%+1", None),
        ] {
            assert_eq!(percent_decode(text, true).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn queries_split() {
        let pairs = query_pairs("sku=A&sku=B%20C&x").unwrap();
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[1], ("sku".to_owned(), "B C".to_owned()));
    }
}
