//! The ways into a component, and a call through each.
//!
//! A request goes in through the lean entry (`wit/host.wit`) when the component has one and the
//! request is there as a whole, else through `wasi:http/handler`; a Redis message through
//! `spin:redis/inbound-redis`. All of them lead into the same instances.

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use wasmtime::component::{Accessor, Func, InstancePre};
use wasmtime::{Store, format_err};
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::{Service, ServiceIndices};
use wasmtime_wasi_http::{Error as HttpError, WasiBody, WasiHttpView};

use crate::bindings::lean::exports::tradewind::host::entry as lean;
use crate::bindings::lean::{LeanEntry, LeanEntryIndices};
use crate::bindings::{Subscriber, SubscriberIndices};
use crate::instance::StoreData;
use crate::problem::{CORRELATION_ID, whole};

/// Which way a request takes where a component offers both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Entry {
    /// The lean entry.
    #[default]
    Lean,
    /// `wasi:http/handler`, as on Spin.
    WasiHttp,
}

/// What a component can be called for.
pub enum Call {
    /// A request that is there as a whole; it may be needed again.
    Whole(Rc<(Parts, Bytes)>),
    /// A request whose body streams.
    Streaming(Box<Request<WasiBody>>),
    /// A Redis message.
    Message(Vec<u8>),
}

/// What came of a call.
pub enum Answer {
    /// The answer to a request; its body may still be on its way.
    Response(Response<WasiBody>),
    /// A message was handled.
    Handled,
}

/// The ways that a component offers, before it is instantiated.
pub struct Entries {
    pre: InstancePre<StoreData>,
    lean: Option<LeanEntryIndices>,
    http: Option<ServiceIndices>,
    subscriber: Option<SubscriberIndices>,
}

impl Entries {
    /// Looks for them among the exports; the lean entry only if it is `preferred`.
    pub fn of(pre: InstancePre<StoreData>, preferred: Entry) -> Entries {
        let lean = LeanEntryIndices::new(&pre).ok().filter(|_| preferred == Entry::Lean);
        let http = ServiceIndices::new(&pre).ok();
        let subscriber = SubscriberIndices::new(&pre).ok();
        Entries { pre, lean, http, subscriber }
    }

    /// Whether it answers HTTP, as Spin would have it.
    pub fn answers_http(&self) -> bool {
        self.http.is_some()
    }

    /// Whether it hears Redis messages.
    pub fn hears_messages(&self) -> bool {
        self.subscriber.is_some()
    }

    /// Makes an instance in this store.
    ///
    /// # Errors
    /// There is no room for it.
    pub async fn open(&self, store: &mut Store<StoreData>) -> wasmtime::Result<Open> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let lean = self.lean.as_ref().map(|lean| lean.load(&mut *store, &instance)).transpose()?;
        let http = self.http.as_ref().map(|http| http.load(&mut *store, &instance)).transpose()?;
        let subscriber = self.subscriber.as_ref();
        let subscriber = subscriber.map(|it| it.load(&mut *store, &instance)).transpose()?;
        Ok(Open { lean, http, subscriber })
    }
}

/// The ways into one instance.
pub struct Open {
    lean: Option<LeanEntry>,
    http: Option<Service>,
    subscriber: Option<Subscriber>,
}

impl Open {
    /// A function by which to ask whether the instance takes another call now.
    pub fn gate(&self) -> Option<Func> {
        let lean = self.lean.as_ref().map(|it| *it.tradewind_host_entry().func_handle().func());
        let http = || self.http.as_ref().map(|it| *it.wasi_http_handler().func_handle().func());
        let message = || {
            let subscriber = self.subscriber.as_ref()?;
            Some(*subscriber.spin_redis_inbound_redis().func_handle_message().func())
        };
        lean.or_else(http).or_else(message)
    }

    /// Makes a call.
    ///
    /// # Errors
    /// The component gave no answer, or one that breaks the rules. When it trapped, the store is
    /// at its end, which its driver is told as well.
    pub async fn call(
        &self,
        accessor: &Accessor<StoreData>,
        call: Call,
    ) -> wasmtime::Result<Answer> {
        match (call, &self.lean) {
            (Call::Whole(request), Some(lean)) => {
                let state = |store: &StoreData| store.component.application_variables.state();
                let variables = accessor.with(|mut access| state(access.get()));
                let request = plain(&request.0, &request.1, variables);
                let answer = lean.tradewind_host_entry().call_handle(accessor, request).await?;
                response(answer).map(Answer::Response)
            }
            (Call::Whole(request), None) => {
                let (parts, body) = Rc::unwrap_or_clone(request);
                self.stream(accessor, parts, whole(body)).await
            }
            (Call::Streaming(request), _) => {
                let (parts, body) = request.into_parts();
                self.stream(accessor, parts, body).await
            }
            (Call::Message(payload), _) => {
                let subscriber = self.subscriber.as_ref();
                let subscriber = subscriber.ok_or_else(|| format_err!("it hears no messages"))?;
                let handler = subscriber.spin_redis_inbound_redis();
                let handled = handler.call_handle_message(accessor, payload).await?;
                handled.map_err(|error| format_err!("{error:?}"))?;
                Ok(Answer::Handled)
            }
        }
    }

