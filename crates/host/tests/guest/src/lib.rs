//! One component with a route for each thing the host must get right. It is driven by
//! `tests/host.rs` and by nothing else; a route is a path, its argument the query string.

use spin_sdk::http::{FullBody, Request, Response};
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::{http_service, redis_subscriber, variables};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;

thread_local! {
    static CONNECTION: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    static HOARD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

async fn connection() -> anyhow::Result<Rc<Connection>> {
    if let Some(open) = CONNECTION.with_borrow(Clone::clone) {
        return Ok(open);
    }
    let url = variables::get("redis_url").await?;
    let open = Rc::new(Connection::open(url).await?);
    CONNECTION.with_borrow_mut(|slot| *slot = Some(open.clone()));
    Ok(open)
}

async fn increment(key: &str) -> anyhow::Result<String> {
    let key = RedisParameter::Binary(key.as_bytes().to_vec());
    match connection().await?.execute("INCR", [key]).await {
        Ok(mut answer) => match answer.pop() {
            Some(RedisResult::Int64(count)) => Ok(count.to_string()),
            other => anyhow::bail!("unexpected answer {other:?}"),
        },
        Err(error) => {
            CONNECTION.with_borrow_mut(|slot| *slot = None);
            Err(error.into())
        }
    }
}

async fn eval(script: &str) -> anyhow::Result<String> {
    let arguments = [
        RedisParameter::Binary(script.as_bytes().to_vec()),
        RedisParameter::Int64(0),
    ];
    let answer = connection().await?.execute("EVAL", arguments).await?;
    Ok(format!("{answer:?}"))
}

async fn answer(
    path: &str,
    query: &str,
    authorization: &str,
    body: Bytes,
) -> anyhow::Result<String> {
    Ok(match path {
        "/guest/hello" => "hello".to_owned(),
        "/guest/echo" => String::from_utf8(body.to_vec())?,
        "/guest/length" => body.len().to_string(),
        "/guest/increment" => increment(query).await?,
        "/guest/eval" => eval(std::str::from_utf8(&body)?).await?,
        "/guest/open" => match Connection::open(query).await {
            Ok(_) => "opened".to_owned(),
            Err(error) => format!("{error:?}"),
        },
        "/guest/fetch" => match spin_sdk::http::get(query).await {
            Ok(response) => response.status().to_string(),
            Err(error) => format!("{error:?}"),
        },
        "/guest/variable" => match variables::get(query).await {
            Ok(value) => value,
            Err(error) => format!("{error:?}"),
        },
        "/guest/wait" => {
            spin_sdk::time::sleep(Duration::from_millis(query.parse()?)).await;
            "waited".to_owned()
        }
        "/guest/spin" => loop {
            std::hint::black_box(());
        },
        "/guest/trap" => panic!("as asked"),
        "/guest/hoard" => {
            let size: usize = query.parse()?;
            HOARD.with_borrow_mut(|hoard| hoard.push(vec![1; size]));
            "hoarded".to_owned()
        }
        "/guest/count" => REQUESTS.get().to_string(),
        "/guest/log" => {
            println!("{query}");
            "logged".to_owned()
        }
        "/guest/tick" => {
            connection().await?.set("authorization", authorization).await?;
            increment("ticks").await?
        }
        other => anyhow::bail!("no route {other}"),
    })
}

/// What a request is, whichever entry it came through.
struct Asked {
    through: &'static str,
    method: String,
    path: String,
    query: String,
    authorization: Option<String>,
    content_type: Option<String>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    if_match: Option<String>,
    body: Bytes,
}

async fn respond(asked: Asked) -> (u16, String) {
    REQUESTS.set(REQUESTS.get() + 1);
    let result = match asked.path.as_str() {
        "/guest/entry" => Ok(asked.through.to_owned()),
        "/guest/request" => Ok(format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {}",
            asked.method,
            asked.query,
            asked.authorization,
            asked.content_type,
            asked.correlation_id,
            asked.idempotency_key,
            asked.if_match,
            asked.body.len(),
        )),
        path => {
            let authorization = asked.authorization.as_deref().unwrap_or_default();
            answer(path, &asked.query, authorization, asked.body).await
        }
    };
    match result {
        Ok(text) => (200, text),
        Err(error) => (502, format!("{error:#}")),
    }
}

#[http_service]
async fn handle(request: Request) -> Response<FullBody<Bytes>> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let correlation = header("correlation-id");
    let (status, text) = match body.collect().await {
        Ok(body) => {
            respond(Asked {
                through: "wasi:http",
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                authorization: header("authorization"),
                content_type: header("content-type"),
                correlation_id: correlation.clone(),
                idempotency_key: header("idempotency-key"),
                if_match: header("if-match"),
                body: body.to_bytes(),
            })
            .await
        }
        Err(error) => (502, format!("body: {error:?}")),
    };
    let mut builder = Response::builder().status(status).header("content-length", text.len());
    if let Some(correlation) = correlation {
        builder = builder.header("correlation-id", correlation);
    }
    builder.body(FullBody::new(Bytes::from(text))).unwrap()
}

mod lean {
    spin_sdk::wit_bindgen::generate!({
        world: "lean-entry",
        path: "../../../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Entry);
    pub struct Entry;
}

impl lean::exports::tradewind::host::entry::Guest for lean::Entry {
    async fn handle(
        request: lean::exports::tradewind::host::entry::Request,
    ) -> lean::exports::tradewind::host::entry::Response {
        let correlation = request.correlation_id.clone();
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let (status, text) = respond(Asked {
            through: "lean",
            method: request.method,
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: request.authorization,
            content_type: request.content_type,
            correlation_id: request.correlation_id,
            idempotency_key: request.idempotency_key,
            if_match: request.if_match,
            body: Bytes::from(request.body),
        })
        .await;
        let headers = correlation.map(|value| ("correlation-id".to_owned(), value));
        lean::exports::tradewind::host::entry::Response {
            status,
            headers: headers.into_iter().collect(),
            body: text.into_bytes(),
        }
    }
}

#[redis_subscriber]
async fn nudged(message: Bytes) -> anyhow::Result<()> {
    let name = std::str::from_utf8(&message)?.to_owned();
    match name.as_str() {
        "fail" => anyhow::bail!("as asked"),
        "trap" => panic!("as asked"),
        _ => increment(&format!("nudged:{name}")).await.map(|_| ()),
    }
}