    /// Calls `wasi:http/handler`; the body of its answer goes on in the store.
    async fn stream(
        &self,
        accessor: &Accessor<StoreData>,
        mut parts: Parts,
        body: WasiBody,
    ) -> wasmtime::Result<Answer> {
        make_absolute(&mut parts);
        let request = Request::from_parts(parts, body);
        let service = self.http.as_ref().ok_or_else(|| format_err!("it answers no HTTP"))?;
        type Sent = Pin<Box<dyn Future<Output = Result<(), HttpError>> + Send>>;
        let (request, sent) = accessor.with(|mut store| {
            let (request, sent) = p3::Request::from_http(store.get().http().hooks, request);
            (request, Box::pin(sent) as Sent)
        });
        let response = service.handle(accessor, request).await??;
        accessor.with(|mut store| {
            let response = response.into_http(&mut store, sent)?;
            Ok(Answer::Response(response))
        })
    }
}

fn plain(parts: &Parts, body: &Bytes, variables: u64) -> lean::Request {
    let header = |name: &HeaderName| first(&parts.headers, name.as_str());
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    lean::Request {
        method: parts.method.as_str().to_owned(),
        target: target.to_owned(),
        authorization: header(&header::AUTHORIZATION),
        content_type: header(&header::CONTENT_TYPE),
        correlation_id: first(&parts.headers, CORRELATION_ID),
        idempotency_key: first(&parts.headers, IDEMPOTENCY_KEY),
        if_match: header(&header::IF_MATCH),
        variables,
        body: body.to_vec(),
    }
}

/// Names the request by which a write may be repeated.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The first value of a header. What is not UTF-8 is kept, each such part as `U+FFFD`, so that the
/// component refuses it and does not take it for absent.
fn first(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Headers that frame an answer on its connection: the host's own.
const FRAMING: [HeaderName; 3] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];

fn response(answer: lean::Response) -> wasmtime::Result<Response<WasiBody>> {
    let mut response = Response::new(whole(Bytes::from(answer.body)));
    *response.status_mut() = match StatusCode::from_u16(answer.status) {
        Ok(status) if (200..600).contains(&answer.status) => status,
        _ => return Err(format_err!("it answered the status {}", answer.status)),
    };
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if FRAMING.contains(&name) {
            return Err(format_err!("it answered the header {name}"));
        }
        response.headers_mut().append(name, HeaderValue::try_from(value)?);
    }
    Ok(response)
}

/// Through `wasi:http` components see an absolute URI, as on Spin: the scheme, and the host that
/// the caller named.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_keeps_what_the_entry_has_room_for() {
        let request = Request::builder()
            .method("PUT")
            .uri("http://localhost/a%20b?c=d")
            .header("if-match", HeaderValue::from_bytes(b"\xff").unwrap())
            .header("if-match", "\"7\"")
            .header("x-other", "dropped");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let plain = plain(&parts, &Bytes::from_static(b"body"), 7);
        assert_eq!((plain.method.as_str(), plain.target.as_str()), ("PUT", "/a%20b?c=d"));
        assert_eq!(plain.if_match.as_deref(), Some("\u{fffd}"));
        assert_eq!((plain.authorization, plain.body.as_slice()), (None, &b"body"[..]));
        assert_eq!(plain.variables, 7);
    }

    #[test]
    fn answers_that_break_the_rules_are_none() {
        let answer = |status, name: &str, value: &str| {
            let headers = vec![(name.to_owned(), value.to_owned())];
            response(lean::Response { status, headers, body: Vec::new() })
        };
        assert_eq!(answer(201, "etag", "\"1\"").unwrap().headers()["etag"], "\"1\"");
        for (status, name, value) in [
            (99, "etag", ""),
            (101, "etag", ""),
            (1000, "etag", ""),
            (200, "content-length", "5"),
            (200, "a b", ""),
            (200, "etag", "\n"),
        ] {
            assert!(answer(status, name, value).is_err(), "{status} {name} {value}");
        }
    }
}
